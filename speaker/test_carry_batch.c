/* Whether the kernel understands it is seen by test_open_connections.py; here: whole messages, in
 * order, with as many elements as there are addresses, however many. */
#include "speaker/carry_batch.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "common/base/sbuf.h"
#include "common/base/test.h"

/* The elements in an NFT_MSG_NEWSETELEM, whose attributes must fill it. */
static size_t count_elements(const char *bytes, size_t size)
{
    size_t found = 0;
    for (size_t at = 0; at < size;) {
        struct nlattr attribute;
        memcpy(&attribute, bytes + at, sizeof(attribute));
        TEST_ASSERT(attribute.nla_len >= sizeof(attribute) && at + attribute.nla_len <= size);
        if ((attribute.nla_type & NLA_TYPE_MASK) == NFTA_SET_ELEM_LIST_ELEMENTS) {
            for (size_t in = sizeof(attribute); in < attribute.nla_len; found++) {
                struct nlattr element;
                memcpy(&element, bytes + at + in, sizeof(element));
                TEST_ASSERT(element.nla_len > 0 && in + element.nla_len <= attribute.nla_len);
                in += (size_t)NLA_ALIGN(element.nla_len);
            }
        }
        at += (size_t)NLA_ALIGN(attribute.nla_len);
    }
    return found;
}

static const char *name_of(unsigned type)
{
    static const char *const names[] = {
        [NFT_MSG_NEWTABLE] = "+table",     [NFT_MSG_DELTABLE] = "-table",
        [NFT_MSG_NEWCHAIN] = "+chain",     [NFT_MSG_NEWRULE] = "+rule",
        [NFT_MSG_NEWSET] = "+map",         [NFT_MSG_NEWSETELEM] = "+elements",
        [NFT_MSG_DELSETELEM] = "-elements"};
    if (type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END)
        return type == NFNL_MSG_BATCH_BEGIN ? "begin" : "end";
    TEST_ASSERT(type >> 8 == NFNL_SUBSYS_NFTABLES && (type & 0xff) < TEST_COUNT(names));
    return names[type & 0xff];
}

/* "begin +table/2 … +elements/2(256)": the messages, with their family. */
static struct str read_batch(struct str batch, struct arena *arena)
{
    enum { HEAD = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg) };
    struct sbuf text = {0};
    for (size_t at = 0; at < batch.len;) {
        struct nlmsghdr header;
        TEST_ASSERT(batch.len - at >= HEAD);
        memcpy(&header, batch.ptr + at, sizeof(header));
        TEST_ASSERT(header.nlmsg_len >= HEAD && header.nlmsg_len <= batch.len - at &&
                    header.nlmsg_len % NLMSG_ALIGNTO == 0 && header.nlmsg_flags & NLM_F_REQUEST);
        const char *name = name_of(header.nlmsg_type);
        sbuf_printf(&text, "%s%s/%d", at ? " " : "", name, batch.ptr[at + sizeof(header)]);
        if (strcmp(name + 1, "elements") == 0)
            sbuf_printf(&text, "(%zu)",
                        count_elements(batch.ptr + at + HEAD, header.nlmsg_len - HEAD));
        at += header.nlmsg_len;
    }
    return sbuf_move(&text, arena);
}

