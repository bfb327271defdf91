#include "controller/holdings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/sbuf.h"

void holdings_init(struct holdings *h, const struct pool_set *set, uint64_t seed)
{
    uint32_t segments = set->segment_count;
    *h = (struct holdings){
        .set = set,
        .holders = {.seed = seed},
        .addresses = {.seed = seed},
        .shares = {.seed = seed},
        .taken = heap_alloc(segments * sizeof(*h->taken)),
        .open = heap_alloc((segments / 64 + 1) * sizeof(*h->open)),
        .counts = heap_alloc(set->count * sizeof(*h->counts)),
        .seed = seed,
    };
    for (uint32_t i = 0; i < segments; i++) {
        runs_init(&h->taken[i], seed + i);
        h->open[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static void sharing_free(struct sharing *sharing)
{
    if (sharing)
        vec_done(&sharing->uses);
    free(sharing);
}

static void address_free(struct address *address)
{
    sharing_free(address->sharing);
    free(address);
}

void holdings_done(struct holdings *h)
{
    size_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&h->holders, &cursor));)
        free(entry->value);
    cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&h->addresses, &cursor));)
        address_free(entry->value);
    cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&h->shares, &cursor));) {
        struct share *share = entry->value;
        share->count = 0; /* its members are gone already */
        share_free(share);
    }
    for (uint32_t i = 0; h->set && i < h->set->segment_count; i++)
        runs_done(&h->taken[i]);
    map_done(&h->holders);
    map_done(&h->addresses);
    map_done(&h->shares);
    free(h->taken);
    free(h->open);
    free(h->counts);
    *h = (struct holdings){0};
}

struct holder *holdings_holder(const struct holdings *h, struct str key)
{
    return map_get(&h->holders, key);
}

struct address *holdings_address(const struct holdings *h, const struct ip *ip)
{
    return map_get(&h->addresses, ip_key(ip));
}

struct str holdings_share_name(struct str sharing, struct str backend, struct arena *arena)
{
    if (!sharing.len)
        return (struct str){0};
    /* With the length in front, no two pairs have one name. The texts are anybody's, and printf
     * would end them at a NUL. */
    struct sbuf name = {0};
    sbuf_u64(&name, sharing.len);
    sbuf_putc(&name, ':');
    sbuf_put(&name, sharing);
    sbuf_put(&name, backend);
    return sbuf_move(&name, arena);
}

struct share *holdings_share(const struct holdings *h, struct str name)
{
    return name.len ? map_get(&h->shares, name) : NULL;
}

const struct pool *holdings_pool(const struct holdings *h, const struct holder *holder)
{
    uint32_t segment = holder->holds[0].address->spot.segment;
    return &h->set->pools[h->set->segments[segment].pool];
}

/* --- ports ------------------------------------------------------------------------------------ */

/* The position of the first use that is not before port. */
static size_t find_use(const struct sharing *sharing, uint32_t port)
{
    size_t low = 0, high = sharing->uses.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sharing->uses.items[middle].port < port)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Merges the holder's ports, which are sorted too, into the uses, from the back: each use moves
 * once, however the ports of thousands interleave. */
static void add_uses(struct sharing *sharing, struct holder *holder)
{
    const struct port_list *ports = &holder->ports;
    size_t old = sharing->uses.len, left = ports->count;
    vec_reserve(&sharing->uses, old + left);
    sharing->uses.len = old + left;
    struct port_use *uses = sharing->uses.items;
    while (left) {
        bool move = old && uses[old - 1].port > ports->items[left - 1];
        struct port_use ours = {.port = ports->items[left - 1], .holder = holder};
        uses[old + left - 1] = move ? uses[old - 1] : ours;
        old -= move;
        left -= !move;
    }
}

/* What is behind the holder's first use moves forward once. */
static void drop_uses(struct sharing *sharing, const struct holder *holder)
{
    size_t kept = holder->ports.count ? find_use(sharing, holder->ports.items[0]) : 0;
    size_t all = holder->ports.count ? sharing->uses.len : 0;
    for (size_t i = kept; i < all; i++) {
        if (sharing->uses.items[i].holder != holder)
            sharing->uses.items[kept++] = sharing->uses.items[i];
    }
    assert(!all || kept + holder->ports.count == all);
    sharing->uses.len -= holder->ports.count;
}

bool holdings_ports_meet(const struct port_list *a, const struct port_list *b, uint32_t *ret_port)
{
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (a->items[i] == b->items[j]) {
            if (ret_port)
                *ret_port = a->items[i];
            return true;
        }
        if (a->items[i] < b->items[j])
            i++;
        else
            j++;
    }
    return false;
}

