/* Writes to Services that ended without an answer: a time-out, a cut connection, an error of the
 * API server. Each may have been done, or may still be, on the version that it was made for; until
 * the Service is seen at another version, what it would show by the write counts as being written.
 *
 * Pure. */
#ifndef CONTROLLER_UNSURE_H
#define CONTROLLER_UNSURE_H

#include "common/net/ip.h"
#include "controller/fence.h"

struct unsure;

/* Empty. Never NULL. */
struct unsure *unsure_new(void);
/* NULL is fine; returns NULL. */
struct unsure *unsure_free(struct unsure *unsure);
SCOPE_DEFINE(unsure, struct unsure, unsure_free)

/* Addresses of several writes to one Service that may be done: two for each. */
enum { UNSURE_IPS = 4 };

/* A write to `id`, made for this version, may still give it these addresses, of which as many are
 * kept as there is room for (see unsure_is_full). Texts are copied. */
void unsure_add(struct unsure *unsure, struct str id, struct str version, const struct ip *ips,
                size_t count);

/* The Service is seen at this version (empty: it is gone). True when there was something unsure
 * about it that is settled now. */
bool unsure_pass(struct unsure *unsure, struct str id, struct str version);

/* The addresses that the Service may yet show. */
size_t unsure_ips(const struct unsure *unsure, struct str id, struct ip ret[UNSURE_IPS]);

/* Is there no room for the addresses of one more write? Then one that gives none is to settle it.
 */
bool unsure_is_full(const struct unsure *unsure, struct str id);

bool unsure_is_empty(const struct unsure *unsure);

/* Adds all of them to those who are to pass the fence. */
void unsure_fence(const struct unsure *unsure, struct fence *fence);

#endif
