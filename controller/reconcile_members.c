/* The members in the shell: the controller watches the speakers as one that serves nothing, and
 * makes the Secret that they share. */
#include <sodium.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/json/patch.h"
#include "common/program/program_members.h"
#include "controller/controller.h"
#include "controller/lost.h"
#include "controller/silent.h"
#include "crd/owner.h"

/* A speaker that is started anew is back sooner. */
enum { SILENCE_MS = 3000 };

/* After a power cut all programs start at about the same time: a node that was never heard of is
 * taken for dead only this long after the start. */
enum { LATE_MS = 3000 };

/* --- watching -------------------------------------------------------------------------------- */

static void members_changed(void *ctx)
{
    struct controller *c = ctx;
    c->members_changed = true;
    c->quarantine_changed = true; /* what counts may have changed */
    if (c->active)
        reconcile_schedule(c);
}

static void late(void *ctx)
{
    struct controller *c = ctx;
    c->grace = NULL;
    members_changed(c);
}

static void message_came(void *ctx, struct str from, struct str bytes)
{
    (void)ctx; /* speakers talk among themselves */
    (void)from;
    (void)bytes;
}

int controller_watch(struct controller *c, const struct controller_members *members)
{
    static const struct gossip_calls calls = {.changed = members_changed, .message = message_came};
    struct gossip_options options = {
        .name = members->name,
        .role = GOSSIP_OBSERVER,
        .bind = members->bind,
        .port = members->port,
        .key_dir = members->key_dir,
    };
    c->secret = members->secret;
    if (!ip_is_set(&members->bind))
        return 0;
    int result = gossip_open(c->loop, &options, &calls, c, &c->gossip);
    if (result < 0)
        return result;
    c->fixed_peers = members->fixed_count > 0;
    if (c->fixed_peers)
        gossip_set_peers(c->gossip, members->fixed, members->fixed_count);
    c->grace = loop_timer_start(c->loop, LATE_MS, 0, late, c);
    return 0;
}

void reconcile_members_begin(struct controller *c)
{
    c->lost = lost_new();
    c->silent = silent_new();
    c->members_changed = true;
}

void reconcile_members_end(struct controller *c)
{
    c->silence = loop_timer_cancel(c->silence);
    c->silent = silent_free(c->silent);
    c->lost = lost_free(c->lost);
}

void reconcile_members_done(struct controller *c)
{
    c->grace = loop_timer_cancel(c->grace);
    c->gossip = gossip_close(c->gossip);
    if (c->secret_write)
        c->secret_write = source_cancel(c->secret_write);
}

void reconcile_members_find(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct objects nodes;
    size_t count;
    if (!c->gossip || c->fixed_peers || !c->synced)
        return;
    nodes.items = source_list(c->source, KIND_NODE, scratch, &nodes.count);
    const struct ip *addresses = program_members_of_nodes(&nodes, scratch, &count);
    gossip_set_peers(c->gossip, addresses, count);
}

/* Events on the Nodes, for who looks there first at night. */
static void tell_lost(struct controller *c, const struct gossip_member *members, size_t count,
                      struct arena *scratch)
{
    size_t news_count;
    const struct lost_news *news = lost_update(c->lost, members, count, scratch, &news_count);
    for (size_t i = 0; i < news_count; i++) {
        struct source_event event = {
            .about = source_get(c->source, KIND_NODE, STR(""), news[i].node),
            .warning = !news[i].is_back,
            .reason = news[i].is_back ? STR("SpeakerBack") : STR("SpeakerLost"),
            .action = STR("Watch"),
            .message =
                news[i].is_back
                    ? STR("its speaker is alive again, and trusted")
                    : STR("its speaker gives no sign of life; its addresses go to other nodes"),
        };
        if (event.about)
            source_event(c->source, &event);
    }
}

/* What the speakers that are silent by now have written of their sessions is not known any more. */
static void look_for_silence(void *ctx)
{
    struct controller *c = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    c->silence = NULL;
    if (gossip_is_stalled(c->gossip)) { /* it is we who do not hear */
        c->silence = loop_timer_start(c->loop, SILENCE_MS, 0, look_for_silence, c);
        return;
    }
    const struct object **objects =
        source_list(c->source, KIND_BGP_SESSION_STATUS, scratch, &count);
    struct str_list ids = silent_find(c->silent, objects, count, scratch);
    for (size_t i = 0; i < ids.count; i++)
        apply_add(c, ids.items[i]);
}

