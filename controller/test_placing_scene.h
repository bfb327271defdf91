/* What the tests of placing share: a cluster of YAML. Each step applies manifests, runs, and
 * compares the placement of every Service as text. */
#ifndef CONTROLLER_TEST_PLACING_SCENE_H
#define CONTROLLER_TEST_PLACING_SCENE_H

#include "common/base/map.h"
#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/json/yaml.h"
#include "controller/placing.h"
#include "crd/annotations.h"
#include "crd/kinds.h"
#include "crd/service.h"

/* records say that each Service has just what its status shows, or with the label `planned` (an
 * address), that it is to have that. */
struct scene {
    struct arena *arena;
    struct map items;   /* id → struct object, one reference each */
    struct map records; /* key → struct plan_record */
    struct placing *placing;
};

static inline void scene_init(struct scene *s, bool hash)
{
    *s = (struct scene){
        .arena = arena_new(0),
        .placing = placing_new(&(struct placing_options){.hash = hash}),
    };
}

static inline void scene_done(struct scene *s)
{
    size_t cursor = 0;
    (void)placing_free(s->placing);
    for (struct map_entry *slot; (slot = map_next(&s->items, &cursor));)
        (void)object_unref(slot->value);
    map_done(&s->items);
    map_done(&s->records);
    (void)arena_free(s->arena);
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

static inline void scene_offer(struct scene *s, const struct object *object)
{
    const struct service *service = (const struct service *)object;
    struct plan_record *record = map_get(&s->records, object->key);
    if (!record) {
        record = arena_alloc(s->arena, sizeof(*record));
        record->key = arena_str(s->arena, object->key);
        (void)map_put(&s->records, record->key, record);
    }
    const struct service_ingress *ingress = service->status.ingress.items;
    struct str planned = object_label(object, STR("planned"), NULL);
    record->object = object;
    record->managed = service->is_load_balancer;
    record->ip_count = 0;
    for (size_t i = 0; i < service->status.ingress.count; i++)
        record->ips[record->ip_count++] = ingress[i].address;
    if (planned.len)
        TEST_ASSERT(ip_parse(planned, &record->ips[record->ip_count++]) == 0);
    struct objects all = scene_list(s, KIND_ENDPOINT_SLICE);
    const struct endpointslice **slices =
        arena_array(s->arena, all.count, sizeof(struct endpointslice *));
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++) {
        const struct endpointslice *slice = (const struct endpointslice *)all.items[i];
        if (str_eq(slice->service, object->key))
            slices[count++] = slice;
    }
    placing_offer(s->placing, record, slices, count);
}

static inline void scene_offer_all(struct scene *s)
{
    struct placing_world world = {.nodes = scene_list(s, KIND_NODE),
                                  .pools = scene_list(s, KIND_IP_ADDRESS_POOL),
                                  .advertisements = scene_list(s, KIND_L2_ADVERTISEMENT)};
    placing_set_world(s->placing, &world);
    struct objects services = scene_list(s, KIND_SERVICE);
    for (size_t i = 0; i < services.count; i++)
        scene_offer(s, services.items[i]);
}

/* Stores manifests; a Service alone is offered alone, anything else is a new world. */
static inline void scene_apply(struct scene *s, const char *yaml)
{
    struct yaml_documents documents = yaml_parse(str_from(yaml), s->arena);
    bool only_services = true;
    for (size_t i = 0; i < documents.list.len; i++) {
        const json_t *tree = documents.list.items[i].tree;
        if (documents.list.items[i].error.len)
            printf("\n" STR_FMT "\n%s\n", STR_ARG(documents.list.items[i].error), yaml);
        TEST_ASSERT(tree != NULL);
        const struct kind *kind =
            kinds_find(str_from(json_string_value(json_object_get(tree, "apiVersion"))),
                       str_from(json_string_value(json_object_get(tree, "kind"))));
        struct object *object = object_decode(kind, tree, STR(""));
        (void)object_unref(map_put(&s->items, object_id(object), object));
        if (kind->id == KIND_SERVICE && only_services && map_count(&s->records))
            scene_offer(s, object);
        only_services = only_services && kind->id == KIND_SERVICE && map_count(&s->records);
    }
    yaml_done(&documents);
    if (!only_services)
        scene_offer_all(s);
}

