/* The fence of a new leader: see fence.h for what it is for.
 *
 * The first plan says which Services are concerned. Each of them is written: with what its record
 * says when that gives nothing, else with a condition that says why it must wait. When the last of
 * them is seen at another version the fence comes down, and what was planned is given. */
#include "common/base/log.h"
#include "controller/controller.h"

/* One Service that can by no means be written must not stop all others for ever: the fence comes
 * down when nobody has passed it for this long. The API server itself lets go of a request after
 * its `timeout`, which is at most the lease of who sent it. */
enum { STALLED_MS = 30 * 1000 };

static void lower(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct plan_record **records = plan_list(c->plan, scratch, &count);
    reconcile_fence_drop(c);
    for (size_t i = 0; i < count; i++)
        apply_add(c, object_id(records[i]->object));
    log_info("addresses are given again", kv_uint("services", count));
}

static void stalled(void *ctx)
{
    struct controller *c = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str_list left = fence_list(c->fence, scratch);
    c->fence_end = NULL;
    log_warn("some Services cannot be written; a late write of the former leader might still give "
             "one of them an address",
             kv_uint("services", left.count), kv_str("first", left.items[0]));
    lower(c);
}

static void await_next(struct controller *c)
{
    (void)loop_timer_cancel(c->fence_end);
    c->fence_end = loop_timer_start(c->loop, STALLED_MS, 0, stalled, c);
}

void reconcile_fence_drop(struct controller *c)
{
    c->fence_end = loop_timer_cancel(c->fence_end);
    c->fence = fence_free(c->fence);
    c->fenced = false;
}

void reconcile_fence_raise(struct controller *c)
{
    if (c->lead == SOURCE_LEADS) /* who gave it back has waited for the end of all writes before */
        c->fence_all = false;
    if (c->fence_all && !c->fence)
        c->fence = fence_new();
}

void reconcile_fence_keep(struct controller *c)
{
    c->fence_end = loop_timer_cancel(c->fence_end);
    c->fenced = false;
    if (!c->fence)
        c->fence = fence_new();
    apply_fence(c, c->fence);
}

/* All who are concerned by writes of another leader. */
static void fill_anew(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct plan_record **records = plan_list(c->plan, scratch, &count);
    for (size_t i = 0; i < count; i++) {
        const struct object *object = records[i]->object;
        if (fence_concerns(records[i]))
            fence_add(c->fence, object_id(object), object->resource_version);
    }
    c->fence_all = false;
}

/* Lets those pass who changed while this process did not lead; the others are to be written. */
static void look_again(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str_list left = fence_list(c->fence, scratch);
    for (size_t i = 0; i < left.count; i++) {
        const struct object *object = status_find(c, left.items[i]);
        if (!fence_pass(c->fence, left.items[i], object ? object->resource_version : STR("")))
            apply_add(c, object_id(object));
    }
}

void reconcile_fence_fill(struct controller *c)
{
    if (!c->fence || c->fenced)
        return;
    c->fenced = true;
    if (c->fence_all)
        fill_anew(c);
    look_again(c);
    if (fence_left(c->fence) == 0) {
        lower(c);
        return;
    }
    log_info("former writes may be on their way: nothing is given until Services changed",
             kv_uint("services", fence_left(c->fence)));
    await_next(c);
}

void reconcile_fence_pass(struct controller *c, struct str id, struct str version)
{
    if (!c->fence || !fence_pass(c->fence, id, version))
        return;
    if (fence_left(c->fence) == 0)
        lower(c);
    else
        await_next(c);
}
