/* When this member may have been counted dead and does not know it yet: after a stop of its
 * process, and when an interface comes back. */
#include "common/gossip/test_scene.h"

/* A stopped process is dead to the others. When it goes on it is stalled from its first moment,
 * before anything is read, and until somebody has answered; by then it is held. It does not take
 * the others for dead. */
static void test_pause(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_STATE | 1U << MEMBER_NOTE_STALLED |
                                     1U << MEMBER_NOTE_RESUMED};
    struct sim *sim = start(3, &record);
    TEST_ASSERT(!member_is_stalled(sim->nodes[2].member, sim->now));
    sim_pause(sim, 2);
    sim_run(sim, sim->now + 3 * SECOND);
    TEST_ASSERT(sim_state(sim, 0, 2) == GOSSIP_DEAD && sim_state(sim, 1, 2) == GOSSIP_DEAD);
    TEST_ASSERT(member_is_stalled(sim->nodes[2].member, sim->now));
    sbuf_clear(&record.text);
    uint64_t at = sim->now;
    sim_resume(sim, 2);
    TEST_ASSERT(member_is_stalled(sim->nodes[2].member, sim->now));
    while (member_is_stalled(sim->nodes[2].member, sim->now))
        sim_run(sim, sim->now + 100);
    TEST_ASSERT(sim->now - at <= 2000);
    TEST_ASSERT(is_held(sim, 2, 2));
    sim_run(sim, sim->now + SECOND);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    TEST_STR(sorted(&record, arena), "0:2=alive 1:2=alive 2 2 ");
    TEST_ASSERT(is_held(sim, 0, 2) && !is_held(sim, 2, 0));
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* It is stopped again, for long, while it is stalled: that is a stall of its own. */
static void test_pause_again(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_STALLED | 1U << MEMBER_NOTE_RESUMED};
    struct sim *sim = start(3, &record);
    sim->nodes[2].side = 1;
    sim_pause(sim, 2);
    sim_run(sim, sim->now + SECOND);
    sim_resume(sim, 2);
    sim_run(sim, sim->now + SECOND / 2);
    TEST_ASSERT(member_is_stalled(sim->nodes[2].member, sim->now));
    sim_pause(sim, 2);
    sim_run(sim, sim->now + 5 * SECOND);
    sim->nodes[2].side = 0;
    uint64_t at = sim->now;
    sim_resume(sim, 2);
    TEST_ASSERT(member_is_stalled(sim->nodes[2].member, sim->now));
    while (member_is_stalled(sim->nodes[2].member, sim->now))
        sim_run(sim, sim->now + 100);
    TEST_ASSERT(sim->now - at <= 2000);
    TEST_ASSERT(is_held(sim, 2, 2));
    TEST_STR(sbuf_str(&record.text), "2 2 2 ");
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* When all others have died meanwhile, the stall ends by itself. */
static void test_pause_alone(void)
{
    struct record record = {0};
    struct sim *sim = start(3, &record);
    sim_pause(sim, 2);
    sim_run(sim, sim->now + SECOND);
    sim_crash(sim, 0);
    sim_crash(sim, 1);
    sim_resume(sim, 2);
    sim_run(sim, sim->now + SECOND / 2);
    TEST_ASSERT(member_is_stalled(sim->nodes[2].member, sim->now));
    sim_run(sim, sim->now + SECOND);
    TEST_ASSERT(!member_is_stalled(sim->nodes[2].member, sim->now));
    TEST_ASSERT(sim_agrees(sim));
    (void)sim_free(sim);
}

/* Another one has died meanwhile, which this one has yet to find: that is no reason to wait. */
static void test_pause_while_another_dies(void)
{
    struct record record = {0};
    struct sim *sim = start(4, &record);
    sim_pause(sim, 3);
    sim_crash(sim, 2);
    sim_run(sim, sim->now + 3 * SECOND);
    for (size_t i = 0; i < sim->nodes[3].inbox.len; i++)
        free(sim->nodes[3].inbox.items[i]);
    vec_clear(&sim->nodes[3].inbox); /* the kernel had no more room */
    uint64_t at = sim->now;
    sim_resume(sim, 3);
    while (member_is_stalled(sim->nodes[3].member, sim->now))
        sim_run(sim, sim->now + 100);
    TEST_ASSERT(sim->now - at <= 20000);
    TEST_ASSERT(sim_state(sim, 3, 2) == GOSSIP_ALIVE && sim_state(sim, 3, 0) == GOSSIP_ALIVE);
    (void)sim_free(sim);
}

