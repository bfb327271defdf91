#include "arp/filter.h"

#include <assert.h>
#include <linux/if_packet.h>

#include "arp/ndp_packet.h"

struct range {
    uint32_t first, last;
};

typedef VEC(struct range) range_list;
typedef VEC(uint32_t) key_list;

/* --- addresses to ranges --------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void collect(enum reaction_protocol protocol, const struct owned *owned, key_list *keys)
{
    enum ip_family family = protocol == REACTION_ARP ? IP_V4 : IP_V6;
    size_t cursor = 0;
    for (const struct owned_address *address; (address = owned_next(owned, &cursor));) {
        if (address->ip.family == family)
            vec_push(keys, (uint32_t)ip_to_value(&address->ip));
    }
    vec_sort(keys, by_number);
}

static uint32_t gap_before(const key_list *keys, size_t i)
{
    return keys->items[i] - keys->items[i - 1];
}

/* The widest gap that is to be closed, so that no more than `most` ranges remain; 1: none. */
static uint32_t closed_gap(const key_list *keys, size_t most)
{
    key_list gaps = {0};
    for (size_t i = 1; i < keys->len; i++) {
        if (gap_before(keys, i) > 1)
            vec_push(&gaps, gap_before(keys, i));
    }
    vec_sort(&gaps, by_number);
    uint32_t widest = gaps.len >= most ? gaps.items[gaps.len - most] : 1;
    vec_done(&gaps);
    return widest;
}

static void make_ranges(const key_list *keys, size_t most, range_list *ranges)
{
    uint32_t closed = closed_gap(keys, most);
    for (size_t i = 0; i < keys->len; i++) {
        uint32_t key = keys->items[i];
        if (i > 0 && gap_before(keys, i) <= closed)
            ranges->items[ranges->len - 1].last = key;
        else
            vec_push(ranges, ((struct range){key, key}));
    }
}

/* --- instructions ---------------------------------------------------------------------------- */

enum { JUMP_MAX = 255 };

static void put(filter_program *program, unsigned code, uint32_t k, unsigned when,
                unsigned when_not)
{
    vec_push(program,
             ((struct sock_filter){
                 .code = (uint16_t)code, .jt = (uint8_t)when, .jf = (uint8_t)when_not, .k = k}));
}

static void put_load(filter_program *program, unsigned width, uint32_t at)
{
    put(program, BPF_LD | BPF_ABS | width, at, 0, 0);
}

static void put_return(filter_program *program, uint32_t size)
{
    put(program, BPF_RET | BPF_K, size, 0, 0);
}

/* Drops the frame unless the number loaded is this one. */
static void put_require(filter_program *program, uint32_t value)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    put_return(program, 0);
}

static void put_skip(filter_program *program, size_t count)
{
    put(program, BPF_JMP | BPF_JA, (uint32_t)count, 0, 0);
}

enum { LEAF_SIZE = 3 };

/* How many instructions put_tree makes for so many ranges. */
static size_t tree_size(size_t count)
{
    if (count == 1)
        return LEAF_SIZE;
    size_t low = tree_size(count / 2), high = tree_size(count - count / 2);
    return (low > JUMP_MAX ? 2 : 1) + low + high;
}

/* Looks for the number loaded, which is not below the first of the ranges, among them: returns snap
 * when it is there, else goes on at instruction `miss`. Conditional jumps reach JUMP_MAX far. */
static void put_tree(filter_program *program, const struct range *ranges, size_t count,
                     uint32_t snap, size_t miss)
{
    if (count == 1) {
        put(program, BPF_JMP | BPF_JGT | BPF_K, ranges->last, 1, 0);
        put_return(program, snap);
        put_skip(program, miss - program->len - 1);
        return;
    }
    size_t half = count / 2, low = tree_size(half);
    if (low > JUMP_MAX) {
        put(program, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 1);
        put_skip(program, low);
    } else {
        put(program, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, (unsigned)low, 0);
    }
    put_tree(program, ranges, half, snap, miss);
    put_tree(program, ranges + half, count - half, snap, miss);
}

