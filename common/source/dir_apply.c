#include "common/source/dir_apply.h"

#include <stdbool.h>

#include "common/base/str.h"

static bool is_keyed(const char *key)
{
    return str_eq(str_from(key), STR("conditions"));
}

/* The place of the condition of the same type, or the size of the list. */
static size_t find_condition(const json_t *list, const json_t *condition)
{
    const json_t *type = json_object_get(condition, "type");
    size_t i = 0;
    while (i < json_array_size(list) &&
           !json_equal(json_object_get(json_array_get(list, i), "type"), type))
        i++;
    return i;
}

static void apply_conditions(json_t *target, const json_t *last, const json_t *next)
{
    size_t i;
    json_t *condition;
    json_array_foreach(last, i, condition)
    {
        if (find_condition(next, condition) == json_array_size(next))
            (void)json_array_remove(target, find_condition(target, condition)); /* or not there */
    }
    json_array_foreach(next, i, condition)
    {
        size_t at = find_condition(target, condition);
        if (at < json_array_size(target))
            (void)json_array_set_new(target, at, json_deep_copy(condition));
        else
            (void)json_array_append_new(target, json_deep_copy(condition));
    }
}

/* Takes away what the manager had applied under a key it no longer names. */
static void forget_key(json_t *target, const char *key, const json_t *last)
{
    json_t *value = json_object_get(target, key);
    bool object = json_is_object(value) && json_is_object(last);
    bool keyed = is_keyed(key) && json_is_array(value) && json_is_array(last);
    if (object)
        dir_apply(value, last, NULL);
    else if (keyed)
        apply_conditions(value, last, NULL);
    if ((object && json_object_size(value) > 0) || (keyed && json_array_size(value) > 0))
        return; /* others' parts stay */
    (void)json_object_del(target, key);
}

void dir_apply(json_t *target, const json_t *last, const json_t *next)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)last, key, value)
    {
        if (!json_object_get(next, key))
            forget_key(target, key, value);
    }
    json_object_foreach((json_t *)next, key, value)
    {
        json_t *now = json_object_get(target, key);
        const json_t *before = json_object_get(last, key);
        if (json_is_object(now) && json_is_object(value))
            dir_apply(now, before, value);
        else if (is_keyed(key) && json_is_array(now) && json_is_array(value))
            apply_conditions(now, before, value);
        else
            (void)json_object_set_new(target, key, json_deep_copy(value)); /* a valid key */
    }
}
