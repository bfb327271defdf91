#include "speaker/config.h"

#include <stdlib.h>

#include "crd/bfdprofile.h"
#include "crd/bgpadvertisement.h"
#include "crd/bgppeer.h"
#include "crd/condition.h"
#include "crd/ipaddresspool.h"
#include "crd/l2advertisement.h"
#include "crd/secret.h"

struct config {
    struct arena *arena; /* of the last build */
    struct validated judged;
    struct map good; /* id → the version in force, one reference each */
};

/* The kinds that are judged, and where the struct of each has its list of conditions. */
static const struct {
    enum kind_id kind;
    size_t conditions;
} kinds[] = {
    {KIND_IP_ADDRESS_POOL, offsetof(struct ipaddresspool, status.conditions)},
    {KIND_L2_ADVERTISEMENT, offsetof(struct l2advertisement, conditions)},
    {KIND_BGP_ADVERTISEMENT, offsetof(struct bgpadvertisement, conditions)},
    {KIND_BGP_PEER, offsetof(struct bgppeer, conditions)},
    {KIND_BFD_PROFILE, offsetof(struct bfdprofile, conditions)},
    {KIND_COMMUNITY, offsetof(struct community, conditions)},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct config *config_new(void)
{
    struct config *config = heap_alloc(sizeof(*config));
    config->arena = arena_new(0);
    config->judged.found.arena = config->arena;
    return config;
}

static void forget(struct map *good)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(good, &cursor));)
        (void)object_unref(slot->value);
    map_done(good);
}

struct config *config_free(struct config *config)
{
    if (!config)
        return NULL;
    validate_done(&config->judged);
    forget(&config->good);
    (void)arena_free(config->arena);
    free(config);
    return NULL;
}

/* What the controller has said about this very version counts after a restart. */
static bool is_accepted(const struct object *object)
{
    size_t i = 0;
    while (i < KINDS && kinds[i].kind != object->kind->id)
        i++;
    if (i == KINDS)
        return false;
    const struct condition *shown = condition_find(
        (const struct list *)((const char *)object + kinds[i].conditions), STR("Accepted"));
    return shown && str_eq(shown->status, STR("True")) && object->meta->generation &&
           shown->observed_generation == object->meta->generation;
}

static bool stands(const void *ctx, const struct object *object)
{
    const struct config *config = ctx;
    return map_get(&config->good, object_id(object)) == object || is_accepted(object);
}

/* --- falling back ---------------------------------------------------------------------------- */

/* Is an object refused that was in force in this very version? Then something that it refers to has
 * gone or has become unusable. */
static bool lacks_something(const struct config *config, const struct object *object,
                            const struct diag_list *found)
{
    return map_get(&config->good, object_id(object)) == object &&
           diag_first_error(found, object_id(object));
}

static bool is_usable(const struct object *object)
{
    scoped_ptr(arena) struct arena *plain = arena_new(0); /* a password */
    const struct secret *secret = (const struct secret *)object;
    struct str password;
    bool usable = str_eq(secret->type, STR("kubernetes.io/basic-auth")) &&
                  secret_read(secret, STR("password"), plain, &password) == 0 &&
                  bgppeer_password_is_usable(password);
    arena_wipe(plain);
    return usable;
}

/* The kinds that others refer to by name. */
static bool is_referred_to(enum kind_id kind)
{
    return kind == KIND_BFD_PROFILE || kind == KIND_COMMUNITY || kind == KIND_SECRET;
}

/* Adds the last good versions of what has gone. */
static void add_gone(const struct config *config, enum kind_id kind, struct objects *all,
                     struct arena *arena)
{
    size_t cursor = 0;
    struct map there = {0};
    struct objects more = {
        .items = arena_array(arena, all->count + map_count(&config->good), sizeof(*more.items))};
    for (size_t i = 0; i < all->count; i++) {
        more.items[more.count++] = all->items[i];
        (void)map_put(&there, object_id(all->items[i]), (void *)all->items[i]);
    }
    for (struct map_entry *slot; (slot = map_next(&config->good, &cursor));) {
        const struct object *good = slot->value;
        if (good->kind->id == kind && !map_get(&there, object_id(good)))
            more.items[more.count++] = good;
    }
    map_done(&there);
    *all = more;
}

/* The last good version in place of each object that is refused, by itself or together with others.
 * False when nothing is to be replaced. */