/* Returns snap when the four bytes at `at` are in one of the ranges, else goes on behind. */
static void put_search(filter_program *program, uint32_t at, const range_list *ranges,
                       uint32_t snap)
{
    size_t size = tree_size(ranges->len);
    put_load(program, BPF_W, at);
    put(program, BPF_JMP | BPF_JGE | BPF_K, ranges->items[0].first, 1, 0);
    put_skip(program, size);
    put_tree(program, ranges->items, ranges->len, snap, program->len + size);
}

/* --- programs -------------------------------------------------------------------------------- */

enum { VLAN_MASK = 0x0fff };

/* Where things are in frames without a tag: the kernel takes tags off before the filter. */
enum {
    ARP_TYPES = 14, /* hardware and protocol */
    ARP_SIZES = 18, /* of their addresses, and the operation */
    ARP_SENDER = 28,
    ARP_TARGET = 38,
    ARP_ETHERNET_IPV4 = 0x00010800,
    ARP_SIZES_REQUEST = 0x06040001,
    IP6_NEXT = 20,
    IP6_HOP_LIMIT = 21,
    IP6_SOURCE_END = 34, /* the last four bytes */
    ICMP_TYPE = 54,
    NDP_TARGET_END = 74,
    NEXT_HOP_BY_HOP = 0,
    NEXT_ICMP = 58,
    NEXT_DESTINATION = 60,
    HOP_LIMIT = 255,
};

/* Frames to other stations are seen while somebody else has the interface in promiscuous mode.
 * Those of a VLAN that has no interface here carry its tag; VLAN 0 is a priority only. */
static void put_for_us(filter_program *program)
{
    put_load(program, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 0, 1);
    put_return(program, 0);
    put_load(program, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG));
    put(program, BPF_ALU | BPF_AND | BPF_K, VLAN_MASK, 0, 0);
    put_require(program, 0);
}

/* Requests and replies that are well-formed, and ask for or come from one of the addresses. */
static void put_arp(filter_program *program, const range_list *ranges, uint32_t snap)
{
    put_load(program, BPF_W, ARP_TYPES);
    put_require(program, ARP_ETHERNET_IPV4);
    put_load(program, BPF_W, ARP_SIZES);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, ARP_SIZES_REQUEST, 2, 0);
    put_require(program, ARP_SIZES_REQUEST + 1); /* reply */
    put_search(program, ARP_TARGET, ranges, snap);
    put_search(program, ARP_SENDER, ranges, snap);
}

/* Solicitations and advertisements about one of the addresses, and solicitations from one. What has
 * headers before ICMPv6 is rare, and looked at by us. */
static void put_ndp(filter_program *program, const range_list *ranges, uint32_t snap)
{
    put_load(program, BPF_B, IP6_HOP_LIMIT);
    put_require(program, HOP_LIMIT);
    put_load(program, BPF_B, IP6_NEXT);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, NEXT_ICMP, 4, 0);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, NEXT_HOP_BY_HOP, 2, 0);
    put_require(program, NEXT_DESTINATION);
    put_return(program, snap);
    put_load(program, BPF_B, ICMP_TYPE);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, NDP_SOLICITATION, 2, 0);
    put_require(program, NDP_ADVERTISEMENT);
    put_search(program, NDP_TARGET_END, ranges, snap);
    put_search(program, IP6_SOURCE_END, ranges, snap);
}

void filter_make(enum reaction_protocol protocol, const struct owned *owned, size_t most,
                 uint32_t snap, filter_program *ret)
{
    assert(most > 0 && most <= FILTER_RANGES_MAX);
    key_list keys = {0};
    range_list ranges = {0};
    vec_clear(ret);
    collect(protocol, owned, &keys);
    make_ranges(&keys, most, &ranges);
    if (ranges.len) {
        put_for_us(ret);
        if (protocol == REACTION_ARP)
            put_arp(ret, &ranges, snap);
        else
            put_ndp(ret, &ranges, snap);
    }
    put_return(ret, 0);
    assert(ret->len <= BPF_MAXINSNS);
    vec_done(&keys);
    vec_done(&ranges);
}