/* A pause that nobody takes for death is no stall. */
static void test_short_pause(void)
{
    struct record record = {.types = ~0U};
    struct sim *sim = start(3, &record);
    for (unsigned i = 0; i < 20; i++) {
        sim_run(sim, sim->now + SECOND / 2 + i * 7000);
        sim_pause(sim, 1);
        sim_run(sim, sim->now + 60000);
        sim_resume(sim, 1);
        TEST_ASSERT(!member_is_stalled(sim->nodes[1].member, sim->now));
    }
    TEST_STR(sbuf_str(&record.text), "");
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* Who was alone asks, too: somebody may have come while it was stopped. */
static void test_pause_while_another_starts(void)
{
    for (unsigned i = 0; i < 10; i++) {
        struct sim_options options = {.nodes = 2, .seed = i, .delay_us = 100, .jitter_us = 100};
        struct sim *sim = sim_new(&options);
        sim_start(sim, 0);
        sim_run(sim, sim->now + 3 * SECOND);
        sim_pause(sim, 0);
        sim_run(sim, sim->now + SECOND / 2 + i * 17000);
        sim_start(sim, 1);
        sim_run(sim, sim->now + 3 * SECOND);
        TEST_ASSERT(member_is_settled(sim->nodes[1].member));
        TEST_ASSERT(member_is_stalled(sim->nodes[0].member, sim->now));
        uint64_t at = sim->now;
        sim_resume(sim, 0);
        while (member_is_stalled(sim->nodes[0].member, sim->now))
            sim_run(sim, sim->now + 100);
        TEST_ASSERT(sim_state(sim, 0, 1) == GOSSIP_ALIVE && sim_state(sim, 1, 0) == GOSSIP_ALIVE);
        TEST_ASSERT(sim->now - at <= MEMBER_PERIOD_US + 2000);
        (void)sim_free(sim);
    }
}

/* If nobody has come, that is soon known; and who has no peers at all is never stalled. */
static void test_pause_of_the_only_one(void)
{
    for (size_t nodes = 1; nodes <= 2; nodes++) {
        struct sim_options options = {.nodes = nodes, .seed = 1, .delay_us = 100};
        struct sim *sim = sim_new(&options);
        sim_start(sim, 0);
        sim_run(sim, sim->now + 3 * SECOND);
        sim_pause(sim, 0);
        sim_run(sim, sim->now + SECOND);
        TEST_ASSERT(member_is_stalled(sim->nodes[0].member, sim->now) == (nodes == 2));
        sim_resume(sim, 0);
        TEST_ASSERT(member_is_stalled(sim->nodes[0].member, sim->now) == (nodes == 2));
        sim_run(sim, sim->now + MEMBER_SILENCE_US + MEMBER_PERIOD_US);
        TEST_ASSERT(!member_is_stalled(sim->nodes[0].member, sim->now));
        (void)sim_free(sim);
    }
}

/* The only interface of a node loses its carrier, or has it again. */
static void set_link(struct sim *sim, size_t node, bool up)
{
    struct meta_interface eth0 = {.name = STR("eth0"), .ipv4 = true, .ipv6 = true};
    struct member_event event = {.type = MEMBER_INTERFACES, .interfaces = &eth0, .count = up};
    sim->nodes[node].side = !up;
    sim_event(sim, node, &event);
}

static bool is_stalled(struct sim *sim, size_t node)
{
    return member_is_stalled(sim->nodes[node].member, sim->now);
}

/* How long the node is stalled from now on, in microseconds. */
static uint64_t stall_of(struct sim *sim, size_t node)
{
    uint64_t at = sim->now;
    while (is_stalled(sim, node))
        sim_run(sim, sim->now + 100);
    return sim->now - at;
}

/* A node is cut off for so long that the others count it dead. When its carrier comes back it is
 * stalled at once, until somebody has answered; by then it knows that it is held, and it is the
 * only one that is, even when there are but two. */
static void test_carrier_back(void)
{
    static const size_t sizes[] = {2, 3, 5, 40};
    for (size_t i = 0; i < TEST_COUNT(sizes); i++) {
        struct record record = {0};
        struct sim *sim = start(sizes[i], &record);
        size_t node = sizes[i] - 1;
        set_link(sim, node, false);
        TEST_ASSERT(!is_stalled(sim, node));
        sim_run(sim, sim->now + 10 * (uint64_t)SECOND);
        TEST_ASSERT(sim_state(sim, 0, node) == GOSSIP_DEAD);
        TEST_ASSERT(sim_state(sim, node, 0) == GOSSIP_DEAD);
        TEST_ASSERT(!is_stalled(sim, node));
        set_link(sim, node, true);
        TEST_ASSERT(is_stalled(sim, node));
        TEST_ASSERT(stall_of(sim, node) <= (sizes[i] > 32 ? MEMBER_PERIOD_US + 2000 : 2000));
        TEST_ASSERT(is_held(sim, node, node));
        sim_run(sim, sim->now + 2 * SECOND);
        TEST_ASSERT(sim_agrees(sim));
        for (size_t about = 0; about < sizes[i]; about++)
            TEST_ASSERT(is_held(sim, 0, about) == (about == node));
        (void)sim_free(sim);
    }
}

/* A flap that is too short for anybody to count the node dead costs nothing, or a round trip. */
static void test_short_flap(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_HELD};
    struct sim *sim = start(3, &record);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t down = i % 2 ? 60000 : 150000;
        set_link(sim, 1, false);
        sim_run(sim, sim->now + down);
        set_link(sim, 1, true);
        TEST_ASSERT(i % 2 == 0 || !is_stalled(sim, 1));
        TEST_ASSERT(stall_of(sim, 1) <= 2000);
        sim_run(sim, sim->now + SECOND + i * 7000);
    }
    TEST_STR(sbuf_str(&record.text), "");
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* Each stall has its own questions: the hundredth is as short as the first. */
static void test_many_flaps(void)
{
    struct record record = {0};
    struct sim *sim = start(2, &record);
    for (unsigned i = 0; i < 100; i++) {
        set_link(sim, 1, false);
        sim_run(sim, sim->now + 600000 + i * 1000);
        set_link(sim, 1, true);
        TEST_ASSERT(is_stalled(sim, 1));
        TEST_ASSERT(stall_of(sim, 1) <= 2000);
        sim_run(sim, sim->now + SECOND);
    }
    (void)sim_free(sim);
}

