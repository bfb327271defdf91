#include "common/base/err.h"
#include "common/base/test.h"
#include "speaker/claim.h"

static struct claim sample(const char *ip)
{
    struct claim claim = {.answers = true,
                          .claims = true,
                          .standing = {.epoch = 0x0102030405060708, .tier = 2, .rank = 0x0a0b}};
    TEST_ASSERT(ip_parse(str_from(ip), &claim.ip) == 0);
    return claim;
}

static void test_bytes(void)
{
    static const uint8_t want[] = {
        1,    1, 0, 0, 0, 0, 0, 0, 1, 2,    0,    0,    0,    0,    0,
        0,    3, 4,                                                    /* a question of 0x102 */
        0x16, 1, 2, 3, 4, 5, 6, 7, 8, 0x0a, 0x0b, 192,  0,    2,    1, /* an IPv4 address */
        1,    0, 0, 0, 0, 0, 0, 0, 0, 0,    7,    0x20, 0x01, 0x0d, 0xb8,
        0,    0, /* and an IPv6 one */
        0,    0, 0, 0, 0, 0, 0, 0, 0, 1,
    };
    struct claim_message message;
    struct claim first = sample("192.0.2.1");
    struct claim second = {.standing = {.epoch = 0, .rank = 7}};
    TEST_ASSERT(ip_parse(STR("2001:db8::1"), &second.ip) == 0);
    claim_begin(&message,
                &(struct claim_header){.question = true, .sent = 0x102, .replies = 0x304});
    TEST_ASSERT(claim_is_empty(&message));
    TEST_ASSERT(claim_add(&message, &first));
    TEST_ASSERT(claim_add(&message, &second));
    TEST_ASSERT(!claim_is_empty(&message));
    TEST_ASSERT(message.size == sizeof(want) && memcmp(message.bytes, want, sizeof(want)) == 0);
    struct claim_list list;
    TEST_ASSERT(claim_parse(message.bytes, message.size, &list) == 0);
    TEST_ASSERT(list.count == 2 && list.header.question);
    TEST_ASSERT(list.header.sent == 0x102 && list.header.replies == 0x304);
    TEST_ASSERT(ip_eq(&list.items[0].ip, &first.ip) && ip_eq(&list.items[1].ip, &second.ip));
    TEST_ASSERT(list.items[0].answers && list.items[0].claims);
    TEST_ASSERT(!list.items[1].answers && !list.items[1].claims);
    TEST_ASSERT(list.items[0].standing.epoch == 0x0102030405060708);
    TEST_ASSERT(list.items[0].standing.tier == 2 && list.items[0].standing.rank == 0x0a0b);
    TEST_ASSERT(list.items[1].standing.rank == 7);
}

static void test_full(void)
{
    struct claim_message message;
    struct claim_list list;
    struct claim claim = sample("192.0.2.1"), large = sample("2001:db8::1");
    claim_begin(&message, &(struct claim_header){.sent = 7});
    size_t count = 0;
    while (claim_add(&message, &claim))
        count++;
    TEST_ASSERT(count == CLAIM_COUNT_MAX && message.size <= CLAIM_MESSAGE_MAX);
    TEST_ASSERT(claim_parse(message.bytes, message.size, &list) == 0);
    TEST_ASSERT(list.count == CLAIM_COUNT_MAX && !list.header.question);
    uint8_t longer[CLAIM_MESSAGE_MAX] = {0}; /* room for a part of another */
    memcpy(longer, message.bytes, message.size);
    for (size_t more = message.size + 1; more <= sizeof(longer); more++)
        TEST_ASSERT(claim_parse(longer, more, &list) == ERR_TRUNCATED);
    size_t size = message.size;
    TEST_ASSERT(!claim_add(&message, &large) && message.size == size);
}

#define HEADER(kind, flags) kind, flags, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0
#define ENTRY(bits) bits, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1
static void test_refused(void)
{
    enum { WHOLE = 33 };
    static const struct {
        uint8_t bytes[WHOLE + 1];
        size_t size;
        int result;
    } cases[] = {
        {{0}, 0, ERR_TRUNCATED},
        {{HEADER(1, 0)}, 17, ERR_TRUNCATED},
        {{HEADER(1, 0)}, 18, ERR_PROTOCOL}, /* about nothing */
        {{HEADER(2, 0), ENTRY(0)}, WHOLE, ERR_PROTOCOL},
        {{HEADER(1, 2), ENTRY(0)}, WHOLE, ERR_PROTOCOL},
        {{HEADER(1, 0), ENTRY(0x20)}, WHOLE, ERR_PROTOCOL},
        {{HEADER(1, 0), ENTRY(0x18)}, WHOLE, ERR_PROTOCOL}, /* tier 3 */
        {{HEADER(1, 0), ENTRY(0)}, WHOLE - 1, ERR_TRUNCATED},
        {{HEADER(1, 0), ENTRY(1)}, WHOLE, ERR_TRUNCATED}, /* a short IPv6 address */
        {{HEADER(1, 0), ENTRY(0)}, WHOLE + 1, ERR_TRUNCATED},
        {{HEADER(1, 0), ENTRY(0)}, WHOLE, 0},
    };
    static const uint8_t large[CLAIM_MESSAGE_MAX + 1] = {1};
    struct claim_list list;
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(claim_parse(cases[i].bytes, cases[i].size, &list) == cases[i].result);
    TEST_ASSERT(claim_parse(large, sizeof(large), &list) == ERR_TOO_LARGE);
}

/* Whoever asks, the two agree on who has the better claim. */
static void test_order(void)
{
    static const struct {
        struct claim_standing a, b;
        const char *a_name, *b_name;
    } better_first[] = {
        {{7, 2, 9}, {6, 0, 0}, "n2", "n1"}, /* the newer order, whatever else */
        {{7, 0, 9}, {7, 1, 0}, "n2", "n1"}, /* then who is not held */
        {{7, 1, 9}, {7, 2, 0}, "n2", "n1"}, {{7, 1, 3}, {7, 1, 4}, "n2", "n1"},
        {{7, 1, 3}, {7, 1, 3}, "n1", "n2"}, {{0, 0, 0}, {0, 0, 0}, "n1", "n10"},
    };
    for (size_t i = 0; i < TEST_COUNT(better_first); i++) {
        struct str a = str_from(better_first[i].a_name), b = str_from(better_first[i].b_name);
        TEST_ASSERT(claim_cmp(&better_first[i].a, a, &better_first[i].b, b) < 0);
        TEST_ASSERT(claim_cmp(&better_first[i].b, b, &better_first[i].a, a) > 0);
        TEST_ASSERT(claim_cmp(&better_first[i].a, a, &better_first[i].a, a) == 0);
    }
}

TEST_MAIN("speaker/claim", TEST(test_bytes), TEST(test_full), TEST(test_refused), TEST(test_order))
