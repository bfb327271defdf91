#include "common/gossip/gossip_keys.h"

#include <errno.h>
#include <sodium/utils.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/gossip/gossip_limits.h"

void gossip_keys_init(struct gossip_keys *keys, struct str path)
{
    *keys = (struct gossip_keys){0};
    key_dir_init(&keys->dir, path);
}

void gossip_keys_done(struct gossip_keys *keys)
{
    key_dir_done(&keys->dir);
    vec_done(&keys->lags);
    sodium_memzero(keys, sizeof(*keys));
}

static bool is_key(const struct seal_key *a, const struct seal_key *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool is_accepted(const struct seal_keys *keys, const struct seal_key *key)
{
    for (unsigned i = 0; i < keys->count; i++) {
        if (is_key(&keys->keys[i], key))
            return true;
    }
    return false;
}

/* What the files say, and the key before them. Who still speaks with another one is forgotten. */
static bool set_accepted(struct gossip_keys *keys)
{
    struct seal_keys accepted = keys->read;
    if (keys->before_until && !is_accepted(&accepted, &keys->before)) {
        unsigned last = sizeof(accepted.keys) / sizeof(accepted.keys[0]) - 1;
        unsigned at = accepted.count < last ? accepted.count : last;
        accepted.keys[at] = keys->before;
        accepted.count = at + 1;
    }
    bool changed = !seal_keys_eq(&accepted, &keys->accepted);
    keys->accepted = accepted;
    seal_keys_wipe(&accepted);
    for (size_t i = keys->lags.len; i-- > 0;) {
        if (!is_accepted(&keys->accepted, &keys->lags.items[i].key))
            vec_drop(&keys->lags, i);
    }
    return changed;
}

static void read_files(struct gossip_keys *keys, uint64_t now_ms)
{
    struct seal_keys read;
    int error = key_dir_read(&keys->dir, &read);
    if (error < 0) {
        if (error != keys->error && keys->read.count)
            log_warn("gossip key cannot be read, the one before stays in use",
                     kv_cstr("file", keys->dir.current), kv_err(error));
        else if (error != keys->error)
            log_warn("gossip is off until there is a key: every node counts as alive",
                     kv_cstr("file", keys->dir.current), kv_err(error));
        keys->error = error;
        return;
    }
    keys->error = 0;
    if (seal_keys_eq(&read, &keys->read))
        return;
    if (keys->read.count && !is_key(&read.keys[0], &keys->read.keys[0])) {
        keys->before = keys->read.keys[0];
        keys->before_until = now_ms + KEY_GRACE_MS;
    }
    keys->read = read;
    seal_keys_wipe(&read);
    log_info("gossip key read", kv_cstr("file", keys->dir.current),
             kv_uint("keys", keys->read.count));
}

bool gossip_keys_look(struct gossip_keys *keys, uint64_t now_ms)
{
    if (!keys->read.count || key_dir_changed(&keys->dir))
        read_files(keys, now_ms);
    if (keys->before_until && now_ms >= keys->before_until) {
        sodium_memzero(&keys->before, sizeof(keys->before));
        keys->before_until = 0;
    }
    return set_accepted(keys);
}

static size_t find_lag(const struct gossip_keys *keys, const struct ip *ip)
{
    size_t i = 0;
    while (i < keys->lags.len && !ip_eq(&keys->lags.items[i].ip, ip))
        i++;
    return i;
}

const struct seal_key *gossip_keys_for(const struct gossip_keys *keys, const struct ip *to)
{
    size_t at = find_lag(keys, to);
    return at < keys->lags.len ? &keys->lags.items[at].key : &keys->accepted.keys[0];
}

void gossip_keys_heard(struct gossip_keys *keys, const struct ip *from, unsigned key)
{
    if (key == 0 && !keys->lags.len)
        return;
    size_t at = find_lag(keys, from);
    if (at < keys->lags.len)
        vec_drop(&keys->lags, at);
    if (key == 0 || keys->lags.len >= GOSSIP_MEMBERS_MAX)
        return;
    struct key_lag lag = {.ip = *from, .key = keys->accepted.keys[key]};
    vec_push(&keys->lags, lag);
}
