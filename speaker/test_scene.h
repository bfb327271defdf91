/* What the tests of the plan share: a cluster made of YAML, planned for one of its nodes, and the
 * outcome as text. */
#ifndef SPEAKER_TEST_SCENE_H
#define SPEAKER_TEST_SCENE_H

#include "common/base/map.h"
#include "common/base/test.h"
#include "common/json/yaml.h"
#include "speaker/config.h"
#include "speaker/plan.h"

struct scene {
    struct arena *arena;
    struct map items; /* id → struct object, one reference each */
    struct config *config;
    struct elect *elect;
    struct snapshot snapshot; /* node, class: for the test to change */
    struct plan_view view;    /* for the test to change */
    struct basis *basis;      /* of the last plan */
    struct plan *plan;
};

static struct str scene_interfaces[] = {STR_INIT("eth0"), STR_INIT("eth1")};

static inline void scene_init(struct scene *s)
{
    *s = (struct scene){
        .arena = arena_new(0),
        .config = config_new(),
        .elect = elect_new(1),
        .view = {.interfaces = {.items = scene_interfaces, .count = 2}},
    };
}

static inline void scene_done(struct scene *s)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&s->items, &cursor));)
        (void)object_unref(slot->value);
    map_done(&s->items);
    plan_done(s->plan);
    (void)basis_unref(s->basis);
    (void)config_free(s->config);
    (void)elect_free(s->elect);
    (void)arena_free(s->arena);
}

static inline void scene_apply(struct scene *s, const char *yaml)
{
    struct yaml_documents documents = yaml_parse(str_from(yaml), s->arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        const struct yaml_document *document = &documents.list.items[i];
        if (document->error.len)
            printf("\n" STR_FMT "\n%s\n", STR_ARG(document->error), yaml);
        TEST_ASSERT(document->tree != NULL);
        const json_t *tree = document->tree;
        const struct kind *kind =
            kinds_find(str_from(json_string_value(json_object_get(tree, "apiVersion"))),
                       str_from(json_string_value(json_object_get(tree, "kind"))));
        TEST_ASSERT(kind != NULL);
        struct object *object = object_decode(kind, tree, STR(""));
        (void)object_unref(map_put(&s->items, object_id(object), object));
    }
    yaml_done(&documents);
}

static inline void scene_delete(struct scene *s, const char *id)
{
    struct object *object = map_remove(&s->items, str_from(id));
    TEST_ASSERT(object != NULL);
    (void)object_unref(object);
}

static inline struct objects scene_list(struct scene *s, enum kind_id kind)
{
    size_t total;
    struct map_entry *sorted = map_sorted(&s->items, s->arena, &total);
    struct objects list = {.items = arena_array(s->arena, total, sizeof(*list.items))};
    for (size_t i = 0; i < total; i++) {
        const struct object *object = sorted[i].value;
        if (object->kind->id == kind)
            list.items[list.count++] = object;
    }
    return list;
}

/* Everything that objects decide. */
static inline struct basis *scene_basis(struct scene *s, const char *node)
{
    struct objects all[KIND_COUNT];
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        all[kind] = scene_list(s, (enum kind_id)kind);
    config_build(s->config, all, STR("metallb-system"));
    s->snapshot.node = str_from(node);
    s->snapshot.services = scene_list(s, KIND_SERVICE);
    s->snapshot.slices = scene_list(s, KIND_ENDPOINT_SLICE);
    s->snapshot.nodes = scene_list(s, KIND_NODE);
    s->snapshot.pools = *config_pools(s->config);
    s->snapshot.advertisements = *config_advertisements(s->config);
    (void)basis_unref(s->basis);
    s->basis = basis_make(&s->snapshot);
    return s->basis;
}

/* A plan for a node; it lives until the next one. */
static inline struct plan *scene_plan(struct scene *s, const char *node)
{
    struct basis *basis = scene_basis(s, node);
    plan_done(s->plan);
    s->plan = plan_make(basis, &s->view, s->elect, s->arena);
    return s->plan;
}

static inline void scene_put_list(struct sbuf *out, const struct str_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        sbuf_printf(out, "%s" STR_FMT, i ? "," : " ", STR_ARG(list->items[i]));
}

/* "192.0.2.1 eth0,eth1 default/web" per address, then "default/mail notOwner n2" per Service that
 * is not announced, with its owner or "-". */
static inline struct str scene_text(struct scene *s, const struct plan *plan)
{
    struct sbuf out = {0};
    struct plan_address address;
    for (size_t next = 0; plan_next_address(plan, &next, &address);) {
        struct str key;
        sbuf_puts(&out, ip_format(&address.ip).text);
        scene_put_list(&out, &address.interfaces);
        for (size_t at = 0, count = 0; plan_next_service(plan, &address, &at, &key); count++)
            sbuf_printf(&out, "%s" STR_FMT, count ? "," : " ", STR_ARG(key));
        sbuf_putc(&out, '\n');
    }
    for (size_t i = 0; i < plan->basis->service_count; i++) {
        struct plan_service service = plan_service_at(plan, i);
        if (service.reason)
            sbuf_printf(&out, STR_FMT " %s " STR_FMT "\n", STR_ARG(service.key),
                        reason_name(service.reason),
                        STR_ARG(service.owner.len ? service.owner : STR("-")));
    }
    return sbuf_move(&out, s->arena);
}

/* Applies (yaml may be NULL), plans for a node and compares the whole outcome. */
static inline void scene_step(struct scene *s, const char *yaml, const char *node, const char *want)
{
    if (yaml)
        scene_apply(s, yaml);
    TEST_STR(scene_text(s, scene_plan(s, node)), want);
}

#endif