struct holder *holdings_clash(const struct address *address, const struct port_list *ports,
                              const struct holder *self, uint32_t *ret_port)
{
    if (address->user_count == 1) {
        struct holder *other = address->first->holder;
        bool clash = other != self && holdings_ports_meet(ports, &other->ports, ret_port);
        return clash ? other : NULL;
    }
    const struct sharing *sharing = address->sharing;
    if (!sharing)
        return NULL; /* nobody is here */
    for (size_t i = 0; i < ports->count; i++) {
        size_t at = find_use(sharing, ports->items[i]);
        if (at < sharing->uses.len && sharing->uses.items[at].port == ports->items[i] &&
            sharing->uses.items[at].holder != self) {
            *ret_port = ports->items[i];
            return sharing->uses.items[at].holder;
        }
    }
    return NULL;
}

/* --- free spots ------------------------------------------------------------------------------- */

static void set_open(struct holdings *h, uint32_t segment)
{
    ip_value gap;
    uint64_t bit = UINT64_C(1) << segment % 64;
    if (runs_first_gap(&h->taken[segment], h->set->segments[segment].last_index, &gap))
        h->open[segment / 64] |= bit;
    else
        h->open[segment / 64] &= ~bit;
}

bool holdings_first_free(const struct holdings *h, uint32_t from, uint32_t to, struct spot *ret)
{
    for (uint32_t word = from / 64; word * 64 < to; word++) {
        uint64_t bits = h->open[word];
        if (word == from / 64)
            bits &= ~UINT64_C(0) << from % 64;
        if (!bits)
            continue;
        uint32_t segment = word * 64 + (uint32_t)__builtin_ctzll(bits);
        if (segment >= to)
            return false;
        ip_value last = h->set->segments[segment].last_index;
        *ret = (struct spot){.segment = segment};
        return runs_first_gap(&h->taken[segment], last, &ret->index);
    }
    return false;
}

static bool joinable(const struct share_member *member, const struct share_query *query)
{
    const struct address *address = TREE_ITEM(member, const struct sharing, member)->address;
    uint32_t port;
    return !address->quarantined && !holdings_clash(address, query->ports, NULL, &port);
}

bool holdings_first_shared(const struct share *share, uint32_t from, uint32_t to,
                           const struct port_list *ports, struct spot *ret)
{
    struct share_query query = {.from = from, .to = to, .ports = ports, .usable = joinable};
    const struct share_member *member = share_first(share, &query);
    if (!member)
        return false;
    *ret = member->spot;
    return true;
}

/* --- addresses -------------------------------------------------------------------------------- */

static struct address *address_get(struct holdings *h, const struct ip *ip)
{
    struct address *address = heap_alloc(sizeof(*address));
    address->ip = *ip;
    struct address *there = map_add(&h->addresses, ip_key(&address->ip), address);
    if (there) {
        free(address);
        return there;
    }
    const struct pool_segment *segment = pool_set_locate(h->set, ip);
    address->spot.segment = HOLDINGS_NOWHERE;
    if (segment) {
        address->spot = (struct spot){
            .segment = (uint32_t)(segment - h->set->segments),
            .index = pool_segment_index(segment, ip),
        };
        runs_add(&h->taken[address->spot.segment], address->spot.index);
        set_open(h, address->spot.segment);
    }
    return address;
}

/* Forgets an address that is neither used nor in quarantine. */
static void address_put(struct holdings *h, struct address *address)
{
    if (address->user_count || address->quarantined)
        return;
    if (address->spot.segment != HOLDINGS_NOWHERE) {
        runs_remove(&h->taken[address->spot.segment], address->spot.index);
        set_open(h, address->spot.segment);
    }
    (void)map_remove(&h->addresses, ip_key(&address->ip));
    address_free(address);
}

/* Enters the address in its pool's counters, or takes it out. */
static void count_address(struct holdings *h, const struct address *address, int64_t step)
{
    if (address->spot.segment == HOLDINGS_NOWHERE)
        return;
    const struct pool_segment *segment = &h->set->segments[address->spot.segment];
    struct family_count *count = &h->counts[segment->pool][pool_slot(&address->ip)];
    if (address->user_count) {
        count->assigned += step;
        if (segment->owner.len)
            count->assigned_reserved += step;
    } else if (address->quarantined && !segment->owner.len) {
        count->quarantined += step;
    }
}

/* The first user comes, with a sharing key. */
static void join_share(struct address *address, struct share *share)
{
    struct sharing *sharing = heap_alloc(sizeof(*sharing));
    *sharing = (struct sharing){
        .share = share,
        .member.spot = address->spot,
        .address = address,
    };
    address->sharing = sharing;
    share_add(share, &sharing->member);
}

/* The last user has gone. */
static void leave_share(struct holdings *h, struct address *address)
{
    struct share *share = address->sharing->share;
    share_remove(share, &address->sharing->member);
    sharing_free(address->sharing);
    address->sharing = NULL;
    if (share->count)
        return;
    (void)map_remove(&h->shares, share->name);
    share_free(share);
}

