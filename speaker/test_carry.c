/* The book of carried addresses as they move and members come and go, for node n1. */
#include "speaker/carry.h"
#include "speaker/test_objects.h"
#include "speaker/test_scene.h"

static const char cluster[] = CLUSTER L2("all", "");

struct world {
    struct scene scenes[2]; /* in turns: the plan before, and the one that is made */
    unsigned turn;
    const struct plan *before;
    struct carry_book *book;
};

static struct ip address_of(void *ctx, struct str node, enum ip_family family)
{
    (void)ctx; /* n3 has no address that can be sent to */
    return family == IP_V4 && str_eq(node, STR("n2"))
               ? (struct ip){.family = IP_V4, .bytes = {198, 51, 100, 2}}
               : (struct ip){0};
}

static bool may_carry(void *ctx, const struct ip *ip)
{
    return ip->bytes[3] != *(const uint8_t *)ctx;
}

/* One letter for each of n1, n2, n3: alive (a), dead (d), left (l), not there (-). */
static void set_members(struct scene *s, const char *letters)
{
    struct gossip_member *list = arena_array(s->arena, 3, sizeof(*list));
    struct meta_interface *interface = arena_alloc(s->arena, sizeof(*interface));
    *interface = (struct meta_interface){.name = STR("eth0"), .ipv4 = true, .ipv6 = true};
    size_t count = 0;
    for (unsigned i = 0; letters[i]; i++) {
        if (letters[i] == '-')
            continue;
        list[count++] = (struct gossip_member){
            .name = arena_printf(s->arena, "n%u", i + 1),
            .self = i == 0,
            .state = letters[i] == 'd'   ? GOSSIP_DEAD
                     : letters[i] == 'l' ? GOSSIP_LEFT
                                         : GOSSIP_ALIVE,
            .meta = {.role = GOSSIP_SPEAKER, .interfaces = interface, .count = 1},
        };
    }
    s->view.watches = true;
    s->view.members = list;
    s->view.member_count = count;
}

/* Time goes on to that many seconds. "192.0.2.1>198.51.100.2 3600 192.0.2.2>…", with the seconds
 * that are left; behind it "!" when it has changed. */
static struct str step(struct world *w, const char *yaml, const char *members, uint64_t seconds)
{
    static const uint8_t handed = 3; /* 192.0.2.3 */
    struct scene *s = &w->scenes[w->turn];
    scene_apply(&w->scenes[0], yaml);
    scene_apply(&w->scenes[1], yaml);
    set_members(s, members);
    struct carry_input input = {.before = w->before,
                                .plan = scene_plan(s, "n1"),
                                .view = &s->view,
                                .now_ms = seconds * 1000,
                                .address_of = address_of,
                                .may_carry = may_carry,
                                .ctx = (void *)(uintptr_t)&handed};
    bool changed = carry_update(w->book, &input);
    size_t count;
    const struct carry *list = carry_list(w->book, &count);
    struct sbuf text = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, "%s>%s %u ", ip_format(&list[i].ip).text, ip_format(&list[i].to).text,
                    (unsigned)(list[i].until_ms / 1000 - seconds));
    sbuf_puts(&text, changed ? "!" : "");
    w->before = input.plan;
    w->turn = 1 - w->turn;
    return sbuf_move(&text, s->arena);
}

static struct world world_new(void)
{
    struct world w = {.book = carry_book_new()};
    for (size_t i = 0; i < 2; i++) {
        scene_init(&w.scenes[i]);
        scene_apply(&w.scenes[i], cluster);
    }
    return w;
}

static void world_done(struct world *w)
{
    (void)carry_book_free(w->book);
    scene_done(&w->scenes[0]);
    scene_done(&w->scenes[1]);
}

#define WEB(order) SERVED("web", PLACED(order), "", "{ip: 192.0.2.1}")
#define MAIL(order) SERVED("mail", PLACED(order), "", "{ip: 192.0.2.2}")
#define HANDED(order) SERVED("handed", PLACED(order), "", "{ip: 192.0.2.3}")

struct step {
    const char *yaml, *members;
    uint64_t seconds;
    const char *want;
};

static void check(const struct step *steps, size_t count)
{
    struct world w = world_new();
    for (size_t i = 0; i < count; i++)
        TEST_STR(step(&w, steps[i].yaml, steps[i].members, steps[i].seconds), steps[i].want);
    world_done(&w);
}
#define CHECK(steps) check((steps), TEST_COUNT(steps))

