/* Building a pool set: which inputs are accepted, and how pools are cut into segments. */
#include <stdlib.h>

#include "common/base/map.h"
#include "controller/pool.h"
#include "controller/tree.h"

/* A range that is taken, by a pool or by a reservation. */
struct taken {
    struct tree_node node;
    struct range range;
    struct str owner, object; /* of a reservation */
    bool meets_pool;
};

struct draft {
    struct pool_segment segment;
    size_t order; /* of making, which is the order of spec.addresses inside a pool */
};

struct build {
    struct pool_set *set;
    struct diag_list *found;
    struct arena *scratch;
    struct tree pools, reservations; /* struct taken, disjoint */
    VEC(const struct pool_input *) accepted;
    VEC(struct draft) drafts;
};

static int compare_taken(const struct tree_node *a, const struct tree_node *b)
{
    return ip_cmp(&TREE_ITEM(a, const struct taken, node)->range.first,
                  &TREE_ITEM(b, const struct taken, node)->range.first);
}

static const struct tree_kind taken_kind = {.compare = compare_taken};

/* The taken range with the greatest start that is not behind ip, or NULL. */
static struct taken *taken_floor(const struct tree *tree, const struct ip *ip)
{
    struct taken probe = {.range = {.first = *ip}};
    struct tree_node *node = tree_floor(tree, &probe.node);
    return node ? TREE_ITEM(node, struct taken, node) : NULL;
}

/* The first taken range that overlaps `range`, or NULL. */
static struct taken *taken_meets(const struct tree *tree, const struct range *range)
{
    struct taken *before = taken_floor(tree, &range->first);
    if (before && range_overlaps(&before->range, range))
        return before;
    struct tree_node *next = before ? tree_next(&before->node) : tree_first(tree);
    struct taken *after = next ? TREE_ITEM(next, struct taken, node) : NULL;
    return after && range_overlaps(&after->range, range) ? after : NULL;
}

static struct taken *taken_add(struct build *build, struct tree *tree, const struct range *range)
{
    struct taken *taken = arena_alloc(build->scratch, sizeof(*taken));
    taken->range = *range;
    tree_insert(tree, &taken->node);
    return taken;
}

/* "192.0.2.0/24" when it is one prefix, else "start-end". */
static struct str text_of(const struct range *range, struct arena *arena)
{
    struct prefix *prefixes;
    if (range_prefixes(range, arena, &prefixes) == 1)
        return arena_printf(arena, "%s", prefix_format(&prefixes[0]).text);
    return arena_printf(arena, "%s", range_format(range).text);
}

/* Takes all ranges of a pool, or none. */
static bool take_ranges(struct build *build, const struct pool_input *input)
{
    struct taken **mine = arena_array(build->scratch, input->range_count, sizeof(struct taken *));
    for (size_t i = 0; i < input->range_count; i++) {
        const struct taken *other = taken_meets(&build->pools, &input->ranges[i]);
        if (!other) {
            mine[i] = taken_add(build, &build->pools, &input->ranges[i]);
            continue;
        }
        diag_add(build->found, DIAG_ERROR, input->object, STR("spec.addresses"),
                 "CIDR \"" STR_FMT "\" in pool \"" STR_FMT
                 "\" overlaps with already defined CIDR \"" STR_FMT "\"",
                 STR_ARG(text_of(&input->ranges[i], build->scratch)), STR_ARG(input->name),
                 STR_ARG(text_of(&other->range, build->scratch)));
        while (i-- > 0)
            tree_remove(&build->pools, &mine[i]->node);
        return false;
    }
    return true;
}

static void accept_pools(struct build *build, const struct pool_input *pools, size_t count)
{
    struct map names = {0};
    for (size_t i = 0; i < count; i++) {
        const struct pool_input *input = &pools[i];
        if (map_get(&names, input->name)) {
            diag_add(build->found, DIAG_ERROR, input->object, STR("metadata.name"),
                     "duplicate definition of pool \"" STR_FMT "\"", STR_ARG(input->name));
            continue;
        }
        if (!input->range_count) {
            diag_add(build->found, DIAG_ERROR, input->object, STR("spec.addresses"),
                     "pool has no prefixes defined");
            continue;
        }
        if (!take_ranges(build, input))
            continue;
        (void)map_put(&names, input->name, (void *)input);
        vec_push(&build->accepted, input);
    }
    map_done(&names);
}

