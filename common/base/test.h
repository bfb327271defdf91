/* What a unit test needs beside CUnit: the suite as a list, and assertions that say what they saw.
 *
 *     TEST_MAIN("common/base", TEST(test_str), TEST(test_map))
 *
 * An assertion that fails leaves the test at once. What a test would leave on the machine then is
 * removed by a function of its file's, called after each test:
 *
 *     TEST_MAIN_EACH("bgp/engine", bench_sweep, TEST(test_refused))
 */
#ifndef COMMON_BASE_TEST_H
#define COMMON_BASE_TEST_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

#define TEST_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEST_ASSERT(condition) CU_ASSERT_FATAL(condition)

/* got (struct str) is the same text as want (C string). */
#define TEST_STR(got, want) test_str_eq((got), (want), __FILE__, __LINE__)

static inline void test_str_eq(struct str got, const char *want, const char *file, int line)
{
    bool same = str_eq(got, str_from(want));
    if (!same)
        printf("\n%s:%d: got  \"" STR_FMT "\"\n    want \"%s\"\n", file, line, STR_ARG(got), want);
    CU_ASSERT_FATAL(same);
}

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(function)      \
    {                       \
#function, function \
    }

/* after: called after each test, also one that failed on its way; NULL for nothing. */
static inline int test_run_each(const char *suite_name, void (*after)(void),
                                const struct test *tests, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite_with_setup_and_teardown(suite_name, NULL, NULL, NULL, after);
    for (size_t i = 0; i < count; i++)
        (void)CU_add_test(suite, tests[i].name, tests[i].run);
    CU_basic_set_mode(CU_BRM_NORMAL);
    (void)CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}

static inline int test_run(const char *suite_name, const struct test *tests, size_t count)
{
    return test_run_each(suite_name, NULL, tests, count);
}

#define TEST_MAIN(suite_name, ...) TEST_MAIN_EACH(suite_name, NULL, __VA_ARGS__)

#define TEST_MAIN_EACH(suite_name, after, ...)                             \
    int main(void)                                                         \
    {                                                                      \
        static const struct test tests[] = {__VA_ARGS__};                  \
        return test_run_each(suite_name, after, tests, TEST_COUNT(tests)); \
    }

#endif
