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
    [REASON_NODE_DRAINED] = "nodeDrained",
};
static const struct names reasons = NAMES(reason_names);
_Static_assert(sizeof(reason_names) / sizeof(reason_names[0]) == REASON_COUNT, "a name each");

const char *reason_name(enum reason reason)
{
    return names_of(&reasons, reason);
}
