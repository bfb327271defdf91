#include "common/base/test.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/base/scope.h"
#include "common/gossip/gossip_limits.h"
#include "common/gossip/message.h"
#include "common/gossip/test_scene.h"

/* Everyone gets to know everyone, with what each says of itself; a change is told to all. */
static void test_meet(void)
{
    struct record record = {0};
    struct sim *sim = start(5, &record);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t of = 0; of < 5; of++) {
        for (size_t about = 0; about < 5; about++) {
            struct gossip_member member = view(sim, of, about, arena);
            TEST_ASSERT(member.state == GOSSIP_ALIVE && member.self == (of == about));
            TEST_ASSERT(ip_eq(&member.address, &sim->nodes[about].ip));
            TEST_ASSERT(member.meta.role == GOSSIP_SPEAKER && !member.meta.held);
            TEST_ASSERT(member.meta.count == 1 && member.meta.interfaces[0].mac.bytes[5] == about);
        }
    }
    struct meta_interface two[] = {{.name = STR("eth0"), .ipv4 = true},
                                   {.name = STR("eth1"), .ipv6 = true}};
    struct member_event event = {.type = MEMBER_INTERFACES, .interfaces = two, .count = 2};
    sim_event(sim, 2, &event);
    TEST_ASSERT(view(sim, 1, 2, arena).meta.starting);
    event = (struct member_event){.type = MEMBER_STARTED};
    sim_event(sim, 2, &event);
    event = (struct member_event){.type = MEMBER_LEAVING, .flag = true};
    sim_event(sim, 2, &event);
    sim_run(sim, sim->now + 100000);
    for (size_t of = 0; of < 5; of++) {
        struct gossip_member member = view(sim, of, 2, arena);
        TEST_ASSERT(member.meta.count == 2 && member.meta.leaving && !member.meta.starting);
        TEST_STR(member.meta.interfaces[1].name, "eth1");
    }
    (void)sim_free(sim);
}

/* A member knows all of its own interfaces; others hear of those that have room, the named ones. */
static void test_many_interfaces(void)
{
    struct record record = {0};
    struct sim *sim = start(2, &record);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct meta_interface all[100];
    for (unsigned i = 0; i < TEST_COUNT(all); i++)
        all[i] = (struct meta_interface){.name = arena_printf(arena, "interface-%03u", i),
                                         .mac = {{2, 0, 0, 0, 0, (uint8_t)i}},
                                         .ipv4 = true,
                                         .named = i >= 90};
    struct member_event event = {
        .type = MEMBER_INTERFACES, .interfaces = all, .count = TEST_COUNT(all)};
    sim_event(sim, 0, &event);
    sim_run(sim, sim->now + 100000);
    struct member_meta own = view(sim, 0, 0, arena).meta, told = view(sim, 1, 0, arena).meta;
    TEST_ASSERT(own.count == TEST_COUNT(all) && !own.truncated);
    TEST_ASSERT(told.count >= 32 && told.count < TEST_COUNT(all) && told.truncated);
    for (size_t i = 0; i < TEST_COUNT(all); i++) {
        TEST_ASSERT(meta_find(&own, all[i].name) != NULL);
        TEST_ASSERT(!all[i].named || meta_find(&told, all[i].name) != NULL);
    }
    (void)sim_free(sim);
}

/* A member that dies is suspected and then dead, for all others, and stays so. */
static void test_death(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_STATE};
    struct sim *sim = start(3, &record);
    sim_crash(sim, 1);
    TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + SECOND));
    sim_run(sim, sim->now + 10 * (uint64_t)SECOND);
    /* Who is first is chance; each says it once. */
    TEST_ASSERT(str_contains(sbuf_str(&record.text), STR("0:1=dead ")));
    TEST_ASSERT(str_contains(sbuf_str(&record.text), STR("2:1=dead ")));
    TEST_ASSERT(!str_contains(sbuf_str(&record.text), STR(":0=")));
    TEST_ASSERT(!str_contains(sbuf_str(&record.text), STR(":2=")));
    TEST_ASSERT(!str_contains(sbuf_str(&record.text), STR("=alive")));
    TEST_ASSERT(member_figures(sim->nodes[0].member).deaths == 1);
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* It comes back as another process: held, for as long as was said, for all alike. */
static void test_return(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_HELD | 1U << MEMBER_NOTE_RELEASED};
    struct sim *sim = start(5, &record);
    sim_crash(sim, 4);
    TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + SECOND));
    sim_start(sim, 4);
    uint64_t at = sim->now;
    TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + SECOND));
    sim_run(sim, at + SECOND);
    for (size_t of = 0; of < 5; of++)
        TEST_ASSERT(is_held(sim, of, 4) && !is_held(sim, of, 0));
    sim_run(sim, at + 11 * (uint64_t)SECOND);
    for (size_t of = 0; of < 5; of++)
        TEST_ASSERT(!is_held(sim, of, 4));
    TEST_STR(sbuf_str(&record.text), "4 4 ");
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* At a cold start nobody remembers anybody: nobody is held. */
static void test_cold_start(void)
{
    struct record record = {0};
    struct sim *sim = start(4, &record);
    for (size_t i = 0; i < 4; i++)
        sim_crash(sim, i);
    sim_run(sim, sim->now + SECOND);
    for (size_t i = 0; i < 4; i++)
        sim_start(sim, i);
    sim_run(sim, sim->now + 2 * SECOND);
    TEST_ASSERT(sim_agrees(sim));
    for (size_t about = 0; about < 4; about++)
        TEST_ASSERT(!is_held(sim, 0, about));
    (void)sim_free(sim);
}