/* The holder's part of what users of the address have together. */
static void enter_ports(struct address *address, struct holder *holder)
{
    struct sharing *sharing = address->sharing;
    assert(sharing->share == holder->share);
    share_use(holder->share, &sharing->member, &holder->ports);
    if (address->user_count == 2)
        add_uses(sharing, address->first->holder);
    if (address->user_count >= 2)
        add_uses(sharing, holder);
}

static void withdraw_ports(struct address *address, const struct holder *holder)
{
    struct sharing *sharing = address->sharing;
    share_drop(holder->share, &sharing->member, &holder->ports);
    if (address->user_count > 2)
        drop_uses(sharing, holder);
    else
        vec_done(&sharing->uses);
}

static void attach(struct holdings *h, struct hold *hold, struct holder *holder,
                   const struct ip *ip)
{
    struct address *address = address_get(h, ip);
    *hold = (struct hold){.address = address, .holder = holder, .prev = address->last};
    if (address->last)
        address->last->next = hold;
    else
        address->first = hold;
    address->last = hold;

    count_address(h, address, -1);
    address->user_count++;
    count_address(h, address, 1);
    assert(address->user_count == 1 || holder->share);
    if (holder->share && address->user_count == 1)
        join_share(address, holder->share);
    if (holder->share)
        enter_ports(address, holder);
}

static void detach(struct holdings *h, struct hold *hold)
{
    struct address *address = hold->address;
    const struct holder *holder = hold->holder;
    *(hold->prev ? &hold->prev->next : &address->first) = hold->next;
    *(hold->next ? &hold->next->prev : &address->last) = hold->prev;

    if (holder->share)
        withdraw_ports(address, holder);
    count_address(h, address, -1);
    address->user_count--;
    count_address(h, address, 1);
    if (holder->share && address->user_count == 0)
        leave_share(h, address);
    address_put(h, address);
}

/* --- holders ---------------------------------------------------------------------------------- */

static struct share *share_get(struct holdings *h, struct str name)
{
    struct share *share = holdings_share(h, name);
    if (share || !name.len)
        return share;
    share = share_new(name, h->seed);
    (void)map_put(&h->shares, share->name, share);
    return share;
}

static struct holder *holder_new(struct str key, const struct port_list *ports)
{
    size_t port_bytes = ports->count * sizeof(*ports->items);
    struct holder *holder = heap_alloc(sizeof(*holder) + port_bytes + key.len);
    uint32_t *items = (uint32_t *)(holder + 1);
    char *text = (char *)(items + ports->count);
    if (port_bytes)
        memcpy(items, ports->items, port_bytes);
    memcpy(text, key.ptr, key.len);
    *holder = (struct holder){
        .key = {.ptr = text, .len = key.len},
        .ports = {.items = items, .count = ports->count},
    };
    return holder;
}

struct holder *holdings_add(struct holdings *h, struct str key, struct str share_name,
                            const struct port_list *ports, const struct ip *ips, size_t count)
{
    assert(count >= 1 && count <= ALLOC_IPS);
    struct holder *holder = holder_new(key, ports);
    holder->share = share_get(h, share_name);
    holder->hold_count = count;
    for (size_t i = 0; i < count; i++)
        attach(h, &holder->holds[i], holder, &ips[i]);
    void *before = map_put(&h->holders, holder->key, holder);
    assert(!before);
    return holder;
}

bool holdings_remove(struct holdings *h, struct str key)
{
    struct holder *holder = map_remove(&h->holders, key);
    if (!holder)
        return false;
    for (size_t i = 0; i < holder->hold_count; i++)
        detach(h, &holder->holds[i]);
    free(holder);
    return true;
}

void holdings_grow(struct holdings *h, struct holder *holder, const struct ip *ip,
                   struct arena *arena)
{
    assert(holder->hold_count == 1);
    struct ip old = holder->holds[0].address->ip;
    bool in_order = ip_cmp(&old, ip) < 0;
    const struct ip ips[ALLOC_IPS] = {in_order ? old : *ip, in_order ? *ip : old};
    struct str key = arena_str(arena, holder->key);
    struct str share_name = holder->share ? arena_str(arena, holder->share->name) : STR("");
    struct port_list ports = {
        .items = arena_array(arena, holder->ports.count, sizeof(*ports.items)),
        .count = holder->ports.count,
    };
    for (size_t i = 0; i < ports.count; i++)
        ports.items[i] = holder->ports.items[i];
    (void)holdings_remove(h, key);
    (void)holdings_add(h, key, share_name, &ports, ips, ALLOC_IPS);
}

void holdings_quarantine(struct holdings *h, const struct ip *ip, bool on)
{
    struct address *address = on ? address_get(h, ip) : holdings_address(h, ip);
    if (!address)
        return;
    count_address(h, address, -1);
    address->quarantined = on;
    count_address(h, address, 1);
    address_put(h, address);
}
