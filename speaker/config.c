#include "speaker/config.h"

#include <stdlib.h>

#include "crd/condition.h"
#include "crd/ipaddresspool.h"
#include "crd/l2advertisement.h"

struct config {
    struct arena *arena; /* of the last build */
    struct validated judged;
    struct map good; /* id → the version in force, one reference each */
};

static const enum kind_id kinds[] = {KIND_IP_ADDRESS_POOL, KIND_L2_ADVERTISEMENT};
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
    const struct list *conditions = object->kind->id == KIND_IP_ADDRESS_POOL
                                        ? &((const struct ipaddresspool *)object)->status.conditions
                                        : &((const struct l2advertisement *)object)->conditions;
    const struct condition *shown = condition_find(conditions, STR("Accepted"));
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
        replaced += fall_back(config, &input->of[kinds[i]], &ret->found);
    if (replaced) {
        validate_done(ret);
        validate(input, arena, ret);
    }
}

void config_build(struct config *config, const struct objects *pools,
                  const struct objects *advertisements, struct str namespace)
{
    struct arena *arena = arena_new(0);
    struct validate_input input = {
        .of = {[KIND_IP_ADDRESS_POOL] = gather(config, pools, arena),
               [KIND_L2_ADVERTISEMENT] = gather(config, advertisements, arena)},
        .namespace = namespace,
        .stands = stands,
        .stands_ctx = config,
    };
    struct validated judged;
    struct map good = {0};
    judge(config, &input, arena, &judged);
    for (size_t i = 0; i < KINDS; i++) {
        const struct objects *kept = &judged.of[kinds[i]];
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

const struct diag_list *config_findings(const struct config *config)
{
    return &config->judged.found;
}
