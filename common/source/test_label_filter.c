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
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        TEST_ASSERT(label_filter_takes(str_from(cases[i].filter), &labels) == cases[i].takes);
        TEST_ASSERT(label_filter_takes(str_from(cases[i].filter), &none) == cases[i].takes_none);
    }
}

TEST_MAIN("common/source/label_filter", TEST(test_takes))
