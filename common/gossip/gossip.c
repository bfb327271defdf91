/* The shell of the gossip: one socket, one timer, the key.
 *
 * member.c decides; what it wants sent is sealed and sent here, and what comes is opened and handed
 * to it. Before a timer is believed, the socket is emptied: an answer that has come while this
 * process did something else is not late.
 *
 * Keys: datagrams are sealed with the current key, except for a peer that has last spoken with
 * another one that we accept; it may not have the current one yet. The key that was current before
 * stays accepted for KEY_GRACE_MS, since a changed Secret reaches the nodes one after another. So
 * keys can be replaced in one step, without losing a member. */
#include "common/gossip/gossip.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/names.h"
#include "common/base/vec.h"
#include "common/gossip/gossip_keys.h"
#include "common/gossip/gossip_log.h"
#include "common/gossip/udp.h"

enum {
    KEY_LOOK_MS = 1000,
    COMPLAIN_MS = 10000, /* between lines about datagrams that are not taken */
    TIMER_SLACK_MS = 5,
    NONCES = 32,        /* that are made in one go */
    READS = 64,         /* datagrams in one go, before others have their turn */
    READS_TIMER = 1024, /* the same, before a timer is believed */
};

struct gossip {
    struct loop *loop;
    struct gossip_options options; /* texts are in the arena */
    struct gossip_calls calls;
    void *ctx;
    struct arena *arena;
    struct member *member;
    struct member_out out;
    struct gossip_keys keys;
    uint8_t nonces[NONCES][SEAL_NONCE];
    unsigned nonce_count; /* not used yet */
    int fd;
    struct loop_fd *watch;
    struct loop_timer *timer, *key_timer, *notice, *resume_notice, *left_notice;
    uint64_t timer_at; /* loop_now */
    void (*left)(void *ctx);
    void *left_ctx;
    bool resuming; /* no longer stalled, but that has not been told yet */
    uint64_t complained_at[GOSSIP_DROPS];
    struct gossip_figures figures;

    /* what the member is told again when it begins anew */
    VEC(struct ip) peers;
    struct meta_interface *interfaces;
    size_t interface_count;
    struct arena *interface_arena;
    bool has_peers, started, leaving;
};

static const char *const drop_names[] = {
    [GOSSIP_DROP_KEY] = "key",
    [GOSSIP_DROP_REPLAY] = "replay",
    [GOSSIP_DROP_MALFORMED] = "malformed",
    [GOSSIP_DROP_TARGET] = "target",
    [GOSSIP_DROP_STRANGER] = "stranger",
    [GOSSIP_DROP_NAMESAKE] = "namesake",
    [GOSSIP_DROP_FULL] = "full",
};
static const struct names drops = NAMES(drop_names);

const char *gossip_drop_name(enum gossip_drop drop)
{
    return names_of(&drops, drop);
}

static uint64_t now_us(void)
{
    return loop_clock_ns() / 1000;
}

static void resumed_due(void *ctx)
{
    struct gossip *gossip = ctx;
    gossip->resume_notice = NULL;
}

/* While the news of the end of a stall is told, gossip_is_stalled still says yes. */
static void notice_due(void *ctx)
{
    struct gossip *gossip = ctx;
    gossip->notice = NULL;
    if (gossip->resuming && !gossip->resume_notice)
        gossip->resume_notice = loop_defer(gossip->loop, resumed_due, gossip);
    gossip->resuming = false;
    gossip->calls.changed(gossip->ctx);
}

static void tell(struct gossip *gossip)
{
    if (!gossip->notice)
        gossip->notice = loop_defer(gossip->loop, notice_due, gossip);
}

static void left_due(void *ctx)
{
    struct gossip *gossip = ctx;
    gossip->left_notice = NULL;
    gossip->left(gossip->left_ctx);
}

static const uint8_t *next_nonce(struct gossip *gossip)
{
    if (!gossip->nonce_count) {
        randombytes_buf(gossip->nonces, sizeof(gossip->nonces));
        gossip->nonce_count = NONCES;
    }
    return gossip->nonces[--gossip->nonce_count];
}

