/* What GET /api/v1/bgp answers: BIRD, the sessions, the Services and why they are announced or not,
 * routes with their attributes, what was refused. */
#ifndef SPEAKER_BGP_REST_H
#define SPEAKER_BGP_REST_H

#include "common/json/patch.h"
#include "speaker/bgp.h"

/* Adds the whole answer, an object. */
void bgp_rest_put(struct patch *json, const struct bgp *bgp, struct str node, struct arena *arena);

/* Adds "attributes": what a peer gets with a route. */
void bgp_rest_put_attributes(struct patch *json, const struct route_export *export,
                             struct arena *arena);

#endif
