#include "common/base/test.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/json/rfc3339.h"

static void test_time_parse(void)
{
    static const struct {
        const char *text;
        int result;
        int64_t seconds;
        int32_t nanoseconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, 0, 0},
        {"2006-01-02T15:04:05Z", 0, 1136214245, 0},
        {"2006-01-02t15:04:05z", 0, 1136214245, 0},
        {"2006-01-02T15:04:05.000123Z", 0, 1136214245, 123000},
        {"2006-01-02T15:04:05.1234567899Z", 0, 1136214245, 123456789},
        {"2006-01-02T22:04:05+07:00", 0, 1136214245, 0},
        {"2006-01-02T14:34:05-00:30", 0, 1136214245, 0},
        {"2000-02-29T00:00:00Z", 0, 951782400, 0},
        {"2024-03-01T00:00:00Z", 0, 1709251200, 0},
        {"0001-01-01T00:00:00Z", 0, INT64_C(-62135596800), 0},
        {"9999-12-31T23:59:59Z", 0, INT64_C(253402300799), 0},
        {"2016-12-31T23:59:60Z", 0, 1483228800, 0},
        {"2100-02-29T00:00:00Z", ERR_SYNTAX, 0, 0},
        {"2023-02-29T00:00:00Z", ERR_SYNTAX, 0, 0},
        {"2023-13-01T00:00:00Z", ERR_SYNTAX, 0, 0},
        {"2023-00-01T00:00:00Z", ERR_SYNTAX, 0, 0},
        {"0000-01-01T00:00:00Z", ERR_SYNTAX, 0, 0},
        {"2023-01-01T24:00:00Z", ERR_SYNTAX, 0, 0},
        {"2023-01-01T00:00:61Z", ERR_SYNTAX, 0, 0},
        {"2023-01-01T00:00:00", ERR_SYNTAX, 0, 0},
        {"2023-01-01T00:00:00.Z", ERR_SYNTAX, 0, 0},
        {"2023-01-01T00:00:00Zx", ERR_SYNTAX, 0, 0},
        {"2023-01-01T00:00:00+24:00", ERR_SYNTAX, 0, 0},
        {"2023-01-01 00:00:00Z", ERR_SYNTAX, 0, 0},
        {"2023-1-01T00:00:00Z", ERR_SYNTAX, 0, 0},
        {"", ERR_SYNTAX, 0, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        int64_t seconds = 0;
        int32_t nanoseconds = 0;
        int result = rfc3339_parse(str_from(cases[i].text), &seconds, &nanoseconds);
        if (result != cases[i].result || seconds != cases[i].seconds)
            printf("\n\"%s\": %d %lld\n", cases[i].text, result, (long long)seconds);
        TEST_ASSERT(result == cases[i].result);
        TEST_ASSERT(seconds == cases[i].seconds && nanoseconds == cases[i].nanoseconds);
    }
}

static void test_time_format(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanoseconds;
        unsigned digits;
        const char *text;
    } cases[] = {
        {0, 0, 0, "1970-01-01T00:00:00Z"},
        {1136214245, 123456789, 6, "2006-01-02T15:04:05.123456Z"},
        {1136214245, 123456789, 9, "2006-01-02T15:04:05.123456789Z"},
        {951782400, 0, 0, "2000-02-29T00:00:00Z"},
        {-1, 0, 0, "1969-12-31T23:59:59Z"},
        {INT64_MIN, 0, 0, "0001-01-01T00:00:00Z"},
        {INT64_MAX, 0, 0, "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_sbuf struct sbuf out = {0};
        rfc3339_format(&out, cases[i].seconds, cases[i].nanoseconds, cases[i].digits);
        TEST_STR(sbuf_str(&out), cases[i].text);
    }
}

/* Every day of 800 years there and back. */
static void test_time_calendar(void)
{
    scoped_sbuf struct sbuf text = {0};
    for (int64_t day = -200000; day < 100000; day++) {
        int64_t seconds;
        sbuf_clear(&text);
        rfc3339_format(&text, day * 86400 + 4711, 0, 0);
        TEST_ASSERT(rfc3339_parse(sbuf_str(&text), &seconds, NULL) == 0);
        TEST_ASSERT(seconds == day * 86400 + 4711);
    }
}

TEST_MAIN("common/json rfc3339", TEST(test_time_parse), TEST(test_time_format),
          TEST(test_time_calendar))
