/* What is said of addresses where nothing can be listened on. */
#include "speaker/apply.h"
#include "speaker/test_objects.h"
#include "speaker/test_scene.h"

static bool may_answer(void *ctx)
{
    (void)ctx;
    return true;
}

static void ask(void *ctx, struct str member, const struct ip *ip)
{
    (void)ctx;
    (void)member;
    (void)ip;
}

static bool known(void *ctx, const struct ip *ip)
{
    (void)ctx;
    (void)ip;
    return false;
}

static void note(void *ctx, const struct apply_note *note)
{
    (void)ctx;
    (void)note;
}

static void changed(void *ctx)
{
    (void)ctx;
}

/* No interface has that name, so whoever runs this cannot open it. */
static struct str gone[] = {STR_INIT("gone 0"), STR_INIT("gone 1"), STR_INIT("gone 2"),
                            STR_INIT("gone 3"), STR_INIT("gone 4")};

enum { AT_ONCE = 4 }; /* so many interfaces are opened before a plan is carried out */

/* Carries out the plan of the only node with the first `count` interfaces, and compares what it
 * then says of the address: "owning", "owning claims" and so on. */
static void check(size_t count, const char *want)
{
    static const struct apply_calls calls = {
        .may_answer = may_answer, .ask = ask, .known = known, .note = note, .changed = changed};
    static const struct stations nobody = {0};
    const struct ip ip = ip_v4(192, 0, 2, 1);
    struct scene s;
    struct iface ifaces[TEST_COUNT(gone)];
    for (size_t i = 0; i < count; i++)
        ifaces[i] = (struct iface){.index = 0x7fffff00u + (uint32_t)i,
                                   .name = gone[i],
                                   .mac = {{2, 0, 0, 0, 0, 1}},
                                   .ethernet = true,
                                   .up = true,
                                   .running = true,
                                   .broadcast = true};
    scene_init(&s);
    scene_apply(&s, CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}"));
    s.view.interfaces = (struct str_list){.items = gone, .count = count};
    struct loop *loop = loop_new();
    struct apply *apply = apply_new(loop, &(struct apply_options){.seed = 1}, &calls, NULL);
    struct apply_input input = {
        .ifaces = ifaces, .iface_count = count, .plan = scene_plan(&s, "n2"), .stations = &nobody};
    TEST_ASSERT(apply_run(apply, &input) == 1);
    TEST_STR(arena_printf(s.arena, "%s%s%s", tenure_state_name(apply_state(apply, &ip)),
                          apply_answers(apply, &ip) ? " answers" : "",
                          apply_claims(apply, &ip) ? " claims" : ""),
             want);
    (void)apply_free(apply);
    (void)loop_free(loop);
    scene_done(&s);
}

/* The former owner goes on, and one that yielded to this node takes it back. */
static void test_nothing_can_be_listened_on(void)
{
    check(1, "owning");
    check(AT_ONCE, "owning");
}

/* One that is opened in a moment may be well. */
static void test_one_waits(void)
{
    check(AT_ONCE + 1, "owning claims");
}

TEST_MAIN("speaker/apply", TEST(test_nothing_can_be_listened_on), TEST(test_one_waits))
