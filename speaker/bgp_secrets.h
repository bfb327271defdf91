/* The Secrets that BGPPeers take their passwords from. One that goes, or becomes unusable, counts
 * in its last good version for as long as a peer names it: rotation by deleting and making anew
 * must not take a session down. Pure. */
#ifndef SPEAKER_BGP_SECRETS_H
#define SPEAKER_BGP_SECRETS_H

#include "crd/validate.h"

struct bgp_secrets;

struct bgp_secrets *bgp_secrets_new(void);
struct bgp_secrets *bgp_secrets_free(struct bgp_secrets *secrets); /* NULL is fine; returns NULL */

/* The Secrets to read: for each that one of the peers names, the newest usable version. seen: all
 * that there are. The array is in the arena; objects are borrowed until the next call. */
struct objects bgp_secrets_keep(struct bgp_secrets *secrets, const struct objects *peers,
                                const struct objects *seen, struct arena *arena);

#endif
