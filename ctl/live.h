/* One question to a REST API of ours. */
#ifndef CTL_LIVE_H
#define CTL_LIVE_H

#include <jansson.h>

#include "common/loop/loop.h"

struct live;

/* GETs base ("http://127.0.0.1:9120") and path; calls done once from the loop with the answer's
 * JSON (the callee's reference), or with NULL and a sentence. */
struct live *live_ask(struct loop *loop, struct str base, struct str path, uint64_t timeout_ms,
                      void (*done)(void *ctx, json_t *answer, struct str error), void *ctx);

/* No call comes afterwards. NULL is fine; returns NULL. */
struct live *live_cancel(struct live *live);

#endif
