/* What is made of the kernel's words; that it speaks so is seen by test_open_connections.py.
 * Messages with elements have the same form in both directions, so a batch of ours is read back. */
#include "speaker/carry_answer.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "speaker/carry_batch.h"

static const struct carry pair[] = {
    {.ip = {.family = IP_V4, .bytes = {192, 0, 2, 1}},
     .node = {.ptr = "n2", .len = 2},
     .to = {.family = IP_V4, .bytes = {198, 51, 100, 2}},
     .moved_ms = 1000,
     .until_ms = 9000},
    {.ip = {.family = IP_V6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}},
     .node = {.ptr = "n3", .len = 2},
     .to = {.family = IP_V6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 3}},
     .moved_ms = 2000,
     .until_ms = 9000},
};

/* "192.0.2.1>198.51.100.2 n2 since 1000 until 9000; …", then what else it says. */
static struct str say(const struct carry_answer *answer, struct arena *arena)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < answer->items.len; i++) {
        const struct carry *item = &answer->items.items[i];
        sbuf_printf(&text, "%s>%s " STR_FMT " since %u until %u; ", ip_format(&item->ip).text,
                    ip_format(&item->to).text, STR_ARG(item->node), (unsigned)item->moved_ms,
                    (unsigned)item->until_ms);
    }
    if (answer->has_rule)
        sbuf_printf(&text, "rule %u %u ", (unsigned)answer->packets, (unsigned)answer->bytes);
    sbuf_printf(&text, "%s%s%d", answer->complete ? "complete " : "", answer->torn ? "torn " : "",
                answer->error);
    return sbuf_move(&text, arena);
}

static struct str take(struct str datagram, uint64_t now_ms, struct arena *arena)
{
    struct carry_answer answer = {0};
    carry_answer_take(&answer, datagram, now_ms, arena);
    struct str text = say(&answer, arena);
    carry_answer_done(&answer);
    return text;
}

/* What is asked for to be kept for a time is told as the time that is left: in another attribute.
 */
static struct str as_told(struct str batch, struct arena *arena)
{
    char *bytes = arena_alloc(arena, batch.len);
    memcpy(bytes, batch.ptr, batch.len);
    for (size_t i = 0; i + 4 <= batch.len; i += 4) {
        struct nlattr attribute;
        memcpy(&attribute, bytes + i, sizeof(attribute));
        if (attribute.nla_len == 12 && attribute.nla_type == NFTA_SET_ELEM_TIMEOUT) {
            attribute.nla_type = NFTA_SET_ELEM_EXPIRATION;
            memcpy(bytes + i, &attribute, sizeof(attribute));
        }
    }
    return (struct str){.ptr = bytes, .len = batch.len};
}

static void test_elements(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str v4 = as_told(carry_batch(IP_V4, pair, 2, 5000, arena), arena);
    struct str v6 = as_told(carry_batch(IP_V6, pair, 2, 5000, arena), arena);
    TEST_STR(take(v4, 6000, arena), "192.0.2.1>198.51.100.2 n2 since 1000 until 10000; rule 0 0 0");
    TEST_STR(take(v6, 5000, arena), "2001:db8::1>2001:db8::3 n3 since 2000 until 9000; rule 0 0 0");
    TEST_STR(take(v6, 500, arena), /* a clock that was set back by a new start of the machine */
             "2001:db8::1>2001:db8::3 n3 since 500 until 4500; rule 0 0 0");
}

/* A name that is too long for a comment is left out; what moved is known all the same. */
static void test_long_name(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry one = pair[0];
    char name[200];
    memset(name, 'n', sizeof(name));
    one.node = (struct str){.ptr = name, .len = sizeof(name)};
    TEST_STR(take(as_told(carry_batch(IP_V4, &one, 1, 5000, arena), arena), 5000, arena),
             "192.0.2.1>198.51.100.2  since 1000 until 9000; rule 0 0 0");
}

