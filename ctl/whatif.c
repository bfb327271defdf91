#include "ctl/whatif.h"

#include "common/base/err.h"
#include "common/base/vec.h"
#include "crd/node.h"

/* The nodes of the question: those of the world and the added ones, sorted by name. */
struct question {
    const struct world *world;
    const struct whatif_request *request;
    struct arena *arena;
    struct str *names;
    size_t count;
    uint32_t *number; /* of a node of the world, here */
    struct place *place;
    uint32_t *unit; /* number of a unit of the world in the placement; PLACE_NONE: it has none */
};

size_t whatif_ceil(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static void list_names(struct question *q)
{
    const struct world *w = q->world;
    q->names = arena_array(q->arena, w->node_count + q->request->add, sizeof(*q->names));
    for (size_t i = 0; i < w->node_count; i++)
        q->names[q->count++] = w->nodes[i].name;
    for (size_t i = 0, number = 1; i < q->request->add; number++) {
        struct str name = arena_printf(q->arena, "new-%zu", number);
        if (world_find_node(w, name) < w->node_count)
            continue;
        q->names[q->count++] = name;
        i++;
    }
    if (q->count)
        qsort(q->names, q->count, sizeof(*q->names), str_cmp_ptr);
    q->number = arena_array(q->arena, w->node_count, sizeof(*q->number));
    for (size_t i = 0; i < q->count; i++) {
        size_t node = world_find_node(w, q->names[i]);
        if (node < w->node_count)
            q->number[node] = (uint32_t)i;
    }
}

static bool is_added(const struct question *q, size_t number)
{
    return world_find_node(q->world, q->names[number]) == q->world->node_count;
}

/* Does a Service of the unit stay where its endpoints are? */
static bool is_local(const struct world *world, size_t unit)
{
    for (size_t i = unit; i < world->service_count; i++) {
        if (world->services[i].unit == unit && world->services[i].candidacy.stands &&
            world->services[i].object->is_local)
            return true;
    }
    return false;
}

static struct nodeset eligible_of(const struct question *q, size_t unit)
{
    const struct world_unit *u = &q->world->units[unit];
    struct nodeset set = nodeset_new(q->count, q->arena);
    for (size_t node = nodeset_next(&u->nodes, 0); node != NODESET_END;
         node = nodeset_next(&u->nodes, node + 1))
        nodeset_add(&set, q->number[node]);
    for (size_t i = 0; !is_local(q->world, unit) && i < q->count; i++) {
        if (is_added(q, i))
            nodeset_add(&set, i);
    }
    return set;
}

static uint32_t wish_of(const struct question *q, const struct world_unit *unit)
{
    size_t node = unit->wish.len ? world_find_node(q->world, unit->wish) : q->world->node_count;
    return node < q->world->node_count ? q->number[node] : PLACE_NONE;
}

static void add_unit(struct question *q, size_t index)
{
    const struct world_unit *u = &q->world->units[index];
    uint32_t *order = arena_array(q->arena, u->published_count, sizeof(*order));
    for (size_t i = 0; i < u->published_count; i++)
        order[i] = q->number[u->published[i]];
    int64_t *scores = u->scores ? arena_array(q->arena, q->count, sizeof(*scores)) : NULL;
    for (size_t i = 0; scores && i < q->world->node_count; i++)
        scores[q->number[i]] = u->scores[i];
    struct place_unit unit = {
        .ip = u->ip,
        .eligible = eligible_of(q, index),
        .scores = scores,
        .wish = wish_of(q, u),
        .hashed = u->hashed,
    };
    struct place_past past = {
        .order = order,
        .count = u->published_count,
        .epoch = u->epoch,
        .is_served = u->order_count > 0,
    };
    q->unit[index] = place_add(q->place, &unit, &past);
}

/* What is in force now, with the nodes that are drained already. */
static void set_present(struct question *q)
{
    const struct world *w = q->world;
    q->place = place_new(q->names, q->count);
    for (size_t i = 0; i < w->node_count; i++) {
        if (w->nodes[i].object->draining)
            place_set_state(q->place, q->number[i], PLACE_LEAVING);
    }
    for (size_t i = 0; i < q->count; i++) {
        if (is_added(q, i))
            place_set_state(q->place, (uint32_t)i, PLACE_DEAD); /* not there yet */
    }
    q->unit = arena_array(q->arena, w->service_count, sizeof(*q->unit));
    for (size_t i = 0; i < w->service_count; i++) {
        q->unit[i] = PLACE_NONE;
        if (w->units[i].stands)
            add_unit(q, i);
    }
    size_t count;
    place_run(q->place);
    (void)place_changes(q->place, q->arena, &count);
}

static int set_states(struct question *q, const struct str_list *names, enum place_state state,
                      struct str *ret_error)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t node = world_find_node(q->world, names->items[i]);
        if (node == q->world->node_count) {
            *ret_error = arena_printf(q->arena, "there is no node \"" STR_FMT "\"",
                                      STR_ARG(names->items[i]));
            return ERR_SYNTAX;
        }
        place_set_state(q->place, q->number[node], state);
    }
    return 0;
}

