/* For tests: pools and reservations from texts. */
#ifndef CONTROLLER_TEST_POOLS_H
#define CONTROLLER_TEST_POOLS_H

#include "common/base/test.h"
#include "controller/pool.h"

enum { RANGES = 6, POOLS = 4 };

/* A pool in texts. */
struct text_pool {
    const char *name, *ranges[RANGES], *excluded[RANGES];
    bool avoid_buggy, no_auto, pinned;
    int64_t priority;
    const char *namespaces[RANGES];
    bool no_namespace;    /* namespaces were asked for, but there are none */
    const char *selector; /* matches the labels that are the same text */
};

struct text_reservation {
    const char *owner, *range;
};

static inline const struct str_map *labels_of(const char *text)
{
    return (const struct str_map *)(const void *)text; /* only ever given to selects_text */
}

static inline bool selects_text(const void *selectors, const struct str_map *labels)
{
    return labels && strcmp(selectors, (const char *)(const void *)labels) == 0;
}

static inline size_t parse_ranges(const char *const *texts, struct range *ret)
{
    size_t count = 0;
    for (; count < RANGES && texts[count]; count++)
        TEST_ASSERT(range_parse(str_from(texts[count]), true, &ret[count]) == 0);
    return count;
}

static inline struct str_list texts_of(const char *const *texts, struct arena *arena)
{
    struct str_list list = {.items = arena_array(arena, RANGES, sizeof(*list.items))};
    for (; list.count < RANGES && texts[list.count]; list.count++)
        list.items[list.count] = str_from(texts[list.count]);
    return list;
}

static inline struct pool_set *pools_of(const struct text_pool *pools,
                                        const struct text_reservation *kept, struct arena *arena,
                                        struct diag_list *found)
{
    struct pool_input inputs[POOLS] = {0};
    struct range ranges[POOLS][RANGES], excluded[POOLS][RANGES];
    size_t count = 0;
    for (; count < POOLS && pools[count].name; count++) {
        inputs[count] = (struct pool_input){
            .name = str_from(pools[count].name),
            .object = arena_printf(arena, "IPAddressPool/%s", pools[count].name),
            .auto_assign = !pools[count].no_auto,
            .avoid_buggy = pools[count].avoid_buggy,
            .pinned = pools[count].pinned,
            .priority = pools[count].priority,
            .namespaces = texts_of(pools[count].namespaces, arena),
            .by_namespace = pools[count].namespaces[0] || pools[count].no_namespace,
            .by_labels = pools[count].selector != NULL,
            .selectors = pools[count].selector,
            .selects = selects_text,
            .ranges = ranges[count],
            .range_count = parse_ranges(pools[count].ranges, ranges[count]),
            .excluded = excluded[count],
            .excluded_count = parse_ranges(pools[count].excluded, excluded[count]),
        };
    }
    struct pool_reservation reservations[RANGES];
    size_t kept_count = 0;
    for (; kept && kept_count < RANGES && kept[kept_count].owner; kept_count++) {
        reservations[kept_count] = (struct pool_reservation){
            .object = arena_printf(arena, "IPReservation/r%zu", kept_count),
            .owner = str_from(kept[kept_count].owner),
        };
        TEST_ASSERT(range_parse(str_from(kept[kept_count].range), true,
                                &reservations[kept_count].range) == 0);
    }
    return pool_set_build(inputs, count, reservations, kept_count, found);
}

#endif
