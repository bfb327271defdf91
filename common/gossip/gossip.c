/* The shell of the gossip: one socket, one timer, the key.
 *
 * Every BEAT_MS this member tells all its peers and members who it is and what it has; whoever has
 * not been heard for DEAD_MS is dead. */
#include "common/gossip/gossip.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/map.h"
#include "common/base/names.h"
#include "common/base/vec.h"
#include "common/gossip/key_dir.h"
#include "common/gossip/udp.h"

enum { BEAT_MS = 100, DEAD_MS = 350, STALL_MS = 300, KEY_MS = 1000 };
enum message_type { BEAT = 1, LEAVE, USER };

struct peer {
    struct str name;
    struct arena *arena; /* of meta */
    struct member_meta meta;
    struct ip address;
    enum gossip_state state;
    uint64_t heard_at; /* loop_now */
};

struct gossip {
    struct loop *loop;
    struct gossip_options options; /* texts are in the arena */
    struct gossip_calls calls;
    void *ctx;
    struct arena *arena, *own_arena;
    struct member_meta own;
    struct seal_keys keys;
    struct key_dir key_dir;
    int fd;
    struct loop_fd *watch;
    struct loop_timer *beat, *key_timer, *leave_timer, *notice;
    void (*left)(void *ctx);
    void *left_ctx;
    VEC(struct ip) addresses;
    struct map peers;
    uint64_t opened_at, ran_at, stalled_at;
    bool has_peers, heard;
    struct gossip_figures figures;
};

static const char *const drop_names[] = {
    [GOSSIP_DROP_KEY] = "key",
    [GOSSIP_DROP_REPLAY] = "replay",
    [GOSSIP_DROP_MALFORMED] = "malformed",
    [GOSSIP_DROP_TARGET] = "target",
    [GOSSIP_DROP_FULL] = "full",
};
static const struct names drops = NAMES(drop_names);

const char *gossip_drop_name(enum gossip_drop drop)
{
    return names_of(&drops, drop);
}

static void notice_due(void *ctx)
{
    struct gossip *gossip = ctx;
    gossip->notice = NULL;
    gossip->calls.changed(gossip->ctx);
}

static void tell(struct gossip *gossip)
{
    if (!gossip->notice)
        gossip->notice = loop_defer(gossip->loop, notice_due, gossip);
}

static void send_sealed(struct gossip *gossip, const struct ip *to, const struct wire *plain)
{
    assert(wire_ok(plain));
    uint8_t nonce[SEAL_NONCE], datagram[SEAL_DATAGRAM_MAX];
    randombytes_buf(nonce, sizeof(nonce));
    size_t size = seal_wrap(&gossip->keys.keys[0], nonce, plain->room, plain->at, datagram);
    int result = udp_send(gossip->fd, to, gossip->options.port, datagram, size);
    if (result < 0)
        gossip->figures.send_failed++;
    gossip->figures.sent++;
    gossip->figures.sent_bytes += size;
}

static void put_head(struct gossip *gossip, struct wire *out, enum message_type type)
{
    wire_put_u8(out, (uint8_t)type);
    wire_put_u16(out, (uint16_t)gossip->options.name.len);
    wire_put_bytes(out, gossip->options.name.ptr, gossip->options.name.len);
}

static void send_all(struct gossip *gossip, enum message_type type)
{
    uint8_t room[SEAL_PLAIN_MAX];
    struct wire out = wire_writer(room, sizeof(room));
    put_head(gossip, &out, type);
    meta_encode(&gossip->own, &out);
    for (size_t i = 0; i < gossip->addresses.len; i++)
        send_sealed(gossip, &gossip->addresses.items[i], &out);
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&gossip->peers, &cursor));) {
        const struct peer *peer = at->value;
        bool listed = false;
        for (size_t i = 0; i < gossip->addresses.len; i++)
            listed |= ip_eq(&gossip->addresses.items[i], &peer->address);
        if (!listed && gossip_is_alive(peer->state))
            send_sealed(gossip, &peer->address, &out);
    }
}