static void test_batches(void)
{
    static const struct {
        size_t v4, v6;
        enum ip_family family;
        const char *want;
    } cases[] = {
        {0, 0, IP_V4, "begin/0 +table/2 -table/2 end/0"},
        {0, 5, IP_V4, "begin/0 +table/2 -table/2 end/0"},
        {1, 2, IP_V4,
         "begin/0 +table/2 -table/2 +table/2 +chain/2 +map/2 +elements/2(1) +rule/2 +rule/2 end/0"},
        {1, 2, IP_V6,
         "begin/0 +table/10 -table/10 +table/10 +chain/10 +map/10 +elements/10(2) +rule/10 "
         "+rule/10 end/0"},
        {0, 257, IP_V6,
         "begin/0 +table/10 -table/10 +table/10 +chain/10 +map/10 +elements/10(256) "
         "+elements/10(1) +rule/10 +rule/10 end/0"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        size_t count = cases[i].v4 + cases[i].v6;
        struct carry *list = arena_array(arena, count, sizeof(*list));
        for (size_t j = 0; j < count; j++)
            list[j] = (struct carry){.ip.family = j < cases[i].v4 ? IP_V4 : IP_V6, .until_ms = 9};
        TEST_STR(read_batch(carry_batch(cases[i].family, list, count, 5, arena), arena),
                 cases[i].want);
    }
}

/* What is over is not there, and when all is over, no table is. */
static void test_over(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry list[] = {{.ip.family = IP_V4, .until_ms = 9},
                           {.ip.family = IP_V4, .until_ms = 5}};
    TEST_STR(
        read_batch(carry_batch(IP_V4, list, 2, 5, arena), arena),
        "begin/0 +table/2 -table/2 +table/2 +chain/2 +map/2 +elements/2(1) +rule/2 +rule/2 end/0");
    TEST_STR(read_batch(carry_batch(IP_V4, list, 2, 9, arena), arena),
             "begin/0 +table/2 -table/2 end/0");
}

/* One letter for each of eight addresses: carried to the one node or the other, or not (-). */
static struct carry *make_list(const char *letters, struct arena *arena, size_t *ret_count)
{
    struct carry *list = arena_array(arena, 8, sizeof(*list));
    *ret_count = 0;
    for (uint8_t i = 0; letters[i]; i++) {
        if (letters[i] != '-')
            list[(*ret_count)++] = (struct carry){.ip = ip_v4(192, 0, 2, i),
                                                  .to = ip_v4(198, 51, 100, (uint8_t)letters[i]),
                                                  .until_ms = letters[i] == 'x' ? 5 : 9};
    }
    return list;
}

static void test_change(void)
{
    static const struct {
        const char *before, *after, *want;
    } cases[] = {
        {"aaa", "aaa", ""},
        {"aaa", "aaab", "begin/0 +elements/2(1) end/0"},
        {"-aaa", "baaab", "begin/0 +elements/2(2) end/0"},
        {"aaa", "a-a", "begin/0 -elements/2(1) end/0"},
        {"aaa", "aba", "begin/0 -elements/2(1) +elements/2(1) end/0"},
        {"aa-aa", "-bbba", "begin/0 -elements/2(3) +elements/2(3) end/0"},
        {"ax", "a-", ""}, /* over: the kernel has removed it */
        {"ax", "ab", "begin/0 +elements/2(1) end/0"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        size_t before_count, after_count;
        struct carry *before = make_list(cases[i].before, arena, &before_count);
        struct carry *after = make_list(cases[i].after, arena, &after_count);
        struct str batch = carry_change(IP_V4, before, before_count, after, after_count, 5, arena);
        TEST_STR(read_batch(batch, arena), cases[i].want);
        TEST_STR(read_batch(carry_change(IP_V6, before, before_count, after, after_count, 5, arena),
                            arena),
                 "");
    }
}

static void test_trial(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    TEST_STR(read_batch(carry_trial(IP_V4, arena), arena),
             "begin/0 +table/2 +chain/2 +map/2 +rule/2 +rule/2 -table/2 end/0");
    TEST_STR(read_batch(carry_trial(IP_V6, arena), arena),
             "begin/0 +table/10 +chain/10 +map/10 +rule/10 +rule/10 -table/10 end/0");
}

/* As many as there may be have room, with the longest names. */
static void test_most(void)
{
    static const char name[] = "a-node-whose-name-is-as-long-as-a-comment-can-be-"
                               "a-node-whose-name-is-as-long-as-a-comment-can-be-"
                               "a-node-whose-name-is-as-long";
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry *list = arena_array(arena, CARRY_MAX, sizeof(*list));
    for (size_t i = 0; i < CARRY_MAX; i++)
        list[i] = (struct carry){.ip.family = IP_V6, .node = str_from(name), .until_ms = 9};
    TEST_ASSERT(sizeof(name) == 127);
    CU_ASSERT(carry_batch(IP_V6, list, CARRY_MAX, 5, arena).len > CARRY_MAX * sizeof(name));
}

TEST_MAIN("speaker/carry_batch", TEST(test_batches), TEST(test_over), TEST(test_change),
          TEST(test_trial), TEST(test_most))