static int compare_input(const void *a, const void *b)
{
    const struct pool_input *const *left = a, *const *right = b;
    return str_cmp((*left)->name, (*right)->name);
}

static struct str_list sorted_copy(const struct str_list *list, struct arena *arena)
{
    struct str_list copy = {
        .items = arena_array(arena, list->count, sizeof(*copy.items)),
        .count = list->count,
    };
    for (size_t i = 0; i < list->count; i++)
        copy.items[i] = arena_str(arena, list->items[i]);
    if (copy.count)
        qsort(copy.items, copy.count, sizeof(*copy.items), str_cmp_ptr);
    return copy;
}

static void make_pools(struct build *build)
{
    struct pool_set *set = build->set;
    vec_sort(&build->accepted, compare_input);
    set->count = (uint32_t)build->accepted.len;
    set->pools = arena_array(set->arena, set->count, sizeof(*set->pools));
    for (uint32_t i = 0; i < set->count; i++) {
        const struct pool_input *input = build->accepted.items[i];
        set->pools[i] = (struct pool){
            .name = arena_str(set->arena, input->name),
            .auto_assign = input->auto_assign,
            .avoid_buggy = input->avoid_buggy,
            .pinned = input->pinned,
            .by_namespace = input->by_namespace,
            .by_labels = input->by_labels,
            .priority = input->priority,
            .namespaces = sorted_copy(&input->namespaces, set->arena),
            .selects = input->selects,
            .selectors = input->selectors,
        };
    }
}

/* The part of `range` in front of `other`, and the part behind it; false when there is none. */
static bool cut_before(const struct range *range, const struct range *other, struct range *ret)
{
    if (ip_cmp(&range->first, &other->first) >= 0)
        return false;
    enum ip_family family = (enum ip_family)range->first.family;
    *ret = (struct range){
        .first = range->first,
        .last = ip_of_value(family, ip_to_value(&other->first) - 1),
    };
    return true;
}

static bool cut_behind(const struct range *range, const struct range *other, struct range *ret)
{
    if (ip_cmp(&range->last, &other->last) <= 0)
        return false;
    enum ip_family family = (enum ip_family)range->first.family;
    *ret = (struct range){
        .first = ip_of_value(family, ip_to_value(&other->last) + 1),
        .last = range->last,
    };
    return true;
}

static void accept_reservation(struct build *build, const struct pool_reservation *input)
{
    struct range rest = input->range;
    struct str owner = arena_str(build->set->arena, input->owner);
    struct str object = arena_str(build->set->arena, input->object);
    for (bool more = true; more;) {
        struct taken *other = taken_meets(&build->reservations, &rest);
        struct range piece = rest;
        if (other && !str_eq(other->owner, owner))
            diag_add(build->found, DIAG_ERROR, input->object, STR("spec"),
                     "\"" STR_FMT "\" is already reserved by " STR_FMT,
                     STR_ARG(text_of(&other->range, build->scratch)), STR_ARG(other->object));
        bool free_part = !other || cut_before(&rest, &other->range, &piece);
        struct range behind;
        more = other && cut_behind(&rest, &other->range, &behind);
        if (more)
            rest = behind;
        if (!free_part)
            continue;
        struct taken *mine = taken_add(build, &build->reservations, &piece);
        mine->owner = owner;
        mine->object = object;
    }
}

/* The least and the greatest address of the range that are not avoided; false when none is left. */
static bool trim_buggy(struct range *range)
{
    ip_value first = ip_to_value(&range->first), last = ip_to_value(&range->last);
    while (first <= last && ((first & 0xff) == 0 || (first & 0xff) == 255))
        first++;
    while (first < last && ((last & 0xff) == 0 || (last & 0xff) == 255))
        last--;
    if (first > last)
        return false;
    *range = (struct range){.first = ip_of_value(IP_V4, first), .last = ip_of_value(IP_V4, last)};
    return true;
}

static void add_segment(struct build *build, uint32_t pool, struct range range,
                        const struct taken *reservation)
{
    bool avoid = build->set->pools[pool].avoid_buggy && range.first.family == IP_V4;
    if (avoid && !trim_buggy(&range))
        return;
    struct pool_segment segment = {
        .first = range.first, .last = range.last, .pool = pool, .avoid_buggy = avoid};
    segment.last_index = pool_segment_index(&segment, &range.last);
    if (reservation) {
        segment.owner = reservation->owner;
        segment.reservation = reservation->object;
    }
    vec_push(&build->drafts, ((struct draft){.segment = segment, .order = build->drafts.len}));
}

