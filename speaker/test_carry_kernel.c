/* With the kernel itself, in a network namespace of this process alone. What it does with packets
 * is seen by test_open_connections.py. */
#include "speaker/carry_kernel.h"

#include <errno.h>
#include <sched.h>

#include "common/base/test.h"
#include "speaker/carry_batch.h"

enum { MANY = 1000, NOW_MS = 1000, UNTIL_MS = 3600000 };

/* 192.0.2.0 and so on. */
static struct carry one(unsigned number, uint8_t node)
{
    return (struct carry){.ip = ip_v4(192, 0, (uint8_t)(2 + number / 256), (uint8_t)(number % 256)),
                          .node = STR("n2"),
                          .to = ip_v4(198, 51, 100, node),
                          .moved_ms = NOW_MS,
                          .until_ms = UNTIL_MS};
}

static size_t count_elements(struct arena *arena)
{
    struct carry_answer answer = carry_kernel_ask(CARRY_ELEMENTS, IP_V4, NOW_MS, arena);
    size_t count = answer.items.len;
    TEST_ASSERT(answer.complete && answer.error == 0);
    carry_answer_done(&answer);
    return count;
}

/* Whatever the size of the message that the kernel does not take, it is known why not. */
static void test_refused(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry *near = arena_array(arena, MANY, sizeof(*near)),
                 *far = arena_array(arena, MANY, sizeof(*far));
    for (unsigned i = 0; i < MANY; i++) {
        near[i] = one(i, 2);
        far[i] = one(i, 3);
    }
    struct carry first = one(MANY, 2);
    TEST_ASSERT(carry_kernel_put(carry_batch(IP_V4, &first, 1, NOW_MS, arena)) == 0);
    /* To be removed, and not there. */
    struct str gone = carry_change(IP_V4, near, MANY, &first, 1, NOW_MS, arena);
    TEST_ASSERT(carry_kernel_put(gone) == -ENOENT);
    TEST_ASSERT(count_elements(arena) == 1);
    TEST_ASSERT(carry_kernel_put(carry_batch(IP_V4, near, MANY, NOW_MS, arena)) == 0);
    /* To be added, and there with another node. */
    struct str come = carry_change(IP_V4, NULL, 0, far, MANY, NOW_MS, arena);
    TEST_ASSERT(carry_kernel_put(come) == -EEXIST);
    TEST_ASSERT(count_elements(arena) == MANY);
}

/* Where nothing was put, there is no table to tell of. */
static void test_nothing_there(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry_answer answer = carry_kernel_ask(CARRY_ELEMENTS, IP_V6, NOW_MS, arena);
    TEST_ASSERT(answer.complete && answer.error == -ENOENT && !answer.torn);
    carry_answer_done(&answer);
}

int main(void)
{
    static const struct test tests[] = {TEST(test_refused), TEST(test_nothing_there)};
    /* Who is not root may have one as the root of a user namespace. */
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        perror("unshare");
        return 1;
    }
    return test_run("speaker/carry_kernel", tests, TEST_COUNT(tests));
}
