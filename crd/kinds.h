/* The table of kinds. A new kind is one row here and one .c/.h pair; sources, caches and the
 * client need nothing else. */
#ifndef CRD_KINDS_H
#define CRD_KINDS_H

#include "crd/object.h"

/* Sorted the way plans read them: what others refer to comes first. */
enum kind_id {
    KIND_NAMESPACE,
    KIND_NODE,
    KIND_SECRET,
    KIND_CONFIG_MAP,
    KIND_POD,
    KIND_DEPLOYMENT,
    KIND_SERVICE,
    KIND_ENDPOINT_SLICE,
    KIND_IP_ADDRESS_POOL,
    KIND_L2_ADVERTISEMENT,
    KIND_BGP_ADVERTISEMENT,
    KIND_BGP_PEER,
    KIND_BFD_PROFILE,
    KIND_COMMUNITY,
    KIND_SERVICE_L2_STATUS,
    KIND_SERVICE_BGP_STATUS,
    KIND_CONFIGURATION_STATE,
    KIND_IP_RESERVATION,
    KIND_ADDRESS_CONFLICT,
    KIND_BGP_SESSION_STATUS,
    KIND_COUNT
};

struct kind {
    enum kind_id id;
    const char *group;   /* "" for the core group */
    const char *version; /* the one we read and write */
    const char *plural;  /* "ipaddresspools" */
    const char *name;    /* "IPAddressPool" */
    bool namespaced;
    bool config; /* user configuration of ours: honoured only in our own namespace */
    size_t size; /* of the struct that starts with struct object */
    size_t room; /* bytes that most objects take beside it; 0: as in most kinds */
    const struct shape *shape;
    /* The object's own rules (no other object involved); findings go to object_findings(). May be
     * NULL. Called by object_decode, also after decoding errors. */
    void (*check)(struct object *object);
};

const struct kind *kinds_get(enum kind_id id);

/* The kind of a manifest's apiVersion and kind, or NULL when it is none of ours. Older served
 * versions (BGPPeer v1beta1) give the same kind: their shapes are compatible. */
const struct kind *kinds_find(struct str api_version, struct str name);

/* "v1", "metallb.io/v1beta1" in the arena. */
struct str kinds_api_version(const struct kind *kind, struct arena *arena);

/* The REST path: "/api/v1/namespaces/NS/services/NAME" and so on; namespace and name may be empty
 * for collections. Percent-encoded, in the arena. */
struct str kinds_path(const struct kind *kind, struct str namespace, struct str name,
                      struct arena *arena);

#endif