static void send_all(struct gossip *gossip)
{
    const struct member_out *out = &gossip->out;
    for (size_t i = 0; i < out->sends.len && gossip_is_on(gossip); i++) {
        const struct member_send *send = &out->sends.items[i];
        uint8_t datagram[SEAL_DATAGRAM_MAX];
        if (send->to.family != gossip->options.bind.family)
            continue;
        size_t size = seal_wrap(gossip_keys_for(&gossip->keys, &send->to), next_nonce(gossip),
                                out->bytes.items + send->at, send->size, datagram);
        int result = udp_send(gossip->fd, &send->to, gossip->options.port, datagram, size);
        gossip->figures.sent++;
        gossip->figures.sent_bytes += size;
        gossip->figures.send_failed += result < 0;
    }
}

static bool may_complain(struct gossip *gossip, enum gossip_drop why)
{
    uint64_t now = loop_now(gossip->loop);
    uint64_t *at = &gossip->complained_at[why];
    if (*at && now - *at < COMPLAIN_MS)
        return false;
    *at = now;
    return true;
}

/* What others can make happen again and again is logged now and then. */
static void log_note(struct gossip *gossip, const struct member_note *note)
{
    if (note->type == MEMBER_NOTE_NAMESAKE && !may_complain(gossip, GOSSIP_DROP_NAMESAKE))
        return;
    if (note->type == MEMBER_NOTE_FULL && !may_complain(gossip, GOSSIP_DROP_FULL))
        return;
    gossip_log_note(note, &gossip->options);
}

static void timer_due(void *ctx);

static void schedule(struct gossip *gossip)
{
    uint64_t now = now_us(), at = gossip->out.wake_at;
    uint64_t delay = at > now ? (at - now + 999) / 1000 : 0;
    uint64_t due = loop_now(gossip->loop) + delay;
    if (gossip->timer && gossip->timer_at <= due && due - gossip->timer_at < TIMER_SLACK_MS)
        return; /* to be woken for nothing costs more than to set it again, but for a moment */
    (void)loop_timer_cancel(gossip->timer);
    gossip->timer_at = due;
    gossip->timer = loop_timer_start(gossip->loop, delay, 0, timer_due, gossip);
}

/* One step of the member, and all it asks for but messages. */
static void step(struct gossip *gossip, const struct member_event *event)
{
    uint64_t now = now_us();
    bool stalled = member_is_stalled(gossip->member, now);
    member_step(gossip->member, event, now, &gossip->out);
    send_all(gossip);
    for (size_t i = 0; i < gossip->out.notes.len; i++)
        log_note(gossip, &gossip->out.notes.items[i]);
    if (stalled && !member_is_stalled(gossip->member, now))
        gossip->resuming = true;
    if (gossip->out.changed || gossip->resuming)
        tell(gossip);
    if (gossip->out.left && gossip->left && !gossip->left_notice)
        gossip->left_notice = loop_defer(gossip->loop, left_due, gossip);
    if (gossip_is_on(gossip))
        schedule(gossip);
}

static void count_drop(struct gossip *gossip, enum gossip_drop why, const struct ip *from)
{
    gossip->figures.dropped[why]++;
    bool normal = why == GOSSIP_DROP_TARGET || why == GOSSIP_DROP_STRANGER ||
                  why == GOSSIP_DROP_NAMESAKE || why == GOSSIP_DROP_FULL;
    if (!normal && may_complain(gossip, why))
        log_warn("gossip datagram not taken", kv_cstr("reason", gossip_drop_name(why)),
                 kv_ip("address", from), kv_uint("count", gossip->figures.dropped[why]));
}

/* Copies, since the program may answer at once, with another step. */
static void hand_over(struct gossip *gossip)
{
    char from[GOSSIP_NAME_MAX], bytes[SEAL_PLAIN_MAX];
    const struct member_out *out = &gossip->out;
    size_t from_len = out->from.len, len = out->message.len;
    memcpy(from, out->from.ptr, from_len);
    if (len)
        memcpy(bytes, out->message.ptr, len);
    gossip->calls.message(gossip->ctx, (struct str){.ptr = from, .len = from_len},
                          (struct str){.ptr = bytes, .len = len});
}

