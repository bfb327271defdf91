#include "common/net/range.h"

#include "common/base/err.h"

static int parse_ends(struct str start, struct str end, struct range *ret)
{
    struct range range;
    if (ip_parse(str_trim(start), &range.first) < 0 || ip_parse(str_trim(end), &range.last) < 0)
        return ERR_SYNTAX;
    if (range.first.family != range.last.family)
        return ERR_FAMILY;
    if (ip_cmp(&range.first, &range.last) > 0)
        return ERR_ORDER;
    *ret = range;
    return 0;
}

int range_parse(struct str text, bool bare, struct range *ret)
{
    struct str start, end;
    if (str_cut(text, '-', &start, &end))
        return parse_ends(start, end, ret);
    if (bare && str_find(text, '/') == text.len)
        return parse_ends(text, text, ret);
    struct prefix prefix;
    int r = prefix_parse(text, &prefix);
    if (r < 0)
        return r;
    *ret = (struct range){.first = prefix_first(&prefix), .last = prefix_last(&prefix)};
    return 0;
}

struct str range_explain(struct arena *arena, struct str text, int err)
{
    struct str start, end;
    if (!str_cut(text, '-', &start, &end)) {
        if (err == ERR_TOO_LARGE)
            return arena_printf(arena, "invalid CIDR \"" STR_FMT "\": prefix length out of range",
                                STR_ARG(text));
        return arena_printf(arena, "invalid CIDR \"" STR_FMT "\": not an address and a length",
                            STR_ARG(text));
    }
    start = str_trim(start);
    end = str_trim(end);
    struct ip ip;
    if (err == ERR_ORDER)
        return arena_printf(arena,
                            "invalid IP range \"" STR_FMT "\": start IP \"" STR_FMT
                            "\" is after the end IP \"" STR_FMT "\"",
                            STR_ARG(text), STR_ARG(start), STR_ARG(end));
    if (err == ERR_FAMILY)
        return arena_printf(
            arena, "invalid IP range \"" STR_FMT "\": start and end are of different IP families",
            STR_ARG(text));
    bool is_start = ip_parse(start, &ip) < 0;
    return arena_printf(arena, "invalid IP range \"" STR_FMT "\": invalid %s IP \"" STR_FMT "\"",
                        STR_ARG(text), is_start ? "start" : "end", STR_ARG(is_start ? start : end));
}

struct range_text range_format(const struct range *range)
{
    struct range_text ret = {0};
    struct ip_text first = ip_format(&range->first);
    struct ip_text last = ip_format(&range->last);
    size_t len = 0;
    for (size_t i = 0; first.text[i]; i++)
        ret.text[len++] = first.text[i];
    ret.text[len++] = '-';
    for (size_t i = 0; last.text[i]; i++)
        ret.text[len++] = last.text[i];
    return ret;
}

bool range_contains(const struct range *range, const struct ip *ip)
{
    /* Families order before numbers, so another family is outside. */
    return ip_cmp(&range->first, ip) <= 0 && ip_cmp(ip, &range->last) <= 0;
}

bool range_overlaps(const struct range *a, const struct range *b)
{
    return ip_cmp(&a->first, &b->last) <= 0 && ip_cmp(&b->first, &a->last) <= 0;
}

int range_cmp(const struct range *a, const struct range *b)
{
    int order = ip_cmp(&a->first, &b->first);
    return order ? order : ip_cmp(&a->last, &b->last);
}

uint64_t range_size(const struct range *range)
{
    uint64_t distance = ip_distance(&range->first, &range->last);
    return distance >= INT64_MAX ? INT64_MAX : distance + 1;
}

/* The number of host bits of the largest prefix that starts at `first` and does not pass `last`. */
static unsigned host_bits(ip_value first, ip_value last, unsigned bits)
{
    unsigned host = 0;
    while (host < bits) {
        ip_value step = (ip_value)1 << host;
        bool aligned = (first & step) == 0;
        /* A prefix one bit larger ends at first + 2 * step - 1. */
        if (!aligned || last - first < step || last - first - step < step - 1)
            break;
        host++;
    }
    return host;
}

size_t range_prefixes(const struct range *range, struct arena *arena, struct prefix **ret)
{
    enum ip_family family = (enum ip_family)range->first.family;
    unsigned bits = ip_bits(&range->first);
    struct prefix found[2 * 128];
    size_t count = 0;
    ip_value first = ip_to_value(&range->first);
    ip_value last = ip_to_value(&range->last);
    for (;;) {
        unsigned host = host_bits(first, last, bits);
        found[count++] = (struct prefix){
            .base = ip_of_value(family, first),
            .len = (uint8_t)(bits - host),
        };
        struct ip end = prefix_last(&found[count - 1]);
        if (ip_to_value(&end) == last)
            break;
        first = ip_to_value(&end) + 1;
    }
    *ret = arena_array(arena, count, sizeof(**ret));
    for (size_t i = 0; i < count; i++)
        (*ret)[i] = found[i];
    return count;
}
