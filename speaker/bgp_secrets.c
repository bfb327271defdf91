#include "speaker/bgp_secrets.h"

#include <stdlib.h>

#include "crd/bgppeer.h"
#include "crd/secret.h"

struct bgp_secrets {
    struct map good; /* id → struct secret, one reference each */
};

struct bgp_secrets *bgp_secrets_new(void)
{
    return heap_alloc(sizeof(struct bgp_secrets));
}

static void forget(struct map *map)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(map, &cursor));)
        (void)object_unref(slot->value);
    map_done(map);
}

struct bgp_secrets *bgp_secrets_free(struct bgp_secrets *secrets)
{
    if (secrets)
        forget(&secrets->good);
    free(secrets);
    return NULL;
}

static bool is_usable(const struct object *object, struct arena *arena)
{
    struct str password;
    return !object->refused &&
           secret_read((const struct secret *)object, STR("password"), arena, &password) == 0 &&
           bgppeer_password_is_usable(password);
}

/* The Secret of a peer as it is now, if it is usable. */
static const struct object *find_now(const struct objects *seen, struct str key,
                                     struct arena *arena)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (str_eq(seen->items[i]->key, key))
            return is_usable(seen->items[i], arena) ? seen->items[i] : NULL;
    }
    return NULL;
}

struct objects bgp_secrets_keep(struct bgp_secrets *secrets, const struct objects *peers,
                                const struct objects *seen, struct arena *arena)
{
    scoped_ptr(arena) struct arena *plain = arena_new(0); /* passwords */
    struct objects kept = {.items = arena_array(arena, peers->count, sizeof(*kept.items))};
    struct map good = {0};
    for (size_t i = 0; i < peers->count; i++) {
        const struct bgppeer *peer = (const struct bgppeer *)peers->items[i];
        struct str name = peer->spec.password_secret.name;
        if (name.len == 0)
            continue;
        struct str key = arena_printf(arena, STR_FMT "/" STR_FMT,
                                      STR_ARG(peer->object.meta.namespace), STR_ARG(name));
        const struct object *now = find_now(seen, key, plain);
        if (!now)
            now = map_get(&secrets->good, key);
        if (now && !map_get(&good, now->key)) {
            (void)map_put(&good, now->key, object_ref(now));
            kept.items[kept.count++] = now;
        }
    }
    forget(&secrets->good);
    secrets->good = good;
    arena_wipe(plain);
    return kept;
}
