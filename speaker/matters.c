#include "speaker/matters.h"

#include "crd/announced.h"
#include "crd/endpointslice.h"
#include "crd/node.h"
#include "crd/service.h"

static bool same_addresses(const struct node *a, const struct node *b)
{
    const struct node_address *x = a->addresses.items, *y = b->addresses.items;
    if (a->addresses.count != b->addresses.count)
        return false;
    for (size_t i = 0; i < a->addresses.count; i++) {
        if (!str_eq(x[i].type, y[i].type) || !str_eq(x[i].text, y[i].text))
            return false;
    }
    return true;
}

/* A node's heartbeats change its object all the time. */
static bool node_matters(const struct object *before, const struct object *after)
{
    const struct node *a = (const struct node *)before, *b = (const struct node *)after;
    return a->network_unavailable != b->network_unavailable || a->draining != b->draining ||
           !same_addresses(a, b);
}

bool matters_drains_alone(const struct object *before, const struct object *after)
{
    const struct node *a = (const struct node *)before, *b = (const struct node *)after;
    return a && b && object_same_labels(before, after) &&
           a->network_unavailable == b->network_unavailable && same_addresses(a, b);
}

bool matters_balances(const struct object *service)
{
    return service && ((const struct service *)service)->is_load_balancer;
}

/* Counters and conditions in the status of configuration are the controller's own writing. */
static bool spec_changed(const struct object *before, const struct object *after)
{
    return !before || !after || !object_same_labels(before, after) ||
           !object_same_annotations(before, after) || after->meta->generation == 0 ||
           before->meta->generation != after->meta->generation;
}

/* Who asks whether a Service is one to be announced. */
struct asker {
    bool (*balances)(void *ctx, struct str namespace, struct str name);
    void *ctx;
};

/* Most EndpointSlices of a cluster are those of Services that are none of ours. */
static bool slice_matters(const struct object *object, const struct asker *asker)
{
    const struct endpointslice *slice = (const struct endpointslice *)object;
    struct str namespace, name;
    if (!object || !str_cut(slice->service, '/', &namespace, &name))
        return false;
    return asker->balances(asker->ctx, namespace, name);
}

bool matters_cluster_wide(enum kind_id kind)
{
    return kind == KIND_NODE || kind == KIND_SERVICE || kind == KIND_ENDPOINT_SLICE;
}

enum matters matters(const struct object *before, const struct object *after,
                     bool (*balances)(void *ctx, struct str namespace, struct str name), void *ctx)
{
    const struct asker asker = {balances, ctx};
    bool does = false;
    switch ((after ? after : before)->kind->id) {
    case KIND_NODE: /* peers may be told apart by the nodes that they select */
        if (!before || !after || !object_same_labels(before, after))
            return MATTERS_CONFIG;
        does = node_matters(before, after);
        break;
    case KIND_SERVICE:
        does = matters_balances(before) || matters_balances(after);
        break;
    case KIND_ENDPOINT_SLICE:
        does = slice_matters(before, &asker) || slice_matters(after, &asker);
        break;
    case KIND_CONFIG_MAP:
        return str_eq(object_name(after ? after : before), STR(MATTERS_EXTRAS)) ? MATTERS_BGP
                                                                                : MATTERS_NOT;
    case KIND_SECRET:
    case KIND_BGP_ADVERTISEMENT:
    case KIND_BGP_PEER:
    case KIND_BFD_PROFILE:
    case KIND_COMMUNITY:
        return spec_changed(before, after) ? MATTERS_BGP_CONFIG : MATTERS_NOT;
    default:
        return spec_changed(before, after) ? MATTERS_CONFIG : MATTERS_NOT;
    }
    return does ? MATTERS_PLAN : MATTERS_NOT;
}

struct object *matters_reduce(struct object *object, struct keep *keep)
{
    switch (object->kind->id) {
    case KIND_SERVICE:
        return service_reduce(object, keep);
    case KIND_ENDPOINT_SLICE:
        return endpointslice_reduce(object, keep);
    case KIND_SERVICE_L2_STATUS:
    case KIND_SERVICE_BGP_STATUS:
        return announced_reduce(object, keep);
    default:
        return object;
    }
}