/* Cuts a stretch of a pool at the borders of reservations. */
static void cut_reservations(struct build *build, uint32_t pool, struct range rest)
{
    for (bool more = true; more;) {
        struct taken *reservation = taken_meets(&build->reservations, &rest);
        if (!reservation) {
            add_segment(build, pool, rest, NULL);
            return;
        }
        reservation->meets_pool = true;
        struct range piece = reservation->range;
        if (ip_cmp(&piece.first, &rest.first) < 0)
            piece.first = rest.first;
        if (ip_cmp(&piece.last, &rest.last) > 0)
            piece.last = rest.last;
        struct range before, behind;
        if (cut_before(&rest, &piece, &before))
            add_segment(build, pool, before, NULL);
        add_segment(build, pool, piece, reservation);
        more = cut_behind(&rest, &piece, &behind);
        if (more)
            rest = behind;
    }
}

static int compare_range(const void *a, const void *b)
{
    return range_cmp(a, b);
}

/* The first of the excluded ranges (sorted by start, and their ends rise too) that ends at or
 * behind ip. */
static size_t first_excluded(const struct range *excluded, size_t count, const struct ip *ip)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ip_cmp(&excluded[middle].last, ip) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sorted, and without those that lie inside an earlier one. */
static size_t sort_excluded(const struct pool_input *input, struct range *excluded)
{
    size_t count = 0;
    for (size_t i = 0; i < input->excluded_count; i++)
        excluded[i] = input->excluded[i];
    if (input->excluded_count)
        qsort(excluded, input->excluded_count, sizeof(*excluded), compare_range);
    for (size_t i = 0; i < input->excluded_count; i++)
        if (!count || ip_cmp(&excluded[i].last, &excluded[count - 1].last) > 0)
            excluded[count++] = excluded[i];
    return count;
}

static void cut_pool(struct build *build, uint32_t pool)
{
    const struct pool_input *input = build->accepted.items[pool];
    struct range *excluded = arena_array(build->scratch, input->excluded_count, sizeof(*excluded));
    size_t count = sort_excluded(input, excluded);
    for (size_t i = 0; i < input->range_count; i++) {
        struct range rest = input->ranges[i];
        bool more = true;
        for (size_t e = first_excluded(excluded, count, &rest.first);
             more && e < count && range_overlaps(&excluded[e], &rest); e++) {
            struct range before, behind;
            if (cut_before(&rest, &excluded[e], &before))
                cut_reservations(build, pool, before);
            more = cut_behind(&rest, &excluded[e], &behind);
            if (more)
                rest = behind;
        }
        if (more)
            cut_reservations(build, pool, rest);
    }
}

static int compare_draft(const void *a, const void *b)
{
    const struct draft *left = a, *right = b;
    if (left->segment.pool != right->segment.pool)
        return left->segment.pool < right->segment.pool ? -1 : 1;
    unsigned left_slot = pool_slot(&left->segment.first);
    unsigned right_slot = pool_slot(&right->segment.first);
    if (left_slot != right_slot)
        return left_slot < right_slot ? -1 : 1;
    bool left_open = left->segment.owner.len == 0, right_open = right->segment.owner.len == 0;
    if (left_open != right_open)
        return left_open ? 1 : -1;
    int order = str_cmp(left->segment.owner, right->segment.owner);
    return order ? order : left->order < right->order ? -1 : left->order > right->order;
}

static void add_saturating(int64_t *sum, ip_value last_index)
{
    ip_value total = (ip_value)*sum + (last_index < INT64_MAX ? last_index + 1 : INT64_MAX);
    *sum = total < INT64_MAX ? (int64_t)total : INT64_MAX;
}

