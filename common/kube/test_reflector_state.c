#include <errno.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/kube/reflector_state.h"

/* One action as text: "sweep cancel watch@12/300s", "wait 100", "-". */
static struct str action_text(struct arena *arena, const struct reflector_state *state,
                              const struct reflector_action *action)
{
    struct sbuf out = {0};
    if (action->sweep)
        sbuf_puts(&out, "sweep ");
    if (action->cancel)
        sbuf_puts(&out, "cancel ");
    switch (action->deed) {
    case REFLECTOR_NOTHING:
        sbuf_puts(&out, "-");
        break;
    case REFLECTOR_DO_LIST:
        sbuf_puts(&out, "list");
        break;
    case REFLECTOR_DO_PAGE:
        sbuf_puts(&out, "page");
        break;
    case REFLECTOR_DO_WATCH:
        sbuf_printf(&out, "watch@" STR_FMT "/%us", STR_ARG(reflector_version(state)),
                    action->timeout_s);
        break;
    case REFLECTOR_DO_WAIT:
        sbuf_printf(&out, "wait %llu", (unsigned long long)action->wait_ms);
        break;
    }
    return sbuf_move(&out, arena);
}

struct step {
    uint64_t now;
    struct reflector_event event;
    const char *want;
};

static void run_steps(const struct step *steps, size_t count)
{
    struct reflector_state state;
    reflector_state_init(&state);
    for (size_t i = 0; i < count; i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct reflector_action action = reflector_step(&state, &steps[i].event, steps[i].now, 0);
        TEST_STR(action_text(arena, &state, &action), steps[i].want);
    }
}

#define V(text) .version = STR_INIT(text)