/* Cut off anywhere, it is read as far as whole messages go. */
static void test_truncated(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str batch = as_told(carry_batch(IP_V4, pair, 1, 5000, arena), arena);
    size_t element_ends = 0, rule_ends = batch.len - NLMSG_HDRLEN - sizeof(struct nfgenmsg);
    for (size_t at = 0; at < batch.len;) {
        struct nlmsghdr header;
        memcpy(&header, batch.ptr + at, sizeof(header));
        at += header.nlmsg_len;
        if ((header.nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM)
            element_ends = at;
    }
    for (size_t len = 0; len < batch.len; len++) {
        char *copy = heap_alloc(len ? len : 1); /* so that a sanitizer sees a read behind it */
        memcpy(copy, batch.ptr, len);
        TEST_STR(take((struct str){.ptr = copy, .len = len}, 5000, arena),
                 len >= rule_ends ? "192.0.2.1>198.51.100.2 n2 since 1000 until 9000; rule 0 0 0"
                 : len >= element_ends ? "192.0.2.1>198.51.100.2 n2 since 1000 until 9000; 0"
                                       : "0");
        free(copy);
    }
}

/* One message with that body. */
static struct str message(unsigned type, unsigned flags, const void *body, size_t size,
                          struct arena *arena)
{
    struct nlmsghdr header = {.nlmsg_len = (uint32_t)(sizeof(header) + size),
                              .nlmsg_type = (uint16_t)type,
                              .nlmsg_flags = (uint16_t)flags};
    char *bytes = arena_alloc(arena, sizeof(header) + size);
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), body, size);
    return (struct str){.ptr = bytes, .len = sizeof(header) + size};
}

static void test_ends(void)
{
    static const struct {
        unsigned type, flags;
        int error;
        size_t size;
        const char *want;
    } cases[] = {
        {NLMSG_ERROR, 0, -ENOENT, sizeof(int), "complete -2"},
        {NLMSG_DONE, 0, 0, sizeof(int), "complete 0"},
        {NLMSG_DONE, NLM_F_DUMP_INTR, 0, sizeof(int), "complete torn 0"},
        {NLMSG_DONE, 0, -EIO, sizeof(int), "complete -5"},
        {NLMSG_ERROR, 0, 0, 2, "complete -71"}, /* EPROTO: it is cut off */
        {NLMSG_NOOP, 0, 0, sizeof(int), "0"},
        {NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, 0, 2, "0"},
        {NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, 0, sizeof(int), "0"},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_STR(take(message(cases[i].type, cases[i].flags, &cases[i].error, cases[i].size, arena),
                      0, arena),
                 cases[i].want);
}

/* The counter of the rule, in the host's order of lengths and the network's of values. */
static void test_counter(void)
{
    static const unsigned char bytes[] = {0, 0, 0, 0, 0, 0, 1, 0},
                               packets[] = {0, 0, 0, 0, 0, 0, 0, 7};
    struct rule {
        struct nfgenmsg generic;
        struct nlattr list, element, name;
        char counter[8];
        struct nlattr data, bytes;
        unsigned char bytes_value[8];
        struct nlattr packets;
        unsigned char packets_value[8];
    } rule = {
        .generic = {.nfgen_family = 2},
        .list = {.nla_len = sizeof(rule) - sizeof(rule.generic), .nla_type = NFTA_RULE_EXPRESSIONS},
        .element = {.nla_len = sizeof(rule) - 8, .nla_type = NFTA_LIST_ELEM | NLA_F_NESTED},
        .name = {.nla_len = 12, .nla_type = NFTA_EXPR_NAME},
        .counter = "counter",
        .data = {.nla_len = 28, .nla_type = NFTA_EXPR_DATA | NLA_F_NESTED},
        .bytes = {.nla_len = 12, .nla_type = NFTA_COUNTER_BYTES},
        .packets = {.nla_len = 12, .nla_type = NFTA_COUNTER_PACKETS},
    };
    memcpy(rule.bytes_value, bytes, sizeof(bytes));
    memcpy(rule.packets_value, packets, sizeof(packets));
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    TEST_STR(
        take(message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, &rule, sizeof(rule), arena), 0,
             arena),
        "rule 7 256 0");
}

static void test_questions(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (unsigned i = 0; i < 4; i++) {
        enum carry_topic topic = i & 1 ? CARRY_RULES : CARRY_ELEMENTS;
        struct str question = carry_question(topic, i & 2 ? IP_V6 : IP_V4, arena);
        struct nlmsghdr header;
        TEST_ASSERT(question.len == 44);
        memcpy(&header, question.ptr, sizeof(header));
        TEST_ASSERT(header.nlmsg_len == 44 && header.nlmsg_type == (i & 1 ? 0xa07 : 0xa0d) &&
                    header.nlmsg_flags == (NLM_F_REQUEST | NLM_F_DUMP));
        TEST_ASSERT(question.ptr[16] == (i & 2 ? 10 : 2));
        TEST_ASSERT(memcmp(question.ptr + 24, "stentor", 8) == 0);
        TEST_ASSERT(memcmp(question.ptr + 36, i & 1 ? "late" : "former", i & 1 ? 5 : 7) == 0);
    }
}

TEST_MAIN("speaker/carry_answer", TEST(test_elements), TEST(test_long_name), TEST(test_truncated),
          TEST(test_ends), TEST(test_counter), TEST(test_questions))
