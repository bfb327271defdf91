#include "crd/annotations.h"

#include <assert.h>

#define CURRENT(name) STR_INIT("metallb.io/" name)
#define DEPRECATED(name) STR_INIT("metallb.universe.tf/" name)

static const struct annotation table[] = {
    [ANNOTATION_ADDRESS_POOL] = {CURRENT("address-pool"), DEPRECATED("address-pool"), ANNOTATION_IN,
                                 "take the address from this pool only"},
    [ANNOTATION_LOAD_BALANCER_IPS] = {CURRENT("loadBalancerIPs"), DEPRECATED("loadBalancerIPs"),
                                      ANNOTATION_IN,
                                      "take these addresses: one, or one of each IP family, "
                                      "separated by a comma"},
    [ANNOTATION_ALLOW_SHARED_IP] = {CURRENT("allow-shared-ip"), DEPRECATED("allow-shared-ip"),
                                    ANNOTATION_IN,
                                    "share the address with Services that have the same value "
                                    "here and other ports"},
    [ANNOTATION_ALLOCATED_FROM_POOL] = {CURRENT("ip-allocated-from-pool"), STR_INIT(""),
                                        ANNOTATION_OUT, "the pool that the address is from"},
    [ANNOTATION_PLACEMENT] = {STR_INIT("stentor.io/placement"), STR_INIT(""), ANNOTATION_OUT,
                              "the nodes that may announce the addresses: an epoch, the owner, "
                              "and who steps in, in that order"},
    [ANNOTATION_HANDOFF] = {STR_INIT("stentor.io/handoff"), STR_INIT(""), ANNOTATION_IN,
                            "local: a process on the node that answers for the addresses takes "
                            "their traffic itself (docs/handoff.md)"},
    [ANNOTATION_NODE] = {STR_INIT("stentor.io/node"), STR_INIT(""), ANNOTATION_IN,
                         "announce the addresses from the node of this name, as long as it may"},
    [ANNOTATION_DRAIN] = {STR_INIT("stentor.io/drain"), STR_INIT(""), ANNOTATION_IN,
                          "on a Node: move all addresses to other nodes, as far as there are any "
                          "that may announce them; the value does not matter"},
    [ANNOTATION_BGP_MED] = {STR_INIT("stentor.io/bgp-med"), STR_INIT(""), ANNOTATION_IN,
                            "on a BGPAdvertisement: announce with this MULTI_EXIT_DISC, 0 to "
                            "4294967295; the lower one is preferred"},
    [ANNOTATION_BGP_PREPEND] = {STR_INIT("stentor.io/bgp-prepend"), STR_INIT(""), ANNOTATION_IN,
                                "on a BGPAdvertisement: put our AS before the path this many more "
                                "times, 0 to 16, towards peers of another AS"},
    [ANNOTATION_BGP_WEIGHTS] = {STR_INIT("stentor.io/bgp-weights"), STR_INIT(""), ANNOTATION_IN,
                                "on a BGPAdvertisement: endpoints: tell peers how many endpoints "
                                "serve on the node, for Services with externalTrafficPolicy Local "
                                "(docs/bgp.md)"},
};
_Static_assert(sizeof(table) / sizeof(table[0]) == ANNOTATION_COUNT, "a row for each annotation");

const struct annotation *annotations_get(enum annotation_id id)
{
    assert(id < ANNOTATION_COUNT);
    return &table[id];
}

struct str annotations_read(const struct object *object, enum annotation_id id, bool *ret_present)
{
    const struct annotation *row = annotations_get(id);
    bool present;
    struct str value = object_annotation(object, row->key, &present);
    if (!present && row->deprecated.len)
        value = object_annotation(object, row->deprecated, &present);
    if (ret_present)
        *ret_present = present;
    return value;
}

struct str annotations_deprecated(const struct object *object, size_t *cursor)
{
    while (*cursor < ANNOTATION_COUNT) {
        const struct annotation *row = &table[(*cursor)++];
        bool present = false;
        if (row->deprecated.len)
            (void)object_annotation(object, row->deprecated, &present);
        if (present)
            return row->deprecated;
    }
    return (struct str){0};
}
