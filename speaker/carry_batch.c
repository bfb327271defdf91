#include "speaker/carry_batch.h"

#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "common/net/wire.h"

#define TRIAL_TABLE CARRY_TABLE "-trial"

enum {
    PRIORITY = -150,
    SET_ID = 1,
    ELEMENTS_A_MESSAGE = 256, /* an attribute holds 64 KB */
    ELEMENT_SIZE = 256,       /* more than any takes */
    COMMENT_MAX = 128,        /* as nft(8) has it, with the NUL */
    REST_SIZE = 8192,         /* more than all else takes */
    TCP_FLAGS_AT = 13,
    TCP_SYN = 0x02,
    HOPS_MAX = 16,
    IPV4_CHECKSUM_AT = 10,
    REG = NFT_REG_1,
    REG_NODE = NFT_REG_2,
    TYPE_IPV4 = 7, /* what nft calls the kinds of keys; the kernel only keeps them */
    TYPE_IPV6 = 8,
};

/* What differs between the families. */
struct family {
    enum ip_family ip;
    uint8_t number;
    uint32_t key_type, size, daddr_at, hops_at;
};

static const struct family families[] = {
    [IP_V4] = {IP_V4, NFPROTO_IPV4, TYPE_IPV4, 4, 16, 8},
    [IP_V6] = {IP_V6, NFPROTO_IPV6, TYPE_IPV6, 16, 24, 7},
};

/* --- messages and attributes ----------------------------------------------------------------- */

/* Headers are in the host's byte order, values in the network's. */
static void put_host(struct wire *w, const void *value, size_t size)
{
    wire_put_bytes(w, value, size);
}

static void set_host(struct wire *w, size_t at, const void *value, size_t size)
{
    if (wire_ok(w))
        memcpy(w->room + at, value, size);
}

