#include "common/net/prefix.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "common/base/err.h"

/* The bits behind a prefix of len bits. */
static ip_value host_mask(enum ip_family family, unsigned len)
{
    unsigned bits = family == IP_V4 ? 32 : 128;
    unsigned host = bits - len;
    return host == 128 ? ~(ip_value)0 : ((ip_value)1 << host) - 1;
}

int prefix_parse(struct str text, struct prefix *ret)
{
    struct str address, length;
    struct ip ip;
    if (!str_cut(text, '/', &address, &length))
        return ERR_SYNTAX;
    if (ip_parse(address, &ip) < 0)
        return ERR_SYNTAX;
    uint64_t len = 0;
    int r = str_to_u64(length, ip_bits(&ip), &len);
    if (r == -ERANGE)
        return ERR_TOO_LARGE;
    /* "/08" would have two spellings for one prefix. */
    if (r < 0 || (length.len > 1 && length.ptr[0] == '0'))
        return ERR_SYNTAX;
    *ret = prefix_of(&ip, (unsigned)len);
    return 0;
}

struct prefix_text prefix_format(const struct prefix *prefix)
{
    struct prefix_text ret;
    (void)snprintf(ret.text, sizeof(ret.text), "%s/%u", ip_format(&prefix->base).text,
                   (unsigned)prefix->len);
    return ret;
}

struct prefix prefix_of(const struct ip *ip, unsigned len)
{
    assert(ip_is_set(ip) && len <= ip_bits(ip));
    enum ip_family family = (enum ip_family)ip->family;
    ip_value base = ip_to_value(ip) & ~host_mask(family, len);
    return (struct prefix){.base = ip_of_value(family, base), .len = (uint8_t)len};
}

struct ip prefix_first(const struct prefix *prefix)
{
    return prefix->base;
}

struct ip prefix_last(const struct prefix *prefix)
{
    enum ip_family family = (enum ip_family)prefix->base.family;
    return ip_of_value(family, ip_to_value(&prefix->base) | host_mask(family, prefix->len));
}

bool prefix_contains(const struct prefix *prefix, const struct ip *ip)
{
    if (ip->family != prefix->base.family || !ip_is_set(ip))
        return false;
    struct prefix other = prefix_of(ip, prefix->len);
    return ip_eq(&other.base, &prefix->base);
}

bool prefix_eq(const struct prefix *a, const struct prefix *b)
{
    return prefix_cmp(a, b) == 0;
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
    int order = ip_cmp(&a->base, &b->base);
    return order ? order : (int)a->len - (int)b->len;
}

int prefix_cmp_ptr(const void *a, const void *b)
{
    return prefix_cmp(a, b);
}
