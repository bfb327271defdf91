/* CIDR prefixes, host bits always zero. */
#ifndef COMMON_NET_PREFIX_H
#define COMMON_NET_PREFIX_H

#include "common/net/ip.h"

struct prefix {
    struct ip base;
    uint8_t len; /* 0..32 or 0..128 */
};

struct prefix_text {
    char text[52];
};

/* "address/length"; host bits are masked off. 0, ERR_SYNTAX, or ERR_TOO_LARGE (length). */
int prefix_parse(struct str text, struct prefix *ret) __attribute__((warn_unused_result));
struct prefix_text prefix_format(const struct prefix *prefix);

/* ip masked to len bits. len must fit the family. */
struct prefix prefix_of(const struct ip *ip, unsigned len);

struct ip prefix_first(const struct prefix *prefix);
struct ip prefix_last(const struct prefix *prefix);
bool prefix_contains(const struct prefix *prefix, const struct ip *ip);
bool prefix_eq(const struct prefix *a, const struct prefix *b);
int prefix_cmp(const struct prefix *a, const struct prefix *b); /* base, then length */
int prefix_cmp_ptr(const void *a, const void *b);               /* for qsort and bsearch */

#endif
