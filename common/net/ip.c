#include "common/net/ip.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "common/base/err.h"

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

int ip_parse(struct str text, struct ip *ret)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
        return ERR_SYNTAX;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';

    struct ip ip = {.family = IP_V4};
    if (str_find(text, ':') == text.len) {
        if (inet_pton(AF_INET, copy, ip.bytes) != 1)
            return ERR_SYNTAX;
    } else {
        uint8_t bytes[16];
        if (inet_pton(AF_INET6, copy, bytes) != 1)
            return ERR_SYNTAX;
        if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
            ip = ip_from_bytes(IP_V4, bytes + sizeof(mapped_prefix));
        else
            ip = ip_from_bytes(IP_V6, bytes);
    }
    *ret = ip;
    return 0;
}

static char *put_decimal(char *at, unsigned value)
{
    if (value >= 100)
        *at++ = (char)('0' + value / 100);
    if (value >= 10)
        *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

static char *put_v4(char *at, const uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++) {
        if (i)
            *at++ = '.';
        at = put_decimal(at, bytes[i]);
    }
    return at;
}

static char *put_hex(char *at, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = group >> shift & 0xf;
        started = started || digit || shift == 0;
        if (started)
            *at++ = digits[digit];
    }
    return at;
}

static unsigned group_of(const struct ip *ip, size_t i)
{
    return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

/* RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equals. */
static size_t zero_run(const struct ip *ip, size_t *ret_len)
{
    size_t best = 8, best_len = 1;
    for (size_t i = 0; i < 8;) {
        size_t end = i;
        while (end < 8 && group_of(ip, end) == 0)
            end++;
        if (end - i > best_len) {
            best = i;
            best_len = end - i;
        }
        i = end + 1;
    }
    *ret_len = best_len;
    return best;
}

static char *put_v6(char *at, const struct ip *ip)
{
    if (memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        memcpy(at, "::ffff:", 7);
        return put_v4(at + 7, ip->bytes + sizeof(mapped_prefix));
    }
    size_t run_len;
    size_t run = zero_run(ip, &run_len);
    for (size_t i = 0; i < 8; i++) {
        if (i == run) {
            *at++ = ':';
            *at++ = ':';
            i += run_len - 1;
            continue;
        }
        if (i > 0 && at[-1] != ':')
            *at++ = ':';
        at = put_hex(at, group_of(ip, i));
    }
    return at;
}

struct ip_text ip_format(const struct ip *ip)
{
    struct ip_text ret = {.text = "none"};
    char *end = NULL;
    if (ip->family == IP_V4)
        end = put_v4(ret.text, ip->bytes);
    else if (ip->family == IP_V6)
        end = put_v6(ret.text, ip);
    if (end)
        *end = '\0';
    return ret;
}

struct ip ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct ip){.family = IP_V4, .bytes = {a, b, c, d}};
}

struct ip ip_from_bytes(enum ip_family family, const uint8_t *bytes)
{
    struct ip ip = {.family = (uint8_t)family};
    memcpy(ip.bytes, bytes, ip_bits(&ip) / 8);
    return ip;
}

bool ip_is_set(const struct ip *ip)
{
    return ip->family != IP_NONE;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
    return ip_cmp(a, b) == 0;
}

int ip_cmp(const struct ip *a, const struct ip *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

int ip_cmp_ptr(const void *a, const void *b)
{
    return ip_cmp(a, b);
}

bool ip_is_unicast(const struct ip *ip)
{
    const uint8_t *b = ip->bytes;
    if (ip->family == IP_V4)
        return b[0] > 0 && b[0] < 224;
    return ip->family == IP_V6 && b[0] != 0xff && ip_to_value(ip) != 0;
}

bool ip_is_link_local(const struct ip *ip)
{
    const uint8_t *b = ip->bytes;
    if (ip->family == IP_V4)
        return b[0] == 169 && b[1] == 254;
    return ip->family == IP_V6 && b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
}

unsigned ip_bits(const struct ip *ip)
{
    return ip->family == IP_V4 ? 32 : ip->family == IP_V6 ? 128 : 0;
}

/* Numbers are made by whole words: the allocator does this all the time. The product runs on
 * little-endian machines; elsewhere the words are in place already. */
static uint64_t swap64(uint64_t word)
{
    return htonl(1) == 1 ? word : __builtin_bswap64(word);
}

ip_value ip_to_value(const struct ip *ip)
{
    uint32_t v4;
    uint64_t words[2];
    if (ip->family == IP_V4) {
        memcpy(&v4, ip->bytes, sizeof(v4));
        return ntohl(v4);
    }
    memcpy(words, ip->bytes, sizeof(words));
    return (ip_value)swap64(words[0]) << 64 | swap64(words[1]);
}

struct ip ip_of_value(enum ip_family family, ip_value value)
{
    struct ip ip = {.family = (uint8_t)family};
    if (family == IP_V4) {
        uint32_t v4 = htonl((uint32_t)value);
        memcpy(ip.bytes, &v4, sizeof(v4));
    } else if (family == IP_V6) {
        const uint64_t words[2] = {swap64((uint64_t)(value >> 64)), swap64((uint64_t)value)};
        memcpy(ip.bytes, words, sizeof(words));
    }
    return ip;
}

bool ip_add(const struct ip *ip, uint64_t offset, struct ip *ret)
{
    ip_value value = ip_to_value(ip);
    ip_value last = ip->family == IP_V4 ? UINT32_MAX : ~(ip_value)0;
    if (!ip_is_set(ip) || offset > last - value)
        return false;
    *ret = ip_of_value((enum ip_family)ip->family, value + offset);
    return true;
}

uint64_t ip_distance(const struct ip *a, const struct ip *b)
{
    assert(a->family == b->family && ip_cmp(a, b) <= 0);
    ip_value distance = ip_to_value(b) - ip_to_value(a);
    return distance > UINT64_MAX ? UINT64_MAX : (uint64_t)distance;
}

struct str ip_key(const struct ip *ip)
{
    return (struct str){.ptr = (const char *)ip, .len = sizeof(*ip)};
}
