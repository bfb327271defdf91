#include "common/base/test.h"
#include "common/source/label_filter.h"

static void test_takes(void)
{
    struct str_pair pairs[] = {{STR_INIT("metallb.io/node"), STR_INIT("n1")},
                               {STR_INIT("empty"), STR_INIT("")}};
    const struct str_map labels = {.items = pairs, .count = TEST_COUNT(pairs)};
    const struct str_map none = {0};
    static const struct {
        const char *filter;
        bool takes, takes_none; /* an object without labels */
    } cases[] = {
        {"", true, true},
        {"metallb.io/node=n1", true, false},
        {"metallb.io/node=n2", false, false},
        {"metallb.io/node!=n2", true, true},
        {"metallb.io/node!=n1", false, true},
        {"empty=", true, false},
        {"other=", false, false},
        {"other!=", true, true},
        {"metallb.io/node=n1,empty=", true, false},
        {"metallb.io/node=n1,empty=x", false, false},
        {"metallb.io/node=n1,empty!=x", true, false},
        {"metallb.io/node", false, false}, /* no term of ours */
        {"=n1", false, false},
    };
    uint64_t signs = label_filter_sign(pairs[0].key, pairs[0].value) |
                     label_filter_sign(pairs[1].key, pairs[1].value);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        uint64_t wanted = label_filter_signs(str_from(cases[i].filter));
        TEST_ASSERT(!cases[i].takes || (signs & wanted) == wanted);
        TEST_ASSERT(label_filter_takes(str_from(cases[i].filter), &labels) == cases[i].takes);
        TEST_ASSERT(label_filter_takes(str_from(cases[i].filter), &none) == cases[i].takes_none);
    }
}

/* Of a thousand others hardly one has the signs of what is looked for. */
static void test_signs_tell_most_apart(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str space = STR("service-namespace"), name = STR("service-name");
    uint64_t wanted =
        label_filter_signs(STR("service-namespace=default,service-name=web,node!=n1"));
    unsigned alike = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t signs = label_filter_sign(space, STR("default")) |
                         label_filter_sign(name, arena_printf(arena, "web-%d", i));
        alike += (signs & wanted) == wanted;
    }
    TEST_ASSERT(wanted != 0);
    TEST_ASSERT(alike < 20);
}

TEST_MAIN("common/source/label_filter", TEST(test_takes), TEST(test_signs_tell_most_apart))
