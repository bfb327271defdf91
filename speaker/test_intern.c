#include "speaker/intern.h"

#include "common/base/scope.h"
#include "common/base/test.h"

static void test_same_name(void)
{
    struct intern intern = {0};
    char text[] = "n1";
    struct str first = intern_take(&intern, str_from(text));
    text[1] = '2';
    TEST_STR(first, "n1");
    struct str second = intern_take(&intern, str_from(text));
    TEST_STR(second, "n2");
    TEST_ASSERT(intern_take(&intern, STR("n1")).ptr == first.ptr);
    TEST_ASSERT(intern_take(&intern, STR("")).len == 0);
    TEST_ASSERT(map_count(&intern.names) == 2);
    intern_done(&intern);
}

/* A hundred thousand names that come and go, of which three are referred to: never more than a few
 * are kept, and those three stay where they are. */
static void test_bounded(void)
{
    struct intern intern = {0};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str kept[] = {intern_take(&intern, STR("n1")), intern_take(&intern, STR("n2")),
                         intern_take(&intern, STR("n3"))};
    size_t most = 0;
    for (unsigned i = 0; i < 100000; i++) {
        (void)intern_take(&intern, arena_printf(arena, "made-up-%u", i));
        most = map_count(&intern.names) > most ? map_count(&intern.names) : most;
        arena_reset(arena);
        if (!intern_is_full(&intern))
            continue;
        for (size_t k = 0; k < TEST_COUNT(kept); k++)
            intern_mark(&intern, kept[k]);
        intern_mark(&intern, STR("of nobody"));
        intern_sweep(&intern);
        TEST_ASSERT(map_count(&intern.names) == TEST_COUNT(kept));
    }
    TEST_ASSERT(most <= 2 * TEST_COUNT(kept) + 65);
    TEST_ASSERT(intern_take(&intern, STR("n1")).ptr == kept[0].ptr);
    TEST_STR(kept[2], "n3");
    intern_done(&intern);
}

/* A mark holds for one sweep. */
static void test_mark(void)
{
    struct intern intern = {0};
    (void)intern_take(&intern, STR("n1"));
    intern_mark(&intern, STR("n1"));
    intern_sweep(&intern);
    TEST_ASSERT(map_count(&intern.names) == 1);
    intern_sweep(&intern);
    TEST_ASSERT(map_count(&intern.names) == 0);
    intern_done(&intern);
}

TEST_MAIN("speaker/intern", TEST(test_same_name), TEST(test_bounded), TEST(test_mark))