/* --- the outcome ----------------------------------------------------------------------------- */

static struct str name_of(const struct question *q, uint32_t number)
{
    return number == PLACE_NONE ? STR("") : q->names[number];
}

static void list_moves(struct question *q, struct whatif *ret)
{
    const struct world *w = q->world;
    ret->moves = arena_array(q->arena, w->service_count, sizeof(*ret->moves));
    for (size_t i = 0; i < w->service_count; i++) {
        if (q->unit[i] == PLACE_NONE)
            continue;
        struct place_result result = place_get(q->place, q->unit[i]);
        struct str from = world_order_name(w, &w->units[i], 0), to = name_of(q, result.owner);
        ret->units += from.len || to.len;
        ret->lost += from.len && !to.len;
        if (!str_eq(from, to))
            ret->moves[ret->move_count++] =
                (struct whatif_move){.unit = i, .from = from, .to = to, .why = result.why};
    }
}

static void list_nodes(struct question *q, struct whatif *ret)
{
    const struct world *w = q->world;
    ret->nodes = arena_array(q->arena, q->count, sizeof(*ret->nodes));
    for (size_t i = 0; i < q->count; i++) {
        size_t node = world_find_node(w, q->names[i]);
        bool added = node == w->node_count;
        struct whatif_node *to = &ret->nodes[ret->node_count++];
        *to = (struct whatif_node){
            .name = q->names[i],
            .state = place_state(q->place, (uint32_t)i),
            .added = added,
            .available = added || w->nodes[node].available,
            .before = added ? 0 : w->nodes[node].units,
            .after = place_load(q->place, (uint32_t)i),
        };
        ret->standing += to->available && to->state == PLACE_NORMAL;
        ret->most = to->after > ret->most ? to->after : ret->most;
    }
}

int whatif_run(const struct world *world, const struct whatif_request *request, struct arena *arena,
               struct whatif *ret, struct str *ret_error)
{
    struct question q = {.world = world, .request = request, .arena = arena};
    list_names(&q);
    set_present(&q);
    int result = set_states(&q, &request->drain, PLACE_LEAVING, ret_error);
    if (result == 0)
        result = set_states(&q, &request->kill, PLACE_DEAD, ret_error);
    for (size_t i = 0; i < q.count; i++) {
        if (is_added(&q, i))
            place_set_state(q.place, (uint32_t)i, PLACE_NORMAL);
    }
    if (result == 0) {
        *ret = (struct whatif){0};
        place_run(q.place);
        while (place_tidy(q.place, SIZE_MAX).left > 0)
            ;
        list_moves(&q, ret);
        list_nodes(&q, ret);
    }
    (void)place_free(q.place);
    return result;
}
