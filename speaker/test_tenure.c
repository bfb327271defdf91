/* The machine by tables, one story each; then whole hand-overs between several of them, whose
 * messages are lost, doubled and late. */
#include "speaker/test_tenure_net.h"

#include "common/base/sbuf.h"

/* --- events, as short as they can be told ---------------------------------------------------- */

#define PLANNED(...)                                    \
    {                                                   \
        .kind = TENURE_PLANNED, .plan = { __VA_ARGS__ } \
    }
#define OURS .whose = TENURE_OURS, .standing = {.epoch = 5}, .peer_lives = true
#define THEIRS(node) \
    .whose = TENURE_THEIRS, .owner = STR_INIT(node), .owner_hears = true, .peer_lives = true
#define CLAIMED(node, ...)                                                        \
    {                                                                             \
        .kind = TENURE_CLAIMED, .claim = {.member = STR_INIT(node), __VA_ARGS__ } \
    }
#define HEARD(node)                                    \
    {                                                  \
        .kind = TENURE_HEARD, .member = STR_INIT(node) \
    }
#define TAKES .answers = true, .claims = true
#define FRESH .asked = UINT64_MAX
#define BETTER .order = 1
#define WORSE .order = -1

static const char *const notes[] = {
    [TENURE_NOTHING] = "",           [TENURE_CONFIRMED] = " confirmed",
    [TENURE_EXPIRED] = " expired",   [TENURE_YIELDED] = " yielded",
    [TENURE_RESUMED] = " resumed",   [TENURE_CONFLICT] = " conflict",
    [TENURE_TRESPASS] = " trespass", [TENURE_IN_USE] = " in-use",
    [TENURE_UNCLEAR] = " unclear",
};
_Static_assert(TEST_COUNT(notes) == TENURE_NOTES, "a name each");

/* "owning answers claims ask=n2 conflict": the state, what others are to see of it, what is to be
 * done, what is to be told. */
static void put_outcome(struct sbuf *out, const struct tenure *t, const struct tenure_actions *a)
{
    sbuf_printf(out, "%s%s%s%s%s%s%s%s", tenure_state_name(t->state),
                tenure_answers(t) ? " answers" : "", tenure_claims(t) ? " claims" : "",
                t->silent ? " silent" : "", a->announce ? " announce" : "",
                a->defend ? " defend" : "", a->probe ? " probe" : "",
                a->probe_stop ? " probe-stop" : "");
    TEST_ASSERT(!a->ask_all || a->ask.len);
    if (a->ask.len)
        sbuf_printf(out, " ask=" STR_FMT "%s", STR_ARG(a->ask), a->ask_all ? ",all" : "");
    sbuf_puts(out, notes[a->note]);
}

struct row {
    uint64_t at;
    struct tenure_event event;
    const char *want;
};

static void run(const struct row *rows, size_t count)
{
    struct tenure tenure = {0};
    scoped_sbuf struct sbuf out = {0};
    for (size_t i = 0; i < count; i++) {
        struct tenure_actions actions = tenure_step(&tenure, &rows[i].event, rows[i].at);
        sbuf_clear(&out);
        put_outcome(&out, &tenure, &actions);
        if (!str_eq(sbuf_str(&out), str_from(rows[i].want)))
            printf("\nrow %zu at %u ms", i, (unsigned)rows[i].at);
        TEST_STR(sbuf_str(&out), rows[i].want);
    }
}

#define RUN(...)                                        \
    do {                                                \
        static const struct row rows[] = {__VA_ARGS__}; \
        run(rows, TEST_COUNT(rows));                    \
    } while (0)

#define TICK                \
    {                       \
        .kind = TENURE_TICK \
    }
#define FREE                \
    {                       \
        .kind = TENURE_FREE \
    }
#define TAKEN                \
    {                        \
        .kind = TENURE_TAKEN \
    }
#define UNCLEAR                              \
    {                                        \
        .kind = TENURE_TAKEN, .unsure = true \
    }
#define STRANGER                \
    {                           \
        .kind = TENURE_STRANGER \
    }
#define UNSURE                                  \
    {                                           \
        .kind = TENURE_STRANGER, .unsure = true \
    }

/* --- stories --------------------------------------------------------------------------------- */

static void test_own_and_leave(void)
{
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(OURS, .known = true),
         "owning answers claims"}, /* planned again: nothing new */
        {30, TICK, "owning answers claims"}, {40, PLANNED(.whose = TENURE_NOBODYS), "none"},
        {50, PLANNED(.whose = TENURE_NOBODYS), "none"}, {60, PLANNED(THEIRS("n2")), "none"});
    /* a node that died leaves nobody to tell */
    RUN({10, PLANNED(THEIRS("n2"), .may_serve = true), "none"},
        {20, PLANNED(OURS, .known = true), "owning answers claims announce"});
    /* this node may not serve any more: at once, whoever comes next */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = false), "none"});
}