/* Takes one datagram; false when there was none. */
static bool receive(struct gossip *gossip)
{
    uint8_t datagram[SEAL_DATAGRAM_MAX + 1], plain[SEAL_DATAGRAM_MAX + 1];
    struct member_event event = {.type = MEMBER_DATAGRAM};
    uint16_t port;
    int got = udp_receive(gossip->fd, datagram, sizeof(datagram), &event.from, &port);
    if (got < 0)
        return false;
    if (!gossip_is_on(gossip))
        return true;
    gossip->figures.received++;
    gossip->figures.received_bytes += (uint64_t)got;
    unsigned key;
    int size = got > SEAL_DATAGRAM_MAX
                   ? -EKEYREJECTED
                   : seal_open(&gossip->keys.accepted, datagram, (size_t)got, plain, &key);
    if (size < 0) {
        count_drop(gossip, GOSSIP_DROP_KEY, &event.from);
        return true;
    }
    event.bytes = (struct str){.ptr = (const char *)plain, .len = (size_t)size};
    step(gossip, &event);
    struct member_out *out = &gossip->out;
    if (out->dropped)
        count_drop(gossip, out->drop, &event.from);
    else
        gossip_keys_heard(&gossip->keys, &event.from, key);
    if (out->from.len)
        hand_over(gossip);
    return true;
}

static void readable(void *ctx, unsigned events)
{
    struct gossip *gossip = ctx;
    (void)events;
    for (unsigned i = 0; i < READS && receive(gossip); i++)
        ;
}

static void timer_due(void *ctx)
{
    struct gossip *gossip = ctx;
    gossip->timer = NULL;
    for (unsigned i = 0; i < READS_TIMER && receive(gossip); i++)
        ;
    static const struct member_event event = {.type = MEMBER_TIMER};
    step(gossip, &event);
}

/* A member that knows nothing yet, and is told what the program has told us. */
static void begin(struct gossip *gossip)
{
    struct member_config config = {
        .name = gossip->options.name,
        .role = gossip->options.role,
        .life = (uint64_t)loop_wall_ns() / 1000,
        .hold_us = gossip->options.hold_down_ms * 1000,
    };
    static const struct ip any4 = {.family = IP_V4}, any6 = {.family = IP_V6};
    if (!ip_eq(&gossip->options.bind, &any4) && !ip_eq(&gossip->options.bind, &any6))
        config.address = gossip->options.bind;
    randombytes_buf(&config.seed, sizeof(config.seed));
    gossip->member = member_free(gossip->member);
    gossip->member = member_new(&config, now_us());
    struct member_event interfaces = {.type = MEMBER_INTERFACES,
                                      .interfaces = gossip->interfaces,
                                      .count = gossip->interface_count};
    static const struct member_event started = {.type = MEMBER_STARTED};
    struct member_event leaving = {.type = MEMBER_LEAVING, .flag = gossip->leaving};
    struct member_event peers = {
        .type = MEMBER_PEERS, .peers = gossip->peers.items, .count = gossip->peers.len};
    step(gossip, &interfaces);
    if (gossip->started)
        step(gossip, &started);
    step(gossip, &leaving);
    if (gossip->has_peers)
        step(gossip, &peers);
}

static void look_at_keys(void *ctx)
{
    struct gossip *gossip = ctx;
    bool was_on = gossip_is_on(gossip);
    if (!gossip_keys_look(&gossip->keys, loop_now(gossip->loop)))
        return;
    if (was_on || !gossip_is_on(gossip))
        return;
    begin(gossip);
    tell(gossip);
}

static bool is_bounded(const struct gossip_options *options)
{
    return options->name.len > 0 && options->name.len <= GOSSIP_NAME_MAX && options->port &&
           ip_is_set(&options->bind) && options->hold_down_ms <= 86400000;
}

int gossip_open(struct loop *loop, const struct gossip_options *options,
                const struct gossip_calls *calls, void *ctx, struct gossip **ret)
{
    if (!is_bounded(options) || sodium_init() < 0)
        return -EINVAL;
    int fd = udp_open(&options->bind, options->port);
    if (fd < 0)
        return fd;
    struct gossip *gossip = heap_alloc(sizeof(*gossip));
    *gossip =
        (struct gossip){.loop = loop, .options = *options, .calls = *calls, .ctx = ctx, .fd = fd};
    gossip->arena = arena_new(0);
    gossip->options.name = arena_str(gossip->arena, options->name);
    gossip->options.key_dir = arena_str(gossip->arena, options->key_dir);
    gossip_keys_init(&gossip->keys, options->key_dir);
    begin(gossip);
    gossip->watch = loop_fd_watch(loop, fd, LOOP_READ, readable, gossip);
    gossip->key_timer = loop_timer_start(loop, KEY_LOOK_MS, KEY_LOOK_MS, look_at_keys, gossip);
    look_at_keys(gossip);
    *ret = gossip;
    return 0;
}

