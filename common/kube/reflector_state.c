#include "common/kube/reflector_state.h"

#include <errno.h>
#include <string.h>

#include "common/base/err.h"

enum {
    BACKOFF_BASE_MS = 200,
    BACKOFF_CAP_MS = 10000,
    ABSENT_CAP_MS = 30000, /* for a kind that the server does not know */
    WATCH_MIN_S = 300,     /* a watch lasts this long, and up to as much again */
    WATCH_GOOD_MS = 5000,  /* a watch that lasted this long was no failure */
};

void reflector_state_init(struct reflector_state *state)
{
    *state =
        (struct reflector_state){.backoff = {.base_ms = BACKOFF_BASE_MS, .cap_ms = BACKOFF_CAP_MS}};
}

struct str reflector_version(const struct reflector_state *state)
{
    return (struct str){state->version, state->version_len};
}

static void set_phase(struct reflector_state *state, enum reflector_phase phase)
{
    state->phase = phase;
}

/* False for a version longer than any server sends. */
static bool set_version(struct reflector_state *state, struct str version)
{
    if (!version.len || version.len > sizeof(state->version))
        return false;
    memcpy(state->version, version.ptr, version.len);
    state->version_len = version.len;
    return true;
}

static struct reflector_action do_list(struct reflector_state *state, bool cancel)
{
    set_phase(state, REFLECTOR_LISTING);
    return (struct reflector_action){.deed = REFLECTOR_DO_LIST, .cancel = cancel};
}

static struct reflector_action do_watch(struct reflector_state *state, uint64_t now,
                                        uint32_t random)
{
    set_phase(state, REFLECTOR_WATCHING);
    state->watch_since = now;
    state->progressed = false;
    return (struct reflector_action){.deed = REFLECTOR_DO_WATCH,
                                     .timeout_s = WATCH_MIN_S + random % WATCH_MIN_S};
}

static struct reflector_action do_wait(struct reflector_state *state, enum reflector_phase phase,
                                       uint64_t retry_after_ms, uint32_t random)
{
    set_phase(state, phase);
    return (struct reflector_action){.deed = REFLECTOR_DO_WAIT,
                                     .wait_ms =
                                         backoff_next(&state->backoff, retry_after_ms, random)};
}

/* Is a before b, as numbers? Versions are to be compared for equality only, save that a server
 * which goes back (restored from a backup) must be noticed; text that is no number never is. */
static bool version_before(struct str a, struct str b)
{
    uint64_t x, y;
    return str_to_u64(a, UINT64_MAX, &x) == 0 && str_to_u64(b, UINT64_MAX, &y) == 0 && x < y;
}

static struct reflector_action listing_step(struct reflector_state *state,
                                            const struct reflector_event *event, uint64_t now,
                                            uint32_t random)
{
    switch (event->type) {
    case REFLECTOR_PAGE: {
        if (!event->last)
            return (struct reflector_action){.deed = REFLECTOR_DO_PAGE};
        if (!set_version(state, event->version))
            return do_wait(state, REFLECTOR_LIST_WAIT, 0, random);
        state->backoff.cap_ms = BACKOFF_CAP_MS;
        struct reflector_action action = do_watch(state, now, random);
        action.sweep = true;
        return action;
    }
    case REFLECTOR_FAILED:
        state->backoff.cap_ms = event->result == -ENOENT ? ABSENT_CAP_MS : BACKOFF_CAP_MS;
        return do_wait(state, REFLECTOR_LIST_WAIT, event->retry_after_ms, random);
    case REFLECTOR_RELIST:
        return do_list(state, true);
    default:
        return (struct reflector_action){.deed = REFLECTOR_NOTHING};
    }
}

/* The watch is over. Goes on at once when it has been of use, else waits, so that a server that
 * ends every watch is not hammered. */
static struct reflector_action watch_ended(struct reflector_state *state,
                                           const struct reflector_event *event, uint64_t now,
                                           uint32_t random)
{
    bool useful = state->progressed || now - state->watch_since >= WATCH_GOOD_MS;
    bool history_lost =
        event->result == ERR_GONE || event->result == ERR_PROTOCOL || event->result == -ENOENT;
    if (useful)
        backoff_reset(&state->backoff);
    if (useful && !event->retry_after_ms && (event->result == 0 || history_lost))
        return history_lost ? do_list(state, false) : do_watch(state, now, random);
    return do_wait(state, history_lost ? REFLECTOR_LIST_WAIT : REFLECTOR_WATCH_WAIT,
                   event->retry_after_ms, random);
}

static struct reflector_action watching_step(struct reflector_state *state,
                                             const struct reflector_event *event, uint64_t now,
                                             uint32_t random)
{
    switch (event->type) {
    case REFLECTOR_BOOKMARK:
        if (version_before(event->version, reflector_version(state)))
            return do_list(state, true);
        /* fall through */
    case REFLECTOR_PROGRESS:
        if (!set_version(state, event->version))
            return do_list(state, true);
        state->progressed = true;
        return (struct reflector_action){.deed = REFLECTOR_NOTHING};
    case REFLECTOR_ENDED:
        return watch_ended(state, event, now, random);
    case REFLECTOR_RELIST:
        return do_list(state, true);
    default:
        return (struct reflector_action){.deed = REFLECTOR_NOTHING};
    }
}

struct reflector_action reflector_step(struct reflector_state *state,
                                       const struct reflector_event *event, uint64_t now,
                                       uint32_t random)
{
    static const struct reflector_action nothing = {.deed = REFLECTOR_NOTHING};
    if (event->type == REFLECTOR_STOP) {
        set_phase(state, REFLECTOR_IDLE);
        return (struct reflector_action){.deed = REFLECTOR_NOTHING, .cancel = true};
    }
    switch (state->phase) {
    case REFLECTOR_IDLE:
        return event->type == REFLECTOR_START ? do_list(state, false) : nothing;
    case REFLECTOR_LISTING:
        return listing_step(state, event, now, random);
    case REFLECTOR_WATCHING:
        return watching_step(state, event, now, random);
    case REFLECTOR_LIST_WAIT:
        if (event->type == REFLECTOR_TIMER || event->type == REFLECTOR_RELIST)
            return do_list(state, event->type == REFLECTOR_RELIST);
        return nothing;
    case REFLECTOR_WATCH_WAIT:
        if (event->type == REFLECTOR_TIMER)
            return do_watch(state, now, random);
        return event->type == REFLECTOR_RELIST ? do_list(state, true) : nothing;
    }
    return nothing;
}
