#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "controller/lost.h"
#include "controller/test_members.h"

enum { NODES = 3 };

/* What is new when the members are these: "-n1 +n2". */
static struct str told(struct lost *lost, const char *states, struct arena *arena)
{
    struct gossip_member members[NODES];
    size_t count = members_of(states, arena, members);
    size_t news_count;
    const struct lost_news *news = lost_update(lost, members, count, arena, &news_count);
    struct sbuf text = {0};
    for (size_t i = 0; i < news_count; i++)
        sbuf_printf(&text, "%s%c" STR_FMT, i ? " " : "", news[i].is_back ? '+' : '-',
                    STR_ARG(news[i].node));
    return sbuf_move(&text, arena);
}

static void test_news(void)
{
    static const struct {
        const char *first;
        struct {
            const char *states, *want;
        } then[4];
    } cases[] = {
        /* what is so from the beginning is no news, but its end is */
        {"ada", {{"ada", ""}, {"aaa", "+n2"}, {"aaa", ""}}},
        {"aaa", {{"asa", ""}, {"ada", "-n2"}, {"ada", ""}, {"add", "-n3"}}},
        /* trusted again only when it is not held */
        {"aaa", {{"daa", "-n1"}, {"haa", ""}, {"aaa", "+n1"}}},
        {"aaa", {{"haa", ""}, {"aaa", ""}}},
        /* who leaves is not lost, nor is who is forgotten back */
        {"aaa", {{"laa", ""}, {"aaa", ""}}},
        {"aaa", {{"daa", "-n1"}, {"laa", ""}, {"aaa", ""}}},
        {"aaa", {{"daa", "-n1"}, {"-aa", ""}, {"aaa", ""}}},
        /* controllers are members, too */
        {"aac", {{"ddc", "-n1 -n2"}, {"aac", "+n1 +n2"}}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(lost) struct lost *lost = lost_new();
        TEST_STR(told(lost, cases[i].first, arena), "");
        for (size_t j = 0; j < TEST_COUNT(cases[i].then) && cases[i].then[j].states; j++)
            TEST_STR(told(lost, cases[i].then[j].states, arena), cases[i].then[j].want);
    }
}

TEST_MAIN("controller/lost", TEST(test_news))
