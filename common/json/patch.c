#include "common/json/patch.h"

#include <assert.h>

#include "common/json/rfc3339.h"

static void begin_value(struct patch *patch, const char *key)
{
    bool keyed = patch->depth > 0 && !patch->is_list[patch->depth - 1];
    assert(keyed == (key != NULL));
    assert(patch->depth > 0 || patch->text.len == 0);
    if (patch->follows)
        sbuf_putc(&patch->text, ',');
    patch->follows = true;
    if (!key)
        return;
    sbuf_json(&patch->text, str_from(key));
    sbuf_putc(&patch->text, ':');
}

static void push(struct patch *patch, const char *key, bool is_list)
{
    begin_value(patch, key);
    assert(patch->depth < PATCH_DEPTH_MAX);
    patch->is_list[patch->depth++] = is_list;
    patch->follows = false;
    sbuf_putc(&patch->text, is_list ? '[' : '{');
}

void patch_open(struct patch *patch, const char *key)
{
    push(patch, key, false);
}

void patch_list(struct patch *patch, const char *key)
{
    push(patch, key, true);
}

void patch_close(struct patch *patch)
{
    assert(patch->depth > 0);
    sbuf_putc(&patch->text, patch->is_list[--patch->depth] ? ']' : '}');
    patch->follows = true;
}

void patch_str(struct patch *patch, const char *key, struct str value)
{
    begin_value(patch, key);
    sbuf_json(&patch->text, value);
}

void patch_int(struct patch *patch, const char *key, int64_t value)
{
    begin_value(patch, key);
    sbuf_i64(&patch->text, value);
}

void patch_time(struct patch *patch, const char *key, int64_t seconds)
{
    scoped_sbuf struct sbuf text = {0};
    rfc3339_format(&text, seconds, 0, 0);
    patch_str(patch, key, sbuf_str(&text));
}

void patch_bool(struct patch *patch, const char *key, bool value)
{
    begin_value(patch, key);
    sbuf_puts(&patch->text, value ? "true" : "false");
}

void patch_null(struct patch *patch, const char *key)
{
    begin_value(patch, key);
    sbuf_puts(&patch->text, "null");
}

void patch_raw(struct patch *patch, const char *key, struct str json)
{
    begin_value(patch, key);
    sbuf_put(&patch->text, json);
}

struct str patch_text(const struct patch *patch)
{
    assert(patch->depth == 0);
    return sbuf_str(&patch->text);
}

struct str patch_move(struct patch *patch, struct arena *arena)
{
    assert(patch->depth == 0);
    patch->follows = false;
    return sbuf_move(&patch->text, arena);
}

void patch_give(struct patch *patch, struct sbuf *ret)
{
    assert(patch->depth == 0 && ret->ptr == NULL);
    *ret = patch->text;
    *patch = (struct patch){0};
}

void patch_done(struct patch *patch)
{
    sbuf_done(&patch->text);
    *patch = (struct patch){0};
}

json_t *patch_merge(json_t *target, const json_t *change)
{
    if (!json_is_object(change)) {
        json_decref(target);
        return json_deep_copy(change);
    }
    if (!json_is_object(target)) {
        json_decref(target);
        target = json_object();
    }
    json_t *tree = (json_t *)change; /* jansson's iterators only read but do not say so */
    for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at)) {
        const char *key = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        if (json_is_null(value)) {
            (void)json_object_del(target, key); /* absent already is fine */
            continue;
        }
        json_t *member = json_incref(json_object_get(target, key));
        int err = json_object_set_new(target, key, patch_merge(member, value));
        assert(err == 0); /* only without memory, or for a key that is not UTF-8 */
    }
    return target;
}

/* Adds key → value to *ret, which is made when it is first needed. */
static void diff_set(json_t **ret, const char *key, json_t *value)
{
    if (!*ret)
        *ret = json_object();
    int err = json_object_set_new(*ret, key, value);
    assert(err == 0);
}

/* A copy of a tree that a merge patch can say: without the nulls of its objects. */
static json_t *without_nulls(const json_t *value)
{
    return json_is_object(value) ? patch_merge(NULL, value) : json_deep_copy(value);
}

json_t *patch_diff(const json_t *before, const json_t *after)
{
    json_t *ret = NULL, *old = (json_t *)before, *new = (json_t *)after;
    for (void *at = json_object_iter(old); at; at = json_object_iter_next(old, at)) {
        const json_t *kept = json_object_get(after, json_object_iter_key(at));
        if ((!kept || json_is_null(kept)) && !json_is_null(json_object_iter_value(at)))
            diff_set(&ret, json_object_iter_key(at), json_null());
    }
    for (void *at = json_object_iter(new); at; at = json_object_iter_next(new, at)) {
        const char *key = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at), *was = json_object_get(before, key);
        if (json_is_null(value) || (was && json_equal(was, value)))
            continue;
        bool nested = json_is_object(was) && json_is_object(value);
        json_t *change = nested ? patch_diff(was, value) : without_nulls(value);
        if (change)
            diff_set(&ret, key, change);
    }
    return ret;
}