/* Who leaves is left at once, without suspicion, and knows that all have heard it. */
static void test_leave(void)
{
    static const struct member_event leave = {.type = MEMBER_LEAVE};
    struct record record = {.types = 1U << MEMBER_NOTE_STATE};
    struct sim *sim = start(5, &record);
    uint64_t at = sim->now;
    sim_event(sim, 3, &leave);
    while (!sim->nodes[3].left)
        sim_run(sim, sim->now + 1000);
    TEST_ASSERT(sim->now - at <= 10000);
    sim_crash(sim, 3);
    sim_run(sim, sim->now + 5 * SECOND);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    TEST_STR(sorted(&record, arena), "0:3=left 1:3=left 2:3=left 4:3=left ");
    sbuf_done(&record.text);
    /* With nobody there to hear it, leaving still ends. */
    for (size_t i = 1; i < 5; i++)
        sim_crash(sim, i);
    at = sim->now;
    sim_event(sim, 0, &leave);
    while (!sim->nodes[0].left)
        sim_run(sim, sim->now + 1000);
    TEST_ASSERT(sim->now - at <= MEMBER_LEAVE_US + 10000);
    (void)sim_free(sim);
}

/* Of a split cluster the smaller side is held when it heals. */
static void test_split(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_HELD};
    struct sim *sim = start(5, &record);
    sim_split(sim, 2);
    sim_run(sim, sim->now + SECOND);
    for (size_t of = 0; of < 5; of++) {
        for (size_t about = 0; about < 5; about++)
            TEST_ASSERT((sim_state(sim, of, about) == GOSSIP_ALIVE) == ((of < 2) == (about < 2)));
    }
    sim_heal(sim);
    TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + 300000));
    sim_run(sim, sim->now + SECOND);
    for (size_t of = 0; of < 5; of++) {
        for (size_t about = 0; about < 5; about++)
            TEST_ASSERT(is_held(sim, of, about) == (about < 2));
    }
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* A member that starts again at once, as another process, is never dead to anybody. */
static void test_restart(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_STATE | 1U << MEMBER_NOTE_RESTART |
                                     1U << MEMBER_NOTE_HELD};
    struct sim *sim = start(3, &record);
    sim_crash(sim, 1);
    sim_run(sim, sim->now + 5000);
    sim_start(sim, 1);
    sim_run(sim, sim->now + 5 * SECOND);
    TEST_ASSERT(sim_agrees(sim));
    TEST_ASSERT(!str_contains(sbuf_str(&record.text), STR("=dead")));
    TEST_ASSERT(!is_held(sim, 0, 1));
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* A clock that was set back between two lives of a member does not lock it out. */
static void test_clock_back(void)
{
    struct record record = {0};
    struct sim *sim = start(3, &record);
    sim_crash(sim, 1);
    sim_run(sim, sim->now + SECOND);
    sim->clock_back = 100 * (uint64_t)SECOND;
    sim_start(sim, 1);
    TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + SECOND));
    sim_run(sim, sim->now + 5 * SECOND);
    TEST_ASSERT(sim_agrees(sim));
    (void)sim_free(sim);
}