static void test_probe(void)
{
    RUN({10, PLANNED(OURS), "probing probe"}, {20, PLANNED(OURS), "probing"},
        {300, FREE, "owning answers claims announce"}, {310, TAKEN, "owning answers claims"},
        /* late: the probe is over */);
    RUN({10, PLANNED(OURS), "probing probe"}, {20, TAKEN, "refused in-use"},
        {30, PLANNED(OURS), "refused"}, {30019, TICK, "refused"}, {30020, TICK, "probing probe"},
        {30030, UNCLEAR, "refused unclear"}, {60030, TICK, "probing probe"},
        {60330, FREE, "owning answers claims announce"});
    /* who had it then is perhaps a member, as is known now */
    RUN({10, PLANNED(OURS), "probing probe"}, {20, UNCLEAR, "refused unclear"},
        {30, PLANNED(OURS), "refused"}, {40, PLANNED(OURS, .met = true), "probing probe"},
        {50, PLANNED(OURS, .met = true), "probing"}, {340, FREE, "owning answers claims announce"},
        {350, PLANNED(OURS, .met = true), "owning answers claims"});
    RUN({10, PLANNED(OURS), "probing probe"},
        {20, PLANNED(.whose = TENURE_NOBODYS), "none probe-stop"}, {30, FREE, "none"}, /* late */
        {40, PLANNED(OURS), "probing probe"},
        {50, PLANNED(THEIRS("n2"), .may_serve = true), "none probe-stop"},
        {60, PLANNED(OURS), "probing probe"}, {70, TAKEN, "refused in-use"},
        {80, PLANNED(.whose = TENURE_NOBODYS), "none"});
    /* what a member has is no stranger's */
    RUN({10, PLANNED(OURS), "probing probe"},
        {20, PLANNED(OURS, .known = true), "owning answers claims announce probe-stop"});
    RUN({10, PLANNED(OURS), "probing probe"},
        {20, HEARD("n2"), "owning answers claims announce probe-stop ask=n2"});
    RUN({10, PLANNED(OURS), "probing probe"}, {20, CLAIMED("n2", WORSE), "probing"},
        {30, CLAIMED("n2", TAKES, WORSE), "owning answers claims announce probe-stop ask=n2"});
    RUN({10, PLANNED(OURS), "probing probe"},
        {30, CLAIMED("n2", TAKES, BETTER), "yielding probe-stop yielded"});
}