static void peer_free(struct gossip *gossip, struct peer *peer)
{
    (void)map_remove(&gossip->peers, peer->name);
    (void)arena_free(peer->arena);
    free((char *)peer->name.ptr);
    free(peer);
}

static void set_state(struct gossip *gossip, struct peer *peer, enum gossip_state state)
{
    if (peer->state == state)
        return;
    log_info("member changed", kv_str("member", peer->name),
             kv_cstr("old", gossip_state_name(peer->state)),
             kv_cstr("new", gossip_state_name(state)));
    peer->state = state;
    tell(gossip);
}

static struct peer *peer_of(struct gossip *gossip, struct str name)
{
    struct peer *peer = map_get(&gossip->peers, name);
    if (peer)
        return peer;
    peer = heap_alloc(sizeof(*peer));
    char *copy = heap_alloc(name.len);
    memcpy(copy, name.ptr, name.len);
    *peer = (struct peer){.name = {.ptr = copy, .len = name.len}, .state = GOSSIP_DEAD};
    (void)map_put(&gossip->peers, peer->name, peer);
    return peer;
}

static void heard_from(struct gossip *gossip, struct peer *peer, const struct ip *from,
                       enum message_type type, struct wire *in)
{
    struct arena *arena = arena_new(0);
    struct member_meta meta;
    if (meta_decode(in, arena, &meta) < 0) {
        gossip->figures.dropped[GOSSIP_DROP_MALFORMED]++;
        (void)arena_free(arena);
        return;
    }
    (void)arena_free(peer->arena);
    peer->arena = arena;
    peer->meta = meta;
    peer->address = *from;
    peer->heard_at = loop_now(gossip->loop);
    gossip->heard = true;
    gossip->stalled_at = 0;
    set_state(gossip, peer, type == LEAVE ? GOSSIP_LEFT : GOSSIP_ALIVE);
    tell(gossip);
}

static void handle(struct gossip *gossip, const struct ip *from, struct wire *in)
{
    uint8_t type = wire_get_u8(in);
    uint16_t len = wire_get_u16(in);
    const uint8_t *bytes = wire_get_bytes(in, len);
    struct str name = {.ptr = (const char *)bytes, .len = len};
    if (!wire_ok(in) || len == 0 || len > GOSSIP_NAME_MAX || type < BEAT || type > USER) {
        gossip->figures.dropped[GOSSIP_DROP_MALFORMED]++;
        return;
    }
    if (str_eq(name, gossip->options.name))
        return;
    struct peer *peer = peer_of(gossip, name);
    size_t left = wire_left(in);
    if (type != USER)
        heard_from(gossip, peer, from, (enum message_type)type, in);
    else
        gossip->calls.message(
            gossip->ctx, peer->name,
            (struct str){.ptr = (const char *)wire_get_bytes(in, left), .len = left});
}

static void readable(void *ctx, unsigned events)
{
    struct gossip *gossip = ctx;
    uint8_t datagram[SEAL_DATAGRAM_MAX + 1], plain[SEAL_DATAGRAM_MAX + 1];
    struct ip from;
    uint16_t port;
    (void)events;
    for (int got, i = 0; i < 64; i++) {
        got = udp_receive(gossip->fd, datagram, sizeof(datagram), &from, &port);
        if (got < 0)
            return;
        gossip->figures.received++;
        gossip->figures.received_bytes += (uint64_t)got;
        unsigned key;
        int size = seal_open(&gossip->keys, datagram, (size_t)got, plain, &key);
        if (size < 0) {
            gossip->figures.dropped[GOSSIP_DROP_KEY]++;
            continue;
        }
        struct wire in = wire_reader(plain, (size_t)size);
        handle(gossip, &from, &in);
    }
}

