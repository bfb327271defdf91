#include "arp/reaction.h"

#include "common/base/names.h"

static const char *const protocol_names[] = {[REACTION_ARP] = "arp", [REACTION_NDP] = "ndp"};
static const struct names protocols = NAMES(protocol_names);

static const char *const verdict_names[] = {
    [REACTION_ANSWERED] = "answered",
    [REACTION_STALLED] = "stalled",
    [REACTION_CLAIMED] = "claimed",
    [REACTION_MALFORMED] = "malformed",
    [REACTION_NO_REQUEST] = "no_request",
    [REACTION_OWN_FRAME] = "own_frame",
    [REACTION_BAD_SENDER] = "bad_sender",
    [REACTION_NOT_OURS] = "not_ours",
    [REACTION_OTHER_STATION] = "other_station",
};
static const struct names verdicts = NAMES(verdict_names);

static const char *const claim_names[] = {
    [CLAIM_NONE] = "none", [CLAIM_ANNOUNCED] = "announced", [CLAIM_ANSWERED] = "answered",
    [CLAIM_USED] = "used", [CLAIM_PROBED] = "probed",
};
static const struct names claims = NAMES(claim_names);

const char *reaction_protocol_name(enum reaction_protocol protocol)
{
    return names_of(&protocols, protocol);
}

const char *reaction_verdict_name(enum reaction_verdict verdict)
{
    return names_of(&verdicts, verdict);
}

const char *reaction_claim_name(enum reaction_claim claim)
{
    return names_of(&claims, claim);
}

bool reaction_is_station(const struct mac *mac)
{
    static const struct mac none = {{0}};
    return !mac_is_multicast(mac) && !mac_eq(mac, &none);
}