static void test_hand_over(void)
{
    /* by claim; an answer without a claim is that of another who waits */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers"},
        {21, CLAIMED("n2", WORSE), "handing answers"},
        {22, CLAIMED("n2", .answers = true, WORSE), "handing answers"},
        {119, TICK, "handing answers"}, {120, TICK, "handing answers ask=n2"},
        {220, TICK, "handing answers ask=n2"},
        {230, CLAIMED("n3", TAKES, WORSE, FRESH),
         "handing answers"}, /* not the one, nor of a newer order */
        {235, CLAIMED("n2", TAKES, WORSE), "handing answers"},
        /* said before it was asked */
        {236, CLAIMED("n2", TAKES, WORSE, .asked = 19), "handing answers"},
        {240, CLAIMED("n2", TAKES, WORSE, .asked = 20), "none confirmed"},
        {250, CLAIMED("n2", TAKES, WORSE, FRESH), "none"}); /* said twice */
    /* a third one with a newer order serves as well */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {30, CLAIMED("n3", TAKES, BETTER), "handing answers"},
        {40, CLAIMED("n3", TAKES, BETTER, FRESH), "none confirmed"});
    /* a frame that is heard makes us ask, and is believed when messages do not get through */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {25, HEARD("n3"), "handing answers"}, {30, HEARD("n2"), "handing answers ask=n2"},
        {40, HEARD("n2"), "handing answers ask=n2"}, {50, HEARD("n2"), "none confirmed"});
    /* silent for as long as it likes: nothing stops */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {3600000, TICK, "handing answers ask=n2"}, {3600100, TICK, "handing answers ask=n2"},
        /* until it dies, and the address goes elsewhere or comes back */
        {3600200, PLANNED(THEIRS("n3"), .may_serve = true), "handing answers ask=n3"},
        {3600300, PLANNED(.whose = TENURE_OURS, .standing = {.epoch = 5}, .known = true),
         "owning answers claims announce"});
    /* it comes back while the new owner lives: that one is told */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {30, PLANNED(OURS, .known = true), "owning answers claims announce ask=n2"},
        {130, TICK, "owning answers claims ask=n2"},
        {140, CLAIMED("n2", WORSE), "owning answers claims"}, {240, TICK, "owning answers claims"});
    /* one that may have begun long ago is asked before anything is said: it has */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true, .has_begun = true), "handing silent ask=n2"},
        {21, PLANNED(THEIRS("n2"), .may_serve = true), "handing silent"},
        {22, CLAIMED("n3", .answers = true, FRESH), "handing silent"},
        {25, CLAIMED("n2", TAKES, WORSE, FRESH), "none confirmed"});
    /* it has not; or it does not say */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true, .has_begun = true), "handing silent ask=n2"},
        {22, CLAIMED("n2", WORSE, .asked = 19), "handing silent"},
        {25, CLAIMED("n2", WORSE, FRESH), "handing answers"},
        {120, TICK, "handing answers ask=n2"});
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true, .has_begun = true), "handing silent ask=n2"},
        {120, TICK, "handing silent ask=n2"}, {220, TICK, "handing silent ask=n2"},
        {320, TICK, "handing answers ask=n2"},
        {330, PLANNED(OURS, .known = true), "owning answers claims announce ask=n2"});
    /* what it says is lost once */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true, .has_begun = true), "handing silent ask=n2"},
        {120, TICK, "handing silent ask=n2"},
        {125, CLAIMED("n2", TAKES, WORSE, FRESH), "none confirmed"});
    /* endpoints go while it waits */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {30, PLANNED(THEIRS("n2"), .may_serve = false), "none"});
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {30, PLANNED(.whose = TENURE_NOBODYS), "none"});
}

#define DEAF(node) .whose = TENURE_THEIRS, .owner = STR_INIT(node), .may_serve = true

/* Without gossip nobody can be asked: the wire says it, or a second has to be enough. */
static void test_hand_over_without_messages(void)
{
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(DEAF("n2")), "handing answers"}, {519, TICK, "handing answers"},
        {520, TICK, "none expired"});
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, PLANNED(DEAF("n2")), "handing answers"}, {30, STRANGER, "none confirmed"});
    /* the new owner knew before us */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, UNSURE, "owning answers claims trespass"},
        {519, PLANNED(DEAF("n2")), "none confirmed"});
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, UNSURE, "owning answers claims trespass"},
        {520, PLANNED(DEAF("n2")), "handing answers"});
}

static void test_take_over_tells_the_former_owner(void)
{
    RUN({10, PLANNED(OURS, .known = true, .before = STR_INIT("n1")),
         "owning answers claims announce ask=n1"},
        {50, CLAIMED("n1", .answers = true, WORSE), "owning answers claims"},
        {110, TICK, "owning answers claims ask=n1"},
        {120, CLAIMED("n2", WORSE), "owning answers claims"},
        {130, CLAIMED("n1", WORSE), "owning answers claims"}, {210, TICK, "owning answers claims"});
    /* it dies meanwhile */
    RUN({10, PLANNED(OURS, .known = true, .before = STR_INIT("n1")),
         "owning answers claims announce ask=n1"},
        {50, PLANNED(.whose = TENURE_OURS, .standing = {.epoch = 5}, .known = true),
         "owning answers claims"},
        {110, TICK, "owning answers claims"});
}

/* Nobody answers our questions: they end. */
static void test_asserting_ends(void)
{
    struct tenure t = {0};
    struct tenure_event plan = plan_of(TENURE_OURS, "");
    plan.plan.known = true;
    plan.plan.before = STR("n1");
    struct tenure_event tick = {.kind = TENURE_TICK};
    unsigned asked = 0;
    uint64_t now = 10;
    for (struct tenure_actions a = tenure_step(&t, &plan, now); t.due;
         a = tenure_step(&t, &tick, now = t.due))
        asked += a.ask.len != 0;
    TEST_ASSERT(asked == TENURE_ASSERTS && t.state == TENURE_OWNING && t.peer.len == 0);
    TEST_ASSERT(now == 10 + (uint64_t)TENURE_ASSERTS * TENURE_ASK_MS);
}

