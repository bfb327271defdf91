#include "controller/fence.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "crd/service.h"

struct fence {
    struct arena *arena; /* of the texts */
    struct map left;     /* id → its version, a struct str */
};

struct fence *fence_new(void)
{
    struct fence *fence = heap_alloc(sizeof(*fence));
    *fence = (struct fence){.arena = arena_new(0)};
    return fence;
}

struct fence *fence_free(struct fence *fence)
{
    if (!fence)
        return NULL;
    map_done(&fence->left);
    (void)arena_free(fence->arena);
    free(fence);
    return NULL;
}

bool fence_concerns(const struct plan_record *record)
{
    const struct service *service = (const struct service *)record->object;
    size_t most = service->family == SERVICE_FAMILY_DUAL ? 2 : 1;
    if (!record->managed || record->object->refused)
        return false;
    for (size_t i = 0; i < record->ip_count; i++) {
        if (!service_shows(service, &record->ips[i]))
            return true;
    }
    return record->ip_count < most;
}

void fence_add(struct fence *fence, struct str id, struct str version)
{
    struct str *copy = arena_alloc(fence->arena, sizeof(*copy));
    *copy = arena_str(fence->arena, version);
    (void)map_put(&fence->left, arena_str(fence->arena, id), copy);
}

bool fence_has(const struct fence *fence, struct str id, struct str version)
{
    const struct str *fenced = map_get(&fence->left, id);
    return fenced && str_eq(*fenced, version);
}

bool fence_pass(struct fence *fence, struct str id, struct str version)
{
    if (!map_get(&fence->left, id) || fence_has(fence, id, version))
        return false;
    (void)map_remove(&fence->left, id);
    return true;
}

size_t fence_left(const struct fence *fence)
{
    return map_count(&fence->left);
}

struct str_list fence_list(const struct fence *fence, struct arena *arena)
{
    size_t count;
    struct map_entry *entries = map_sorted(&fence->left, arena, &count);
    struct str_list list = {.items = arena_array(arena, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++)
        list.items[list.count++] = entries[i].key;
    return list;
}
