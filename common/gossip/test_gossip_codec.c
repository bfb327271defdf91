#include "common/base/test.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/gossip/gossip_limits.h"
#include "common/gossip/message.h"
#include "common/gossip/meta.h"
#include "common/gossip/path.h"
#include "common/gossip/seal.h"
#include "common/gossip/window.h"

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
    struct member_meta meta = {.role = GOSSIP_OBSERVER,
                               .held = true,
                               .starting = true,
                               .interfaces = interfaces,
                               .count = 3};
    uint8_t room[META_SIZE_MAX];
    struct wire out = wire_writer(room, sizeof(room));
    meta_encode(&meta, &out);
    TEST_ASSERT(wire_ok(&out) && out.at == 4 + 2 * 6 + (2 + 4) + (2 + 15));
    struct member_meta got;
    struct wire in = wire_reader(room, out.at);
    TEST_ASSERT(meta_decode(&in, arena, &got) == 0);
    TEST_ASSERT(got.role == GOSSIP_OBSERVER && got.held && got.starting && !got.leaving &&
                got.truncated);
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

/* What is told of so many interfaces, of which some are named and some share an Ethernet address:
 * how many, and whether the bytes say that this is not all. */
struct many {
    const char *prefix; /* of their names, which end in three digits */
    size_t count, macs, named_from;
    size_t told, named_told;
    bool truncated;
};

static void check_many(const struct many *many)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct meta_interface *all = arena_array(arena, many->count, sizeof(*all));
    for (size_t i = 0; i < many->count; i++)
        all[i] = (struct meta_interface){
            .name = arena_printf(arena, "%s%03u", many->prefix, (unsigned)i),
            .mac = {{2, 0, 0, 0, (uint8_t)(i % many->macs >> 8), (uint8_t)(i % many->macs)}},
            .ipv4 = i % 2,
            .ipv6 = i % 3,
            .named = i >= many->named_from};
    struct member_meta meta = {.interfaces = all, .count = many->count}, got;
    uint8_t room[META_SIZE_MAX], again[META_SIZE_MAX];
    struct wire out = wire_writer(room, sizeof(room));
    meta_encode(&meta, &out);
    TEST_ASSERT(wire_ok(&out));
    struct wire in = wire_reader(room, out.at);
    TEST_ASSERT(meta_decode(&in, arena, &got) == 0);
    TEST_ASSERT(got.count == many->told && got.truncated == many->truncated);
    size_t named = 0, at = 0;
    for (size_t i = 0; i < got.count; i++) { /* in the order that they were given in */
        while (!str_eq(all[at].name, got.interfaces[i].name))
            at++;
        TEST_ASSERT(mac_eq(&all[at].mac, &got.interfaces[i].mac));
        TEST_ASSERT(all[at].ipv4 == got.interfaces[i].ipv4);
        TEST_ASSERT(all[at].ipv6 == got.interfaces[i].ipv6);
        named += all[at].named;
    }
    TEST_ASSERT(named == many->named_told);
    struct wire repeat = wire_writer(again, sizeof(again));
    meta_encode(&got, &repeat);
    TEST_ASSERT(repeat.at == out.at && memcmp(room, again, out.at) == 0);
}

