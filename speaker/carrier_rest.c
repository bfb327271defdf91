#include "speaker/carrier_rest.h"

#include "common/base/err.h"
#include "common/json/rfc3339.h"

enum { MS_NS = 1000000, S_MS = 1000 };

/* A moment of the clock of carry.h, in seconds since 1970. */
static int64_t wall_seconds(uint64_t at_ms)
{
    int64_t ahead_ms = (int64_t)at_ms - (int64_t)(loop_clock_ns() / MS_NS);
    return (loop_wall_ns() / MS_NS + ahead_ms) / S_MS;
}

static void put_one(struct patch *json, const struct carry *one)
{
    patch_open(json, NULL);
    patch_str(json, "ip", str_from(ip_format(&one->ip).text));
    patch_str(json, "node", one->node);
    patch_str(json, "address", str_from(ip_format(&one->to).text));
    patch_time(json, "openedBefore", wall_seconds(one->moved_ms));
    patch_time(json, "until", wall_seconds(one->until_ms));
    patch_close(json);
}

void carrier_rest_put(struct patch *json, struct carrier *carrier)
{
    struct carrier_figures figures = carrier_figures(carrier);
    size_t count;
    const struct carry *list = carrier_list(carrier, &count);
    patch_open(json, "carrying");
    patch_bool(json, "ipv4", figures.ipv4);
    patch_bool(json, "ipv6", figures.ipv6);
    patch_str(json, "whyNot", str_from(figures.why_not));
    patch_str(json, "error", figures.error ? str_from(err_text(figures.error)) : STR(""));
    patch_int(json, "packets", (int64_t)figures.packets);
    patch_int(json, "bytes", (int64_t)figures.bytes);
    patch_list(json, "addresses");
    for (size_t i = 0; i < count; i++) {
        if (list[i].until_ms > loop_clock_ns() / MS_NS)
            put_one(json, &list[i]);
    }
    patch_close(json);
    patch_close(json);
}

struct str carrier_rest_say(const struct carrier *carrier, const struct ip *ip, struct arena *arena)
{
    const struct carry *one = carrier_find(carrier, ip);
    if (!one)
        return STR("");
    scoped_sbuf struct sbuf moved = {0}, until = {0};
    rfc3339_format(&moved, wall_seconds(one->moved_ms), 0, 0);
    rfc3339_format(&until, wall_seconds(one->until_ms), 0, 0);
    return arena_printf(arena,
                        "packets of connections opened before %s that come here go on to node "
                        "\"" STR_FMT "\" until %s",
                        sbuf_cstr(&moved), STR_ARG(one->node), sbuf_cstr(&until));
}
