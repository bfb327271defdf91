/* Rules about addresses: no two pools, and no two reservations, may hold the same one. */
#include "crd/ipaddresspool.h"
#include "crd/ipreservation.h"
#include "crd/validate_rules.h"

/* Index of the first span that ends at or behind ip. */
static size_t lower_bound(const struct spans *spans, const struct ip *ip)
{
    size_t from = 0, to = spans->list.len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (ip_cmp(&spans->list.items[middle].range.last, ip) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* A span that overlaps the range, or NULL. */
static const struct span *find_overlap(const struct spans *spans, const struct range *range)
{
    size_t at = lower_bound(spans, &range->first);
    if (at == spans->list.len || !range_overlaps(&spans->list.items[at].range, range))
        return NULL;
    return &spans->list.items[at];
}

static int span_cmp(const void *a, const void *b)
{
    return range_cmp(&((const struct span *)a)->range, &((const struct span *)b)->range);
}

/* Takes the ranges of one object, which overlap nothing that is there nor each other. Sorting what
 * is nearly sorted is cheap enough: pools are few, and this runs when they change. */
static void add_spans(struct spans *spans, const struct object *object, const struct list *ranges,
                      const struct str *texts)
{
    const struct range *all = ranges->items;
    for (size_t i = 0; i < ranges->count; i++) {
        struct span span = {.range = all[i], .object = object, .text = texts[i]};
        vec_push(&spans->list, span);
    }
    vec_sort(&spans->list, span_cmp);
}

static struct pool_facts facts_of(struct validate_run *run, const struct ipaddresspool *pool)
{
    const struct range *ranges = pool->ranges.items;
    struct pool_facts facts = {
        .pool = pool, .lengths = arena_array(run->arena, pool->ranges.count, sizeof(unsigned))};
    for (size_t i = 0; i < pool->ranges.count; i++) {
        struct prefix *prefixes;
        size_t count = range_prefixes(&ranges[i], run->arena, &prefixes);
        unsigned shortest = ip_bits(&ranges[i].first);
        for (size_t j = 0; j < count; j++)
            shortest = prefixes[j].len < shortest ? prefixes[j].len : shortest;
        facts.lengths[i] = shortest;
        if (ranges[i].first.family == IP_V4)
            facts.has_v4 = true;
        else
            facts.has_v6 = true;
    }
    return facts;
}

bool validate_pool(struct validate_run *run, const struct object *object)
{
    const struct ipaddresspool *pool = (const struct ipaddresspool *)object;
    const struct range *ranges = pool->ranges.items;
    const struct str *texts = pool->spec.addresses.items;
    for (size_t i = 0; i < pool->ranges.count; i++) {
        const struct span *other = find_overlap(&run->pool_spans, &ranges[i]);
        if (other)
            return validate_fail(
                run, object, arena_printf(run->arena, "spec.addresses[%zu]", i).ptr,
                "CIDR \"" STR_FMT "\" in pool \"" STR_FMT
                "\" overlaps with already defined CIDR \"" STR_FMT "\" of " STR_FMT,
                STR_ARG(texts[i]), STR_ARG(object_name(object)), STR_ARG(other->text),
                STR_ARG(object_id(other->object)));
    }
    add_spans(&run->pool_spans, object, &pool->ranges, texts);
    vec_push(&run->pools, facts_of(run, pool));
    return true;
}

bool validate_reservation(struct validate_run *run, const struct object *object)
{
    const struct ipreservation *reservation = (const struct ipreservation *)object;
    if (ipreservation_expired(reservation, run->input->now)) {
        diag_add(run->found, DIAG_NOTE, object_id(object), STR("spec.expiresAt"),
                 "the reservation has ended");
        return false;
    }
    const struct range *ranges = reservation->ranges.items;
    for (size_t i = 0; i < reservation->ranges.count; i++) {
        const struct span *other = find_overlap(&run->reserved_spans, &ranges[i]);
        if (other)
            return validate_fail(run, object, "spec",
                                 "overlaps with \"" STR_FMT "\" of " STR_FMT
                                 ", which is older and stays in force",
                                 STR_ARG(other->text), STR_ARG(object_id(other->object)));
    }
    const struct str *texts = reservation->spec.has_address ? &reservation->spec.address
                                                            : reservation->spec.addresses.items;
    add_spans(&run->reserved_spans, object, &reservation->ranges, texts);
    return true;
}