/* The gossip goes by another interface: the node never lost touch, and knows. */
static void test_carrier_back_in_touch(void)
{
    struct record record = {.types = 1U << MEMBER_NOTE_CUT_OFF | 1U << MEMBER_NOTE_RESUMED};
    struct sim *sim = start(3, &record);
    struct meta_interface both[] = {{.name = STR("eth0"), .ipv4 = true},
                                    {.name = STR("eth1"), .ipv4 = true}};
    for (unsigned i = 0; i < 20; i++) {
        struct member_event event = {
            .type = MEMBER_INTERFACES, .interfaces = both, .count = 1 + i % 2};
        sim_event(sim, 1, &event);
        TEST_ASSERT(!is_stalled(sim, 1));
        sim_run(sim, sim->now + SECOND + i * 7000);
    }
    TEST_STR(sbuf_str(&record.text), "");
    sbuf_done(&record.text);
    (void)sim_free(sim);
}

/* When all others are silent, too, it takes a while; without peers, none. */
static void test_carrier_back_alone(void)
{
    struct record record = {0};
    struct sim *sim = start(3, &record);
    sim_crash(sim, 0);
    sim_crash(sim, 1);
    sim_run(sim, sim->now + 3 * SECOND);
    TEST_ASSERT(!is_stalled(sim, 2));
    set_link(sim, 2, false);
    sim_run(sim, sim->now + SECOND);
    set_link(sim, 2, true);
    uint64_t lasted = stall_of(sim, 2);
    TEST_ASSERT(lasted >= MEMBER_LINK_US && lasted <= MEMBER_LINK_US + MEMBER_PERIOD_US);
    static const struct member_event nobody = {.type = MEMBER_PEERS};
    sim_event(sim, 2, &nobody);
    sim_run(sim, sim->now + 10 * (uint64_t)SECOND); /* until the dead are forgotten */
    set_link(sim, 2, false);
    sim_run(sim, sim->now + SECOND);
    set_link(sim, 2, true);
    TEST_ASSERT(!is_stalled(sim, 2));
    (void)sim_free(sim);
}

