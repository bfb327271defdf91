/* What the failure detector promises, in small: few nodes, few runs, little time. The whole
 * figures are bench_gossip's. All is simulated, so the numbers do not depend on the host. */
#include "common/base/test.h"

#include "common/base/scope.h"
#include "common/gossip/sim.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };

struct deaths {
    size_t victim; /* SIZE_MAX: nobody dies */
    size_t known;  /* by so many */
    size_t wrong;
};

static void count_deaths(void *ctx, struct sim *sim, size_t node, const struct member_note *note)
{
    struct deaths *deaths = ctx;
    (void)node;
    if (note->type != MEMBER_NOTE_STATE || note->state != GOSSIP_DEAD)
        return;
    if (sim_index(sim, note->name) == deaths->victim)
        deaths->known++;
    else
        deaths->wrong++;
}

static struct sim *start(size_t nodes, uint32_t loss_permille, uint64_t jitter_us,
                         struct deaths *deaths)
{
    struct sim_options options = {.nodes = nodes,
                                  .seed = nodes,
                                  .loss_permille = loss_permille,
                                  .delay_us = 100,
                                  .jitter_us = jitter_us,
                                  .hold_us = 10 * SECOND};
    struct sim *sim = sim_new(&options);
    sim->note = count_deaths;
    sim->ctx = deaths;
    TEST_ASSERT(sim_start_all(sim));
    sim_run(sim, sim->now + 2 * SECOND);
    return sim;
}

/* Every other member knows of a crash within 400 ms (a second with many), whatever the phase. */
static void check_crashes(size_t nodes, uint32_t loss_permille, uint64_t jitter_us, unsigned runs)
{
    struct deaths deaths = {.victim = SIZE_MAX};
    struct sim *sim = start(nodes, loss_permille, jitter_us, &deaths);
    uint64_t bound = nodes <= 32 ? 400000 : SECOND;
    for (unsigned i = 0; i < runs; i++) {
        deaths.victim = sim_random(sim, (uint32_t)nodes);
        deaths.known = 0;
        sim_crash(sim, deaths.victim);
        sim_run(sim, sim->now + bound);
        TEST_ASSERT(deaths.known == nodes - 1);
        sim_start(sim, deaths.victim);
        TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + 2 * SECOND));
        sim_run(sim, sim->now + 2 * SECOND + sim_random(sim, 200000));
    }
    TEST_ASSERT(deaths.wrong == 0);
    (void)sim_free(sim);
}

static void test_crash(void)
{
    static const size_t sizes[] = {3, 5, 8, 16, 32};
    for (size_t i = 0; i < TEST_COUNT(sizes); i++) {
        check_crashes(sizes[i], 0, 100, 20);
        check_crashes(sizes[i], 10, 50000, 20);
    }
    check_crashes(2, 0, 100, 20);
    check_crashes(100, 0, 100, 3);
}

/* Loss and jitter kill nobody. */
static void test_no_false_death(void)
{
    struct deaths deaths = {.victim = SIZE_MAX};
    struct sim *sim = start(5, 10, 50000, &deaths);
    sim_run(sim, sim->now + 20 * (uint64_t)MINUTE);
    TEST_ASSERT(deaths.wrong == 0);
    (void)sim_free(sim);
}

/* With 30 % of all datagrams lost, each way, members live on, and one that dies is still found. */
static void test_heavy_loss(void)
{
    struct deaths deaths = {.victim = SIZE_MAX};
    struct sim *sim = start(5, 0, 100, &deaths);
    sim->options.loss_permille = 300;
    sim_run(sim, sim->now + 2 * (uint64_t)MINUTE);
    TEST_ASSERT(deaths.wrong == 0);
    deaths.victim = 3;
    sim_crash(sim, 3);
    sim_run(sim, sim->now + 3 * SECOND);
    TEST_ASSERT(deaths.known == 4 && deaths.wrong == 0);
    (void)sim_free(sim);
}

/* Half of the members die at once. */
static void test_many_die(void)
{
    struct deaths deaths = {.victim = SIZE_MAX};
    struct sim *sim = start(16, 0, 100, &deaths);
    for (size_t i = 0; i < 16; i += 2)
        sim_crash(sim, i);
    TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + 2 * SECOND));
    TEST_ASSERT(deaths.wrong == (size_t)8 * 8); /* each of 8 learns of each of 8 */
    (void)sim_free(sim);
}

/* A healed partition is one again within 300 ms. */
static void test_heal(void)
{
    static const size_t sizes[] = {2, 3, 5, 8};
    for (size_t i = 0; i < TEST_COUNT(sizes); i++) {
        struct deaths deaths = {.victim = SIZE_MAX};
        struct sim *sim = start(sizes[i], 0, 100, &deaths);
        for (unsigned run = 0; run < 10; run++) {
            sim_split(sim, 1 + sim_random(sim, (uint32_t)sizes[i] - 1));
            sim_run(sim, sim->now + 3 * SECOND + sim_random(sim, 200000));
            sim_heal(sim);
            TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + 300000));
            sim_run(sim, sim->now + SECOND + sim_random(sim, 200000));
            TEST_ASSERT(sim_agrees(sim));
        }
        (void)sim_free(sim);
    }
}

static size_t count_held(struct sim *sim)
{
    size_t held = 0;
    for (size_t i = 0; i < sim->options.nodes; i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        size_t count;
        const struct gossip_member *list = member_list(sim->nodes[i].member, arena, &count);
        held += gossip_find(list, count, str_from(sim->nodes[i].name))->meta.held;
    }
    return held;
}

/* A hundred are one again within a second, also when one alone was cut off for long; and only the
 * smaller side is held. */
static void test_heal_many(void)
{
    static const size_t splits[] = {1, 10, 99};
    struct deaths deaths = {.victim = SIZE_MAX};
    struct sim *sim = start(100, 0, 100, &deaths);
    for (size_t i = 0; i < TEST_COUNT(splits); i++) {
        sim_split(sim, splits[i]);
        sim_run(sim, sim->now + 20 * (uint64_t)SECOND + sim_random(sim, 200000));
        sim_heal(sim);
        TEST_ASSERT(sim_until(sim, sim_agrees, sim->now + SECOND));
        sim_run(sim, sim->now + 3 * SECOND);
        TEST_ASSERT(count_held(sim) == (splits[i] < 50 ? splits[i] : 100 - splits[i]));
        sim_run(sim, sim->now + 30 * (uint64_t)SECOND);
        TEST_ASSERT(count_held(sim) == 0);
    }
    (void)sim_free(sim);
}

/* What a member sends at rest does not grow with the number of members. */
static void test_traffic(void)
{
    struct deaths deaths = {.victim = SIZE_MAX};
    struct sim *sim = start(100, 10, 50000, &deaths);
    sim_run(sim, sim->now + 10 * SECOND);
    for (size_t i = 0; i < 100; i++)
        sim->nodes[i].sent_bytes = 0;
    sim_run(sim, sim->now + 10 * SECOND);
    for (size_t i = 0; i < 100; i++)
        TEST_ASSERT(sim->nodes[i].sent_bytes <= 10 * 20000);
    (void)sim_free(sim);
}

TEST_MAIN("common/gossip simulated", TEST(test_crash), TEST(test_no_false_death),
          TEST(test_heavy_loss), TEST(test_many_die), TEST(test_heal), TEST(test_heal_many),
          TEST(test_traffic))
