#include "common/base/test.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/base/keep.h"

enum { SLAB = 1 << 15 };

/* Blocks of every size hold what is written to them, whatever is given back between them. */
static void test_blocks(void)
{
    enum { COUNT = 3000 };
    static unsigned char *blocks[COUNT];
    scoped_ptr(keep) struct keep *keep = keep_new();
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = keep_alloc(keep, i + 1);
        TEST_ASSERT((uintptr_t)blocks[i] % 16 == 0);
        memset(blocks[i], (int)(i % 251), i + 1);
        if (i % 3 == 2) {
            keep_release(blocks[i - 1], i);
            blocks[i - 1] = NULL;
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (!blocks[i])
            continue;
        TEST_ASSERT(blocks[i][0] == i % 251 && blocks[i][i] == i % 251);
        keep_release(blocks[i], i + 1);
    }
    TEST_ASSERT(keep_size(keep) == 0);
}

/* Ten thousand blocks take what they are, and what comes back is used again before anything else.
 */
static void test_dense(void)
{
    enum { COUNT = 10000, SIZE = 500, ROUNDED = 512, IN_SLAB = SLAB / ROUNDED };
    static void *blocks[COUNT];
    scoped_ptr(keep) struct keep *keep = keep_new();
    for (size_t i = 0; i < COUNT; i++)
        blocks[i] = keep_alloc(keep, SIZE);
    size_t full = keep_size(keep);
    TEST_ASSERT(full == (COUNT + IN_SLAB - 1) / IN_SLAB * SLAB);
    for (size_t i = 0; i < COUNT; i += 2)
        keep_release(blocks[i], SIZE);
    for (size_t i = 0; i < COUNT; i += 2)
        blocks[i] = keep_alloc(keep, SIZE + 1);
    TEST_ASSERT(keep_size(keep) == full);
    for (size_t i = 0; i < COUNT; i++)
        keep_release(blocks[i], SIZE);
    TEST_ASSERT(keep_size(keep) == 0);
}

/* An arena in it gives back everything, also what did not fit its first block. */
static void test_arena(void)
{
    scoped_ptr(keep) struct keep *keep = keep_new();
    struct arena *arena = arena_new_kept(keep, 100, 64);
    char *text = arena_alloc(arena, 90), *more = arena_alloc(arena, 5000);
    memset(text, 'a', 90);
    memset(more, 'b', 5000);
    TEST_ASSERT(text[89] == 'a' && keep_size(keep) == SLAB);
    arena_reset(arena);
    TEST_ASSERT(arena_alloc(arena, 100) == text && keep_size(keep) == SLAB);
    (void)arena_free(arena);
    TEST_ASSERT(keep_size(keep) == 0);
    arena = arena_new_kept(keep, 2 * KEEP_LARGEST, 64);
    memset(arena_alloc(arena, 2 * KEEP_LARGEST), 'c', 2 * KEEP_LARGEST);
    TEST_ASSERT(keep_size(keep) == 0);
    (void)arena_free(arena);
    (void)keep_free(NULL);
}

TEST_MAIN("common/base keep", TEST(test_blocks), TEST(test_dense), TEST(test_arena))
