/* Durations in Go's syntax (time.ParseDuration), which Kubernetes uses for metav1.Duration. */
#ifndef COMMON_BASE_DURATION_H
#define COMMON_BASE_DURATION_H

#include <stdint.h>

#include "common/base/sbuf.h"
#include "common/base/str.h"

#define DURATION_MICROSECOND INT64_C(1000)
#define DURATION_MILLISECOND INT64_C(1000000)
#define DURATION_SECOND INT64_C(1000000000)
#define DURATION_MINUTE (60 * DURATION_SECOND)
#define DURATION_HOUR (60 * DURATION_MINUTE)

/* A sign, then numbers with fractions and units (h, m, s, ms, us or µs, ns): "1h30m", "1.5s",
 * "-3ms"; "0" needs no unit. Nanoseconds: 0, ERR_SYNTAX, or -ERANGE past 292 years. */
int duration_parse(struct str text, int64_t *ret) __attribute__((warn_unused_result));

/* As Go prints it: "1h30m0s", "1.5s", "10ms", "0s". */
void duration_format(struct sbuf *out, int64_t nanoseconds);

#endif