/* Small messages reach the member that is named; who cannot get one is said. */
static void test_send(void)
{
    struct record record = {0};
    struct sim *sim = start(2, &record);
    struct member_event event = {.type = MEMBER_SEND, .name = STR("node-1"), .bytes = STR("claim")};
    sim_event(sim, 0, &event);
    TEST_ASSERT(sim->out.result == 0 && sim->out.sends.len == 1);
    sim_run(sim, sim->now + 1000);
    TEST_ASSERT(sim->nodes[1].messages == 1);
    event.name = STR("node-7");
    sim_event(sim, 0, &event);
    TEST_ASSERT(sim->out.result == -ENOENT);
    char long_text[GOSSIP_MESSAGE_MAX + 1] = {0};
    event.name = STR("node-1");
    event.bytes = (struct str){.ptr = long_text, .len = GOSSIP_MESSAGE_MAX};
    sim_event(sim, 0, &event);
    TEST_ASSERT(sim->out.result == 0);
    event.bytes.len++;
    sim_event(sim, 0, &event);
    TEST_ASSERT(sim->out.result == ERR_TOO_LARGE && sim->out.sends.len == 0);
    (void)sim_free(sim);
}

/* A dead member whose address is no longer expected is forgotten. */
static void test_forget(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_FORGOTTEN};
    struct sim *sim = start(3, &record);
    sim_crash(sim, 2);
    sim_run(sim, sim->now + 20 * (uint64_t)SECOND);
    TEST_STR(sbuf_str(&record.text), "");
    struct member_event peers = {.type = MEMBER_PEERS, .peers = sim->peers, .count = 2};
    sim_event(sim, 0, &peers);
    sim_run(sim, sim->now + SECOND);
    TEST_STR(sbuf_str(&record.text), "0 ");
    size_t count;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    (void)member_list(sim->nodes[0].member, arena, &count);
    TEST_ASSERT(count == 2);
    sim_run(sim, sim->now + 10 * (uint64_t)SECOND); /* nobody tells it of it again */
    (void)member_list(sim->nodes[0].member, arena, &count);
    TEST_ASSERT(count == 2);
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* Datagrams that were heard before do nothing: not to whom they were for, not to others, not to a
 * later life of it. */
static void test_replay(void)
{
    struct record record = {.types = ~0U};
    struct sim *sim = start(3, &record);
    sim->tape = heap_alloc(sizeof(*sim->tape));
    *sim->tape = (struct sim_tape){0};
    sim_run(sim, sim->now + SECOND);
    TEST_ASSERT(sim->tape->len > 100);
    struct sim_tape tape = *sim->tape;
    free(take_ptr(sim->tape));
    for (size_t to = 0; to < 3; to++) {
        for (size_t i = 0; i < tape.len; i++) {
            if (ip_eq(&tape.items[i].from, &sim->nodes[to].ip))
                continue;
            struct member_event event = {
                .type = MEMBER_DATAGRAM,
                .from = tape.items[i].from,
                .bytes = {.ptr = (const char *)tape.items[i].bytes, .len = tape.items[i].size}};
            sim_event(sim, to, &event);
            TEST_ASSERT(sim->out.dropped);
            TEST_ASSERT(sim->out.drop == GOSSIP_DROP_REPLAY || sim->out.drop == GOSSIP_DROP_TARGET);
        }
    }
    sim_crash(sim, 1);
    sim_run(sim, sim->now + SECOND);
    sim_start(sim, 1);
    sim_run(sim, sim->now + 20 * (uint64_t)SECOND);
    sbuf_clear(&record.text);
    for (size_t i = 0; i < tape.len; i++) {
        struct member_event event = {
            .type = MEMBER_DATAGRAM,
            .from = tape.items[i].from,
            .bytes = {.ptr = (const char *)tape.items[i].bytes, .len = tape.items[i].size}};
        bool own = ip_eq(&tape.items[i].from, &sim->nodes[1].ip);
        sim_event(sim, 1, &event);
        TEST_ASSERT(sim->out.dropped &&
                    sim->out.drop == (own ? GOSSIP_DROP_REPLAY : GOSSIP_DROP_TARGET));
    }
    sim_run(sim, sim->now + SECOND);
    TEST_STR(sbuf_str(&record.text), "");
    for (size_t i = 0; i < tape.len; i++)
        free(tape.items[i].bytes);
    vec_done(&tape);
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* Node `to` gets a message that a holder of the key makes in the name of node `from`'s life. */
static void forge(struct sim *sim, size_t to, size_t from, uint64_t count, const struct fact *fact)
{
    uint8_t room[512];
    struct wire wire = wire_writer(room, sizeof(room));
    uint64_t id = message_id(str_from(sim->nodes[to].name));
    struct message_head head = {.type = MESSAGE_RUMOR,
                                .sender = message_id(str_from(sim->nodes[from].name)),
                                .life = sim->nodes[from].life,
                                .target = message_target(id, sim->nodes[to].life),
                                .count = count};
    message_put_head(&wire, &head);
    fact_put(&wire, fact);
    struct member_event event = {.type = MEMBER_DATAGRAM,
                                 .from = sim->nodes[from].ip,
                                 .bytes = {.ptr = (const char *)room, .len = wire.at}};
    sim_event(sim, to, &event);
}

/* What is told of a member's death may be of a life that was never heard of: what it says after
 * that is not taken for what its former life said. */
static void test_death_of_another_life(void)
{
    static const enum fact_kind kinds[] = {FACT_DEAD, FACT_LEFT};
    for (size_t i = 0; i < TEST_COUNT(kinds); i++) {
        struct record record = {0};
        struct sim *sim = start(3, &record);
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str name = str_from(sim->nodes[1].name);
        sim_crash(sim, 1);
        if (kinds[i] == FACT_DEAD) /* of one that is dead already; LEFT is of one that lives */
            TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + SECOND));
        struct fact fact = {.kind = kinds[i],
                            .id = message_id(name),
                            .life = sim->now,
                            .accusers = {message_id(str_from(sim->nodes[2].name))},
                            .accuser_count = 1};
        forge(sim, 0, 2, 1 << 20, &fact);
        TEST_ASSERT(!sim->out.dropped);
        TEST_ASSERT(view(sim, 0, 1, arena).state ==
                    (kinds[i] == FACT_DEAD ? GOSSIP_DEAD : GOSSIP_LEFT));
        fact = (struct fact){.kind = FACT_RECORD,
                             .id = message_id(name),
                             .life = fact.life,
                             .turn = 1,
                             .edition = 1,
                             .name = name,
                             .meta = {.ptr = "\0\0\0\0", .len = 4}};
        sim->nodes[1].life = fact.life;
        for (uint64_t count = 1; count < 10; count++) {
            forge(sim, 0, 1, count, &fact);
            TEST_ASSERT(!sim->out.dropped);
        }
        struct gossip_member member = view(sim, 0, 1, arena);
        TEST_ASSERT(member.state == GOSSIP_ALIVE && member.meta.count == 0);
        (void)sim_free(sim);
    }
}

