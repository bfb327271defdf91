#include "controller/alloc_say.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/names.h"
#include "common/base/sbuf.h"

enum { NAMED = 3 }; /* pools or Services a sentence names before it only counts */

static const char *const protocol_names[] = {
    [ALLOC_TCP] = "TCP",
    [ALLOC_UDP] = "UDP",
    [ALLOC_SCTP] = "SCTP",
};
static const struct names protocols = NAMES(protocol_names);

static const char *const family_names[POOL_FAMILIES] = {"IPv4", "IPv6"};

struct str alloc_say_ips(const struct ip *ips, size_t count, struct arena *arena)
{
    struct sbuf text = {0};
    sbuf_putc(&text, '[');
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, "%s\"%s\"", i ? " " : "", ip_format(&ips[i]).text);
    sbuf_putc(&text, ']');
    return sbuf_move(&text, arena);
}

struct str alloc_say_family(const struct alloc_request *request, bool claim, struct arena *arena)
{
    if (!request->ip_count)
        return arena_printf(arena, "the cluster IPs are of both families, which the "
                                   "ipFamilyPolicy SingleStack does not allow");
    return arena_printf(arena, "%s IP(s) " STR_FMT " does not match the ipFamily of the service",
                        claim ? "assigned" : "requested loadBalancer",
                        STR_ARG(alloc_say_ips(request->ips, request->ip_count, arena)));
}

struct str alloc_say_not_in_any_pool(const struct ip *ip, struct arena *arena)
{
    return arena_printf(arena, STR_FMT " is not allowed in config",
                        STR_ARG(alloc_say_ips(ip, 1, arena)));
}

struct str alloc_say_pools_differ(const struct alloc_request *request, struct arena *arena)
{
    return arena_printf(arena,
                        STR_FMT " is not allowed in config: the addresses are in different pools",
                        STR_ARG(alloc_say_ips(request->ips, request->ip_count, arena)));
}

struct str alloc_say_unknown_pool(struct str pool, struct arena *arena)
{
    return arena_printf(arena, "unknown pool \"" STR_FMT "\"", STR_ARG(pool));
}

struct str alloc_say_mismatch(const struct alloc_request *request, struct str owning,
                              struct arena *arena)
{
    return arena_printf(arena,
                        STR_FMT " from pool " STR_FMT
                                " is not compatible with requested address pool " STR_FMT,
                        STR_ARG(alloc_say_ips(request->ips, request->ip_count, arena)),
                        STR_ARG(owning), STR_ARG(request->pool));
}

struct str alloc_say_not_compatible(const struct alloc_request *request, struct str pool,
                                    struct arena *arena)
{
    return arena_printf(arena,
                        "pool " STR_FMT " not compatible for ip assignment: its serviceAllocation "
                        "does not admit " STR_FMT,
                        STR_ARG(pool), STR_ARG(request->key));
}

struct str alloc_say_reserved(const struct ip *ip, const struct pool_segment *segment,
                              struct arena *arena)
{
    return arena_printf(arena, STR_FMT " is reserved for " STR_FMT " by " STR_FMT,
                        STR_ARG(alloc_say_ips(ip, 1, arena)), STR_ARG(segment->owner),
                        STR_ARG(segment->reservation));
}

struct str alloc_say_quarantined(const struct ip *ip, struct arena *arena)
{
    return arena_printf(arena, STR_FMT " is in quarantine and not given to anybody for now",
                        STR_ARG(alloc_say_ips(ip, 1, arena)));
}

struct str alloc_say_sharing(const struct alloc_request *request, const struct address *address,
                             struct arena *arena)
{
    struct str *others = arena_array(arena, address->user_count, sizeof(*others));
    size_t count = 0;
    for (const struct hold *hold = address->first; hold; hold = hold->next)
        if (!str_eq(hold->holder->key, request->key))
            others[count++] = hold->holder->key;
    if (count)
        qsort(others, count, sizeof(*others), str_cmp_ptr);
    struct sbuf text = {0};
    sbuf_printf(&text, "can't change sharing key for \"" STR_FMT "\", address also in use by ",
                STR_ARG(request->key));
    for (size_t i = 0; i < count && i < NAMED; i++)
        sbuf_printf(&text, "%s" STR_FMT, i ? "," : "", STR_ARG(others[i]));
    if (count > NAMED)
        sbuf_printf(&text, " and %zu more", count - NAMED);
    return sbuf_move(&text, arena);
}

struct str alloc_say_port(const struct ip *ip, uint32_t port, const struct holder *other,
                          struct arena *arena)
{
    return arena_printf(arena, "port %s/%u is already in use on \"%s\" by " STR_FMT,
                        names_of(&protocols, port >> 16), (unsigned)(port & 0xffff),
                        ip_format(ip).text, STR_ARG(other->key));
}

/* "has no free IPv4 address (1 in quarantine) and no IPv6 addresses" */
static void put_lack(struct sbuf *text, const struct holdings *books, const struct pool *pool,
                     unsigned slots)
{
    const char *before = "has";
    for (unsigned slot = 0; slot < POOL_FAMILIES; slot++) {
        if (!(slots & 1U << slot))
            continue;
        bool any = pool->families[slot].first < pool->families[slot].end;
        sbuf_printf(text, "%s no %s%s address%s", before, any ? "free " : "", family_names[slot],
                    any ? "" : "es");
        int64_t quarantined = books->counts[pool - books->set->pools][slot].quarantined;
        if (quarantined)
            sbuf_printf(text, " (%" PRId64 " in quarantine)", quarantined);
        before = " and";
    }
}

struct str alloc_say_pool_exhausted(const struct holdings *books, const struct pool *pool,
                                    unsigned slots, struct arena *arena)
{
    struct sbuf text = {0};
    sbuf_printf(&text, "no available IPs in pool " STR_FMT ": it ", STR_ARG(pool->name));
    put_lack(&text, books, pool, slots);
    return sbuf_move(&text, arena);
}

struct str alloc_say_no_pool(const struct holdings *books, const struct alloc_request *request,
                             unsigned slots, struct arena *arena)
{
    const struct pool_set *set = books->set;
    if (!set->count)
        return arena_printf(arena, "no available IPs: there are no address pools");
    struct sbuf text = {0};
    sbuf_puts(&text, "no available IPs: ");
    for (uint32_t i = 0; i < set->count && i < NAMED; i++) {
        const struct pool *pool = &set->pools[i];
        sbuf_printf(&text, "%spool " STR_FMT " ", i ? ", " : "", STR_ARG(pool->name));
        if (!pool_admits(pool, request->namespace, request->labels))
            sbuf_puts(&text, "is for other Services");
        else if (!pool->auto_assign)
            sbuf_puts(&text, "is only given on request");
        else
            put_lack(&text, books, pool, slots);
    }
    if (set->count > NAMED)
        sbuf_printf(&text, " and %u more pools", (unsigned)(set->count - NAMED));
    return sbuf_move(&text, arena);
}
