#include "speaker/peers.h"

#include <stdlib.h>

#include "common/base/vec.h"
#include "common/program/program_members.h"
#include "crd/l2advertisement.h"

struct peers {
    struct gossip *gossip; /* NULL: there is none */
    bool fixed;            /* where the others are was said, and is not read from Nodes */
};

int peers_open(struct loop *loop, const struct peers_options *options,
               const struct gossip_calls *calls, void *ctx, struct peers **ret)
{
    scoped_ptr(peers) struct peers *p = heap_alloc(sizeof(*p));
    *p = (struct peers){.fixed = options->fixed_count != 0};
    struct gossip_options settings = {
        .name = options->node,
        .role = GOSSIP_SPEAKER,
        .bind = options->bind,
        .port = options->port,
        .key_dir = options->key_dir,
        .hold_down_ms = options->hold_down_ms,
    };
    if (ip_is_set(&options->bind)) {
        int result = gossip_open(loop, &settings, calls, ctx, &p->gossip);
        if (result < 0)
            return result;
        if (p->fixed)
            gossip_set_peers(p->gossip, options->fixed, options->fixed_count);
    }
    *ret = take_ptr(p);
    return 0;
}

struct peers *peers_close(struct peers *p)
{
    if (p)
        (void)gossip_close(p->gossip);
    free(p);
    return NULL;
}

void peers_set_nodes(struct peers *p, const struct objects *nodes)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    if (!p->gossip || p->fixed)
        return;
    const struct ip *addresses = program_members_of_nodes(nodes, scratch, &count);
    gossip_set_peers(p->gossip, addresses, count);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct meta_interface *)a)->name,
                   ((const struct meta_interface *)b)->name);
}

static bool is_named(const struct objects *advertisements, struct str interface)
{
    for (size_t i = 0; i < advertisements->count; i++) {
        const struct l2advertisement *ad = (const struct l2advertisement *)advertisements->items[i];
        if (str_list_has(&ad->spec.interfaces, interface))
            return true;
    }
    return false;
}

void peers_set_interfaces(struct peers *p, const struct iface *ifaces, size_t count,
                          const struct objects *advertisements)
{
    VEC(struct meta_interface) usable = {0};
    if (!p->gossip)
        return;
    for (size_t i = 0; i < count; i++) {
        if (iface_judge(&ifaces[i]) == IFACE_USED && ifaces[i].running)
            vec_push(&usable,
                     ((struct meta_interface){.name = ifaces[i].name,
                                              .mac = ifaces[i].mac,
                                              .ipv4 = true,
                                              .ipv6 = ip_is_set(&ifaces[i].link_local),
                                              .named = is_named(advertisements, ifaces[i].name)}));
    }
    vec_sort(&usable, by_name);
    gossip_set_interfaces(p->gossip, usable.items, usable.len);
    vec_done(&usable);
}

void peers_set_started(struct peers *p)
{
    if (p->gossip)
        gossip_set_started(p->gossip);
}

struct gossip *peers_gossip(const struct peers *p)
{
    return p->gossip;
}

bool peers_watch(const struct peers *p)
{
    return p->gossip && gossip_is_on(p->gossip);
}

bool peers_are_settled(const struct peers *p)
{
    return !p->gossip || gossip_is_settled(p->gossip);
}

bool peers_are_stalled(const struct peers *p)
{
    return p->gossip && gossip_is_stalled(p->gossip);
}

const struct gossip_member *peers_list(const struct peers *p, struct arena *arena,
                                       size_t *ret_count)
{
    *ret_count = 0;
    return p->gossip ? gossip_list(p->gossip, arena, ret_count) : NULL;
}
