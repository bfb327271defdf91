#include "common/base/test.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/gossip/gossip.h"

/* Two members in one process, on loopback addresses. */
enum { PORT = 17946, DEADLINE_MS = 20000 };

struct scene {
    struct loop *loop;
    char dir[64];
    struct gossip *members[2];
    struct loop_timer *deadline;
    struct sbuf heard;
    bool late;
};

static void out_of_time(void *ctx)
{
    struct scene *s = ctx;
    s->deadline = NULL;
    s->late = true;
    loop_stop(s->loop);
}

static bool sees(const struct gossip *gossip, const char *name, enum gossip_state state)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct gossip_member *list = gossip_list(gossip, arena, &count);
    const struct gossip_member *member = gossip_find(list, count, str_from(name));
    return member && member->state == state;
}

static void changed(void *ctx)
{
    struct scene *s = ctx;
    if (s->members[0] && s->members[1] && sees(s->members[0], "b", GOSSIP_ALIVE) &&
        sees(s->members[1], "a", GOSSIP_ALIVE) && gossip_is_settled(s->members[0]) &&
        gossip_is_settled(s->members[1]))
        loop_stop(s->loop);
}

static void message(void *ctx, struct str from, struct str bytes)
{
    struct scene *s = ctx;
    sbuf_printf(&s->heard, STR_FMT ": " STR_FMT, STR_ARG(from), STR_ARG(bytes));
    loop_stop(s->loop);
}

static void write_key(const struct scene *s, const char *text)
{
    scoped_sbuf struct sbuf path = {0};
    sbuf_printf(&path, "%s/secretkey", s->dir);
    FILE *file = fopen(sbuf_cstr(&path), "w");
    TEST_ASSERT(file != NULL);
    TEST_ASSERT(fputs(text, file) >= 0);
    TEST_ASSERT(fclose(file) == 0);
}

static struct gossip *open_member(struct scene *s, const char *name, struct ip ip)
{
    struct gossip_options options = {
        .name = str_from(name),
        .bind = ip,
        .port = PORT,
        .key_dir = str_from(s->dir),
        .hold_down_ms = GOSSIP_HOLD_DOWN_MS,
    };
    struct gossip_calls calls = {.changed = changed, .message = message};
    struct gossip *gossip = NULL;
    TEST_ASSERT(gossip_open(s->loop, &options, &calls, s, &gossip) == 0);
    return gossip;
}

static void test_two(void)
{
    struct scene s = {.loop = loop_new(), .dir = "/tmp/test-gossip-XXXXXX"};
    struct ip a = ip_v4(127, 0, 0, 11), b = ip_v4(127, 0, 0, 12);
    struct ip both[] = {a, b};
    TEST_ASSERT(mkdtemp(s.dir) != NULL);
    write_key(&s, "a secret of some length\n");
    s.deadline = loop_timer_start(s.loop, DEADLINE_MS, 0, out_of_time, &s);
    s.members[0] = open_member(&s, "a", a);
    s.members[1] = open_member(&s, "b", b);
    gossip_set_peers(s.members[0], both, 2);
    gossip_set_peers(s.members[1], both, 2);
    loop_run(s.loop);
    TEST_ASSERT(!s.late);
    TEST_ASSERT(gossip_is_on(s.members[0]) && gossip_is_settled(s.members[0]));
    TEST_ASSERT(gossip_send(s.members[0], STR("c"), STR("hello")) == -ENOENT);
    TEST_ASSERT(gossip_send(s.members[0], STR("b"), STR("hello")) == 0);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.heard), "a: hello");
    (void)loop_timer_cancel(s.deadline);
    (void)gossip_close(s.members[0]);
    (void)gossip_close(s.members[1]);
    sbuf_done(&s.heard);
    (void)loop_free(s.loop);
    scoped_sbuf struct sbuf path = {0};
    sbuf_printf(&path, "%s/secretkey", s.dir);
    TEST_ASSERT(unlink(sbuf_cstr(&path)) == 0 && rmdir(s.dir) == 0);
}

TEST_MAIN("common/gossip", TEST(test_two))