static inline void scene_delete(struct scene *s, const char *id)
{
    scoped_ptr(object) struct object *object = map_remove(&s->items, str_from(id));
    TEST_ASSERT(object != NULL);
    placing_drop(s->placing, object->key);
    (void)map_remove(&s->records, object->key);
    if (object->kind->id != KIND_SERVICE)
        scene_offer_all(s);
}

/* "default/a: 1 n1 n2 (chosen)" for each Service. */
static inline struct str scene_text(struct scene *s)
{
    struct sbuf out = {0};
    struct objects services = scene_list(s, KIND_SERVICE);
    for (size_t i = 0; i < services.count; i++) {
        struct placing_view view = {0};
        struct str key = services.items[i]->key;
        struct str text = placing_text(s->placing, key, s->arena);
        bool placed = placing_view(s->placing, key, s->arena, &view);
        sbuf_printf(&out, STR_FMT ": " STR_FMT " (%s" STR_FMT ")\n", STR_ARG(key),
                    STR_ARG(text.len ? text : STR("-")), placed ? place_why_name(view.why) : "-",
                    STR_ARG(view.why == PLACE_HASHED ? view.owner : STR("")));
    }
    return sbuf_move(&out, s->arena);
}

/* Applies (yaml may be NULL), runs and compares everything. */
static inline void scene_step(struct scene *s, const char *yaml, const char *want)
{
    if (yaml)
        scene_apply(s, yaml);
    (void)placing_run(s->placing, SIZE_MAX);
    TEST_STR(scene_text(s), want);
}

/* Writes all annotations into the objects, as they would come back. */
static inline size_t scene_write(struct scene *s)
{
    struct str_list keys = placing_changes(s->placing, s->arena);
    size_t written = 0;
    for (size_t i = 0; i < keys.count; i++) {
        struct str id = arena_printf(s->arena, "Service/" STR_FMT, STR_ARG(keys.items[i]));
        struct object *object = map_get(&s->items, id);
        struct str text = placing_text(s->placing, keys.items[i], s->arena);
        if (str_eq(annotations_read(object, ANNOTATION_PLACEMENT, NULL), text))
            continue;
        struct str_map *map = &object->annotations;
        struct str_pair *grown =
            arena_array(object->arena, map->count + 1, sizeof(struct str_pair));
        size_t count = 0;
        struct str key = annotations_get(ANNOTATION_PLACEMENT)->key;
        for (size_t j = 0; j < map->count; j++) {
            if (!str_eq(map->items[j].key, key))
                grown[count++] = map->items[j];
        }
        if (text.len) /* sorted behind all the tests use */
            grown[count++] = (struct str_pair){.key = key, .value = arena_str(object->arena, text)};
        *map = (struct str_map){.items = grown, .count = count};
        written++;
    }
    return written;
}

#define NODE(name, extra)                                                                        \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {host: " name "}" extra \
    "}\n"
#define NODES NODE("n1", "") NODE("n2", "") NODE("n3", "")
#define POOL                                                                              \
    "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: office, " \
    "namespace: metallb-system}\nspec: {addresses: [192.0.2.0/28, \"2001:db8::/64\"]}\n"
#define L2(name, spec)                                                                   \
    "---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: " name \
    ", namespace: metallb-system}\nspec: {" spec "}\n"
#define SERVICE(name, meta, spec, ips)                                                       \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default" meta \
    "}\nspec: {type: LoadBalancer" spec "}\nstatus: {loadBalancer: {ingress: [" ips "]}}\n"
#define PLANNED(name, ip) SERVICE(name, ", labels: {planned: " ip "}", "", "")
#define PLACED(order) ", annotations: {stentor.io/placement: \"" order "\"}"
#define ENDPOINTS(service, endpoints)                                                      \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " service \
    "-1, namespace: default, labels: {kubernetes.io/service-name: " service                \
    "}}\naddressType: IPv4\nendpoints: [" endpoints "]\n"
#define ON(node) "{addresses: [198.18.0.1], nodeName: " node "}"
#define CLUSTER NODES POOL L2("all", "")

#define EXCLUDED(name)                                                                 \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {host: " name \
    ", node.kubernetes.io/exclude-from-external-load-balancers: x}}\n"

#endif
