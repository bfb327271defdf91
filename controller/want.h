/* What a Service asks for: its spec, labels and annotations read as one request to the allocator.
 * Follows the Service API as MetalLB honours it; see docs/compatibility.md for the differences. */
#ifndef CONTROLLER_WANT_H
#define CONTROLLER_WANT_H

#include "controller/alloc.h"
#include "crd/service.h"

enum want_verdict {
    WANT_ADDRESS,
    WANT_FOREIGN,                /* another load balancer's class: not touched at all */
    WANT_NOTHING,                /* not of type LoadBalancer: what it had of ours is taken back */
    WANT_NO_CLUSTER_IP,          /* headless, or not there yet */
    WANT_NOT_ENOUGH_CLUSTER_IPS, /* RequireDualStack with fewer than two */
    WANT_UNKNOWN_FAMILY,         /* cluster IPs that are no addresses, or two of one family */
};

struct want {
    enum want_verdict verdict;
    struct alloc_request request; /* its ips and ip_count are those asked for */
    struct str bad_request;       /* why the addresses asked for cannot be read; empty: they can */
    struct str message;           /* sentence for every verdict but WANT_ADDRESS and WANT_FOREIGN */
    struct str_list deprecated;   /* annotations with the old prefix that are in use */
};

/* Reads a Service. lb_class is the class this controller serves: empty means Services without a
 * class. What the result points to belongs to the Service and the arena. */
struct want want_read(const struct service *service, struct str lb_class, struct arena *arena);

#endif
