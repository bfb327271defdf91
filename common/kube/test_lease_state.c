#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/kube/lease_state.h"

static const struct lease_config config = {
    .identity = STR_INIT("me"), .lease_ms = 15000, .renew_ms = 10000, .retry_ms = 2000};

/* One action as text: "gained update me/3/t2@5 wake 2000". */
static struct str action_text(struct arena *arena, const struct lease_action *action)
{
    static const char *const deeds[] = {"-", "read", "create", "update", "done"};
    static const char *const changes[] = {"", "gained ", "succeeded ", "resumed ", "lost "};
    struct sbuf out = {0};
    sbuf_puts(&out, action->cancel ? "cancel " : "");
    sbuf_puts(&out, changes[action->change]);
    sbuf_puts(&out, deeds[action->deed]);
    if (action->deed == LEASE_DO_CREATE || action->deed == LEASE_DO_UPDATE)
        sbuf_printf(&out, " '" STR_FMT "' %llds t%lld @" STR_FMT, STR_ARG(action->record.holder),
                    (long long)action->record.duration_s, (long long)action->record.transitions,
                    STR_ARG(action->record.version));
    if (action->wake_at != UINT64_MAX)
        sbuf_printf(&out, " wake %llu", (unsigned long long)action->wake_at);
    return sbuf_move(&out, arena);
}

struct step {
    uint64_t now;
    struct lease_event event;
    const char *want;
};

static void run_steps(const struct step *steps, size_t count)
{
    struct lease_state state;
    lease_state_init(&state, &config);
    for (size_t i = 0; i < count; i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct lease_clock clock = {.now = steps[i].now,
                                    .wall_ns = (int64_t)steps[i].now * 1000000};
        struct lease_action action = lease_step(&state, &steps[i].event, &clock);
        TEST_STR(action_text(arena, &action), steps[i].want);
    }
    lease_state_done(&state);
}

#define EV(kind)        \
    {                   \
        .type = (kind), \
    }
#define RECORD(who, seconds, count, when, version_text) \
    {                                                   \
        .type = LEASE_READ,                             \
        .record = {                                     \
            .holder = STR_INIT(who),                    \
            .duration_s = (seconds),                    \
            .transitions = (count),                     \
            .acquired = STR_INIT("a"),                  \
            .renewed = STR_INIT(when),                  \
            .version = STR_INIT(version_text),          \
        },                                              \
    }
#define WRITTEN(version_text)                                                 \
    {                                                                         \
        .type = LEASE_WRITTEN, .record = {.version = STR_INIT(version_text) } \
    }

