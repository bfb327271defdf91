/* What is carried (carrier.h), for the REST API. */
#ifndef SPEAKER_CARRIER_REST_H
#define SPEAKER_CARRIER_REST_H

#include "common/json/patch.h"
#include "speaker/carrier.h"

/* Adds the member "carrying" to the object that is open: can it, how much, and each address. */
void carrier_rest_put(struct patch *json, struct carrier *carrier);

/* Which way packets for an address go besides, in words for people, and for how long; empty when
 * nothing of it is carried. In the arena. */
struct str carrier_rest_say(const struct carrier *carrier, const struct ip *ip,
                            struct arena *arena);

#endif