static bool all_are_heard_of(const struct controller *c, const struct gossip_member *members,
                             size_t count, struct arena *scratch)
{
    size_t node_count;
    const struct object **nodes = source_list(c->source, KIND_NODE, scratch, &node_count);
    for (size_t i = 0; i < node_count; i++) {
        if (!gossip_find(members, count, object_name(nodes[i])))
            return false;
    }
    return true;
}

bool reconcile_members_read(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    if (!c->gossip)
        return true;
    if (!gossip_is_settled(c->gossip) || gossip_is_stalled(c->gossip))
        return false;
    if (!c->members_changed)
        return true;
    const struct gossip_member *members = gossip_list(c->gossip, scratch, &count);
    if (c->grace && gossip_is_on(c->gossip) && !all_are_heard_of(c, members, count, scratch))
        return false;
    c->grace = loop_timer_cancel(c->grace);
    c->members_changed = false;
    placing_set_members(c->placing, gossip_is_on(c->gossip), members, count);
    tell_lost(c, members, count, scratch);
    silent_set_members(c->silent, members, count);
    if (gossip_is_on(c->gossip) && !c->silence)
        c->silence = loop_timer_start(c->loop, SILENCE_MS, 0, look_for_silence, c);
    return true;
}

const struct quarantine_members *reconcile_members_known(const struct controller *c,
                                                         struct arena *arena)
{
    if (!c->gossip || !gossip_is_on(c->gossip))
        return NULL;
    struct quarantine_members *known = arena_alloc(arena, sizeof(*known));
    known->settled = gossip_is_settled(c->gossip) && !gossip_is_stalled(c->gossip);
    known->items = gossip_list(c->gossip, arena, &known->count);
    for (size_t i = 0; i < known->count; i++) {
        if (known->items[i].meta.role == GOSSIP_SPEAKER && gossip_is_alive(known->items[i].state))
            return known;
    }
    return known->settled ? NULL : known; /* it is we that nobody hears */
}

/* --- their Secret ---------------------------------------------------------------------------- */

static void secret_made(void *ctx, int result, struct str message, struct str version)
{
    struct controller *c = ctx;
    (void)version;
    c->secret_write = NULL;
    if (result == 0)
        log_info("secret of the members made", kv_str("name", c->secret));
    else if (result != ERR_CONFLICT) /* it is there already */
        log_warn("secret of the members cannot be made", kv_str("name", c->secret), kv_err(result),
                 kv_str("answer", message));
}

/* 16 random bytes as text, as MetalLB makes it. */
static struct str make_key(struct arena *arena)
{
    enum { BYTES = 16, TEXT = 32 };
    uint8_t bytes[BYTES];
    char text[TEXT];
    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    struct str key = arena_str(arena, str_from(text));
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(text, sizeof(text));
    return key;
}

/* The Secret goes with the controller's Deployment: nothing is left when that is deleted. */
static void put_owner(const struct controller *c, struct patch *metadata)
{
    const struct object *deployment =
        c->options.deployment.len
            ? source_get(c->source, KIND_DEPLOYMENT, c->options.namespace, c->options.deployment)
            : NULL;
    if (!deployment) {
        if (c->options.deployment.len)
            log_warn("secret of the members belongs to nobody: no such deployment",
                     kv_str("deployment", c->options.deployment));
        return;
    }
    struct owner_ref owner = {.api_version = STR("apps/v1"),
                              .kind = STR("Deployment"),
                              .name = object_name(deployment),
                              .uid = deployment->uid};
    owner_put(metadata, &owner);
}

void reconcile_members_make_secret(struct controller *c)
{
    if (c->secret.len == 0 || c->secret_write)
        return;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_str(&json, "apiVersion", STR("v1"));
    patch_str(&json, "kind", STR("Secret"));
    patch_open(&json, "metadata");
    patch_str(&json, "name", c->secret);
    patch_str(&json, "namespace", c->options.namespace);
    put_owner(c, &json);
    patch_close(&json);
    patch_open(&json, "stringData");
    patch_str(&json, "secretkey", make_key(scratch));
    patch_close(&json);
    patch_close(&json);
    struct source_write write = {
        .verb = SOURCE_CREATE,
        .kind = KIND_SECRET,
        .namespace = c->options.namespace,
        .name = c->secret,
        .body = patch_text(&json),
        .done = secret_made,
        .ctx = c,
    };
    c->secret_write = source_write(c->source, &write);
    arena_wipe(scratch);
}
