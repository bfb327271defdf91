#include "bgp/life.h"

#include "common/base/sbuf.h"
#include "common/base/test.h"

struct life_row {
    uint64_t after; /* milliseconds since the row before */
    enum life_event event;
    const char *want; /* state and actions */
};

static struct str text_of(const struct life *life, const struct life_actions *actions,
                          struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_puts(&out, life_state_name(life->state));
    sbuf_puts(&out, actions->disconnect ? " disconnect" : "");
    sbuf_puts(&out, actions->ask ? " ask" : "");
    sbuf_puts(&out, actions->terminate ? " terminate" : "");
    sbuf_puts(&out, actions->kill ? " kill" : "");
    sbuf_puts(&out, actions->start ? " start" : "");
    sbuf_puts(&out, actions->connect ? " connect" : "");
    if (actions->set_timer)
        sbuf_printf(&out, " in %u", (unsigned)actions->timer_ms);
    return sbuf_move(&out, arena);
}

static void play(const struct life_row *rows, size_t count)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct life life = {0};
    uint64_t now = 1000;
    for (size_t i = 0; i < count; i++) {
        now += rows[i].after;
        struct life_actions actions = life_step(&life, rows[i].event, now);
        TEST_STR(text_of(&life, &actions, arena), rows[i].want);
    }
}
#define PLAY(...)                                            \
    do {                                                     \
        static const struct life_row rows[] = {__VA_ARGS__}; \
        play(rows, TEST_COUNT(rows));                        \
    } while (0)

#define STARTED                                         \
    {                                                   \
        0, LIFE_WANT, "starting disconnect start in 20" \
    }
#define SERVING                  \
    STARTED,                     \
    {                            \
        5, LIFE_GREETED, "ready" \
    }

static void test_start(void)
{
    PLAY(STARTED, {20, LIFE_TIME, "starting connect in 20"},
         {20, LIFE_TIME, "starting connect in 20"}, {1, LIFE_WANT, "starting"},
         {1, LIFE_GREETED, "ready"}, {20, LIFE_TIME, "ready"}, {0, LIFE_WANT, "ready"});
    /* it does not greet */
    PLAY(STARTED, {9999, LIFE_TIME, "starting connect in 20"},
         {1, LIFE_TIME, "starting kill in 10000"},
         {1, LIFE_EXITED, "starting disconnect start in 20"});
    /* the connection breaks before the greeting */
    PLAY(STARTED, {20, LIFE_TIME, "starting connect in 20"},
         {1, LIFE_LOST, "starting disconnect in 20"}, {20, LIFE_TIME, "starting connect in 20"});
}

static void test_crashes(void)
{
    /* at once after a while of service, and then ever later */
    PLAY(SERVING, {10000, LIFE_EXITED, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 100"}, {1, LIFE_WANT, "waiting"},
         {99, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 200"},
         {200, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 400"},
         {400, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 800"},
         {800, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 1600"},
         {1600, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 3200"},
         {3200, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 5000"},
         {5000, LIFE_TIME, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 5000"},
         {5000, LIFE_TIME, "starting disconnect start in 20"}, {1, LIFE_GREETED, "ready"},
         /* a short while of service is none */
         {9999, LIFE_EXITED, "waiting disconnect in 5000"},
         {5000, LIFE_TIME, "starting disconnect start in 20"}, {1, LIFE_GREETED, "ready"},
         {10000, LIFE_EXITED, "starting disconnect start in 20"});
    /* the connection goes first */
    PLAY(SERVING, {10000, LIFE_LOST, "starting disconnect in 20"},
         {1, LIFE_EXITED, "starting disconnect start in 20"});
    PLAY(SERVING, {10, LIFE_LOST, "starting disconnect in 20"},
         {20, LIFE_TIME, "starting connect in 20"}, {1, LIFE_GREETED, "ready"});
}

static void test_end(void)
{
    PLAY(SERVING, {5, LIFE_UNWANT, "ending ask in 3000"},
         {1, LIFE_LOST, "ending disconnect in 3000"}, {1, LIFE_EXITED, "off disconnect"},
         {1, LIFE_TIME, "off"}, {1, LIFE_UNWANT, "off"});
    PLAY(SERVING, {5, LIFE_UNWANT, "ending ask in 3000"}, {3000, LIFE_TIME, "ending kill in 3000"},
         {1, LIFE_EXITED, "off disconnect"});
    /* before it has greeted, and while it waits */
    PLAY(STARTED, {1, LIFE_UNWANT, "ending terminate in 3000"}, {1, LIFE_EXITED, "off disconnect"});
    PLAY(STARTED, {1, LIFE_UNWANT, "ending terminate in 3000"}, {1, LIFE_GREETED, "ending ask"},
         {1, LIFE_LOST, "ending disconnect in 3000"}, {1, LIFE_EXITED, "off disconnect"});
    PLAY(STARTED, {1, LIFE_EXITED, "starting disconnect start in 20"},
         {1, LIFE_EXITED, "waiting disconnect in 100"}, {1, LIFE_UNWANT, "off"},
         {1, LIFE_TIME, "off"}, {0, LIFE_WANT, "starting disconnect start in 20"});
    /* wanted again meanwhile */
    PLAY(SERVING, {5, LIFE_UNWANT, "ending ask in 3000"}, {1, LIFE_WANT, "ending"},
         {1, LIFE_EXITED, "starting disconnect start in 20"});
}

static void test_adoption(void)
{
    PLAY({0, LIFE_ADOPT, "starting connect in 20"}, {1, LIFE_GREETED, "ready"},
         {1, LIFE_WANT, "ready"}, {1, LIFE_EXITED, "starting disconnect start in 20"});
    PLAY({0, LIFE_ADOPT, "starting connect in 20"}, {1, LIFE_UNWANT, "ending terminate in 3000"},
         {1, LIFE_EXITED, "off disconnect"});
    PLAY({0, LIFE_GREETED, "off"}, {0, LIFE_EXITED, "off"}, {0, LIFE_LOST, "off"});
}

TEST_MAIN("bgp/life", TEST(test_start), TEST(test_crashes), TEST(test_end), TEST(test_adoption))
