#include "controller/silent.h"

#include <stdlib.h>

#include "common/json/patch.h"
#include "common/json/rfc3339.h"

struct silent {
    struct arena *arena;    /* of the names */
    struct str_list living; /* nodes whose speakers are alive */
    struct str_list told;   /* others, whose objects were returned by silent_find */
};

struct silent *silent_new(void)
{
    struct silent *silent = heap_alloc(sizeof(*silent));
    *silent = (struct silent){.arena = arena_new(256)};
    return silent;
}

struct silent *silent_free(struct silent *silent)
{
    if (silent)
        (void)arena_free(silent->arena);
    free(silent);
    return NULL;
}

static const struct bgpsessionstatus_status *status_of(const struct object *object)
{
    return &((const struct bgpsessionstatus *)object)->status;
}

/* Appends copies of the names that `without` does not have; the list has the room. */
static void add_names(struct str_list *list, const struct str_list *names,
                      const struct str_list *without, struct arena *arena)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!str_list_has(without, names->items[i]))
            list->items[list->count++] = arena_str(arena, names->items[i]);
    }
}

static void replace(struct silent *silent, const struct str_list *living,
                    const struct str_list *told, const struct str_list *also_told)
{
    static const struct str_list none;
    struct arena *arena = arena_new(256);
    struct str_list new_living = {.items = arena_array(arena, living->count, sizeof(struct str))};
    struct str_list new_told = {
        .items = arena_array(arena, told->count + also_told->count, sizeof(struct str))};
    add_names(&new_living, living, &none, arena);
    add_names(&new_told, told, living, arena);
    add_names(&new_told, also_told, living, arena);
    (void)arena_free(silent->arena);
    *silent = (struct silent){.arena = arena, .living = new_living, .told = new_told};
}

void silent_set_members(struct silent *silent, const struct gossip_member *members, size_t count)
{
    static const struct str_list none;
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    struct str_list living = {.items = arena_array(scratch, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        if (members[i].meta.role == GOSSIP_SPEAKER && gossip_is_alive(members[i].state))
            living.items[living.count++] = members[i].name;
    }
    replace(silent, &living, &silent->told, &none);
}

struct str_list silent_find(struct silent *silent, const struct object *const *objects,
                            size_t count, struct arena *arena)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    struct str_list ids = {.items = arena_array(arena, count, sizeof(struct str))};
    struct str_list nodes = {.items = arena_array(scratch, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        struct str node = status_of(objects[i])->node;
        if (objects[i]->refused || str_list_has(&silent->living, node) ||
            str_list_has(&silent->told, node))
            continue;
        ids.items[ids.count++] = arena_str(arena, object_id(objects[i]));
        if (!str_list_has(&nodes, node))
            nodes.items[nodes.count++] = node;
    }
    replace(silent, &silent->living, &silent->told, &nodes);
    return ids;
}

/* "the speaker of this node is lost; it said last: Down since 2026-11-25T20:01:02Z: why" */
static struct str sentence(const struct bgpsessionstatus_status *status, struct arena *arena)
{
    struct sbuf text = {0};
    sbuf_puts(&text, "the speaker of this node is lost; it said last: ");
    sbuf_put(&text, status->state);
    if (status->since) {
        sbuf_puts(&text, " since ");
        rfc3339_format(&text, status->since, 0, 0);
    }
    if (status->message.len) {
        sbuf_puts(&text, ": ");
        sbuf_put(&text, status->message);
    }
    return sbuf_move(&text, arena);
}

struct str silent_patch(const struct silent *silent, const struct object *object, int64_t now,
                        struct arena *arena)
{
    const struct bgpsessionstatus_status *status = status_of(object);
    if (object->refused || str_list_has(&silent->living, status->node) ||
        str_eq(status->state, STR(BGPSESSION_UNKNOWN)))
        return STR("");
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    patch_str(&patch, "resourceVersion", object->resource_version);
    patch_close(&patch);
    patch_open(&patch, "status");
    patch_str(&patch, "state", STR(BGPSESSION_UNKNOWN));
    patch_time(&patch, "since", now);
    patch_str(&patch, "message", sentence(status, arena));
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}
