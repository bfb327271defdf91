/* IP addresses: one plain value type for both families. Text follows RFC 5952 (IPv6) and dotted
 * decimal without leading zeros (IPv4); IPv4-mapped IPv6 text ("::ffff:192.0.2.1") is read as the
 * IPv4 address, as Go's net.ParseIP does, which MetalLB's users rely on. Zone suffixes are refused.
 * Other embedded IPv4 tails ("64:ff9b::192.0.2.1") are read but written in hexadecimal groups,
 * which is Go's canonical form and therefore what the election hashes. */
#ifndef COMMON_NET_IP_H
#define COMMON_NET_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log.h"
#include "common/base/str.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
    uint8_t family;    /* enum ip_family; 0 in a zeroed value: no address */
    uint8_t bytes[16]; /* network order; an IPv4 address uses the first four, the rest is zero */
};

/* Large enough for any address (45 characters) and a NUL. */
struct ip_text {
    char text[48];
};

/* Parses text: 0, or ERR_SYNTAX. */
int ip_parse(struct str text, struct ip *ret) __attribute__((warn_unused_result));

/* The canonical text, by value, so that it can be used in an expression:
 * printf("%s", ip_format(&ip).text). A zeroed address gives "none". */
struct ip_text ip_format(const struct ip *ip);

struct ip ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

/* From 4 or 16 bytes in network order. */
struct ip ip_from_bytes(enum ip_family family, const uint8_t *bytes);

bool ip_is_set(const struct ip *ip);
bool ip_eq(const struct ip *a, const struct ip *b);

/* IPv4 before IPv6, then numeric order: <0, 0, >0. */
int ip_cmp(const struct ip *a, const struct ip *b);
int ip_cmp_ptr(const void *a, const void *b); /* for qsort and bsearch */

/* Can one host have it? Not the unspecified one, multicast, or IPv4's 0/8 and 240/4. */
bool ip_is_unicast(const struct ip *ip);

/* 169.254/16 (RFC 3927) or fe80::/10 (RFC 4291 section 2.5.6). */
bool ip_is_link_local(const struct ip *ip);

/* 32 or 128; 0 for no address. */
unsigned ip_bits(const struct ip *ip);

/* The address `offset` above ip, false when that leaves the family's space (ret untouched). */
bool ip_add(const struct ip *ip, uint64_t offset, struct ip *ret);

/* b - a as a number, saturating at UINT64_MAX. a <= b and one family are required. */
uint64_t ip_distance(const struct ip *a, const struct ip *b);

/* The address as a number, for arithmetic inside one family. */
__extension__ typedef unsigned __int128 ip_value;

ip_value ip_to_value(const struct ip *ip);

/* The inverse. An IPv4 value is cut to 32 bits. */
struct ip ip_of_value(enum ip_family family, ip_value value);

/* The address's family and bytes as a map key (map.h), borrowed from ip. */
struct str ip_key(const struct ip *ip);

static inline struct kv kv_ip(const char *key, const struct ip *ip)
{
    struct kv field = {.key = key, .type = KV_TEXT};
    struct ip_text text = ip_format(ip);
    for (size_t i = 0; i < sizeof(text.text); i++)
        field.text[i] = text.text[i];
    return field;
}

#endif
