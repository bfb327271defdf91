#include "crd/condition.h"

#define AT(member) offsetof(struct condition, member)
static const struct field condition_fields[] = {
    {"type", FIELD_STR, AT(type), .flags = FIELD_REQUIRED},
    {"status", FIELD_STR, AT(status), .flags = FIELD_REQUIRED},
    {"reason", FIELD_STR, AT(reason), .flags = FIELD_REQUIRED},
    {"message", FIELD_STR, AT(message), .flags = FIELD_REQUIRED},
    {"lastTransitionTime", FIELD_TIME, AT(since), .flags = FIELD_REQUIRED},
    {"observedGeneration", FIELD_INT, AT(observed_generation), .max = INT64_MAX},
};
#undef AT
const struct shape condition_shape = SHAPE(struct condition, condition_fields, 0);

static const struct field status_fields[] = {
    {"conditions", FIELD_LIST, 0, .nested = &condition_shape},
};
const struct shape conditions_status_shape = SHAPE(struct list, status_fields, 0);

const struct condition *condition_find(const struct list *conditions, struct str type)
{
    const struct condition *all = conditions->items;
    for (size_t i = 0; i < conditions->count; i++)
        if (str_eq(all[i].type, type))
            return &all[i];
    return NULL;
}