static void beat(void *ctx)
{
    struct gossip *gossip = ctx;
    uint64_t now = loop_now(gossip->loop);
    if (now - gossip->ran_at > STALL_MS && map_count(&gossip->peers))
        gossip->stalled_at = now;
    gossip->ran_at = now;
    readable(gossip, LOOP_READ);
    send_all(gossip, BEAT);
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&gossip->peers, &cursor));) {
        struct peer *peer = at->value;
        if (gossip_is_alive(peer->state) && now - peer->heard_at > DEAD_MS)
            set_state(gossip, peer, GOSSIP_DEAD);
    }
    if (now - gossip->opened_at >= GOSSIP_JOIN_MS &&
        now - gossip->opened_at < GOSSIP_JOIN_MS + 2 * BEAT_MS)
        tell(gossip);
}

static void look_at_key(void *ctx)
{
    struct gossip *gossip = ctx;
    struct seal_keys keys;
    if (gossip->keys.count && !key_dir_changed(&gossip->key_dir))
        return;
    int result = key_dir_read(&gossip->key_dir, &keys);
    if (result < 0 || seal_keys_eq(&keys, &gossip->keys))
        return;
    gossip->keys = keys;
    seal_keys_wipe(&keys);
    log_info("gossip key read", kv_uint("keys", gossip->keys.count));
    if (!gossip->beat)
        gossip->beat = loop_timer_start(gossip->loop, 1, BEAT_MS, beat, gossip);
    tell(gossip);
}

static bool is_bounded(const struct gossip_options *options)
{
    return options->name.len > 0 && options->name.len <= GOSSIP_NAME_MAX && options->port &&
           ip_is_set(&options->bind);
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
    *gossip = (struct gossip){.loop = loop, .options = *options, .calls = *calls, .ctx = ctx};
    gossip->fd = fd;
    gossip->arena = arena_new(0);
    gossip->own_arena = arena_new(0);
    gossip->options.name = arena_str(gossip->arena, options->name);
    gossip->own.role = options->role;
    gossip->opened_at = gossip->ran_at = loop_now(loop);
    key_dir_init(&gossip->key_dir, options->key_dir);
    gossip->watch = loop_fd_watch(loop, fd, LOOP_READ, readable, gossip);
    gossip->key_timer = loop_timer_start(loop, KEY_MS, KEY_MS, look_at_key, gossip);
    look_at_key(gossip);
    *ret = gossip;
    return 0;
}

struct gossip *gossip_close(struct gossip *gossip)
{
    if (!gossip)
        return NULL;
    (void)loop_timer_cancel(gossip->beat);
    (void)loop_timer_cancel(gossip->key_timer);
    (void)loop_timer_cancel(gossip->leave_timer);
    (void)loop_timer_cancel(gossip->notice);
    (void)loop_fd_cancel(gossip->watch);
    (void)close(gossip->fd);
    for (size_t cursor = 0; map_count(&gossip->peers); cursor = 0)
        peer_free(gossip, map_next(&gossip->peers, &cursor)->value);
    map_done(&gossip->peers);
    vec_done(&gossip->addresses);
    key_dir_done(&gossip->key_dir);
    seal_keys_wipe(&gossip->keys);
    (void)arena_free(gossip->arena);
    (void)arena_free(gossip->own_arena);
    free(gossip);
    return NULL;
}

void gossip_set_peers(struct gossip *gossip, const struct ip *peers, size_t count)
{
    vec_clear(&gossip->addresses);
    for (size_t i = 0; i < count; i++) {
        if (peers[i].family == gossip->options.bind.family &&
            !ip_eq(&peers[i], &gossip->options.bind))
            vec_push(&gossip->addresses, peers[i]);
    }
    gossip->has_peers = true;
    tell(gossip);
}

void gossip_set_interfaces(struct gossip *gossip, const struct meta_interface *interfaces,
                           size_t count)
{
    struct arena *arena = arena_new(0);
    struct meta_interface *copy = arena_array(arena, count, sizeof(*copy));
    for (size_t i = 0; i < count; i++) {
        copy[i] = interfaces[i];
        copy[i].name = arena_str(arena, interfaces[i].name);
    }
    gossip->own.interfaces = copy;
    gossip->own.count = count;
    (void)arena_free(gossip->own_arena);
    gossip->own_arena = arena;
}

