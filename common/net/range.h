/* Ranges of addresses of one family, both ends included. */
#ifndef COMMON_NET_RANGE_H
#define COMMON_NET_RANGE_H

#include "common/base/arena.h"
#include "common/net/prefix.h"

struct range {
    struct ip first, last;
};

struct range_text {
    char text[96];
};

/* "start-end" (blanks around the ends allowed), "address/length", and, only when bare is true, a
 * single address. 0, or ERR_SYNTAX, ERR_TOO_LARGE (prefix length), ERR_FAMILY, ERR_ORDER. */
int range_parse(struct str text, bool bare, struct range *ret) __attribute__((warn_unused_result));

/* A sentence for a failure of range_parse, with the recognisable fragment users search for
 * ("invalid CIDR …", "invalid IP range …: start … is after the end …"), in the arena. */
struct str range_explain(struct arena *arena, struct str text, int err);

/* "start-end", also for a single address or a prefix. */
struct range_text range_format(const struct range *range);

bool range_contains(const struct range *range, const struct ip *ip);
bool range_overlaps(const struct range *a, const struct range *b);
int range_cmp(const struct range *a, const struct range *b); /* by first, then last */

/* Number of addresses, saturating at INT64_MAX (what MetalLB reports for huge pools). */
uint64_t range_size(const struct range *range);

/* The minimal list of prefixes that covers the range, in order. At most 254 of them. Count is
 * returned, items are in the arena. */
size_t range_prefixes(const struct range *range, struct arena *arena, struct prefix **ret);

#endif
