#include "speaker/l2status.h"

#include "common/json/patch.h"
#include "crd/owner.h"

void l2status_service(const struct object *object, struct sbuf *out)
{
    struct str namespace = object_label(object, STR(L2STATUS_NAMESPACE), NULL);
    struct str name = object_label(object, STR(L2STATUS_NAME), NULL);
    if (!name.len)
        return;
    sbuf_put(out, namespace);
    sbuf_putc(out, '/');
    sbuf_put(out, name);
}

static void put_status(struct patch *patch, const struct l2status_want *want)
{
    patch_open(patch, "status");
    patch_str(patch, "node", want->node);
    patch_str(patch, "serviceName", want->service_name);
    patch_str(patch, "serviceNamespace", want->service_namespace);
    patch_list(patch, "interfaces");
    for (size_t i = 0; i < want->interfaces.count; i++) {
        patch_open(patch, NULL);
        patch_str(patch, "name", want->interfaces.items[i]);
        patch_close(patch);
    }
    patch_close(patch);
    patch_close(patch);
}

/* With its status, which an API server leaves out and a directory takes. */
static struct str new_body(const struct l2status_want *want, struct arena *arena)
{
    const struct kind *kind = kinds_get(KIND_SERVICE_L2_STATUS);
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_str(&patch, "apiVersion", kinds_api_version(kind, arena));
    patch_str(&patch, "kind", str_from(kind->name));
    patch_open(&patch, "metadata");
    patch_str(&patch, "generateName", STR("l2-"));
    patch_open(&patch, "labels");
    patch_str(&patch, L2STATUS_NODE, want->node);
    patch_str(&patch, L2STATUS_NAME, want->service_name);
    patch_str(&patch, L2STATUS_NAMESPACE, want->service_namespace);
    patch_close(&patch);
    owner_put(&patch, want->owner);
    patch_close(&patch);
    put_status(&patch, want);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

static struct str status_body(const struct l2status_want *want, const struct object *shown,
                              struct arena *arena)
{
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    patch_str(&patch, "resourceVersion", shown->meta.resource_version);
    patch_close(&patch);
    put_status(&patch, want);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

static bool shows(const struct object *object, const struct l2status_want *want)
{
    const struct servicel2status_status *shown = &((const struct servicel2status *)object)->status;
    const struct announced_interface *names = shown->interfaces.items;
    if (!str_eq(shown->node, want->node) || !str_eq(shown->service_name, want->service_name) ||
        !str_eq(shown->service_namespace, want->service_namespace) ||
        shown->interfaces.count != want->interfaces.count)
        return false;
    for (size_t i = 0; i < want->interfaces.count; i++) {
        if (!str_eq(names[i].name, want->interfaces.items[i]))
            return false;
    }
    return true;
}

bool l2status_next(const struct l2status_want *want, const struct object *const *ours, size_t count,
                   struct arena *arena, struct l2status_write *ret)
{
    size_t keep = want->announced ? 1 : 0;
    if (count < keep) {
        *ret = (struct l2status_write){.verb = SOURCE_CREATE, .body = new_body(want, arena)};
        return true;
    }
    if (count > keep) {
        *ret = (struct l2status_write){.verb = SOURCE_DELETE, .name = ours[keep]->meta.name};
        return true;
    }
    if (count == 0 || shows(ours[0], want))
        return false;
    *ret = (struct l2status_write){.verb = SOURCE_PATCH_STATUS,
                                   .name = ours[0]->meta.name,
                                   .body = status_body(want, ours[0], arena)};
    return true;
}

struct l2status_write l2status_clear(const struct l2status_want *want, struct arena *arena)
{
    return (struct l2status_write){
        .verb = SOURCE_DELETE_ALL,
        .labels = arena_printf(arena,
                               L2STATUS_NAMESPACE "=" STR_FMT "," L2STATUS_NAME "=" STR_FMT
                                                  "," L2STATUS_NODE "!=" STR_FMT,
                               STR_ARG(want->service_namespace), STR_ARG(want->service_name),
                               STR_ARG(want->node))};
}
