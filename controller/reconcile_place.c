/* Placing in the shell: feeds it with Nodes, EndpointSlices, configuration and what the plan gives,
 * once per turn of the loop, and lets units move as the rate allows. */
#include "common/base/log.h"
#include "controller/controller.h"
#include "crd/node.h"
#include "crd/service.h"

static void slice_value(const struct object *object, struct sbuf *out)
{
    sbuf_put(out, ((const struct endpointslice *)object)->service);
}

void reconcile_place_init(struct controller *c)
{
    c->slices = source_index(c->source, KIND_ENDPOINT_SLICE, slice_value);
    c->moves =
        (struct rebalance){.rate = c->options.rebalance_rate, .frozen = !c->options.rebalance};
}

void reconcile_place_begin(struct controller *c)
{
    struct placing_options options = c->options.placing;
    options.seed = c->options.seed;
    c->placing = placing_new(&options);
    c->world_changed = true;
    reconcile_members_begin(c);
    c->placed = false;
}

void reconcile_place_end(struct controller *c)
{
    c->move = loop_timer_cancel(c->move);
    c->placing = placing_free(c->placing);
    reconcile_members_end(c);
    c->moves_left = 0;
}

struct object *reconcile_place_reduce(void *ctx, struct object *object)
{
    (void)ctx;
    return object->kind->id == KIND_ENDPOINT_SLICE ? endpointslice_reduce(object, NULL) : object;
}

/* --- changes --------------------------------------------------------------------------------- */

/* Heartbeats change Node objects all the time. */
static bool is_same_node(const struct object *before, const struct object *after)
{
    const struct node *a = (const struct node *)before, *b = (const struct node *)after;
    return object_same_labels(before, after) && a->network_unavailable == b->network_unavailable &&
           a->draining == b->draining && before->refused == after->refused;
}

static bool same_addresses(const struct object *before, const struct object *after)
{
    const struct list *a = &((const struct node *)before)->addresses;
    const struct list *b = &((const struct node *)after)->addresses;
    const struct node_address *x = a->items, *y = b->items;
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!str_eq(x[i].type, y[i].type) || !str_eq(x[i].text, y[i].text))
            return false;
    }
    return a->count == b->count;
}

void reconcile_place_node(struct controller *c, const struct object *before,
                          const struct object *after)
{
    if (!before || !after || !same_addresses(before, after))
        reconcile_members_find(c);
    if (!c->active || (before && after && is_same_node(before, after)))
        return;
    c->world_changed = true;
    reconcile_schedule(c);
}

static void offer(struct controller *c, const struct plan_record *record)
{
    size_t count = 0;
    const struct object *const *slices = source_by(c->source, c->slices, record->key, &count);
    placing_offer(c->placing, record, (const struct endpointslice *const *)slices, count);
}

/* Of most EndpointSlices nothing follows: where the endpoints are matters with the Local policy. */
static void offer_served(struct controller *c, const struct object *slice)
{
    struct str key = slice ? ((const struct endpointslice *)slice)->service : STR("");
    const struct plan_record *record = key.len ? plan_get(c->plan, key) : NULL;
    if (!record || !record->managed || !((const struct service *)record->object)->is_local)
        return;
    offer(c, record);
    reconcile_schedule(c);
}

void reconcile_place_slice(struct controller *c, const struct object *before,
                           const struct object *after)
{
    if (!c->active || c->world_changed) /* then all are offered anyway */
        return;
    offer_served(c, before);
    offer_served(c, after);
}

void reconcile_place_drop(struct controller *c, struct str key)
{
    placing_drop(c->placing, key);
}

/* --- running --------------------------------------------------------------------------------- */

static void set_world(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct placing_world world = {
        .pools = config_in_force(c->config, KIND_IP_ADDRESS_POOL, scratch),
        .advertisements = config_in_force(c->config, KIND_L2_ADVERTISEMENT, scratch),
    };
    size_t count;
    world.nodes.items = source_list(c->source, KIND_NODE, scratch, &world.nodes.count);
    placing_set_world(c->placing, &world);
    const struct plan_record **records = plan_list(c->plan, scratch, &count);
    for (size_t i = 0; i < count; i++)
        offer(c, records[i]);
    c->world_changed = false;
}

static void move_due(void *ctx)
{
    static const struct str_list nothing = {0};
    struct controller *c = ctx;
    c->move = NULL;
    if (c->active)
        reconcile_place_run(c, &nothing);
}

/* Comes back when the next move may be made. */
static void schedule_move(struct controller *c)
{
    enum { MS_US = 1000 };
    c->move = loop_timer_cancel(c->move);
    uint64_t wait = rebalance_wait(&c->moves, loop_clock_ns() / MS_US);
    if (c->moves_left == 0 || wait == UINT64_MAX)
        return;
    c->move = loop_timer_start(c->loop, wait / MS_US + 1, 0, move_due, c);
}

static void move_units(struct controller *c)
{
    enum { US_NS = 1000 };
    uint64_t now = loop_clock_ns() / US_NS;
    struct place_pending pending = placing_run(c->placing, rebalance_allowed(&c->moves, now));
    controller_metrics_moves(c->metrics, pending.moved, pending.taken_over);
    if (pending.moved)
        rebalance_spend(&c->moves, now, pending.moved);
    if (pending.left != c->moves_left)
        log_info("units to move for balance", kv_uint("left", pending.left),
                 kv_uint("before", c->moves_left));
    c->moves_left = pending.left;
}

void reconcile_place_run(struct controller *c, const struct str_list *keys)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    bool known = reconcile_members_read(c);
    if (c->world_changed)
        set_world(c);
    for (size_t i = 0; i < keys->count; i++) {
        const struct plan_record *record = plan_get(c->plan, keys->items[i]);
        if (record)
            offer(c, record);
    }
    if (!known || (c->placed && !placing_is_due(c->placing)))
        return;
    move_units(c);
    c->placed = true;
    struct str_list changed = placing_changes(c->placing, scratch);
    for (size_t i = 0; i < changed.count; i++)
        apply_add(c, arena_printf(scratch, "Service/" STR_FMT, STR_ARG(changed.items[i])));
    schedule_move(c);
}
