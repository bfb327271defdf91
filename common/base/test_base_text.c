/* Durations and suggestions. */
#include "common/base/test.h"

#include <errno.h>

#include "common/base/duration.h"
#include "common/base/err.h"
#include "common/base/suggest.h"

static void test_duration_parse(void)
{
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"0s", 0, 0},
        {"-0", 0, 0},
        {"10s", 0, 10 * DURATION_SECOND},
        {"1h30m", 0, 90 * DURATION_MINUTE},
        {"1.5s", 0, 1500 * DURATION_MILLISECOND},
        {".5s", 0, 500 * DURATION_MILLISECOND},
        {"1.s", 0, DURATION_SECOND},
        {"-1m3ms", 0, -(DURATION_MINUTE + 3 * DURATION_MILLISECOND)},
        {"+5us", 0, 5 * DURATION_MICROSECOND},
        {"5\xc2\xb5s", 0, 5 * DURATION_MICROSECOND},
        {"5\xce\xbcs", 0, 5 * DURATION_MICROSECOND},
        {"7ns", 0, 7},
        {"0.3333333333333333333h", 0, INT64_C(1199999999999)},
        {"9223372036854775807ns", 0, INT64_MAX},
        {"2562047h47m16.854775807s", 0, INT64_MAX},
        {"2562048h", -ERANGE, 0},
        {"9223372036854775808ns", -ERANGE, 0},
        {"99999999999999999999s", -ERANGE, 0},
        {"", ERR_SYNTAX, 0},
        {"-", ERR_SYNTAX, 0},
        {"3", ERR_SYNTAX, 0},
        {"s", ERR_SYNTAX, 0},
        {".s", ERR_SYNTAX, 0},
        {"1d", ERR_SYNTAX, 0},
        {"1 s", ERR_SYNTAX, 0},
        {"1s ", ERR_SYNTAX, 0},
        {"1S", ERR_SYNTAX, 0},
        {"1h-3m", ERR_SYNTAX, 0},
        {"--1s", ERR_SYNTAX, 0},
        {"1..5s", ERR_SYNTAX, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        int64_t value = 0;
        int result = duration_parse(str_from(cases[i].text), &value);
        if (result != cases[i].result || value != cases[i].value)
            printf("\n\"%s\": %d %lld\n", cases[i].text, result, (long long)value);
        TEST_ASSERT(result == cases[i].result && value == cases[i].value);
    }
}

static void test_duration_format(void)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {7, "7ns"},
        {1100, "1.1\xc2\xb5s"},
        {2 * DURATION_MILLISECOND, "2ms"},
        {1500 * DURATION_MILLISECOND, "1.5s"},
        {90 * DURATION_MINUTE, "1h30m0s"},
        {DURATION_MINUTE, "1m0s"},
        {DURATION_HOUR + 1, "1h0m0.000000001s"},
        {-3 * DURATION_SECOND, "-3s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_sbuf struct sbuf out = {0};
        duration_format(&out, cases[i].value);
        TEST_STR(sbuf_str(&out), cases[i].text);
    }
}

static void test_suggest(void)
{
    static const struct {
        const char *typed;
        const char *best;
    } cases[] = {
        {"adresses", "addresses"},
        {"addreses", "addresses"},
        {"AutoAssign", "autoAssign"},
        {"autoAsisgn", "autoAssign"},
        {"autosign", "autoAssign"},
        {"ab", ""},
        {"nothing", ""},
        {"", ""},
    };
    static const char *const known[] = {"addresses", "autoAssign", "vrf", "a"};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct suggest suggest = {.typed = str_from(cases[i].typed)};
        for (size_t k = 0; k < TEST_COUNT(known); k++)
            suggest_try(&suggest, str_from(known[k]));
        TEST_STR(suggest.best, cases[i].best);
    }
    TEST_ASSERT(suggest_distance(STR("kitten"), STR("sitting")) == 3);
    TEST_ASSERT(suggest_distance(STR(""), STR("abc")) == 3);
    TEST_ASSERT(suggest_distance(STR("ab"), STR("ba")) == 1);
    static const char long_text[65] = {0};
    TEST_ASSERT(suggest_distance((struct str){.ptr = long_text, .len = 65}, STR("a")) == SIZE_MAX);
}

TEST_MAIN("common/base text", TEST(test_duration_parse), TEST(test_duration_format),
          TEST(test_suggest))
