/* The controller's HTTP servers: REST API and metrics on one port, health on another.
 *
 *     GET /api/v1/pools                        pools, their counters and conditions
 *     GET /api/v1/services                     Services of type LoadBalancer and their addresses
 *     GET /api/v1/explain/<namespace>/<name>   why a Service has what it has
 *     GET /api/v1/config                       what is refused, and why
 *     GET /metrics                             Prometheus or OpenMetrics text
 *     GET /healthz, /readyz                    on the health port
 *
 * Everything is read from the snapshot; nothing is written. docs/openapi.yaml describes it. */
#ifndef CONTROLLER_REST_H
#define CONTROLLER_REST_H

#include "common/program/program_main.h"
#include "controller/controller.h"

struct rest;

/* Opens both servers for a controller, which must outlive them. NULL with a sentence in ret_error
 * (arena) when a port cannot be had. */
struct rest *rest_start(struct program *program, struct controller *controller,
                        struct str *ret_error);

/* NULL is fine. Returns NULL. */
struct rest *rest_stop(struct rest *rest);

#endif
