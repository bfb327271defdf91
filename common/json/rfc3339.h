/* Times as RFC 3339 text, as the Kubernetes API writes them (metav1.Time, metav1.MicroTime). */
#ifndef COMMON_JSON_RFC3339_H
#define COMMON_JSON_RFC3339_H

#include <stdint.h>

#include "common/base/sbuf.h"
#include "common/base/str.h"

/* "2006-01-02T15:04:05Z", with any fraction and any offset; years 0001 to 9999. A leap second
 * (":60") counts as the second after it. Seconds since 1970 and the nanoseconds behind them
 * (0 to 999999999; ret_nanoseconds may be NULL). 0 or ERR_SYNTAX. */
int rfc3339_parse(struct str text, int64_t *ret_seconds, int32_t *ret_nanoseconds)
    __attribute__((warn_unused_result));

/* In UTC with `digits` digits of fraction (0: none, 6: metav1.MicroTime; at most 9, cut off, not
 * rounded). Times outside the years 0001 to 9999 are moved to the nearest end. */
void rfc3339_format(struct sbuf *out, int64_t seconds, int32_t nanoseconds, unsigned digits);

#endif