void gossip_set_leaving(struct gossip *gossip, bool leaving)
{
    gossip->own.leaving = leaving;
}

static void left(void *ctx)
{
    struct gossip *gossip = ctx;
    gossip->leave_timer = NULL;
    gossip->left(gossip->left_ctx);
}

void gossip_leave(struct gossip *gossip, void (*done)(void *ctx), void *ctx)
{
    if (gossip_is_on(gossip))
        send_all(gossip, LEAVE);
    gossip->beat = loop_timer_cancel(gossip->beat);
    gossip->left = done;
    gossip->left_ctx = ctx;
    gossip->leave_timer = loop_timer_start(gossip->loop, 1, 0, left, gossip);
}

static void put_member(struct gossip_member *member, struct arena *arena, struct str name,
                       const struct member_meta *meta)
{
    struct meta_interface *copy = arena_array(arena, meta->count, sizeof(*copy));
    for (size_t i = 0; i < meta->count; i++) {
        copy[i] = meta->interfaces[i];
        copy[i].name = arena_str(arena, meta->interfaces[i].name);
    }
    member->name = arena_str(arena, name);
    member->meta = *meta;
    member->meta.interfaces = copy;
}

static int compare_members(const void *a, const void *b)
{
    const struct gossip_member *left = a, *right = b;
    return str_cmp(left->name, right->name);
}

const struct gossip_member *gossip_list(const struct gossip *gossip, struct arena *arena,
                                        size_t *ret_count)
{
    size_t count = 0, cursor = 0;
    struct gossip_member *list = arena_array(arena, map_count(&gossip->peers) + 1, sizeof(*list));
    list[count] = (struct gossip_member){.address = gossip->options.bind, .self = true};
    put_member(&list[count++], arena, gossip->options.name, &gossip->own);
    for (struct map_entry *at; (at = map_next(&gossip->peers, &cursor));) {
        const struct peer *peer = at->value;
        list[count] = (struct gossip_member){.state = peer->state, .address = peer->address};
        put_member(&list[count++], arena, peer->name, &peer->meta);
    }
    qsort(list, count, sizeof(*list), compare_members);
    *ret_count = count;
    return list;
}

int gossip_send(struct gossip *gossip, struct str name, struct str bytes)
{
    const struct peer *peer = map_get(&gossip->peers, name);
    if (!gossip_is_on(gossip))
        return -EAGAIN;
    if (bytes.len > GOSSIP_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    if (!peer || !gossip_is_alive(peer->state))
        return -ENOENT;
    uint8_t room[SEAL_PLAIN_MAX + GOSSIP_NAME_MAX];
    struct wire out = wire_writer(room, SEAL_PLAIN_MAX);
    put_head(gossip, &out, USER);
    wire_put_bytes(&out, bytes.ptr, bytes.len);
    if (!wire_ok(&out))
        return ERR_TOO_LARGE;
    send_sealed(gossip, &peer->address, &out);
    return 0;
}

bool gossip_is_on(const struct gossip *gossip)
{
    return gossip->keys.count > 0;
}

bool gossip_is_settled(const struct gossip *gossip)
{
    if (!gossip_is_on(gossip))
        return true;
    return gossip->has_peers && (gossip->heard || !gossip->addresses.len ||
                                 loop_now(gossip->loop) - gossip->opened_at >= GOSSIP_JOIN_MS);
}

bool gossip_is_stalled(const struct gossip *gossip)
{
    uint64_t now = loop_clock_ns() / 1000000;
    if (!gossip_is_on(gossip) || !map_count(&gossip->peers))
        return false;
    return now > gossip->ran_at + STALL_MS ||
           (gossip->stalled_at && now < gossip->stalled_at + GOSSIP_JOIN_MS);
}

struct gossip_figures gossip_figures(const struct gossip *gossip)
{
    struct gossip_figures figures = gossip->figures;
    figures.keys = gossip->keys.count;
    figures.members[GOSSIP_ALIVE] = 1;
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&gossip->peers, &cursor));)
        figures.members[((const struct peer *)at->value)->state]++;
    return figures;
}