/* No lie brings a member to a rank at which the others refuse it. */
static void test_last_rank(void)
{
    static const struct fact lies[] = {
        {.kind = FACT_ALIVE, .turn = GOSSIP_TURN_MAX - 1},
        {.kind = FACT_DEAD, .turn = GOSSIP_TURN_MAX - 1, .accusers = {7}, .accuser_count = 1},
        {.kind = FACT_ALIVE, .turn = GOSSIP_TURN_MAX},
        {.kind = FACT_ALIVE, .life = GOSSIP_LIFE_MAX - 1},
        {.kind = FACT_ALIVE, .life = GOSSIP_LIFE_MAX - 2},
        {.kind = FACT_ALIVE, .life = GOSSIP_LIFE_MAX - 2, .turn = GOSSIP_TURN_MAX - 1},
    };
    for (size_t i = 0; i < TEST_COUNT(lies); i++) {
        struct record record = {0};
        struct sim *sim = start(3, &record);
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct fact lie = lies[i];
        lie.id = message_id(str_from(sim->nodes[0].name));
        if (!lie.life)
            lie.life = sim->nodes[0].life;
        forge(sim, 0, 2, 1 << 20, &lie);
        TEST_ASSERT(sim->out.dropped == (lie.turn == GOSSIP_TURN_MAX));
        struct meta_interface two[] = {{.name = STR("eth0")}, {.name = STR("eth1")}};
        struct member_event event = {.type = MEMBER_INTERFACES, .interfaces = two, .count = 2};
        sim_event(sim, 0, &event);
        sim_run(sim, sim->now + 2 * (uint64_t)SECOND);
        TEST_ASSERT(sim_agrees(sim));
        TEST_ASSERT(view(sim, 1, 0, arena).meta.count == 2);
        (void)sim_free(sim);
    }
}

TEST_MAIN("common/gossip member", TEST(test_meet), TEST(test_many_interfaces), TEST(test_death),
          TEST(test_return), TEST(test_cold_start), TEST(test_leave), TEST(test_split),
          TEST(test_restart), TEST(test_clock_back), TEST(test_send), TEST(test_forget),
          TEST(test_replay), TEST(test_death_of_another_life), TEST(test_last_rank))
