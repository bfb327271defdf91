/* What the tests of the model share: a cluster made of YAML, modelled for one of its nodes, and the
 * outcome as text. */
#ifndef BGP_TEST_SCENE_H
#define BGP_TEST_SCENE_H

#include "bgp/render.h"
#include "common/base/map.h"
#include "crd/endpointslice.h"
#include "crd/test_support.h"

struct scene {
    struct arena *arena;
    struct map items; /* id → struct object, one reference each */
    struct validated judged;
    struct model_input input; /* for the test to change */
    struct model *model;      /* the last one */
};

static inline void scene_init(struct scene *s)
{
    *s = (struct scene){.arena = arena_new(0), .input = {.node = STR("n1")}};
}

static inline void scene_done(struct scene *s)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&s->items, &cursor));)
        (void)object_unref(slot->value);
    map_done(&s->items);
    model_done(s->model);
    validate_done(&s->judged);
    (void)arena_free(s->arena);
}

static inline void scene_apply(struct scene *s, struct str yaml)
{
    struct yaml_documents documents = yaml_parse(yaml, s->arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        const struct yaml_document *document = &documents.list.items[i];
        if (document->error.len)
            printf("\n" STR_FMT "\n" STR_FMT "\n", STR_ARG(document->error), STR_ARG(yaml));
        TEST_ASSERT(document->tree != NULL);
        struct object *object = support_decode(document->tree);
        (void)object_unref(map_put(&s->items, object_id(object), object));
    }
    yaml_done(&documents);
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

static inline void scene_drop(struct scene *s, struct str id)
{
    (void)object_unref(map_remove(&s->items, id));
}

static inline void scene_read(struct scene *s)
{
    struct validate_input input = {.namespace = STR("metallb-system"), .has_secrets = true};
    for (size_t i = 0; i < KIND_COUNT; i++)
        input.of[i] = scene_list(s, (enum kind_id)i);
    validate_done(&s->judged);
    validate(&input, s->arena, &s->judged);
    s->input.config = &s->judged;
    s->input.services = input.of[KIND_SERVICE];
    s->input.slices = input.of[KIND_ENDPOINT_SLICE];
    s->input.nodes = input.of[KIND_NODE];
    s->input.secrets = input.of[KIND_SECRET];
}

static inline struct model *scene_model(struct scene *s)
{
    scene_read(s);
    model_done(s->model);
    return s->model = model_make(&s->input, s->arena);
}

/* Updates the model for one Service, in the arena that it was made in. */
static inline bool scene_update(struct scene *s, struct str service, model_changes *changes)
{
    struct model_touched touched = {.key = service};
    scene_read(s);
    for (size_t i = 0; i < s->input.services.count; i++) {
        if (str_eq(s->input.services.items[i]->key, service))
            touched.service = (const struct service *)s->input.services.items[i];
    }
    touched.slices.items =
        arena_array(s->arena, s->input.slices.count, sizeof(*touched.slices.items));
    for (size_t i = 0; i < s->input.slices.count; i++) {
        const struct object *slice = s->input.slices.items[i];
        if (str_eq(((const struct endpointslice *)slice)->service, service))
            touched.slices.items[touched.slices.count++] = slice;
    }
    s->input.services = s->input.slices = (struct objects){0}; /* of no concern */
    return model_update(s->model, &s->input, &touched, 1, s->arena, changes);
}

static inline void scene_put_findings(struct sbuf *out, const struct diag_list *list)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        sbuf_printf(out, "%s " STR_FMT " " STR_FMT ": " STR_FMT "\n",
                    diag_severity_name(diag->severity), STR_ARG(diag->object), STR_ARG(diag->field),
                    STR_ARG(diag->message));
    }
}

static inline void scene_put_service(struct sbuf *out, const struct model_service *service)
{
    sbuf_put(out, service->key);
    if (service->reason)
        sbuf_printf(out, " %s", reason_name(service->reason));
    for (size_t j = 0; j < service->prefix_count; j++)
        sbuf_printf(out, " %s", prefix_format(&service->prefixes[j]).text);
    for (size_t j = 0; j < service->peers.count; j++)
        sbuf_printf(out, "%s" STR_FMT, j ? "," : " to ", STR_ARG(service->peers.items[j]));
    sbuf_putc(out, '\n');
}

/* "default/web 192.0.2.1/32 to tor1,tor2" or "default/mail noEndpoints" per Service, then all
 * findings. */
static inline struct str scene_text(struct scene *s)
{
    struct sbuf out = {0};
    for (size_t i = 0; i < s->model->service_count; i++)
        scene_put_service(&out, &s->model->services[i]);
    scene_put_findings(&out, &s->judged.found);
    scene_put_findings(&out, &s->model->findings);
    return sbuf_move(&out, s->arena);
}

#endif