/* Fills the pools' families from the sorted segments. */
static void index_families(struct pool_set *set)
{
    uint32_t at = 0;
    for (uint32_t p = 0; p < set->count; p++) {
        for (unsigned slot = 0; slot < POOL_FAMILIES; slot++) {
            struct pool_family *family = &set->pools[p].families[slot];
            *family = (struct pool_family){.first = at, .open = at};
            for (; at < set->segment_count && set->segments[at].pool == p &&
                   pool_slot(&set->segments[at].first) == slot;
                 at++) {
                add_saturating(&family->capacity, set->segments[at].last_index);
                if (set->segments[at].owner.len)
                    family->open = at + 1;
                else
                    add_saturating(&family->open_capacity, set->segments[at].last_index);
            }
            family->end = at;
        }
    }
}

struct by_first {
    struct ip first;
    uint32_t segment;
};

static int compare_first(const void *a, const void *b)
{
    return ip_cmp(&((const struct by_first *)a)->first, &((const struct by_first *)b)->first);
}

static void make_segments(struct build *build)
{
    struct pool_set *set = build->set;
    uint32_t count = (uint32_t)build->drafts.len;
    vec_sort(&build->drafts, compare_draft);
    set->segment_count = count;
    set->segments = arena_array(set->arena, count, sizeof(*set->segments));
    set->by_address = arena_array(set->arena, count, sizeof(*set->by_address));
    struct by_first *sorted = arena_array(build->scratch, count, sizeof(*sorted));
    for (uint32_t i = 0; i < count; i++) {
        set->segments[i] = build->drafts.items[i].segment;
        sorted[i] = (struct by_first){.first = set->segments[i].first, .segment = i};
    }
    if (count)
        qsort(sorted, count, sizeof(*sorted), compare_first);
    for (uint32_t i = 0; i < count; i++)
        set->by_address[i] = sorted[i].segment;
}

struct ranked {
    int64_t priority; /* 0 and below made the last */
    uint32_t pool;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->priority != right->priority)
        return left->priority < right->priority ? -1 : 1;
    return left->pool < right->pool ? -1 : left->pool > right->pool;
}

/* The two lists of pools that are used without being asked for. */
static void make_orders(struct build *build)
{
    struct pool_set *set = build->set;
    set->pinned = arena_array(set->arena, set->count, sizeof(*set->pinned));
    set->unpinned = arena_array(set->arena, set->count, sizeof(*set->unpinned));
    struct ranked *ranked = arena_array(build->scratch, set->count, sizeof(*ranked));
    for (uint32_t p = 0; p < set->count; p++) {
        const struct pool *pool = &set->pools[p];
        if (!pool->auto_assign)
            continue;
        if (!pool->pinned) {
            set->unpinned[set->unpinned_count++] = p;
            continue;
        }
        ranked[set->pinned_count++] = (struct ranked){
            .priority = pool->priority > 0 ? pool->priority : INT64_MAX,
            .pool = p,
        };
    }
    if (set->pinned_count)
        qsort(ranked, set->pinned_count, sizeof(*ranked), compare_ranked);
    for (uint32_t i = 0; i < set->pinned_count; i++)
        set->pinned[i] = ranked[i].pool;
}

static void note_useless(struct build *build)
{
    for (struct tree_node *node = tree_first(&build->reservations); node; node = tree_next(node)) {
        const struct taken *taken = TREE_ITEM(node, const struct taken, node);
        if (!taken->meets_pool)
            diag_add(build->found, DIAG_NOTE, taken->object, STR("spec"),
                     "\"" STR_FMT "\" is in no address pool",
                     STR_ARG(text_of(&taken->range, build->scratch)));
    }
}

struct pool_set *pool_set_build(const struct pool_input *pools, size_t pool_count,
                                const struct pool_reservation *reservations,
                                size_t reservation_count, struct diag_list *found)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct arena *arena = arena_new(0);
    struct build build = {
        .set = arena_alloc(arena, sizeof(*build.set)),
        .found = found,
        .scratch = scratch,
        .pools = {.kind = &taken_kind},
        .reservations = {.kind = &taken_kind},
    };
    build.set->arena = arena;
    accept_pools(&build, pools, pool_count);
    make_pools(&build);
    for (size_t i = 0; i < reservation_count; i++)
        accept_reservation(&build, &reservations[i]);
    for (uint32_t p = 0; p < build.set->count; p++)
        cut_pool(&build, p);
    make_segments(&build);
    index_families(build.set);
    make_orders(&build);
    note_useless(&build);
    vec_done(&build.accepted);
    vec_done(&build.drafts);
    return build.set;
}
