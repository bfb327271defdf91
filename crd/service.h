/* Service: the fields of core/v1 Service that are used, and what follows from them. */
#ifndef CRD_SERVICE_H
#define CRD_SERVICE_H

#include "common/net/ip.h"
#include "crd/object.h"

struct service_port {
    struct str name, protocol; /* "TCP" when not given */
    int64_t port, node_port;
    struct str target_port; /* number or name; empty: the same as port */
};

/* An entry of status.loadBalancer.ingress; others than us may have written it. */
struct service_ingress {
    struct str ip, hostname;
    struct ip address; /* ip parsed; unset when it is no address */
};

/* Follows from the ClusterIPs; for an object that comes from a directory (it has an origin), and so
 * may have none, from spec.ipFamilies. */
enum service_family {
    SERVICE_FAMILY_NONE, /* headless, or no ClusterIP yet */
    SERVICE_FAMILY_V4,
    SERVICE_FAMILY_V6,
    SERVICE_FAMILY_DUAL,
    SERVICE_FAMILY_INVALID, /* two of one family, more than two, or no addresses */
};

enum ip_family_policy {
    IP_FAMILY_SINGLE_STACK, /* also when not given */
    IP_FAMILY_PREFER_DUAL_STACK,
    IP_FAMILY_REQUIRE_DUAL_STACK,
};

/* The addresses a Service asks for, by spec.loadBalancerIP or by annotation. */
struct service_request {
    struct ip ips[2]; /* in the order asked for */
    size_t count;
    struct str error; /* why the request cannot be read; empty when it can */
};

struct service_spec {
    struct str type, load_balancer_ip, load_balancer_class;
    bool has_load_balancer_class;
    struct str cluster_ip;
    struct str_list cluster_ips;
    struct str_list ip_families; /* "IPv4", "IPv6"; the first is the primary one */
    struct str ip_family_policy, external_traffic_policy;
    struct list ports; /* struct service_port */
    struct str_map selector;
};

struct service_status {
    struct list ingress;    /* struct service_ingress */
    struct list conditions; /* struct condition */
};

struct service {
    struct object object;
    const struct service_spec *spec; /* never NULL */
    struct service_status status;
    bool is_load_balancer; /* spec.type */
    bool is_local;         /* externalTrafficPolicy Local */
    enum ip_family_policy policy;
    enum service_family family;
    const struct service_request *request; /* never NULL */
};

extern const struct shape service_shape;

void service_check(struct object *object);

/* Of a Service (whose one reference is taken over), in `keep` (object.h), only what its
 * announcement follows from: names, labels, class, traffic policy, addresses, and the annotations
 * that say who announces it and how; of one without a load balancer only its names. One that is
 * refused stays as it is. Encoded and decoded again it is the same. Thousands of them are kept. */
struct object *service_reduce(struct object *object, struct keep *keep);

/* Is the Service one for a load balancer of this class? Without a class (empty) it serves exactly
 * those that name none, with one exactly those that name it. */
bool service_is_of_class(const struct service *service, struct str lb_class);

/* Is this address in its status? */
bool service_shows(const struct service *service, const struct ip *ip);

#endif
