/* One question to the REST APIs of many speakers at once. */
#ifndef CTL_SURVEY_H
#define CTL_SURVEY_H

#include <jansson.h>

#include "common/base/vec.h"
#include "common/loop/loop.h"
#include "ctl/show_bgp.h"

struct survey;

/* GETs path from each of the answers' URLs, whose other members are filled in by and by; they are
 * the caller's, and outlive the survey, which owns their trees. done is called from the loop once
 * all have answered or have had their time. */
struct survey *survey_start(struct loop *loop, struct bgp_answer *answers, size_t count,
                            struct str path, uint64_t timeout_ms, struct arena *arena,
                            void (*done)(void *ctx), void *ctx);

/* No call comes afterwards; the trees are gone. NULL is fine; returns NULL. */
struct survey *survey_free(struct survey *survey);

#endif
