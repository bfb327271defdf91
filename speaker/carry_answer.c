#include "speaker/carry_answer.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "common/net/wire.h"
#include "speaker/carry_batch.h"

/* --- the question ---------------------------------------------------------------------------- */

struct question {
    struct nlmsghdr header;
    struct nfgenmsg family;
    struct nlattr table;
    char table_name[8];
    struct nlattr part;
    char part_name[8];
};

_Static_assert(sizeof(CARRY_TABLE) == 8 && sizeof(CARRY_MAP) <= 8 && sizeof(CARRY_CHAIN) <= 8,
               "each with its NUL");
_Static_assert((int)NFTA_SET_ELEM_LIST_TABLE == NFTA_RULE_TABLE &&
                   (int)NFTA_SET_ELEM_LIST_SET == NFTA_RULE_CHAIN,
               "one form for both");

struct str carry_question(enum carry_topic topic, enum ip_family family, struct arena *arena)
{
    bool rules = topic == CARRY_RULES;
    size_t part_size = rules ? sizeof(CARRY_CHAIN) : sizeof(CARRY_MAP);
    struct question *q = arena_alloc(arena, sizeof(*q));
    *q = (struct question){
        .header = {.nlmsg_len = sizeof(*q),
                   .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 |
                                            (rules ? NFT_MSG_GETRULE : NFT_MSG_GETSETELEM)),
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .family = {.nfgen_family = family == IP_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6},
        .table = {.nla_len = sizeof(q->table) + sizeof(CARRY_TABLE), .nla_type = NFTA_RULE_TABLE},
        .table_name = CARRY_TABLE,
        .part = {.nla_len = (uint16_t)(sizeof(q->part) + part_size), .nla_type = NFTA_RULE_CHAIN},
    };
    memcpy(q->part_name, rules ? CARRY_CHAIN : CARRY_MAP, part_size);
    return (struct str){.ptr = (const char *)q, .len = sizeof(*q)};
}

/* --- attributes ------------------------------------------------------------------------------ */

/* The next attribute of a list that is behind *rest; lengths are in the host's byte order. */
static bool next(struct str *rest, unsigned *ret_type, struct str *ret_value)
{
    struct nlattr header;
    if (rest->len < sizeof(header))
        return false;
    memcpy(&header, rest->ptr, sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > rest->len)
        return false;
    size_t whole = (size_t)NLA_ALIGN(header.nla_len);
    *ret_type = header.nla_type & (uint16_t)NLA_TYPE_MASK;
    *ret_value = str_slice(*rest, sizeof(header), header.nla_len);
    *rest = str_slice(*rest, whole < rest->len ? whole : rest->len, rest->len);
    return true;
}

/* The value of the first attribute of that type; empty: none. */
static struct str find(struct str list, unsigned type)
{
    unsigned found;
    struct str value;
    while (next(&list, &found, &value)) {
        if (found == type)
            return value;
    }
    return (struct str){0};
}

static uint64_t get_u64(struct str value)
{
    struct wire in = wire_reader(value.ptr, value.len);
    return wire_get_u64(&in);
}

/* --- elements -------------------------------------------------------------------------------- */

/* Unset when it is not as long as an address. */
static struct ip address_in(struct str data, enum ip_family family)
{
    struct str value = find(data, NFTA_DATA_VALUE);
    struct wire in = wire_reader(value.ptr, value.len);
    struct ip ip = wire_get_ip(&in, family);
    return wire_ok(&in) && !wire_left(&in) ? ip : (struct ip){0};
}

static void read_kept(struct str kept, struct carry *item, struct arena *arena)
{
    struct wire in = wire_reader(kept.ptr, kept.len);
    while (wire_left(&in)) {
        uint8_t kind = wire_get_u8(&in), size = wire_get_u8(&in);
        const char *value = (const char *)wire_get_bytes(&in, size);
        if (!wire_ok(&in))
            return;
        if (kind == CARRY_COMMENT && size > 0)
            item->node = arena_str(arena, (struct str){.ptr = value, .len = size - 1u});
        else if (kind == CARRY_MOVED)
            item->moved_ms = get_u64((struct str){.ptr = value, .len = size});
    }
}

