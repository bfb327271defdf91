/* Leader election: lease_state.h on a client. */
#ifndef COMMON_KUBE_LEASE_H
#define COMMON_KUBE_LEASE_H

#include "common/kube/client.h"
#include "common/kube/lease_state.h"

struct lease;

struct lease_settings {
    struct str namespace, name, identity;  /* of the Lease; of this process */
    uint64_t lease_ms, renew_ms, retry_ms; /* lease_ms > renew_ms > retry_ms > 0 */
    /* Gained in one of three ways: this process leads now; or lost: it must stop writing at once.
     * From the loop. */
    void (*changed)(void *ctx, enum lease_change change);
    void *ctx;
};

/* Starts to take part. */
struct lease *lease_new(struct client *client, const struct lease_settings *settings);
/* Ends without giving the lease back (see lease_release). NULL is fine; returns NULL. */
struct lease *lease_free(struct lease *lease);

/* Stops taking part and gives the lease back, if it is ours, so that another may have it at once;
 * then calls done, from the loop. `changed` may be called from inside this function. */
void lease_release(struct lease *lease, void (*done)(void *ctx), void *ctx);

/* How long the lease is ours for certain, in ms, if it is not renewed: others may take it then. 0:
 * it is not. */
uint64_t lease_left_ms(const struct lease *lease);

/* Who leads as far as we know; empty: nobody. Borrowed. */
struct str lease_leader(const struct lease *lease);

#endif
