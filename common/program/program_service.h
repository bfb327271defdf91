/* A Service as people's programs read it in answers of the REST APIs. Pure. */
#ifndef COMMON_PROGRAM_PROGRAM_SERVICE_H
#define COMMON_PROGRAM_PROGRAM_SERVICE_H

#include "common/json/patch.h"
#include "common/net/ip.h"

/* Adds "namespace", "name" and "ips" to the object that is open. key: "namespace/name". */
void program_service_put(struct patch *json, struct str key, const struct ip *ips, size_t count);

#endif