static void take_element(struct carry_answer *answer, struct str element, enum ip_family family,
                         uint64_t now_ms, struct arena *arena)
{
    struct carry item = {.moved_ms = now_ms, /* unless it says */
                         .ip = address_in(find(element, NFTA_SET_ELEM_KEY), family),
                         .to = address_in(find(element, NFTA_SET_ELEM_DATA), family),
                         .until_ms = now_ms + get_u64(find(element, NFTA_SET_ELEM_EXPIRATION))};
    read_kept(find(element, NFTA_SET_ELEM_USERDATA), &item, arena);
    if (item.moved_ms > now_ms)
        item.moved_ms = now_ms;
    if (ip_is_set(&item.ip) && ip_is_set(&item.to))
        vec_push(&answer->items, item);
}

static void take_elements(struct carry_answer *answer, struct str body, enum ip_family family,
                          uint64_t now_ms, struct arena *arena)
{
    struct str list = find(body, NFTA_SET_ELEM_LIST_ELEMENTS), element;
    unsigned type;
    while (next(&list, &type, &element) && answer->items.len < CARRY_MAX)
        take_element(answer, element, family, now_ms, arena);
}

/* --- rules ----------------------------------------------------------------------------------- */

static void take_rule(struct carry_answer *answer, struct str body)
{
    struct str list = find(body, NFTA_RULE_EXPRESSIONS), expression;
    unsigned type;
    while (next(&list, &type, &expression)) {
        struct str name = find(expression, NFTA_EXPR_NAME);
        struct str data = find(expression, NFTA_EXPR_DATA);
        if (!str_eq(name, (struct str){.ptr = "counter", .len = sizeof("counter")}))
            continue;
        answer->has_rule = true; /* that which sends on */
        answer->packets += get_u64(find(data, NFTA_COUNTER_PACKETS));
        answer->bytes += get_u64(find(data, NFTA_COUNTER_BYTES));
    }
}

/* --- messages -------------------------------------------------------------------------------- */

/* Of an error, and of the end, which tells one as well; 0: none. */
static void take_end(struct carry_answer *answer, struct str body)
{
    int error = -EPROTO;
    if (body.len >= sizeof(error))
        memcpy(&error, body.ptr, sizeof(error));
    answer->error = error;
    answer->complete = true;
}

static void take_message(struct carry_answer *answer, const struct nlmsghdr *header,
                         struct str body, uint64_t now_ms, struct arena *arena)
{
    struct nfgenmsg generic;
    answer->torn = answer->torn || header->nlmsg_flags & NLM_F_DUMP_INTR;
    if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
        take_end(answer, body);
        return;
    }
    if (body.len < sizeof(generic) || header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
        return;
    memcpy(&generic, body.ptr, sizeof(generic));
    enum ip_family family = generic.nfgen_family == NFPROTO_IPV4 ? IP_V4 : IP_V6;
    body = str_slice(body, sizeof(generic), body.len);
    if ((header->nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM)
        take_elements(answer, body, family, now_ms, arena);
    else if ((header->nlmsg_type & 0xff) == NFT_MSG_NEWRULE)
        take_rule(answer, body);
}

void carry_answer_take(struct carry_answer *answer, struct str datagram, uint64_t now_ms,
                       struct arena *arena)
{
    struct nlmsghdr header;
    while (datagram.len >= sizeof(header)) {
        memcpy(&header, datagram.ptr, sizeof(header));
        if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > datagram.len)
            return;
        take_message(answer, &header, str_slice(datagram, sizeof(header), header.nlmsg_len), now_ms,
                     arena);
        size_t whole = NLMSG_ALIGN(header.nlmsg_len);
        datagram = str_slice(datagram, whole < datagram.len ? whole : datagram.len, datagram.len);
    }
}

void carry_answer_done(struct carry_answer *answer)
{
    vec_done(&answer->items);
}
