#include "ctl/edit.h"

#include "common/json/patch.h"
#include "crd/annotations.h"
#include "crd/node.h"

static struct edit_list refuse(struct str sentence)
{
    return (struct edit_list){.refusal = sentence};
}

/* Adds what the annotation of an object is to be, unless it is that. */
static void add(struct edit_list *list, const struct object *object, enum annotation_id id,
                struct str value, bool removes, struct arena *arena)
{
    bool present;
    struct str now = annotations_read(object, id, &present);
    if (removes ? !present : present && str_eq(now, value))
        return;
    list->items[list->count++] = (struct edit){
        .kind = object->kind->id,
        .id = arena_str(arena, object_id(object)),
        .namespace = arena_str(arena, object_namespace(object)),
        .name = arena_str(arena, object_name(object)),
        .version = arena_str(arena, object->resource_version),
        .origin = arena_str(arena, object->source->origin),
        .key = annotations_get(id)->key,
        .value = arena_str(arena, value),
        .removes = removes,
    };
}

/* --- move ------------------------------------------------------------------------------------ */

/* The unit of an address or a Service; SIZE_MAX: there is none. */
static size_t find_unit(const struct world *world, struct str what)
{
    struct ip ip;
    if (ip_parse(what, &ip) == 0) {
        const struct world_address *address = world_find_address(world, &ip);
        return address ? address->unit : SIZE_MAX;
    }
    size_t service = world_find_service(world, what);
    return service < world->service_count ? world->services[service].unit : SIZE_MAX;
}

/* Why that node cannot have the unit: the first Service that it may not announce. */
static struct str refusal_of(const struct world *world, size_t unit, size_t node,
                             struct arena *arena)
{
    for (size_t i = unit; i < world->service_count; i++) {
        const struct world_service *s = &world->services[i];
        const char *why = s->unit == unit ? world_refusal(world, s, node) : NULL;
        if (why)
            return arena_printf(arena, "node \"" STR_FMT "\" may not announce " STR_FMT ": %s",
                                STR_ARG(world->nodes[node].name), STR_ARG(s->key), why);
    }
    return STR("");
}

struct edit_list edit_move(const struct world *world, struct str what, struct str node,
                           struct arena *arena)
{
    size_t unit = find_unit(world, what), index = node.len ? world_find_node(world, node) : 0;
    if (unit == SIZE_MAX)
        return refuse(arena_printf(arena, "no Service of type LoadBalancer is or has " STR_FMT,
                                   STR_ARG(what)));
    if (node.len && index == world->node_count)
        return refuse(arena_printf(arena, "there is no node \"" STR_FMT "\"", STR_ARG(node)));
    struct edit_list list = {.items =
                                 arena_array(arena, world->service_count, sizeof(*list.items))};
    if (node.len)
        list.refusal = refusal_of(world, unit, index, arena);
    if (world->units[unit].hashed)
        list.refusal = STR("its node is elected by hash (election: hash): it cannot be chosen");
    for (size_t i = unit; !list.refusal.len && i < world->service_count; i++) {
        if (world->services[i].unit == unit)
            add(&list, &world->services[i].object->object, ANNOTATION_NODE, node, !node.len, arena);
    }
    if (node.len && world->nodes[index].object->draining)
        list.note = STR("the node is drained: the address comes to it only when that is over");
    return list;
}

/* --- drain ----------------------------------------------------------------------------------- */

/* How many units the node owns that no other node may answer for. */
static size_t count_stuck(const struct world *world, size_t node)
{
    size_t stuck = 0;
    for (size_t i = 0; i < world->service_count; i++) {
        const struct world_unit *unit = &world->units[i];
        stuck += unit->stands && unit->order_count == 1 && unit->order[0] == node;
    }
    return stuck;
}

struct edit_list edit_drain(const struct world *world, struct str node, bool drain,
                            struct arena *arena)
{
    size_t index = world_find_node(world, node);
    if (index == world->node_count)
        return refuse(arena_printf(arena, "there is no node \"" STR_FMT "\"", STR_ARG(node)));
    struct edit_list list = {.items = arena_array(arena, 1, sizeof(*list.items))};
    const struct node *object = world->nodes[index].object;
    if (object->draining != drain) /* the value does not matter */
        add(&list, &object->object, ANNOTATION_DRAIN, STR("true"), !drain, arena);
    size_t stuck = drain ? count_stuck(world, index) : 0;
    if (stuck)
        list.note =
            arena_printf(arena, "%zu of its units stay: no other node may announce them", stuck);
    return list;
}

/* --- words ----------------------------------------------------------------------------------- */

struct str edit_body(const struct edit *edit, struct arena *arena)
{
    struct patch patch = {0};
    const char *key = arena_cstr(arena, edit->key);
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    if (edit->version.len)
        patch_str(&patch, "resourceVersion", edit->version);
    patch_open(&patch, "annotations");
    if (edit->removes)
        patch_null(&patch, key);
    else
        patch_str(&patch, key, edit->value);
    patch_close(&patch);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

struct str edit_instruction(const struct edit *edit, struct arena *arena)
{
    if (edit->removes)
        return arena_printf(arena, STR_FMT ": in " STR_FMT ", remove the annotation " STR_FMT,
                            STR_ARG(edit->origin), STR_ARG(edit->id), STR_ARG(edit->key));
    return arena_printf(
        arena, STR_FMT ": in " STR_FMT ", set the annotation " STR_FMT ": \"" STR_FMT "\"",
        STR_ARG(edit->origin), STR_ARG(edit->id), STR_ARG(edit->key), STR_ARG(edit->value));
}
