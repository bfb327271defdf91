/* The speaker's HTTP servers: announcements and metrics on one port, health on another, which is
 * for this host alone.
 *
 *     GET /api/v1/announcements   what is announced here, on which interfaces, and why the rest is
 *                                 not
 *     GET /api/v1/bgp             BGP sessions, what is announced to whom, and why the rest is not
 *     GET /api/v1/explain/{address}, /api/v1/explain/{namespace}/{name}
 *                                 why an address or a Service is answered for and announced here,
 *                                 or is not
 *     GET /metrics                Prometheus or OpenMetrics text
 *     GET /healthz, /readyz       on the health port
 *
 * Everything is read from the last plan; nothing is written. */
#ifndef SPEAKER_REST_H
#define SPEAKER_REST_H

#include "common/program/program_main.h"
#include "speaker/speaker.h"

struct rest;

/* Opens both servers for a speaker and its metrics, which must outlive them. NULL with a sentence
 * in ret_error (arena) when a port cannot be had. */
struct rest *rest_start(struct program *program, const struct speaker *speaker,
                        struct speaker_metrics *metrics, struct str *ret_error);

/* NULL is fine. Returns NULL. */
struct rest *rest_stop(struct rest *rest);

#endif
