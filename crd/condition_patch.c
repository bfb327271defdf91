#include "crd/condition_patch.h"

static void put(struct patch *patch, const struct condition *condition, int64_t time)
{
    patch_open(patch, NULL);
    patch_str(patch, "type", condition->type);
    patch_str(patch, "status", condition->status);
    patch_str(patch, "reason", condition->reason);
    patch_str(patch, "message", condition->message);
    patch_time(patch, "lastTransitionTime", time);
    if (condition->observed_generation)
        patch_int(patch, "observedGeneration", condition->observed_generation);
    patch_close(patch);
}

static bool is_ours(struct str type, const struct condition_want *wants, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(wants[i].type, type))
            return true;
    }
    return false;
}

void condition_patch(struct patch *patch, const struct list *shown,
                     const struct condition_want *wants, size_t count)
{
    const struct condition *items = shown->items;
    patch_list(patch, "conditions");
    for (size_t i = 0; i < shown->count; i++) {
        if (!is_ours(items[i].type, wants, count))
            put(patch, &items[i], items[i].since);
    }
    for (size_t i = 0; i < count; i++) {
        const struct condition *ours = wants[i].ours;
        const struct condition *before = condition_find(shown, wants[i].type);
        bool same_status = ours && before && str_eq(before->status, ours->status);
        if (ours)
            put(patch, ours, same_status ? before->since : ours->since);
    }
    patch_close(patch);
}

bool condition_patch_is_done(const struct list *shown, const struct condition_want *wants,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!condition_same(condition_find(shown, wants[i].type), wants[i].ours))
            return false;
    }
    return true;
}

bool condition_same(const struct condition *a, const struct condition *b)
{
    if (!a || !b)
        return a == b;
    return str_eq(a->status, b->status) && str_eq(a->reason, b->reason) &&
           str_eq(a->message, b->message) && a->observed_generation == b->observed_generation;
}