static void test_conflict(void)
{
    /* a member is heard, and turns out to have the worse claim */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, HEARD("n2"), "owning answers claims ask=n2 conflict"},
        {21, HEARD("n2"), "owning answers claims"},
        {30, CLAIMED("n2", TAKES, WORSE), "owning answers claims"},
        {120, TICK, "owning answers claims ask=n2"},
        {130, CLAIMED("n2", WORSE), "owning answers claims"}, {220, TICK, "owning answers claims"});
    /* or the better one: it is yielded to for as long as it holds */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, HEARD("n2"), "owning answers claims ask=n2 conflict"},
        {30, CLAIMED("n2", TAKES, BETTER, FRESH), "yielding yielded"},
        {40, PLANNED(OURS, .known = true), "yielding"}, {50, HEARD("n2"), "yielding"},
        {1030, TICK, "yielding ask=n2"}, {1031, CLAIMED("n2", TAKES, BETTER), "yielding"},
        {1032, CLAIMED("n3", WORSE), "yielding"}, {2030, TICK, "yielding ask=n2"},
        {2031, CLAIMED("n2", WORSE), "owning answers claims announce resumed"});
    /* it opens some of its interfaces anew, and answers on the others: it has not given it up */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", TAKES, BETTER, FRESH), "yielding yielded"},
        {1030, TICK, "yielding ask=n2"},
        {1031, CLAIMED("n2", .claims = true, BETTER, FRESH), "yielding"},
        {1032, CLAIMED("n2", .claims = true, WORSE, FRESH), "yielding"},
        {2030, TICK, "yielding ask=n2"},
        {2031, CLAIMED("n2", TAKES, WORSE, FRESH), "owning answers claims announce ask=n2 resumed"},
        {2040, CLAIMED("n2", .claims = true, WORSE, FRESH), "owning answers claims"},
        {2131, TICK, "owning answers claims ask=n2"},
        {2140, CLAIMED("n2", WORSE, FRESH), "owning answers claims"},
        {2231, TICK, "owning answers claims"});
    /* who was yielded to hands over to us */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", TAKES, BETTER, FRESH), "yielding yielded"},
        {40, CLAIMED("n2", .answers = true, BETTER),
         "owning answers claims announce ask=n2 resumed"});
    /* who was yielded to dies */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", TAKES, BETTER, FRESH), "yielding yielded"},
        {40, PLANNED(.whose = TENURE_OURS, .standing = {.epoch = 5}, .known = true),
         "owning answers claims announce"});
    /* our own order is a new one: the other is told */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", TAKES, BETTER, FRESH), "yielding yielded"},
        {40,
         PLANNED(.whose = TENURE_OURS, .standing = {.epoch = 9}, .known = true, .peer_lives = true),
         "owning answers claims announce ask=n2"});
    /* our order comes to say what theirs said */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", TAKES, BETTER, FRESH), "yielding yielded"},
        {40, PLANNED(THEIRS("n2"), .may_serve = true), "none"});
    /* a better claim of one that does not answer (yet) is no reason to stop */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", .claims = true, BETTER, FRESH), "owning answers claims"});
    /* nor is what was said before we began: it is asked again */
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {30, CLAIMED("n2", TAKES, BETTER, .asked = 9), "owning answers claims ask=n2"},
        {31, CLAIMED("n2", TAKES, BETTER), "owning answers claims"},
        {32, CLAIMED("n2", TAKES, BETTER, .asked = 30), "yielding yielded"});
}

/* Frames in the names of two members in turn: each counts, and one in a second is answered. */
static void test_frames_of_many(void)
{
    RUN({10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, HEARD("n2"), "owning answers claims ask=n2 conflict"},
        {21, HEARD("n3"), "owning answers claims conflict"},
        {22, HEARD("n2"), "owning answers claims"},
        {23, HEARD("n3"), "owning answers claims conflict"},
        {30, CLAIMED("n2", .asked = 20), "owning answers claims"},
        {31, HEARD("n2"), "owning answers claims conflict"},
        {1019, HEARD("n3"), "owning answers claims conflict"},
        {1020, HEARD("n3"), "owning answers claims ask=n3 conflict"},
        {1021, HEARD("n2"), "owning answers claims conflict"});
}

static void test_stranger(void)
{
    RUN({5, STRANGER, "none"}, {10, PLANNED(OURS, .known = true), "owning answers claims announce"},
        {20, STRANGER, "owning answers claims defend trespass"},
        {30, STRANGER, "owning answers claims trespass"}, /* RFC 5227: once in 10 s */
        {10019, STRANGER, "owning answers claims trespass"},
        {10020, STRANGER, "owning answers claims defend trespass"},
        {20030, UNSURE, "owning answers claims trespass"},
        {20040, PLANNED(THEIRS("n2"), .may_serve = true), "handing answers ask=n2"},
        {20050, STRANGER, "handing answers defend trespass"});
}