/* The cable goes into a port that leads nowhere, which is waited for in vain; then into the right
 * one. */
static void test_wrong_port(void)
{
    struct record record = {0};
    struct sim *sim = start(3, &record);
    set_link(sim, 2, false);
    sim_run(sim, sim->now + 3 * SECOND);
    set_link(sim, 2, true);
    sim->nodes[2].side = 1;
    uint64_t lasted = stall_of(sim, 2);
    TEST_ASSERT(lasted >= MEMBER_LINK_US && lasted <= MEMBER_LINK_US + MEMBER_PERIOD_US);
    sim_run(sim, sim->now + SECOND);
    set_link(sim, 2, false);
    sim_run(sim, sim->now + SECOND);
    set_link(sim, 2, true);
    TEST_ASSERT(is_stalled(sim, 2));
    TEST_ASSERT(stall_of(sim, 2) <= 2000);
    TEST_ASSERT(is_held(sim, 2, 2));
    (void)sim_free(sim);
}

/* What is behind eth0 fails, which keeps its carrier; the others are reached by eth1, which comes
 * then. They have taken over meanwhile. */
static void test_another_way(void)
{
    struct record record = {0};
    struct sim *sim = start(3, &record);
    struct meta_interface both[] = {{.name = STR("eth0"), .ipv4 = true},
                                    {.name = STR("eth1"), .ipv4 = true}};
    struct member_event event = {.type = MEMBER_INTERFACES, .interfaces = both, .count = 2};
    sim->nodes[2].side = 1;
    sim_run(sim, sim->now + 3 * SECOND);
    TEST_ASSERT(sim_state(sim, 0, 2) == GOSSIP_DEAD);
    sim->nodes[2].side = 0;
    sim_event(sim, 2, &event);
    TEST_ASSERT(is_stalled(sim, 2));
    TEST_ASSERT(stall_of(sim, 2) <= 2000);
    TEST_ASSERT(is_held(sim, 2, 2));
    (void)sim_free(sim);
}

/* One interface takes the place of another in one event: the loss explains the silence. */
static void test_replaced(void)
{
    struct record record = {0};
    struct sim *sim = start(2, &record);
    struct meta_interface bond0 = {.name = STR("bond0"), .ipv4 = true};
    struct member_event event = {.type = MEMBER_INTERFACES, .interfaces = &bond0, .count = 1};
    sim_crash(sim, 0);
    sim_run(sim, sim->now + 3 * SECOND);
    sim_event(sim, 1, &event);
    uint64_t lasted = stall_of(sim, 1);
    TEST_ASSERT(lasted >= MEMBER_LINK_US && lasted <= MEMBER_LINK_US + MEMBER_PERIOD_US);
    (void)sim_free(sim);
}

/* The second interface of node 1 goes for 0.1 s and comes for 0.1 s, and so on: how long the node
 * is stalled meanwhile, in microseconds. */
static uint64_t flap(struct sim *sim, unsigned seconds)
{
    struct meta_interface both[] = {{.name = STR("eth0"), .ipv4 = true},
                                    {.name = STR("eth1"), .ipv4 = true}};
    uint64_t silent = 0;
    for (unsigned i = 0; i < 10 * seconds; i++) {
        struct member_event event = {
            .type = MEMBER_INTERFACES, .interfaces = both, .count = 1 + i % 2};
        sim_event(sim, 1, &event);
        for (unsigned k = 0; k < 100; k++) {
            silent += is_stalled(sim, 1) ? 1000 : 0;
            sim_run(sim, sim->now + 1000);
        }
    }
    return silent;
}

/* All others are dead, and an interface comes and goes: that is a reason to ask, but not to be
 * silent for ever. The first time is drawn out to its limit; as nobody answers it is 0.3 s in a
 * second from then on, until it has been calm for 10 s. A new interface explains nothing. */
