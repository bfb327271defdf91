/* Objects of a small cluster as YAML, for tests of the plan. */
#ifndef SPEAKER_TEST_OBJECTS_H
#define SPEAKER_TEST_OBJECTS_H

#include "common/base/test.h"

#define NODE(name, labels, status)                                                            \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {host: " name labels \
    "}}\nstatus: {" status "}\n"
#define NODES NODE("n1", "", "") NODE("n2", "", "") NODE("n3", "", "")
#define POOL(name, labels, spec)                                                       \
    "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: " name \
    ", namespace: metallb-system, labels: {" labels "}}\nspec: {" spec "}\n"
#define L2(name, spec)                                                                   \
    "---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: " name \
    ", namespace: metallb-system}\nspec: {" spec "}\n"
#define SERVICE(name, meta, spec, ips)                                                       \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default" meta \
    "}\nspec: {type: LoadBalancer" spec "}\nstatus: {loadBalancer: {ingress: [" ips "]}}\n"
#define ENDPOINTS(service, endpoints)                                                      \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " service \
    "-1, namespace: default, labels: {kubernetes.io/service-name: " service                \
    "}}\naddressType: IPv4\nendpoints: [" endpoints "]\n"
#define ON(node) "{addresses: [198.18.0.1], nodeName: " node "}"
/* A Service that is served everywhere. */
#define SERVED(name, meta, spec, ips) SERVICE(name, meta, spec, ips) ENDPOINTS(name, ON("n1"))
#define CLUSTER NODES POOL("office", "", "addresses: [192.0.2.0/29]")

#define SHARES ", annotations: {metallb.io/allow-shared-ip: key"
#define PLACED(order) ", annotations: {stentor.io/placement: \"" order "\"}"

#endif
