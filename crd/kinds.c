#include "crd/kinds.h"

#include <assert.h>

#include "common/base/sbuf.h"
#include "crd/addressconflict.h"
#include "crd/announced.h"
#include "crd/bfdprofile.h"
#include "crd/bgpadvertisement.h"
#include "crd/bgppeer.h"
#include "crd/bgpsessionstatus.h"
#include "crd/community.h"
#include "crd/configurationstate.h"
#include "crd/endpointslice.h"
#include "crd/ipaddresspool.h"
#include "crd/ipreservation.h"
#include "crd/l2advertisement.h"
#include "crd/node.h"
#include "crd/pod.h"
#include "crd/secret.h"
#include "crd/service.h"

#define METALLB "metallb.io"
#define STENTOR "stentor.io"

/* What a kind's struct gives: its size and shape. */
#define TYPE(type) .size = sizeof(struct type), .shape = &type##_shape

/* Measured: 823 bytes once it has an address, and 110 more when it has been placed. */
enum { SERVICE_ROOM = 952 };

static const struct kind kinds[] = {
    [KIND_NAMESPACE] = {KIND_NAMESPACE, "", "v1", "namespaces", "Namespace", TYPE(namespace)},
    [KIND_NODE] = {KIND_NODE, "", "v1", "nodes", "Node", TYPE(node), .check = node_check},
    [KIND_SECRET] = {KIND_SECRET, "", "v1", "secrets", "Secret", true, TYPE(secret)},
    [KIND_CONFIG_MAP] = {KIND_CONFIG_MAP, "", "v1", "configmaps", "ConfigMap", true,
                         TYPE(configmap)},
    [KIND_POD] = {KIND_POD, "", "v1", "pods", "Pod", true, TYPE(pod)},
    [KIND_DEPLOYMENT] = {KIND_DEPLOYMENT, "apps", "v1", "deployments", "Deployment", true,
                         TYPE(deployment)},
    [KIND_SERVICE] = {KIND_SERVICE, "", "v1", "services", "Service", true, TYPE(service),
                      .room = SERVICE_ROOM, .check = service_check},
    [KIND_ENDPOINT_SLICE] = {KIND_ENDPOINT_SLICE, "discovery.k8s.io", "v1", "endpointslices",
                             "EndpointSlice", true, TYPE(endpointslice),
                             .check = endpointslice_check},
    [KIND_IP_ADDRESS_POOL] = {KIND_IP_ADDRESS_POOL, METALLB, "v1beta1", "ipaddresspools",
                              "IPAddressPool", true, true, TYPE(ipaddresspool),
                              .check = ipaddresspool_check},
    [KIND_L2_ADVERTISEMENT] = {KIND_L2_ADVERTISEMENT, METALLB, "v1beta1", "l2advertisements",
                               "L2Advertisement", true, true, TYPE(l2advertisement),
                               .check = l2advertisement_check},
    [KIND_BGP_ADVERTISEMENT] = {KIND_BGP_ADVERTISEMENT, METALLB, "v1beta1", "bgpadvertisements",
                                "BGPAdvertisement", true, true, TYPE(bgpadvertisement),
                                .check = bgpadvertisement_check},
    [KIND_BGP_PEER] = {KIND_BGP_PEER, METALLB, "v1beta2", "bgppeers", "BGPPeer", true, true,
                       TYPE(bgppeer), .check = bgppeer_check},
    [KIND_BFD_PROFILE] = {KIND_BFD_PROFILE, METALLB, "v1beta1", "bfdprofiles", "BFDProfile", true,
                          true, TYPE(bfdprofile), .check = bfdprofile_check},
    [KIND_COMMUNITY] = {KIND_COMMUNITY, METALLB, "v1beta1", "communities", "Community", true, true,
                        TYPE(community), .check = community_check},
    [KIND_SERVICE_L2_STATUS] = {KIND_SERVICE_L2_STATUS, METALLB, "v1beta1", "servicel2statuses",
                                "ServiceL2Status", true, TYPE(servicel2status)},
    [KIND_SERVICE_BGP_STATUS] = {KIND_SERVICE_BGP_STATUS, METALLB, "v1beta1", "servicebgpstatuses",
                                 "ServiceBGPStatus", true, TYPE(servicebgpstatus)},
    [KIND_CONFIGURATION_STATE] = {KIND_CONFIGURATION_STATE, METALLB, "v1beta1",
                                  "configurationstates", "ConfigurationState", true,
                                  TYPE(configurationstate)},
    [KIND_IP_RESERVATION] = {KIND_IP_RESERVATION, STENTOR, "v1alpha1", "ipreservations",
                             "IPReservation", true, TYPE(ipreservation),
                             .check = ipreservation_check},
    [KIND_ADDRESS_CONFLICT] = {KIND_ADDRESS_CONFLICT, STENTOR, "v1alpha1", "addressconflicts",
                               "AddressConflict", true, TYPE(addressconflict),
                               .check = addressconflict_check},
    [KIND_BGP_SESSION_STATUS] = {KIND_BGP_SESSION_STATUS, STENTOR, "v1alpha1", "bgpsessionstatuses",
                                 "BGPSessionStatus", true, TYPE(bgpsessionstatus)},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == KIND_COUNT, "a row for each kind");

/* Versions that are served beside the one in the table; their fields are the same. */
static const struct {
    enum kind_id id;
    const char *version;
} other_versions[] = {
    {KIND_BGP_PEER, "v1beta1"},
};

const struct kind *kinds_get(enum kind_id id)
{
    assert(id < KIND_COUNT);
    return &kinds[id];
}

static bool serves(const struct kind *kind, struct str version)
{
    if (str_eq(version, str_from(kind->version)))
        return true;
    for (size_t i = 0; i < sizeof(other_versions) / sizeof(other_versions[0]); i++)
        if (other_versions[i].id == kind->id &&
            str_eq(version, str_from(other_versions[i].version)))
            return true;
    return false;
}

const struct kind *kinds_find(struct str api_version, struct str name)
{
    struct str group, version;
    if (!str_cut(api_version, '/', &group, &version)) {
        version = group;
        group = STR("");
    }
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (str_eq(name, str_from(kinds[i].name)) && str_eq(group, str_from(kinds[i].group)))
            return serves(&kinds[i], version) ? &kinds[i] : NULL;
    return NULL;
}

struct str kinds_api_version(const struct kind *kind, struct arena *arena)
{
    const char *slash = kind->group[0] ? "/" : "";
    return arena_printf(arena, "%s%s%s", kind->group, slash, kind->version);
}

/* RFC 3986 section 2.3: what need not be encoded in a segment. */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void put_segment(struct sbuf *path, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    sbuf_putc(path, '/');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (is_unreserved(text.ptr[i])) {
            sbuf_putc(path, text.ptr[i]);
        } else {
            sbuf_putc(path, '%');
            sbuf_putc(path, hex[byte >> 4]);
            sbuf_putc(path, hex[byte & 15]);
        }
    }
}

struct str kinds_path(const struct kind *kind, struct str namespace, struct str name,
                      struct arena *arena)
{
    struct sbuf path = {0};
    sbuf_puts(&path, kind->group[0] ? "/apis/" : "/api");
    sbuf_puts(&path, kind->group);
    put_segment(&path, str_from(kind->version));
    if (kind->namespaced && namespace.len) {
        put_segment(&path, STR("namespaces"));
        put_segment(&path, namespace);
    }
    put_segment(&path, str_from(kind->plural));
    if (name.len)
        put_segment(&path, name);
    return sbuf_move(&path, arena);
}