static void test_flapping_alone(void)
{
    struct record record = {0};
    struct sim *sim = start(2, &record);
    struct meta_interface both[] = {{.name = STR("eth0"), .ipv4 = true},
                                    {.name = STR("eth1"), .ipv4 = true}};
    struct member_event event = {.type = MEMBER_INTERFACES, .interfaces = both, .count = 2};
    sim_crash(sim, 0);
    sim_run(sim, sim->now + 3 * SECOND);
    sim_event(sim, 1, &event);
    uint64_t lasted = stall_of(sim, 1);
    TEST_ASSERT(lasted >= MEMBER_SILENCE_US && lasted <= MEMBER_SILENCE_US + 1000);
    lasted = flap(sim, 4);
    uint64_t expected = 2 * MEMBER_LINK_US + MEMBER_SILENCE_US;
    TEST_ASSERT(lasted >= expected - 1000 && lasted <= expected + 1000);
    lasted = flap(sim, 60);
    expected = 60 * MEMBER_SILENCE_US;
    TEST_ASSERT(lasted >= expected - 60 * 1000 && lasted <= expected + 60 * 1000);
    sim_run(sim, sim->now + 11 * SECOND);
    set_link(sim, 1, false);
    set_link(sim, 1, true);
    lasted = stall_of(sim, 1);
    TEST_ASSERT(lasted >= MEMBER_LINK_US && lasted <= MEMBER_LINK_US + MEMBER_PERIOD_US);
    (void)sim_free(sim);
}

/* Nor does it keep a node from ever having joined. */
static void test_flapping_at_the_start(void)
{
    struct sim_options options = {.nodes = 2, .seed = 1, .delay_us = 100};
    struct sim *sim = sim_new(&options);
    struct meta_interface both[] = {{.name = STR("eth0"), .ipv4 = true},
                                    {.name = STR("eth1"), .ipv4 = true}};
    sim_start(sim, 0);
    uint64_t at = sim->now;
    for (unsigned i = 0; i < 50 && !member_is_settled(sim->nodes[0].member); i++) {
        struct member_event event = {
            .type = MEMBER_INTERFACES, .interfaces = both, .count = 1 + i % 2};
        sim_event(sim, 0, &event);
        sim_run(sim, sim->now + SECOND / 10);
    }
    TEST_ASSERT(member_is_settled(sim->nodes[0].member));
    TEST_ASSERT(sim->now - at <= 3 * MEMBER_JOIN_US + 2 * MEMBER_PERIOD_US);
    (void)sim_free(sim);
}

/* A node that started without a carrier was never counted dead, and knows of nobody. */
static void test_first_carrier(void)
{
    struct sim_options options = {.nodes = 3, .seed = 1, .delay_us = 100, .hold_us = SECOND};
    struct sim *sim = sim_new(&options);
    sim_start(sim, 0);
    sim_start(sim, 1);
    sim_run(sim, sim->now + 3 * SECOND);
    sim->nodes[2].side = 1;
    sim_start(sim, 2);
    set_link(sim, 2, false);
    sim_run(sim, sim->now + 3 * SECOND);
    TEST_ASSERT(member_is_settled(sim->nodes[2].member));
    set_link(sim, 2, true);
    TEST_ASSERT(is_stalled(sim, 2));
    TEST_ASSERT(stall_of(sim, 2) <= MEMBER_PERIOD_US + 2000);
    TEST_ASSERT(sim_state(sim, 2, 0) == GOSSIP_ALIVE && sim_state(sim, 2, 1) == GOSSIP_ALIVE);
    TEST_ASSERT(!is_held(sim, 2, 2));
    (void)sim_free(sim);
}

TEST_MAIN("common/gossip stalled", TEST(test_pause), TEST(test_pause_again), TEST(test_pause_alone),
          TEST(test_pause_while_another_dies), TEST(test_short_pause),
          TEST(test_pause_while_another_starts), TEST(test_pause_of_the_only_one),
          TEST(test_carrier_back), TEST(test_short_flap), TEST(test_many_flaps),
          TEST(test_carrier_back_in_touch), TEST(test_carrier_back_alone), TEST(test_wrong_port),
          TEST(test_another_way), TEST(test_replaced), TEST(test_flapping_alone),
          TEST(test_flapping_at_the_start), TEST(test_first_carrier))