static void test_many_interfaces(void)
{
    static const struct many cases[] = {
        {"fifteen-char", 32, 32, 32, 32, 0, false},  {"fifteen-char", 33, 33, 33, 32, 0, true},
        {"fifteen-char", 33, 33, 32, 32, 1, true},   {"fifteen-char", 500, 500, 480, 32, 20, true},
        {"fifteen-char", 500, 500, 0, 32, 32, true}, {"bond0.", 66, 1, 66, 66, 0, false},
        {"bond0.", 500, 1, 450, 66, 50, true},       {"v", 300, 2, 300, 120, 0, true},
        {"v", 300, 300, 290, 61, 10, true},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        check_many(&cases[i]);
}

/* Each number once, in any order within the window. */
static void test_window(void)
{
    struct window window = {0};
    static const struct {
        uint64_t number;
        bool taken;
    } steps[] = {
        {0, false},   {1, true},     {1, false},    {3, true},     {2, true},    {2, false},
        {1000, true}, {4, true},     {3, false},    {1028, true},  {4, false},   {5, true},
        {5, false},   {5000, true},  {1028, false}, {3976, false}, {3977, true}, {3977, false},
        {4999, true}, {4999, false}, {5000, false}, {5001, true},
    };
    for (size_t i = 0; i < TEST_COUNT(steps); i++)
        TEST_ASSERT(window_take(&window, steps[i].number) == steps[i].taken);
}

static void test_head(void)
{
    struct message_head head = {MESSAGE_PING, 7, 8, message_target(1, 2), ((uint64_t)1 << 40) + 5};
    uint8_t room[MESSAGE_HEAD];
    struct wire out = wire_writer(room, sizeof(room));
    message_put_head(&out, &head);
    TEST_ASSERT(wire_ok(&out) && out.at == MESSAGE_HEAD);
    struct message_head got;
    struct wire in = wire_reader(room, sizeof(room));
    TEST_ASSERT(message_get_head(&in, &got) == 0);
    TEST_ASSERT(got.type == head.type && got.sender == 7 && got.life == 8 &&
                got.target == head.target && got.count == head.count);
    for (size_t cut = 0; cut < sizeof(room); cut++) {
        in = wire_reader(room, cut);
        TEST_ASSERT(message_get_head(&in, &got) == ERR_SYNTAX);
    }
    static const uint8_t types[] = {0, MESSAGE_HELLO, MESSAGE_TYPES, 255};
    for (size_t i = 0; i < sizeof(types); i++) {
        room[0] = types[i]; /* HELLO has no target */
        in = wire_reader(room, sizeof(room));
        TEST_ASSERT(message_get_head(&in, &got) == ERR_SYNTAX);
    }
    TEST_ASSERT(message_target(1, 2) != message_target(1, 3));
    TEST_ASSERT(message_target(1, 2) != message_target(2, 2));
}

/* Every kind of fact is read as it was written, has the size that is said, and no part of it is
 * taken for a whole one. */
static void test_facts(void)
{
    uint64_t id = message_id(STR("n1"));
    struct fact facts[] = {
        {.kind = FACT_ALIVE, .id = id, .life = 5, .turn = 6, .edition = 7},
        {.kind = FACT_RECORD,
         .id = id,
         .life = 5,
         .edition = 7,
         .name = STR("n1"),
         .meta = STR("abc"),
         .address = ip_v4(192, 0, 2, 1)},
        {.kind = FACT_RECORD, .id = id, .life = 5, .name = STR("n1")},
        {.kind = FACT_SUSPECT,
         .id = id,
         .life = 5,
         .turn = 6,
         .accusers = {1, 2, 3},
         .accuser_count = 3},
        {.kind = FACT_DEAD, .id = id, .accusers = {9}, .accuser_count = 1, .side = 4},
        {.kind = FACT_LEFT, .id = id, .accusers = {id}, .accuser_count = 1, .side = 65535},
    };
    for (size_t i = 0; i < TEST_COUNT(facts); i++) {
        const struct fact *fact = &facts[i];
        uint8_t room[256];
        struct wire out = wire_writer(room, sizeof(room));
        fact_put(&out, fact);
        TEST_ASSERT(wire_ok(&out) && out.at == fact_size(fact));
        struct fact got;
        struct wire in = wire_reader(room, out.at);
        TEST_ASSERT(fact_get(&in, &got) == 0);
        TEST_ASSERT(got.kind == fact->kind && got.id == id && got.life == fact->life &&
                    got.turn == fact->turn && got.edition == fact->edition &&
                    got.side == fact->side && got.accuser_count == fact->accuser_count &&
                    memcmp(got.accusers, fact->accusers, sizeof(got.accusers)) == 0 &&
                    ip_eq(&got.address, &fact->address) && str_eq(got.name, fact->name) &&
                    str_eq(got.meta, fact->meta));
        TEST_ASSERT(fact_get(&in, &got) == -ENOENT);
        for (size_t cut = 1; cut < out.at; cut++) {
            in = wire_reader(room, cut);
            TEST_ASSERT(fact_get(&in, &got) == ERR_SYNTAX);
        }
    }
}

/* A record whose name is not what its id says, or values that nothing could outrank. */
static void test_lies(void)
{
    uint64_t id = message_id(STR("n1"));
    const struct fact lies[] = {
        {.kind = FACT_RECORD, .id = id, .life = 5, .name = STR("n2")},
        {.kind = FACT_RECORD, .id = id, .life = 5, .name = STR("")},
        {.kind = FACT_ALIVE, .id = 0, .life = 5},
        {.kind = FACT_ALIVE, .id = id, .life = GOSSIP_LIFE_MAX},
        {.kind = FACT_ALIVE, .id = id, .turn = GOSSIP_TURN_MAX},
        {.kind = FACT_SUSPECT, .id = id, .life = 5},
    };
    for (size_t i = 0; i < TEST_COUNT(lies); i++) {
        uint8_t room[256];
        struct fact got;
        struct wire out = wire_writer(room, sizeof(room));
        fact_put(&out, &lies[i]);
        struct wire in = wire_reader(room, out.at);
        TEST_ASSERT(fact_get(&in, &got) == ERR_SYNTAX);
    }
}

/* Evidence is what chance would have to do: rarer losses weigh more, but none is a proof. */
static void test_weight(void)
{
    static const struct {
        uint32_t percent, weight;
    } cases[] = {{0, 1301}, {2, 1301}, {5, 1301}, {10, 1000}, {25, 602}, {50, 301}, {90, 222}};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        uint32_t loss = 65536 * cases[i].percent / 100;
        TEST_ASSERT(path_weight(loss, 0) == cases[i].weight);
        TEST_ASSERT(path_weight(0, loss) == cases[i].weight);
    }
    struct path path = {0};
    for (unsigned i = 0; i < 100; i++)
        path_measure(&path, i % 2 ? 40000 : 60000);
    TEST_ASSERT(path.rtt > 45000 && path.rtt < 55000);
    TEST_ASSERT(path_late(&path) > 60000 && path_lost(&path) > path_late(&path) &&
                path_lost(&path) < 110000);
}

TEST_MAIN("common/gossip codecs", TEST(test_seal), TEST(test_keys), TEST(test_meta),
          TEST(test_many_interfaces), TEST(test_window), TEST(test_head), TEST(test_facts),
          TEST(test_lies), TEST(test_weight))
