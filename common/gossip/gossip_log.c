#include "common/gossip/gossip_log.h"

#include "common/base/log.h"

static void log_state(const struct member_note *note)
{
    struct str by = note->by.len ? note->by : STR("unknown");
    if (note->state == GOSSIP_DEAD)
        log_warn("member is dead", kv_str("member", note->name), kv_ip("address", &note->address),
                 kv_cstr("old", gossip_state_name(note->old)), kv_str("by", by),
                 kv_seconds("silent", (double)note->silent_us / 1e6));
    else
        log_info("member changed", kv_str("member", note->name), kv_ip("address", &note->address),
                 kv_cstr("old", gossip_state_name(note->old)),
                 kv_cstr("new", gossip_state_name(note->state)), kv_str("by", by));
}

static void log_stall(const struct member_note *note)
{
    double seconds = (double)note->silent_us / 1e6;
    if (note->type == MEMBER_NOTE_STALLED)
        log_warn("this process was stopped", kv_seconds("for", seconds));
    else if (note->type == MEMBER_NOTE_CUT_OFF)
        log_warn("interface came while no member was in reach", kv_str("interface", note->name),
                 kv_seconds("silent", seconds));
    else
        log_info("asked the members again", kv_seconds("took", seconds));
}

void gossip_log_note(const struct member_note *note, const struct gossip_options *options)
{
    switch (note->type) {
    case MEMBER_NOTE_STATE:
        log_state(note);
        return;
    case MEMBER_NOTE_RESTART:
        log_info("member restarted", kv_str("member", note->name),
                 kv_ip("address", &note->address));
        return;
    case MEMBER_NOTE_FORGOTTEN:
        log_info("member forgotten", kv_str("member", note->name),
                 kv_ip("address", &note->address));
        return;
    case MEMBER_NOTE_REFUTED:
        log_warn("denied what was said about this member",
                 kv_cstr("said", gossip_state_name(note->state)), kv_str("by", note->by));
        return;
    case MEMBER_NOTE_HELD:
        log_warn("held: others had counted this member dead", kv_str("by", note->by),
                 kv_seconds("for", (double)options->hold_down_ms / 1e3));
        return;
    case MEMBER_NOTE_RELEASED:
        log_info("no longer held", kv_str("member", options->name));
        return;
    case MEMBER_NOTE_STALLED:
    case MEMBER_NOTE_CUT_OFF:
    case MEMBER_NOTE_RESUMED:
        log_stall(note);
        return;
    case MEMBER_NOTE_NAMESAKE:
        log_error("another process has the name of this member", kv_str("member", options->name),
                  kv_ip("address", &note->address));
        return;
    case MEMBER_NOTE_FULL:
        log_error("no room for one more member", kv_str("member", note->name),
                  kv_uint("max", GOSSIP_MEMBERS_MAX));
        return;
    }
}
