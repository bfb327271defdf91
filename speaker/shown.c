#include "speaker/shown.h"

#include "common/json/patch.h"
#include "crd/owner.h"

static bool is_bgp(const struct shown_want *want)
{
    return want->kind == KIND_SERVICE_BGP_STATUS;
}

/* "interfaces": [{"name": …}] or "peers": […] */
static void put_names(struct patch *patch, const struct shown_want *want)
{
    patch_list(patch, is_bgp(want) ? "peers" : "interfaces");
    for (size_t i = 0; i < want->names.count; i++) {
        if (is_bgp(want)) {
            patch_str(patch, NULL, want->names.items[i]);
            continue;
        }
        patch_open(patch, NULL);
        patch_str(patch, "name", want->names.items[i]);
        patch_close(patch);
    }
    patch_close(patch);
}

static void put_status(struct patch *patch, const struct shown_want *want)
{
    patch_open(patch, "status");
    patch_str(patch, "node", want->node);
    patch_str(patch, "serviceName", want->service_name);
    patch_str(patch, "serviceNamespace", want->service_namespace);
    put_names(patch, want);
    patch_close(patch);
}

/* With its status, which an API server leaves out and a directory takes. */
static struct str new_body(const struct shown_want *want, struct arena *arena)
{
    const struct kind *kind = kinds_get(want->kind);
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_str(&patch, "apiVersion", kinds_api_version(kind, arena));
    patch_str(&patch, "kind", str_from(kind->name));
    patch_open(&patch, "metadata");
    patch_str(&patch, "generateName", is_bgp(want) ? STR("bgp-") : STR("l2-"));
    patch_open(&patch, "labels");
    patch_str(&patch, ANNOUNCED_NODE, want->node);
    patch_str(&patch, ANNOUNCED_NAME, want->service_name);
    patch_str(&patch, ANNOUNCED_NAMESPACE, want->service_namespace);
    patch_close(&patch);
    owner_put(&patch, want->owner);
    patch_close(&patch);
    put_status(&patch, want);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

static struct str status_body(const struct shown_want *want, const struct object *shown,
                              struct arena *arena)
{
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    patch_str(&patch, "resourceVersion", shown->resource_version);
    patch_close(&patch);
    put_status(&patch, want);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

static bool shows_names(const struct object *object, const struct shown_want *want)
{
    const struct list *interfaces = &((const struct servicel2status *)object)->status.interfaces;
    const struct announced_interface *names = interfaces->items;
    if (interfaces->count != want->names.count)
        return false;
    for (size_t i = 0; i < want->names.count; i++) {
        if (!str_eq(names[i].name, want->names.items[i]))
            return false;
    }
    return true;
}

static bool shows_peers(const struct object *object, const struct shown_want *want)
{
    const struct str_list *peers = &((const struct servicebgpstatus *)object)->status.peers;
    if (peers->count != want->names.count)
        return false;
    for (size_t i = 0; i < want->names.count; i++) {
        if (!str_eq(peers->items[i], want->names.items[i]))
            return false;
    }
    return true;
}

/* Both kinds begin alike. */
_Static_assert(offsetof(struct servicel2status_status, interfaces) ==
                       offsetof(struct servicebgpstatus_status, peers) &&
                   offsetof(struct servicel2status, status) ==
                       offsetof(struct servicebgpstatus, status),
               "node, service_name, service_namespace");

static bool shows(const struct object *object, const struct shown_want *want)
{
    const struct servicel2status_status *shown = &((const struct servicel2status *)object)->status;
    return str_eq(shown->node, want->node) && str_eq(shown->service_name, want->service_name) &&
           str_eq(shown->service_namespace, want->service_namespace) &&
           (is_bgp(want) ? shows_peers(object, want) : shows_names(object, want));
}

bool shown_next(const struct shown_want *want, const struct object *const *ours, size_t count,
                struct arena *arena, struct shown_write *ret)
{
    size_t keep = want->announced ? 1 : 0;
    if (count < keep) {
        *ret = (struct shown_write){.verb = SOURCE_CREATE, .body = new_body(want, arena)};
        return true;
    }
    if (count > keep) {
        *ret = (struct shown_write){.verb = SOURCE_DELETE, .name = object_name(ours[keep])};
        return true;
    }
    if (count == 0 || shows(ours[0], want))
        return false;
    *ret = (struct shown_write){.verb = SOURCE_PATCH_STATUS,
                                .name = object_name(ours[0]),
                                .body = status_body(want, ours[0], arena)};
    return true;
}

struct shown_write shown_clear(const struct shown_want *want, struct arena *arena)
{
    return (struct shown_write){
        .verb = SOURCE_DELETE_ALL,
        .labels = arena_printf(arena,
                               ANNOUNCED_NAMESPACE "=" STR_FMT "," ANNOUNCED_NAME "=" STR_FMT
                                                   "," ANNOUNCED_NODE "!=" STR_FMT,
                               STR_ARG(want->service_namespace), STR_ARG(want->service_name),
                               STR_ARG(want->node))};
}
