#include "common/election/reason.h"

#include "common/base/names.h"

static const char *const reason_names[] = {
    [REASON_NONE] = "announced",
    [REASON_NOT_OWNER] = "notOwner",
    [REASON_NO_ADVERTISEMENT] = "noMatchingAdvertisement",
    [REASON_SHARED_WITH_SELECTOR] = "sharedIPWithServiceSelector",
    [REASON_NOT_LOAD_BALANCER] = "notLoadBalancer",
    [REASON_NO_IP] = "noIPAllocated",
    [REASON_INVALID_IP] = "invalidIP",
    [REASON_IP_NOT_ALLOWED] = "ipNotAllowed",
    [REASON_SERVICE_DELETED] = "serviceDeleted",
    [REASON_INVALID_SERVICE] = "invalidService",
    [REASON_NO_INTERFACE] = "noInterface",
    [REASON_CONFLICTING_ADVERTISEMENTS] = "conflictingAdvertisements",
    [REASON_NETWORK_UNAVAILABLE] = "nodeNetworkUnavailable",
    [REASON_NODE_EXCLUDED] = "nodeLabeledExcludeBalancers",
    [REASON_NO_LOCAL_ENDPOINTS] = "noLocalEndpoints",
    [REASON_NO_ENDPOINTS] = "noEndpoints",
    [REASON_NOT_ANSWERED] = "notAnswered",
    [REASON_NODE_DRAINED] = "nodeDrained",
};
static const struct names reasons = NAMES(reason_names);
_Static_assert(sizeof(reason_names) / sizeof(reason_names[0]) == REASON_COUNT, "a name each");

const char *reason_name(enum reason reason)
{
    return names_of(&reasons, reason);
}

/* One sentence for both ways, or one for each. */
static const char *const sentences[][REASON_WAYS] = {
    [REASON_NONE] = {""},
    [REASON_NOT_OWNER] = {"another node is elected, or no endpoint can serve",
                          "no BGPAdvertisement of the pool includes this node"},
    [REASON_NO_ADVERTISEMENT] = {"no L2Advertisement of the pool includes this node",
                                 "no BGPAdvertisement of the pool and this node selects the "
                                 "Service"},
    [REASON_SHARED_WITH_SELECTOR] = {"it may share its address, and an advertisement has "
                                     "serviceSelectors"},
    [REASON_NOT_LOAD_BALANCER] = {"it is not of type LoadBalancer"},
    [REASON_NO_IP] = {"it has no address"},
    [REASON_INVALID_IP] = {"its status holds a text that is no address"},
    [REASON_IP_NOT_ALLOWED] = {"no pool in force holds all of its addresses"},
    [REASON_SERVICE_DELETED] = {"it is being deleted"},
    [REASON_INVALID_SERVICE] = {"the object is refused"},
    [REASON_NO_INTERFACE] = {"this node is elected, but no node has an interface that the "
                             "L2Advertisements name"},
    [REASON_CONFLICTING_ADVERTISEMENTS] = {"the BGPAdvertisements that select it disagree about "
                                           "localPref or what annotations add"},
    [REASON_NETWORK_UNAVAILABLE] = {"the node's condition NetworkUnavailable is True"},
    [REASON_NODE_EXCLUDED] = {"the node is labelled "
                              "node.kubernetes.io/exclude-from-external-load-balancers"},
    [REASON_NO_LOCAL_ENDPOINTS] = {"externalTrafficPolicy is Local and no endpoint here can serve"},
    [REASON_NO_ENDPOINTS] = {"no endpoint can serve it"},
    [REASON_NOT_ANSWERED] = {"this node is elected, but does not answer for its addresses, or not "
                             "yet: see their states"},
    [REASON_NODE_DRAINED] = {"the node is drained"},
};
_Static_assert(sizeof(sentences) / sizeof(sentences[0]) == REASON_COUNT, "a sentence each");

const char *reason_say(enum reason reason, enum reason_way way)
{
    const char *const *row = sentences[reason];
    return row[way] ? row[way] : row[REASON_BY_LAYER2];
}