static bool fall_back(const struct config *config, struct validate_input *input,
                      const struct diag_list *found, struct arena *arena)
{
    bool lacks = false, replaced = false;
    for (size_t i = 0; i < KINDS; i++) {
        struct objects *all = &input->of[kinds[i].kind];
        struct objects better = {.items = arena_array(arena, all->count, sizeof(*better.items)),
                                 .count = all->count};
        for (size_t j = 0; j < all->count; j++) {
            const struct object *object = all->items[j];
            const struct object *good = map_get(&config->good, object_id(object));
            bool refused = object->refused || diag_first_error(found, object_id(object));
            better.items[j] = refused && good ? good : object;
            replaced = replaced || better.items[j] != object;
            lacks = lacks || lacks_something(config, object, found);
        }
        *all = better;
    }
    for (enum kind_id kind = 0; lacks && kind < KIND_COUNT; kind++) {
        if (is_referred_to(kind))
            add_gone(config, kind, &input->of[kind], arena);
    }
    return replaced || lacks;
}

/* Secrets that have become unusable. */
static bool fall_back_secrets(const struct config *config, struct objects *all, struct arena *arena)
{
    bool replaced = false;
    struct objects better = {.items = arena_array(arena, all->count, sizeof(*better.items)),
                             .count = all->count};
    for (size_t i = 0; i < all->count; i++) {
        const struct object *good = map_get(&config->good, object_id(all->items[i]));
        bool keeps = good && !is_usable(all->items[i]);
        better.items[i] = keeps ? good : all->items[i];
        replaced = replaced || keeps;
    }
    *all = better;
    return replaced;
}

/* Twice at most: a last good version was in force before, so it breaks nothing that was good. The
 * findings are those about the objects as they are. */
static void judge(struct config *config, struct validate_input *input, struct arena *arena,
                  struct validated *ret)
{
    validate(input, arena, ret);
    bool replaced = fall_back(config, input, &ret->found, arena);
    replaced = fall_back_secrets(config, &input->of[KIND_SECRET], arena) || replaced;
    if (!replaced)
        return;
    struct validated again;
    validate(input, arena, &again);
    struct diag_list found = again.found;
    again.found = ret->found;
    ret->found = found;
    validate_done(ret);
    *ret = again;
}

/* --- building -------------------------------------------------------------------------------- */

static bool is_named(const struct objects *peers, const struct object *secret)
{
    for (size_t i = 0; i < peers->count; i++) {
        const struct bgppeer *peer = (const struct bgppeer *)peers->items[i];
        if (str_eq(object_name(secret), peer->spec.password_secret.name) &&
            str_eq(object_namespace(secret), object_namespace(&peer->object)))
            return true;
    }
    return false;
}

/* A Secret is kept for as long as a peer in force names it. No others are, and no Nodes: they are
 * not ours to keep. */
static void keep_secrets(struct validated *judged, struct map *good)
{
    struct objects *all = &judged->of[KIND_SECRET];
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct object *secret = all->items[i];
        if (!is_named(&judged->of[KIND_BGP_PEER], secret))
            continue;
        (void)map_put(good, object_id(secret), object_ref(secret));
        all->items[count++] = secret;
    }
    all->count = count;
    judged->of[KIND_NODE].count = 0;
}

void config_build(struct config *config, const struct objects of[KIND_COUNT], struct str namespace)
{
    struct arena *arena = arena_new(0);
    struct validate_input input = {
        .of = {[KIND_NODE] = of[KIND_NODE], [KIND_SECRET] = of[KIND_SECRET]},
        .namespace = namespace,
        .stands = stands,
        .stands_ctx = config,
        .has_secrets = true,
    };
    for (size_t i = 0; i < KINDS; i++)
        input.of[kinds[i].kind] = of[kinds[i].kind];
    struct validated judged;
    struct map good = {0};
    judge(config, &input, arena, &judged);
    for (size_t i = 0; i < KINDS; i++) {
        const struct objects *kept = &judged.of[kinds[i].kind];
        for (size_t j = 0; j < kept->count; j++)
            (void)map_put(&good, object_id(kept->items[j]), object_ref(kept->items[j]));
    }
    keep_secrets(&judged, &good);
    validate_done(&config->judged);
    forget(&config->good);
    (void)arena_free(config->arena);
    config->arena = arena;
    config->judged = judged;
    config->good = good;
}

const struct objects *config_pools(const struct config *config)
{
    return &config->judged.of[KIND_IP_ADDRESS_POOL];
}

const struct objects *config_advertisements(const struct config *config)
{
    return &config->judged.of[KIND_L2_ADVERTISEMENT];
}

const struct validated *config_validated(const struct config *config)
{
    return &config->judged;
}

const struct diag_list *config_findings(const struct config *config)
{
    return &config->judged.found;
}
