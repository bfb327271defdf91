/* Texts of addresses, prefixes, ranges and MACs: whatever parses must format to a text that parses
 * to the same value, and the pieces must agree with each other. */
#include <assert.h>
#include <string.h>

#include "common/base/err.h"
#include "common/net/mac.h"
#include "common/net/range.h"
#include "common/net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ip(struct str text)
{
    struct ip ip, again;
    if (ip_parse(text, &ip) < 0)
        return;
    assert(ip_parse(str_from(ip_format(&ip).text), &again) == 0 && ip_eq(&ip, &again));
    struct ip back = ip_of_value((enum ip_family)ip.family, ip_to_value(&ip));
    assert(ip_eq(&ip, &back));
}

static void check_prefix(struct str text)
{
    struct prefix prefix, again;
    if (prefix_parse(text, &prefix) < 0)
        return;
    /* "::ffff:0:0/96" and longer are written with a dotted tail, which is read as IPv4. */
    assert(prefix_parse(str_from(prefix_format(&prefix).text), &again) == 0 ||
           str_starts_with(str_from(prefix_format(&prefix).text), STR("::ffff:")));
    struct ip first = prefix_first(&prefix), last = prefix_last(&prefix);
    assert(prefix_contains(&prefix, &first) && prefix_contains(&prefix, &last));
}

static void check_range(struct str text, struct arena *arena)
{
    struct range range;
    int r = range_parse(text, true, &range);
    if (r < 0) {
        assert(range_explain(arena, text, r).len > 0);
        return;
    }
    assert(ip_cmp(&range.first, &range.last) <= 0 && range_size(&range) > 0);
    struct prefix *prefixes;
    size_t count = range_prefixes(&range, arena, &prefixes);
    assert(count >= 1 && count <= 254);
    struct ip next = range.first;
    for (size_t i = 0; i < count; i++) {
        assert(ip_eq(&prefixes[i].base, &next));
        struct ip last = prefix_last(&prefixes[i]);
        if (i + 1 == count)
            assert(ip_eq(&last, &range.last));
        else
            assert(ip_add(&last, 1, &next));
    }
}

static void check_mac(struct str text)
{
    struct mac mac, again;
    if (mac_parse(text, &mac) == 0)
        assert(mac_parse(str_from(mac_format(&mac).text), &again) == 0 && mac_eq(&mac, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.ptr = (const char *)data, .len = size};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    check_ip(text);
    check_prefix(text);
    check_range(text, arena);
    check_mac(text);
    return 0;
}
