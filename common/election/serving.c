#include "common/election/serving.h"

struct serving {
    const struct endpointslice **slices; /* sorted by Service */
    size_t count;
};

static int by_service(const void *a, const void *b)
{
    const struct endpointslice *x = *(const struct endpointslice *const *)a;
    const struct endpointslice *y = *(const struct endpointslice *const *)b;
    return str_cmp(x->service, y->service);
}

struct serving *serving_new(const struct objects *slices, struct arena *arena)
{
    struct serving *serving = arena_alloc(arena, sizeof(*serving));
    serving->slices = arena_array(arena, slices->count, sizeof(struct endpointslice *));
    for (size_t i = 0; i < slices->count; i++) {
        const struct endpointslice *slice = (const struct endpointslice *)slices->items[i];
        if (slice->service.len && !slice->object.refused)
            serving->slices[serving->count++] = slice;
    }
    if (serving->count)
        qsort(serving->slices, serving->count, sizeof(struct endpointslice *), by_service);
    return serving;
}

static size_t first_slice(const struct serving *serving, struct str service)
{
    size_t from = 0, to = serving->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_cmp(serving->slices[middle]->service, service) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct endpoint *serving_next(const struct serving *serving, struct str service,
                                    struct serving_cursor *cursor)
{
    if (!cursor->started)
        *cursor = (struct serving_cursor){.slice = first_slice(serving, service), .started = true};
    while (cursor->slice < serving->count) {
        const struct endpointslice *slice = serving->slices[cursor->slice];
        if (!str_eq(slice->service, service))
            return NULL;
        const struct endpoint *all = slice->endpoints.items;
        while (cursor->endpoint < slice->endpoints.count) {
            const struct endpoint *endpoint = &all[cursor->endpoint++];
            if (endpoint->can_serve)
                return endpoint;
        }
        cursor->slice++;
        cursor->endpoint = 0;
    }
    return NULL;
}
