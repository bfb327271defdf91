#include "speaker/config.h"

#include <stdlib.h>

#include "crd/bfdprofile.h"
#include "crd/bgpadvertisement.h"
#include "crd/bgppeer.h"
#include "crd/condition.h"
#include "crd/ipaddresspool.h"
#include "crd/l2advertisement.h"

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
    return shown && str_eq(shown->status, STR("True")) && object->meta.generation &&
           shown->observed_generation == object->meta.generation;
}

static bool stands(const void *ctx, const struct object *object)
{
    const struct config *config = ctx;
    return map_get(&config->good, object->id) == object || is_accepted(object);
}

/* All objects, with the last good version in place of those that are refused by themselves. */
static struct objects gather(const struct config *config, const struct objects *from,
                             struct arena *arena)
{
    struct objects all = {.items = arena_array(arena, from->count, sizeof(*all.items)),
                          .count = from->count};
    for (size_t i = 0; i < from->count; i++) {
        const struct object *object = from->items[i];
        const struct object *good = object->refused ? map_get(&config->good, object->id) : NULL;
        all.items[i] = good ? good : object;
    }
    return all;
}

/* Puts the last good version in place of objects that are refused only together with others.
 * Returns how many. */
static size_t fall_back(const struct config *config, struct objects *all,
                        const struct diag_list *found)
{
    size_t replaced = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct object *good = map_get(&config->good, all->items[i]->id);
        if (!good || good == all->items[i] || !diag_first_error(found, all->items[i]->id))
            continue;
        all->items[i] = good;
        replaced++;
    }
    return replaced;
}

/* Twice at most: a last good version was in force before, so it breaks nothing that was good. */
static void judge(struct config *config, struct validate_input *input, struct arena *arena,
                  struct validated *ret)
{
    size_t replaced = 0;
    validate(input, arena, ret);
    for (size_t i = 0; i < KINDS; i++)
        replaced += fall_back(config, &input->of[kinds[i].kind], &ret->found);
    if (replaced) {
        validate_done(ret);
        validate(input, arena, ret);
    }
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
        input.of[kinds[i].kind] = gather(config, &of[kinds[i].kind], arena);
    struct validated judged;
    struct map good = {0};
    judge(config, &input, arena, &judged);
    for (size_t i = 0; i < KINDS; i++) {
        const struct objects *kept = &judged.of[kinds[i].kind];
        for (size_t j = 0; j < kept->count; j++)
            (void)map_put(&good, kept->items[j]->id, object_ref(kept->items[j]));
    }
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
