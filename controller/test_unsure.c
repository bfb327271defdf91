#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "controller/unsure.h"

static const struct str web = STR_INIT("Service/default/web");

/* The write gives the addresses 192.0.2.X for each digit X. */
static void add(struct unsure *unsure, const char *version, const char *lasts)
{
    struct ip ips[2];
    size_t count = 0;
    for (; *lasts; lasts++)
        ips[count++] = ip_v4(192, 0, 2, (uint8_t)(*lasts - '0'));
    unsure_add(unsure, web, str_from(version), ips, count);
}

static void check(const struct unsure *unsure, const char *expected)
{
    scoped_sbuf struct sbuf text = {0};
    struct ip ips[UNSURE_IPS];
    size_t count = unsure_ips(unsure, web, ips);
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, "%s%s", i ? " " : "", ip_format(&ips[i]).text);
    TEST_STR(sbuf_str(&text), expected);
}

static void test_stays_until_another_version(void)
{
    scoped_ptr(unsure) struct unsure *unsure = unsure_new();
    CU_ASSERT(unsure_is_empty(unsure));
    check(unsure, "");
    add(unsure, "7", "1");
    add(unsure, "7", "1"); /* tried again */
    check(unsure, "192.0.2.1");
    CU_ASSERT(!unsure_is_empty(unsure));
    CU_ASSERT(!unsure_pass(unsure, web, STR("7")));
    CU_ASSERT(!unsure_pass(unsure, STR("Service/default/other"), STR("8")));
    check(unsure, "192.0.2.1");
    CU_ASSERT(unsure_pass(unsure, web, STR("8")));
    check(unsure, "");
    CU_ASSERT(unsure_is_empty(unsure));
    CU_ASSERT(!unsure_pass(unsure, web, STR("9")));
}

static void test_other_version_ends_what_was_before(void)
{
    scoped_ptr(unsure) struct unsure *unsure = unsure_new();
    add(unsure, "7", "12");
    add(unsure, "8", "3");
    check(unsure, "192.0.2.3");
    CU_ASSERT(unsure_pass(unsure, web, STR(""))); /* gone */
    CU_ASSERT(unsure_is_empty(unsure));
}

static void test_no_room_for_more(void)
{
    scoped_ptr(unsure) struct unsure *unsure = unsure_new();
    CU_ASSERT(!unsure_is_full(unsure, web));
    add(unsure, "7", "12");
    CU_ASSERT(!unsure_is_full(unsure, web));
    add(unsure, "7", "23");
    check(unsure, "192.0.2.1 192.0.2.2 192.0.2.3");
    CU_ASSERT(unsure_is_full(unsure, web));
    add(unsure, "7", "");
    CU_ASSERT(unsure_is_full(unsure, web));
}

static void test_all_are_fenced(void)
{
    scoped_ptr(unsure) struct unsure *unsure = unsure_new();
    scoped_ptr(fence) struct fence *fence = fence_new();
    add(unsure, "7", "1");
    add(unsure, "8", "");
    unsure_add(unsure, STR("Service/default/other"), STR("9"), NULL, 0);
    unsure_fence(unsure, fence);
    CU_ASSERT(fence_left(fence) == 2);
    CU_ASSERT(fence_has(fence, web, STR("8")));
    CU_ASSERT(fence_has(fence, STR("Service/default/other"), STR("9")));
}

TEST_MAIN("unsure", TEST(test_stays_until_another_version),
          TEST(test_other_version_ends_what_was_before), TEST(test_no_room_for_more),
          TEST(test_all_are_fenced))
