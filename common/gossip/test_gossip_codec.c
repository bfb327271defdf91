#include "common/base/test.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/gossip/meta.h"
#include "common/gossip/seal.h"

/* What is sealed with a key opens with it, and with no other; any changed bit closes it. */
static void test_seal(void)
{
    struct seal_keys old, both, other;
    TEST_ASSERT(seal_keys_parse(STR("first secret of ours\n"), STR(""), &old) == 0);
    TEST_ASSERT(
        seal_keys_parse(STR("second secret of ours\n"), STR(" first secret of ours "), &both) == 0);
    TEST_ASSERT(seal_keys_parse(STR("third secret, not ours"), STR(""), &other) == 0);
    TEST_ASSERT(old.count == 1 && both.count == 2);
    static const uint8_t nonce[SEAL_NONCE] = {1, 2, 3};
    uint8_t datagram[SEAL_DATAGRAM_MAX], plain[SEAL_DATAGRAM_MAX];
    size_t size = seal_wrap(&old.keys[0], nonce, "hello", 5, datagram);
    TEST_ASSERT(size == 5 + SEAL_OVERHEAD);
    unsigned key = 9;
    TEST_ASSERT(seal_open(&old, datagram, size, plain, &key) == 5 && key == 0);
    TEST_ASSERT(memcmp(plain, "hello", 5) == 0);
    TEST_ASSERT(seal_open(&both, datagram, size, plain, &key) == 5 && key == 1);
    TEST_ASSERT(seal_open(&other, datagram, size, plain, &key) == -EKEYREJECTED);
    for (size_t bit = 0; bit < size * 8; bit++) {
        datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
        TEST_ASSERT(seal_open(&both, datagram, size, plain, &key) == -EKEYREJECTED);
        datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++)
        TEST_ASSERT(seal_open(&both, datagram, cut, plain, &key) == -EKEYREJECTED);
}

static void test_keys(void)
{
    static const struct {
        const char *current, *old;
        int result;
        unsigned count;
    } cases[] = {
        {"0123456789abcdef", "", 0, 1},
        {"\n  0123456789abcdef\t\r\n\n", "", 0, 1},
        {"0123456789abcdef\nfedcba9876543210\n", "", 0, 2},
        {"0123456789abcdef", "fedcba9876543210", 0, 2},
        {"0123456789abcdef\nfedcba9876543210\n", "aaaaaaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbbbbbb", 0,
         3},
        {"", "0123456789abcdef", -ENOKEY, 0},
        {" \n", "", -ENOKEY, 0},
        {"0123456789abcde", "", ERR_TRUNCATED, 0},
        {"0123456789abcdef", "short", ERR_TRUNCATED, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct seal_keys keys = {0};
        TEST_ASSERT(seal_keys_parse(str_from(cases[i].current), str_from(cases[i].old), &keys) ==
                    cases[i].result);
        TEST_ASSERT(keys.count == cases[i].count);
    }
}

static void test_meta(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct meta_interface interfaces[] = {
        {.name = STR("eth0"), .mac = {{2, 0, 0, 0, 0, 1}}, .ipv4 = true},
        {.name = STR("fifteen-letters"), .mac = {{2, 0, 0, 0, 0, 2}}, .ipv4 = true, .ipv6 = true},
        {.name = STR("sixteen-letters!"), .ipv4 = true},
    };
    struct member_meta meta = {
        .role = GOSSIP_OBSERVER, .held = true, .interfaces = interfaces, .count = 3};
    uint8_t room[META_SIZE_MAX];
    struct wire out = wire_writer(room, sizeof(room));
    meta_encode(&meta, &out);
    TEST_ASSERT(wire_ok(&out) && out.at == 3 + (1 + 4 + 7) + (1 + 15 + 7));
    struct member_meta got;
    struct wire in = wire_reader(room, out.at);
    TEST_ASSERT(meta_decode(&in, arena, &got) == 0);
    TEST_ASSERT(got.role == GOSSIP_OBSERVER && got.held && !got.leaving && got.truncated);
    TEST_ASSERT(got.count == 2);
    TEST_STR(got.interfaces[0].name, "eth0");
    TEST_ASSERT(got.interfaces[0].ipv4 && !got.interfaces[0].ipv6);
    TEST_ASSERT(mac_eq(&got.interfaces[1].mac, &interfaces[1].mac));
    TEST_ASSERT(meta_find(&got, STR("fifteen-letters")) == &got.interfaces[1]);
    TEST_ASSERT(meta_find(&got, STR("fifteen")) == NULL);
    for (size_t cut = 0; cut < out.at; cut++) {
        in = wire_reader(room, cut);
        TEST_ASSERT(meta_decode(&in, arena, &got) == ERR_SYNTAX);
    }
    room[1] |= 0x80; /* a flag of a later version */
    in = wire_reader(room, out.at);
    TEST_ASSERT(meta_decode(&in, arena, &got) == ERR_SYNTAX);
}

TEST_MAIN("common/gossip codecs", TEST(test_seal), TEST(test_keys), TEST(test_meta))