static void test_first_holder(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_TIMER), "-"},
        {0, EV(LEASE_START), "read"},
        {100, EV(LEASE_ABSENT), "create 'me' 15s t0 @"},
        {200, WRITTEN("1"), "gained - wake 2100"},
        {2100, EV(LEASE_TIMER), "update 'me' 15s t0 @1 wake 10100"},
        {2150, WRITTEN("2"), "- wake 4100"},
        {3000, EV(LEASE_STOP), "cancel lost update '' 1s t0 @2 wake 12100"},
        {3100, WRITTEN("3"), "done"},
        {3200, EV(LEASE_TIMER), "-"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_standby_takes_over(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {10, RECORD("other", 15, 3, "r1", "7"), "- wake 2010"},
        {2010, EV(LEASE_TIMER), "read"},
        {2020, RECORD("other", 15, 3, "r2", "8"), "- wake 4020"},
        {4020, EV(LEASE_TIMER), "read"},
        /* no change since 2020: wait for its end, however old its renewTime looks */
        {16000, RECORD("other", 15, 3, "r2", "8"), "- wake 17020"},
        {17020, EV(LEASE_TIMER), "read"},
        {17030, RECORD("other", 15, 3, "r2", "8"), "update 'me' 15s t4 @8"},
        {17040, WRITTEN("9"), "succeeded - wake 19030"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_released_lease(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {10, RECORD("", 1, 3, "r1", "7"), "update 'me' 15s t4 @7"},
        /* another was faster */
        {20, EV(LEASE_CONFLICT), "- wake 2020"},
        {2020, EV(LEASE_TIMER), "read"},
        {2030, RECORD("other", 15, 4, "r2", "8"), "- wake 4030"},
        {2040, EV(LEASE_STOP), "cancel done"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_renewal_fails(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {0, EV(LEASE_ABSENT), "create 'me' 15s t0 @"},
        {10, WRITTEN("1"), "gained - wake 2000"},
        {2000, EV(LEASE_TIMER), "update 'me' 15s t0 @1 wake 10000"},
        {4000, EV(LEASE_FAILED), "- wake 6000"},
        {6000, EV(LEASE_TIMER), "update 'me' 15s t0 @1 wake 10000"},
        /* the first try had been done after all: read its version and go on */
        {6010, EV(LEASE_CONFLICT), "read wake 10000"},
        {6020, RECORD("me", 15, 0, "r2", "2"), "update 'me' 15s t0 @2 wake 10000"},
        {6030, EV(LEASE_FAILED), "- wake 8030"},
        {8030, EV(LEASE_TIMER), "update 'me' 15s t0 @2 wake 10000"},
        {9999, EV(LEASE_TIMER), "- wake 10000"},
        /* the deadline: others take over 15 s after the last change they saw */
        {10000, EV(LEASE_TIMER), "cancel lost read"},
        {10010, EV(LEASE_FAILED), "- wake 12010"},
        {12010, EV(LEASE_TIMER), "read"},
        {12020, RECORD("me", 15, 0, "r2", "2"), "update 'me' 15s t0 @2"},
        {12030, WRITTEN("3"), "resumed - wake 14020"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

/* A try to take it over seems to fail, and was done all the same. */
static void test_takes_over_without_knowing(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {0, RECORD("other", 1, 3, "r1", "7"), "- wake 1000"},
        {1000, EV(LEASE_TIMER), "read"},
        {1000, RECORD("other", 1, 3, "r1", "7"), "update 'me' 15s t4 @7"},
        {1100, EV(LEASE_FAILED), "- wake 3100"},
        {3100, EV(LEASE_TIMER), "read"},
        {3100, RECORD("me", 15, 4, "r2", "8"), "update 'me' 15s t4 @8"},
        {3200, WRITTEN("9"), "succeeded - wake 5100"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

/* Somebody deletes the Lease: who holds it does not know yet, and may write until it would have run
 * out. */
static void test_lease_deleted(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {0, RECORD("other", 3, 3, "r1", "7"), "- wake 2000"},
        {2000, EV(LEASE_TIMER), "read"},
        {2000, EV(LEASE_ABSENT), "- wake 3000"},
        {3000, EV(LEASE_TIMER), "read"},
        {3000, EV(LEASE_ABSENT), "create 'me' 15s t0 @"},
        {3100, WRITTEN("9"), "succeeded - wake 5000"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

/* What was taken over from a dead leader is not given back as if all its writes were over. */
static void test_stopped_while_taking_over(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {0, RECORD("other", 1, 3, "r1", "7"), "- wake 1000"},
        {1000, EV(LEASE_TIMER), "read"},
        {1000, RECORD("other", 1, 3, "r1", "7"), "update 'me' 15s t4 @7"},
        {1100, EV(LEASE_STOP), "- wake 11100"},
        {1200, WRITTEN("8"), "done"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

static void test_lease_taken_away(void)
{
    static const struct step steps[] = {
        {0, EV(LEASE_START), "read"},
        {0, EV(LEASE_ABSENT), "create 'me' 15s t0 @"},
        {10, WRITTEN("1"), "gained - wake 2000"},
        {2000, EV(LEASE_TIMER), "update 'me' 15s t0 @1 wake 10000"},
        {2010, EV(LEASE_CONFLICT), "read wake 10000"},
        {2020, RECORD("other", 15, 1, "r9", "5"), "lost - wake 4020"},
    };
    run_steps(steps, TEST_COUNT(steps));
}

/* A stop while a write is under way waits for its version, but not past the deadline. */
static void test_stop_while_writing(void)
{
    static const struct step done[] = {
        {0, EV(LEASE_START), "read"},        {0, EV(LEASE_ABSENT), "create 'me' 15s t0 @"},
        {5, EV(LEASE_STOP), "- wake 10005"}, {10, WRITTEN("1"), "update '' 1s t0 @1 wake 10000"},
        {20, EV(LEASE_FAILED), "done"},
    };
    run_steps(done, TEST_COUNT(done));
    static const struct step stuck[] = {
        {0, EV(LEASE_START), "read"},
        {0, EV(LEASE_ABSENT), "create 'me' 15s t0 @"},
        {10, WRITTEN("1"), "gained - wake 2000"},
        {2000, EV(LEASE_TIMER), "update 'me' 15s t0 @1 wake 10000"},
        {2010, EV(LEASE_STOP), "lost - wake 10000"},
        {2020, EV(LEASE_STOP), "- wake 10000"},
        {10000, EV(LEASE_TIMER), "cancel done"},
    };
    run_steps(stuck, TEST_COUNT(stuck));
}

static void test_body(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct lease_record record = {.holder = STR("a\"b"),
                                  .duration_s = 15,
                                  .transitions = 2,
                                  .acquired = STR("x"),
                                  .renewed = STR("y"),
                                  .version = STR("12")};
    struct str body = lease_body(&record, STR("ns"), STR("n"), arena);
    TEST_STR(body, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
                   "\"namespace\":\"ns\",\"name\":\"n\",\"resourceVersion\":\"12\"},\"spec\":{"
                   "\"holderIdentity\":\"a\\\"b\",\"leaseDurationSeconds\":15,"
                   "\"leaseTransitions\":2,\"acquireTime\":\"x\",\"renewTime\":\"y\"}}");
    json_t *tree = json_loadb(body.ptr, body.len, 0, NULL);
    struct lease_record back = lease_decode(tree, arena);
    json_decref(tree);
    TEST_STR(back.holder, "a\"b");
    TEST_STR(back.renewed, "y");
    TEST_STR(back.version, "12");
    CU_ASSERT_EQUAL(back.duration_s, 15);
    CU_ASSERT_EQUAL(back.transitions, 2);
    struct lease_record empty = lease_decode(NULL, arena);
    TEST_STR(empty.holder, "");
    CU_ASSERT_EQUAL(empty.duration_s, 0);
}

TEST_MAIN("common/kube lease", TEST(test_first_holder), TEST(test_standby_takes_over),
          TEST(test_released_lease), TEST(test_renewal_fails),
          TEST(test_takes_over_without_knowing), TEST(test_lease_deleted),
          TEST(test_stopped_while_taking_over), TEST(test_lease_taken_away),
          TEST(test_stop_while_writing), TEST(test_body))