static size_t message(struct wire *w, int type, int flags, uint8_t family, uint16_t resource)
{
    size_t at = w->at;
    struct nlmsghdr header = {.nlmsg_type = (uint16_t)type,
                              .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
    put_host(w, &header, sizeof(header));
    wire_put_u8(w, family);
    wire_put_u8(w, NFNETLINK_V0);
    wire_put_u16(w, resource);
    return at;
}

static void message_end(struct wire *w, size_t at)
{
    uint32_t len = (uint32_t)(w->at - at);
    set_host(w, at + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
}

static size_t attribute(struct wire *w, unsigned type)
{
    size_t at = w->at;
    struct nlattr header = {.nla_type = (uint16_t)type};
    put_host(w, &header, sizeof(header));
    return at;
}

static void attribute_end(struct wire *w, size_t at)
{
    uint16_t len = (uint16_t)(w->at - at);
    set_host(w, at + offsetof(struct nlattr, nla_len), &len, sizeof(len));
    wire_put_zero(w, (size_t)NLA_ALIGN(len) - len);
}

static size_t nest(struct wire *w, unsigned type)
{
    return attribute(w, type | NLA_F_NESTED);
}

static void put_text(struct wire *w, unsigned type, const char *text)
{
    size_t at = attribute(w, type);
    wire_put_bytes(w, text, str_from(text).len + 1);
    attribute_end(w, at);
}

static void put_u32(struct wire *w, unsigned type, uint32_t value)
{
    size_t at = attribute(w, type);
    wire_put_u32(w, value);
    attribute_end(w, at);
}

static void put_u64(struct wire *w, unsigned type, uint64_t value)
{
    size_t at = attribute(w, type);
    wire_put_u64(w, value);
    attribute_end(w, at);
}

/* A value as nf_tables has it: in an attribute of its own. */
static void put_data(struct wire *w, unsigned type, const void *bytes, size_t size)
{
    size_t outer = nest(w, type), inner = attribute(w, NFTA_DATA_VALUE);
    wire_put_bytes(w, bytes, size);
    attribute_end(w, inner);
    attribute_end(w, outer);
}

/* --- expressions ----------------------------------------------------------------------------- */

struct expression {
    size_t element, data;
};

static struct expression expression(struct wire *w, const char *name)
{
    struct expression e = {.element = nest(w, NFTA_LIST_ELEM)};
    put_text(w, NFTA_EXPR_NAME, name);
    e.data = nest(w, NFTA_EXPR_DATA);
    return e;
}

static void expression_end(struct wire *w, struct expression e)
{
    attribute_end(w, e.data);
    attribute_end(w, e.element);
}

static void put_compare(struct wire *w, enum nft_cmp_ops operator, const void * bytes, size_t size)
{
    struct expression e = expression(w, "cmp");
    put_u32(w, NFTA_CMP_SREG, REG);
    put_u32(w, NFTA_CMP_OP, operator);
    put_data(w, NFTA_CMP_DATA, bytes, size);
    expression_end(w, e);
}

static void put_mask(struct wire *w, const void *mask, size_t size)
{
    static const uint8_t zero[4];
    struct expression e = expression(w, "bitwise");
    put_u32(w, NFTA_BITWISE_SREG, REG);
    put_u32(w, NFTA_BITWISE_DREG, REG);
    put_u32(w, NFTA_BITWISE_LEN, (uint32_t)size);
    put_data(w, NFTA_BITWISE_MASK, mask, size);
    put_data(w, NFTA_BITWISE_XOR, zero, size);
    expression_end(w, e);
}

static void put_payload(struct wire *w, enum nft_payload_bases base, uint32_t at, uint32_t size)
{
    struct expression e = expression(w, "payload");
    put_u32(w, NFTA_PAYLOAD_DREG, REG);
    put_u32(w, NFTA_PAYLOAD_BASE, base);
    put_u32(w, NFTA_PAYLOAD_OFFSET, at);
    put_u32(w, NFTA_PAYLOAD_LEN, size);
    expression_end(w, e);
}

/* TCP of connections that conntrack does not know, and not the first packet of one. */
static void put_conditions(struct wire *w)
{
    static const uint8_t tcp = IPPROTO_TCP, syn = TCP_SYN, unset = 0;
    /* The state is the kernel's own word, in the host's byte order. */
    uint32_t unknown = NF_CT_STATE_INVALID_BIT | NF_CT_STATE_BIT(IP_CT_NEW), none = 0;
    struct expression e = expression(w, "meta");
    put_u32(w, NFTA_META_DREG, REG);
    put_u32(w, NFTA_META_KEY, NFT_META_L4PROTO);
    expression_end(w, e);
    put_compare(w, NFT_CMP_EQ, &tcp, sizeof(tcp));
    e = expression(w, "ct");
    put_u32(w, NFTA_CT_DREG, REG);
    put_u32(w, NFTA_CT_KEY, NFT_CT_STATE);
    expression_end(w, e);
    put_mask(w, &unknown, sizeof(unknown));
    put_compare(w, NFT_CMP_NEQ, &none, sizeof(none));
    put_payload(w, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_AT, sizeof(syn));
    put_mask(w, &syn, sizeof(syn));
    put_compare(w, NFT_CMP_EQ, &unset, sizeof(unset));
}

/* To an address that has a node in the map, which is in REG_NODE then. */
static void put_lookup(struct wire *w, const struct family *family)
{
    put_payload(w, NFT_PAYLOAD_NETWORK_HEADER, family->daddr_at, family->size);
    struct expression e = expression(w, "lookup");
    put_text(w, NFTA_LOOKUP_SET, CARRY_MAP);
    put_u32(w, NFTA_LOOKUP_SREG, REG);
    put_u32(w, NFTA_LOOKUP_DREG, REG_NODE);
    put_u32(w, NFTA_LOOKUP_SET_ID, SET_ID);
    expression_end(w, e);
}

/* More hops than that become so many. */
static void put_fewer_hops(struct wire *w, const struct family *family)
{
    static const uint8_t most = HOPS_MAX;
    put_payload(w, NFT_PAYLOAD_NETWORK_HEADER, family->hops_at, sizeof(most));
    put_compare(w, NFT_CMP_GT, &most, sizeof(most));
    struct expression e = expression(w, "immediate");
    put_u32(w, NFTA_IMMEDIATE_DREG, REG);
    put_data(w, NFTA_IMMEDIATE_DATA, &most, sizeof(most));
    expression_end(w, e);
    e = expression(w, "payload");
    put_u32(w, NFTA_PAYLOAD_SREG, REG);
    put_u32(w, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
    put_u32(w, NFTA_PAYLOAD_OFFSET, family->hops_at);
    put_u32(w, NFTA_PAYLOAD_LEN, sizeof(most));
    if (family->ip == IP_V4) {
        put_u32(w, NFTA_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
        put_u32(w, NFTA_PAYLOAD_CSUM_OFFSET, IPV4_CHECKSUM_AT);
    }
    expression_end(w, e);
}

/* To the node that had the address, and no further here. */
static void put_deeds(struct wire *w)
{
    struct expression e;
    expression_end(w, expression(w, "counter"));
    e = expression(w, "dup");
    put_u32(w, NFTA_DUP_SREG_ADDR, REG_NODE);
    expression_end(w, e);
    e = expression(w, "immediate");
    put_u32(w, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t data = nest(w, NFTA_IMMEDIATE_DATA), verdict = nest(w, NFTA_DATA_VERDICT);
    put_u32(w, NFTA_VERDICT_CODE, NF_DROP);
    attribute_end(w, verdict);
    attribute_end(w, data);
    expression_end(w, e);
}

/* --- what there is to be --------------------------------------------------------------------- */

static size_t begin(struct wire *w, const struct family *family, int type, int flags)
{
    return message(w, NFNL_SUBSYS_NFTABLES << 8 | type, flags, family->number, 0);
}

static void put_table(struct wire *w, const struct family *family, const char *table, int type)
{
    size_t at = begin(w, family, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
    put_text(w, NFTA_TABLE_NAME, table);
    message_end(w, at);
}

static void put_chain(struct wire *w, const struct family *family, const char *table)
{
    size_t at = begin(w, family, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    put_text(w, NFTA_CHAIN_TABLE, table);
    put_text(w, NFTA_CHAIN_NAME, CARRY_CHAIN);
    size_t hook = nest(w, NFTA_CHAIN_HOOK);
    put_u32(w, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
    put_u32(w, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
    attribute_end(w, hook);
    put_text(w, NFTA_CHAIN_TYPE, "filter");
    message_end(w, at);
}

static void put_map(struct wire *w, const struct family *family, const char *table)
{
    size_t at = begin(w, family, NFT_MSG_NEWSET, NLM_F_CREATE);
    put_text(w, NFTA_SET_TABLE, table);
    put_text(w, NFTA_SET_NAME, CARRY_MAP);
    put_u32(w, NFTA_SET_FLAGS, NFT_SET_MAP | NFT_SET_TIMEOUT);
    put_u32(w, NFTA_SET_KEY_TYPE, family->key_type);
    put_u32(w, NFTA_SET_KEY_LEN, family->size);
    put_u32(w, NFTA_SET_DATA_TYPE, family->key_type);
    put_u32(w, NFTA_SET_DATA_LEN, family->size);
    put_u32(w, NFTA_SET_ID, SET_ID);
    message_end(w, at);
}

static void put_rule(struct wire *w, const struct family *family, const char *table, bool sends)
{
    size_t at = begin(w, family, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    put_text(w, NFTA_RULE_TABLE, table);
    put_text(w, NFTA_RULE_CHAIN, CARRY_CHAIN);
    size_t expressions = nest(w, NFTA_RULE_EXPRESSIONS);
    put_conditions(w);
    put_lookup(w, family);
    if (sends)
        put_deeds(w);
    else
        put_fewer_hops(w, family);
    attribute_end(w, expressions);
    message_end(w, at);
}

static void put_rules(struct wire *w, const struct family *family, const char *table)
{
    put_rule(w, family, table, false);
    put_rule(w, family, table, true);
}

/* --- elements -------------------------------------------------------------------------------- */

/* One byte each for kind and length, then the value. */
static void put_kept(struct wire *w, const struct carry *one)
{
    size_t at = attribute(w, NFTA_SET_ELEM_USERDATA);
    if (one->node.len < COMMENT_MAX) {
        wire_put_u8(w, CARRY_COMMENT);
        wire_put_u8(w, (uint8_t)(one->node.len + 1));
        wire_put_bytes(w, one->node.ptr, one->node.len);
        wire_put_u8(w, 0);
    }
    wire_put_u8(w, CARRY_MOVED);
    wire_put_u8(w, sizeof(one->moved_ms));
    wire_put_u64(w, one->moved_ms);
    attribute_end(w, at);
}

static void put_element(struct wire *w, const struct carry *one, size_t size, uint64_t now_ms)
{
    size_t element = nest(w, NFTA_LIST_ELEM);
    put_data(w, NFTA_SET_ELEM_KEY, one->ip.bytes, size);
    put_data(w, NFTA_SET_ELEM_DATA, one->to.bytes, size);
    put_u64(w, NFTA_SET_ELEM_TIMEOUT, one->until_ms - now_ms);
    put_kept(w, one);
    attribute_end(w, element);
}

/* One that is to be removed is known by its key. */
static void put_key(struct wire *w, const struct carry *one, size_t size, uint64_t now_ms)
{
    (void)now_ms;
    size_t element = nest(w, NFTA_LIST_ELEM);
    put_data(w, NFTA_SET_ELEM_KEY, one->ip.bytes, size);
    attribute_end(w, element);
}

/* So many of them as an attribute holds. */
static void put_some(struct wire *w, const struct family *family, int type,
                     const struct carry *const *list, size_t count, uint64_t now_ms)
{
    bool adds = type == NFT_MSG_NEWSETELEM;
    size_t at = begin(w, family, type, adds ? NLM_F_CREATE : 0);
    put_text(w, NFTA_SET_ELEM_LIST_TABLE, CARRY_TABLE);
    put_text(w, NFTA_SET_ELEM_LIST_SET, CARRY_MAP);
    size_t elements = nest(w, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (size_t i = 0; i < count; i++)
        (adds ? put_element : put_key)(w, list[i], family->size, now_ms);
    attribute_end(w, elements);
    message_end(w, at);
}

struct some {
    const struct carry **items;
    size_t count;
};

static void put_elements(struct wire *w, const struct family *family, int type,
                         const struct some *some, uint64_t now_ms)
{
    for (size_t i = 0; i < some->count; i += ELEMENTS_A_MESSAGE) {
        size_t left = some->count - i;
        put_some(w, family, type, some->items + i,
                 left < ELEMENTS_A_MESSAGE ? left : ELEMENTS_A_MESSAGE, now_ms);
    }
}

/* Those of the family that are not over. */
static struct some list_due(const struct family *family, const struct carry *list, size_t count,
                            uint64_t now_ms, struct arena *arena)
{
    struct some some = {.items = arena_array(arena, count, sizeof(*some.items))};
    for (size_t i = 0; i < count; i++) {
        if (list[i].ip.family == family->ip && list[i].until_ms > now_ms)
            some.items[some.count++] = &list[i];
    }
    return some;
}

/* --- batches --------------------------------------------------------------------------------- */

static struct wire batch_begin(size_t elements, struct arena *arena)
{
    size_t size = REST_SIZE + elements * ELEMENT_SIZE;
    struct wire w = wire_writer(arena_alloc(arena, size), size);
    message_end(&w, message(&w, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES));
    return w;
}

static struct str batch_end(struct wire *w)
{
    message_end(w, message(w, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES));
    assert(wire_ok(w));
    return (struct str){.ptr = (const char *)w->room, .len = w->at};
}

struct str carry_batch(enum ip_family ip, const struct carry *list, size_t count, uint64_t now_ms,
                       struct arena *arena)
{
    const struct family *family = &families[ip];
    struct some due = list_due(family, list, count, now_ms, arena);
    assert(count <= CARRY_MAX);
    struct wire w = batch_begin(due.count, arena);
    /* Made, so that it can be removed whether it is there or not. */
    put_table(&w, family, CARRY_TABLE, NFT_MSG_NEWTABLE);
    put_table(&w, family, CARRY_TABLE, NFT_MSG_DELTABLE);
    if (due.count) {
        put_table(&w, family, CARRY_TABLE, NFT_MSG_NEWTABLE);
        put_chain(&w, family, CARRY_TABLE);
        put_map(&w, family, CARRY_TABLE);
        put_elements(&w, family, NFT_MSG_NEWSETELEM, &due, now_ms);
        put_rules(&w, family, CARRY_TABLE);
    }
    return batch_end(&w);
}

static bool is_same(const struct carry *a, const struct carry *b)
{
    return ip_eq(&a->to, &b->to) && str_eq(a->node, b->node) && a->moved_ms == b->moved_ms &&
           a->until_ms == b->until_ms;
}

/* Leaves in each list what is not in the other. */
static void keep_differences(struct some *old, struct some *fresh)
{
    size_t old_at = 0, fresh_at = 0, gone = 0, come = 0;
    while (old_at < old->count || fresh_at < fresh->count) {
        int order = old_at == old->count ? 1
                    : fresh_at == fresh->count
                        ? -1
                        : ip_cmp(&old->items[old_at]->ip, &fresh->items[fresh_at]->ip);
        if (order == 0 && is_same(old->items[old_at], fresh->items[fresh_at])) {
            old_at++;
            fresh_at++;
            continue;
        }
        if (order <= 0)
            old->items[gone++] = old->items[old_at++];
        if (order >= 0)
            fresh->items[come++] = fresh->items[fresh_at++];
    }
    old->count = gone;
    fresh->count = come;
}

struct str carry_change(enum ip_family ip, const struct carry *before, size_t before_count,
                        const struct carry *after, size_t after_count, uint64_t now_ms,
                        struct arena *arena)
{
    const struct family *family = &families[ip];
    struct some gone = list_due(family, before, before_count, now_ms, arena),
                come = list_due(family, after, after_count, now_ms, arena);
    assert(before_count <= CARRY_MAX && after_count <= CARRY_MAX);
    keep_differences(&gone, &come);
    if (!gone.count && !come.count)
        return (struct str){0};
    struct wire w = batch_begin(gone.count + come.count, arena);
    put_elements(&w, family, NFT_MSG_DELSETELEM, &gone, now_ms);
    put_elements(&w, family, NFT_MSG_NEWSETELEM, &come, now_ms);
    return batch_end(&w);
}

struct str carry_trial(enum ip_family ip, struct arena *arena)
{
    const struct family *family = &families[ip];
    struct wire w = batch_begin(0, arena);
    put_table(&w, family, TRIAL_TABLE, NFT_MSG_NEWTABLE);
    put_chain(&w, family, TRIAL_TABLE);
    put_map(&w, family, TRIAL_TABLE);
    put_rules(&w, family, TRIAL_TABLE);
    put_table(&w, family, TRIAL_TABLE, NFT_MSG_DELTABLE);
    return batch_end(&w);
}