/* --- several machines and a bad network ------------------------------------------------------ */

/* Orders come to the nodes at random times; a few come to one node never. However that is, the
 * address is always answered for, and in the end by the owner of the newest order alone. */
static void test_moves_lose_nothing(void)
{
    enum { SEEDS = 300, SETTLE_MS = 6000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct net net;
        begin(&net, seed, (unsigned)(seed % 50));
        size_t owner = 0;
        for (uint64_t epoch = 2; epoch < 6; epoch++) {
            owner = (owner + 1 + draw(&net, NODES - 1)) % NODES;
            for (size_t i = 0, node = draw(&net, NODES); i < NODES;
                 i++, node = (node + 1) % NODES) {
                plan(&net, node, epoch, owner);
                pass(&net, draw(&net, 400));
            }
        }
        pass(&net, SETTLE_MS);
        check_sole(&net, owner);
    }
}

/* The API server is gone for the former owner, which hears nothing of the new order. */
static void test_move_that_the_former_owner_does_not_hear_of(void)
{
    enum { SEEDS = 200, SETTLE_MS = 6000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct net net;
        begin(&net, seed, (unsigned)(seed % 40));
        struct tenure_event event = plan_of(TENURE_OURS, "");
        event.plan.known = true;
        event.plan.before = names[0];
        event.plan.standing = (struct claim_standing){.epoch = 2};
        step(&net, 1, &event);
        plan(&net, 2, 2, 1);
        pass(&net, SETTLE_MS);
        check_sole(&net, 1);
        TEST_ASSERT(net.nodes[0].state == TENURE_YIELDING);
        plan(&net, 0, 2, 1); /* it hears at last */
        pass(&net, SETTLE_MS);
        check_sole(&net, 1);
        TEST_ASSERT(net.nodes[0].state == TENURE_NONE);
    }
}

/* It hears of a first move, but not of the second: who it hands over to has it no more. */
static void test_move_of_which_half_is_heard(void)
{
    enum { SEEDS = 100, SETTLE_MS = 8000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct net net;
        begin(&net, seed, (unsigned)(seed % 30));
        plan(&net, 0, 2, 1);
        plan(&net, 1, 3, 2);
        plan(&net, 2, 3, 2);
        pass(&net, SETTLE_MS);
        check_sole(&net, 2);
    }
}

/* The new owner dies before it has confirmed: its order stands, the next one is effective. */
static void test_new_owner_dies(void)
{
    enum { SEEDS = 200, SETTLE_MS = 3000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct net net;
        begin(&net, seed, 30);
        net.dead[1] = true; /* nobody has noticed */
        plan(&net, 0, 2, 1);
        plan(&net, 2, 2, 1);
        pass(&net, 100 + draw(&net, 500));
        check_sole(&(struct net){.nodes = {{.state = TENURE_OWNING}}}, 0);
        TEST_ASSERT(net.nodes[0].state == TENURE_HANDING);
        plan(&net, 0, 2, 2); /* noticed; in this order or the other */
        pass(&net, draw(&net, 200));
        plan(&net, 2, 2, 2);
        pass(&net, SETTLE_MS);
        check_sole(&net, 2);
    }
}

/* Each thinks that the other is to have it: both go on until one of them learns better. */
static void test_crossed_views(void)
{
    enum { SEEDS = 200, SETTLE_MS = 3000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct net net;
        begin(&net, seed, 20);
        plan(&net, 1, 2, 1); /* n2 takes it; n1 has not heard */
        pass(&net, draw(&net, 50));
        plan(&net, 1, 3, 0); /* and is to give it back */
        plan(&net, 0, 2, 1); /* which crosses the first order */
        pass(&net, SETTLE_MS);
        plan(&net, 0, 3, 0);
        plan(&net, 2, 3, 0);
        pass(&net, SETTLE_MS);
        check_sole(&net, 0);
    }
}

TEST_MAIN("speaker/tenure", TEST(test_own_and_leave), TEST(test_probe), TEST(test_hand_over),
          TEST(test_hand_over_without_messages), TEST(test_take_over_tells_the_former_owner),
          TEST(test_asserting_ends), TEST(test_conflict), TEST(test_frames_of_many),
          TEST(test_stranger), TEST(test_moves_lose_nothing),
          TEST(test_move_that_the_former_owner_does_not_hear_of),
          TEST(test_move_of_which_half_is_heard), TEST(test_new_owner_dies),
          TEST(test_crossed_views))