static void test_moves(void)
{
    static const struct step steps[] = {
        {WEB("1 n1 n2"), "aaa", 0, ""}, /* no plan was before */
        {WEB("2 n2 n1"), "aaa", 10, ""},
        {WEB("3 n1 n2"), "aaa", 20, "192.0.2.1>198.51.100.2 3600 !"},
        {WEB("3 n1 n2"), "aaa", 30, "192.0.2.1>198.51.100.2 3590 "},
        {WEB("4 n3 n1"), "aaa", 40, "192.0.2.1>198.51.100.2 3580 "}, /* for whom n3 sends here */
        {WEB("5 n1 n3"), "aaa", 50, "192.0.2.1>198.51.100.2 3570 "}, /* n3 cannot be sent to */
        {WEB("6 n2 n1"), "aaa", 60, "192.0.2.1>198.51.100.2 2 !"},   /* it has gone back */
        {WEB("6 n2 n1"), "aaa", 61, "192.0.2.1>198.51.100.2 1 "},
        {WEB("6 n2 n1"), "aaa", 62, ""},
        {WEB("7 n1 n2"), "aaa", 70, "192.0.2.1>198.51.100.2 3600 !"},
        {WEB("7 n1 n2"), "aaa", 3671, ""}, /* over, which the kernel knows by itself */
    };
    CHECK(steps);
}

/* Back to n2, which sends here from then on, and on before the moment is over in which this node
 * sends to n2: it is not drawn out, or packets would go round for as long. */
static void test_back_and_on(void)
{
    static const struct step steps[] = {
        {WEB("1 n2 n1"), "aaa", 0, ""},
        {WEB("2 n1 n2"), "aaa", 10, "192.0.2.1>198.51.100.2 3600 !"},
        {WEB("3 n2 n1"), "aaa", 20, "192.0.2.1>198.51.100.2 2 !"},
        {WEB("4 n3 n2"), "aaa", 20, "192.0.2.1>198.51.100.2 2 "},
        {WEB("4 n3 n2"), "aaa", 21, "192.0.2.1>198.51.100.2 1 "},
        {WEB("4 n3 n2"), "aaa", 22, ""},
    };
    CHECK(steps);
}

static void test_members(void)
{
    static const struct step steps[] = {
        {WEB("1 n2 n1") MAIL("1 n2 n1") HANDED("1 n2 n1"), "aaa", 0, ""},
        {WEB("2 n1 n2") HANDED("2 n1 n2"), "aaa", 10, "192.0.2.1>198.51.100.2 3600 !"},
        /* Its speaker goes, as when it is replaced; mail comes here only now, and not as planned.
         */
        {"", "ala", 20, "192.0.2.1>198.51.100.2 60 !"},
        {"", "ala", 30, "192.0.2.1>198.51.100.2 50 "},
        {"", "aaa", 40, "192.0.2.1>198.51.100.2 3570 !"}, /* it is there again */
        {"", "ada", 50, "!"},                             /* a failure: nobody to send to */
        {"", "aaa", 60, ""},
    };
    CHECK(steps);
}

/* A node that fails is not sent to, though it had the address. */
static void test_failures(void)
{
    static const struct step steps[] = {
        {WEB("1 n2 n1"), "aaa", 0, ""},
        {WEB("1 n2 n1"), "ada", 10, ""},
        {WEB("1 n2 n1"), "aaa", 20, ""},
        {WEB("2 n1 n2"), "a-a", 30, ""},
    };
    CHECK(steps);
}

/* A new process goes on where the last one ended, as far as that still holds. */
static void test_restored(void)
{
    static const struct step steps[] = {
        {WEB("1 n1 n2") MAIL("1 n2 n1"), "aaa", 100,
         /* mail has gone back, and 192.0.2.3 is nobody's */
         "192.0.2.1>198.51.100.2 3510 192.0.2.2>198.51.100.2 2 !"},
        {WEB("1 n1 n2") MAIL("1 n2 n1"), "ala", 110, "192.0.2.1>198.51.100.2 60 !"},
    };
    struct ip to = {.family = IP_V4, .bytes = {198, 51, 100, 2}};
    struct carry kept[] = {{.node = STR("n2"), .to = to, .moved_ms = 10000, .until_ms = 120000},
                           {.node = STR("n2"), .to = to, .moved_ms = 10000, .until_ms = 3610000},
                           {.node = STR("n2"), .to = to, .moved_ms = 10000, .until_ms = 3610000}};
    static const uint8_t last[] = {3, 1, 2};
    struct world w = world_new();
    for (size_t i = 0; i < TEST_COUNT(kept); i++)
        kept[i].ip = (struct ip){.family = IP_V4, .bytes = {192, 0, 2, last[i]}};
    carry_restore(w.book, kept, TEST_COUNT(kept));
    const struct carry *found = carry_find(w.book, &kept[0].ip, 119999);
    TEST_ASSERT(found != NULL && found->until_ms == 120000);
    TEST_STR(found->node, "n2");
    TEST_ASSERT(carry_find(w.book, &kept[0].ip, 120000) == NULL);
    TEST_ASSERT(carry_find(w.book, &to, 0) == NULL);
    for (size_t i = 0; i < TEST_COUNT(steps); i++)
        TEST_STR(step(&w, steps[i].yaml, steps[i].members, steps[i].seconds), steps[i].want);
    world_done(&w);
}

TEST_MAIN("speaker/carry", TEST(test_moves), TEST(test_back_and_on), TEST(test_members),
          TEST(test_failures), TEST(test_restored))