struct gossip *gossip_close(struct gossip *gossip)
{
    if (!gossip)
        return NULL;
    (void)loop_timer_cancel(gossip->timer);
    (void)loop_timer_cancel(gossip->key_timer);
    (void)loop_timer_cancel(gossip->notice);
    (void)loop_timer_cancel(gossip->resume_notice);
    (void)loop_timer_cancel(gossip->left_notice);
    (void)loop_fd_cancel(gossip->watch);
    (void)close(gossip->fd);
    (void)member_free(gossip->member);
    member_out_done(&gossip->out);
    gossip_keys_done(&gossip->keys);
    vec_done(&gossip->peers);
    (void)arena_free(gossip->interface_arena);
    (void)arena_free(gossip->arena);
    free(gossip);
    return NULL;
}

void gossip_set_peers(struct gossip *gossip, const struct ip *peers, size_t count)
{
    vec_clear(&gossip->peers);
    for (size_t i = 0; i < count; i++) {
        if (peers[i].family == gossip->options.bind.family)
            vec_push(&gossip->peers, peers[i]);
    }
    gossip->has_peers = true;
    struct member_event event = {
        .type = MEMBER_PEERS, .peers = gossip->peers.items, .count = gossip->peers.len};
    step(gossip, &event);
}

void gossip_set_interfaces(struct gossip *gossip, const struct meta_interface *interfaces,
                           size_t count)
{
    struct arena *arena = arena_new(0);
    gossip->interfaces = arena_array(arena, count, sizeof(*interfaces));
    gossip->interface_count = count;
    for (size_t i = 0; i < count; i++) {
        gossip->interfaces[i] = interfaces[i];
        gossip->interfaces[i].name = arena_str(arena, interfaces[i].name);
    }
    (void)arena_free(gossip->interface_arena);
    gossip->interface_arena = arena;
    struct member_event event = {
        .type = MEMBER_INTERFACES, .interfaces = gossip->interfaces, .count = count};
    step(gossip, &event);
}

void gossip_set_started(struct gossip *gossip)
{
    static const struct member_event event = {.type = MEMBER_STARTED};
    gossip->started = true;
    step(gossip, &event);
}

void gossip_set_leaving(struct gossip *gossip, bool leaving)
{
    gossip->leaving = leaving;
    struct member_event event = {.type = MEMBER_LEAVING, .flag = leaving};
    step(gossip, &event);
}

void gossip_leave(struct gossip *gossip, void (*done)(void *ctx), void *ctx)
{
    static const struct member_event event = {.type = MEMBER_LEAVE};
    gossip->left = done;
    gossip->left_ctx = ctx;
    if (gossip_is_on(gossip))
        step(gossip, &event);
    else if (!gossip->left_notice)
        gossip->left_notice = loop_defer(gossip->loop, left_due, gossip);
}

const struct gossip_member *gossip_list(const struct gossip *gossip, struct arena *arena,
                                        size_t *ret_count)
{
    return member_list(gossip->member, arena, ret_count);
}

int gossip_send(struct gossip *gossip, struct str name, struct str bytes)
{
    struct member_event event = {.type = MEMBER_SEND, .name = name, .bytes = bytes};
    if (!gossip_is_on(gossip))
        return -EAGAIN;
    step(gossip, &event);
    return gossip->out.result;
}

bool gossip_is_on(const struct gossip *gossip)
{
    return gossip->keys.accepted.count > 0;
}

bool gossip_is_settled(const struct gossip *gossip)
{
    return !gossip_is_on(gossip) || member_is_settled(gossip->member);
}

bool gossip_is_stalled(const struct gossip *gossip)
{
    if (!gossip_is_on(gossip))
        return false;
    return gossip->resuming || gossip->resume_notice || member_is_stalled(gossip->member, now_us());
}

struct gossip_figures gossip_figures(const struct gossip *gossip)
{
    struct gossip_figures figures = gossip->figures;
    figures.member = member_figures(gossip->member);
    figures.keys = gossip->keys.accepted.count;
    return figures;
}
