#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "controller/handover.h"

static struct ip address(uint8_t last)
{
    return ip_v4(192, 0, 2, last);
}

static struct str joined(const struct str_list *ids, struct arena *arena)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < ids->count; i++)
        sbuf_printf(&text, "%s" STR_FMT, i ? " " : "", STR_ARG(ids->items[i]));
    return sbuf_move(&text, arena);
}

/* The Service gives up the addresses whose last bytes are in `lasts`; who may ask again. */
static void give(struct handover *handover, const char *id, const char *lasts, const char *expected)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct ip ips[HANDOVER_IPS];
    size_t count = 0;
    for (; *lasts; lasts++)
        ips[count++] = address((uint8_t)(*lasts - '0'));
    struct str_list freed = handover_give(handover, str_from(id), ips, count, arena);
    TEST_STR(joined(&freed, arena), expected);
}

static bool waits(struct handover *handover, const char *id, uint8_t last)
{
    struct ip ip = address(last);
    return handover_must_wait(handover, str_from(id), &ip, 1);
}

static void test_waits_until_let_go(void)
{
    scoped_ptr(handover) struct handover *handover = handover_new();
    CU_ASSERT(!waits(handover, "b", 1));
    give(handover, "a", "1", "");
    CU_ASSERT(waits(handover, "b", 1));
    CU_ASSERT(waits(handover, "b", 1)); /* noted once */
    CU_ASSERT(!waits(handover, "b", 2));
    give(handover, "a", "1", ""); /* said again */
    give(handover, "a", "", "b");
    CU_ASSERT(!waits(handover, "b", 1));
    give(handover, "a", "", "");
}

static void test_all_must_let_go(void)
{
    scoped_ptr(handover) struct handover *handover = handover_new();
    give(handover, "a", "1", "");
    give(handover, "b", "12", "");
    CU_ASSERT(waits(handover, "c", 1));
    CU_ASSERT(waits(handover, "d", 2));
    CU_ASSERT(waits(handover, "e", 1));
    give(handover, "a", "", "");
    give(handover, "b", "2", "c e");
    give(handover, "b", "", "d");
}

static void test_nobody_waits_for_itself(void)
{
    scoped_ptr(handover) struct handover *handover = handover_new();
    give(handover, "a", "11", "");
    CU_ASSERT(!waits(handover, "a", 1));
    give(handover, "b", "1", "");
    CU_ASSERT(waits(handover, "a", 1));
    give(handover, "b", "", "");
    give(handover, "a", "", "a");
}

/* Each gives up what the other is to have: both wait, both let go, both are woken. */
static void test_swap(void)
{
    scoped_ptr(handover) struct handover *handover = handover_new();
    give(handover, "a", "1", "");
    give(handover, "b", "2", "");
    CU_ASSERT(waits(handover, "a", 2) && waits(handover, "b", 1));
    give(handover, "a", "", "b");
    give(handover, "b", "", "a");
}

TEST_MAIN("controller/handover", TEST(test_waits_until_let_go), TEST(test_all_must_let_go),
          TEST(test_nobody_waits_for_itself), TEST(test_swap))