static void test_normal_life(void)
{
    static const struct step steps[] = {
        {0, {.type = REFLECTOR_TIMER}, "-"},
        {0, {.type = REFLECTOR_START}, "list"},
        {10, {.type = REFLECTOR_PAGE, V("100")}, "page"},
        {20, {.type = REFLECTOR_PAGE, V("100"), .last = true}, "sweep watch@100/300s"},
        {30, {.type = REFLECTOR_PROGRESS, V("101")}, "-"},
        {40, {.type = REFLECTOR_BOOKMARK, V("110")}, "-"},
        {300000, {.type = REFLECTOR_ENDED}, "watch@110/300s"},
        {300001, {.type = REFLECTOR_RELIST}, "cancel list"},
        {300002, {.type = REFLECTOR_PAGE, V("120"), .last = true}, "sweep watch@120/300s"},
        {300003, {.type = REFLECTOR_STOP}, "cancel -"},
        {300004, {.type = REFLECTOR_ENDED}, "-"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_gone(void)
{
    static const struct step steps[] = {
        {0, {.type = REFLECTOR_START}, "list"},
        {0, {.type = REFLECTOR_PAGE, V("100"), .last = true}, "sweep watch@100/300s"},
        {10, {.type = REFLECTOR_PROGRESS, V("101")}, "-"},
        {20, {.type = REFLECTOR_ENDED, .result = ERR_GONE}, "list"},
        {30, {.type = REFLECTOR_PAGE, V("200"), .last = true}, "sweep watch@200/300s"},
        /* gone again at once: do not hammer */
        {40, {.type = REFLECTOR_ENDED, .result = ERR_GONE}, "wait 100"},
        {140, {.type = REFLECTOR_TIMER}, "list"},
        {150, {.type = REFLECTOR_PAGE, V("201"), .last = true}, "sweep watch@201/300s"},
        {160, {.type = REFLECTOR_ENDED, .result = ERR_GONE}, "wait 200"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_failures(void)
{
    static const struct step steps[] = {
        {0, {.type = REFLECTOR_START}, "list"},
        {0, {.type = REFLECTOR_FAILED, .result = -ECONNREFUSED}, "wait 100"},
        {100, {.type = REFLECTOR_TIMER}, "list"},
        {110, {.type = REFLECTOR_PAGE, V("100")}, "page"},
        /* the token of the next page has expired: from the start */
        {120, {.type = REFLECTOR_FAILED, .result = ERR_GONE}, "wait 200"},
        {320, {.type = REFLECTOR_TIMER}, "list"},
        {330, {.type = REFLECTOR_FAILED, .result = -EAGAIN, .retry_after_ms = 9000}, "wait 9000"},
        {9330, {.type = REFLECTOR_TIMER}, "list"},
        {9340, {.type = REFLECTOR_PAGE, V("100"), .last = true}, "sweep watch@100/300s"},
        /* the server is away: the watch goes on from where it was */
        {9350, {.type = REFLECTOR_ENDED, .result = -ECONNRESET}, "wait 800"},
        {10150, {.type = REFLECTOR_TIMER}, "watch@100/300s"},
        {10160, {.type = REFLECTOR_PROGRESS, V("105")}, "-"},
        {10170, {.type = REFLECTOR_ENDED, .result = -ECONNRESET}, "wait 100"},
        {10270, {.type = REFLECTOR_TIMER}, "watch@105/300s"},
        /* a server that ends every watch at once is not hammered */
        {10280, {.type = REFLECTOR_ENDED}, "wait 200"},
        {10300, {.type = REFLECTOR_RELIST}, "cancel list"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_doubts(void)
{
    static const struct step steps[] = {
        {0, {.type = REFLECTOR_START}, "list"},
        {0, {.type = REFLECTOR_PAGE, V("100"), .last = true}, "sweep watch@100/300s"},
        {10, {.type = REFLECTOR_BOOKMARK, V("150")}, "-"},
        /* broken bytes, or a kind that is no longer served */
        {20, {.type = REFLECTOR_ENDED, .result = ERR_PROTOCOL}, "list"},
        {30, {.type = REFLECTOR_PAGE, V("160"), .last = true}, "sweep watch@160/300s"},
        {40, {.type = REFLECTOR_PROGRESS, V("161")}, "-"},
        {50, {.type = REFLECTOR_ENDED, .result = -ENOENT}, "list"},
        {60, {.type = REFLECTOR_PAGE, V("170"), .last = true}, "sweep watch@170/300s"},
        /* a server restored from a backup goes back in time */
        {70, {.type = REFLECTOR_BOOKMARK, V("90")}, "cancel list"},
        {80, {.type = REFLECTOR_PAGE, V("91"), .last = true}, "sweep watch@91/300s"},
        /* versions that are no numbers are not compared */
        {90, {.type = REFLECTOR_BOOKMARK, V("x1")}, "-"},
        {91, {.type = REFLECTOR_BOOKMARK, V("5")}, "-"},
        {92, {.type = REFLECTOR_PROGRESS, V("")}, "cancel list"},
        {93, {.type = REFLECTOR_PAGE, V(""), .last = true}, "wait 100"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

/* A kind that is not installed is asked for ever more rarely, and followed once it is there. */
static void test_absent(void)
{
    struct reflector_state state;
    reflector_state_init(&state);
    struct reflector_event start = {.type = REFLECTOR_START}, timer = {.type = REFLECTOR_TIMER};
    struct reflector_event absent = {.type = REFLECTOR_FAILED, .result = -ENOENT};
    struct reflector_action action = reflector_step(&state, &start, 0, UINT32_MAX);
    uint64_t last = 0;
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(action.deed, REFLECTOR_DO_LIST);
        action = reflector_step(&state, &absent, 0, UINT32_MAX);
        CU_ASSERT_EQUAL(action.deed, REFLECTOR_DO_WAIT);
        CU_ASSERT(action.wait_ms >= last);
        last = action.wait_ms;
        action = reflector_step(&state, &timer, 0, 0);
    }
    CU_ASSERT_EQUAL(last, 29999);
    struct reflector_event away = {.type = REFLECTOR_FAILED, .result = -ECONNREFUSED};
    action = reflector_step(&state, &away, 0, UINT32_MAX);
    CU_ASSERT_EQUAL(action.wait_ms, 9999);
}

TEST_MAIN("common/kube reflector", TEST(test_normal_life), TEST(test_gone), TEST(test_failures),
          TEST(test_absent), TEST(test_doubts))
