/* Memory comes in regions, aligned to their size, so that the region of a block follows from its
 * address. A region's first slab holds what is known of the others, of which only those in use are
 * ever touched. A slab holds blocks of one size; those that have room are in the list of that size,
 * those without a block in that of the empty ones. */
#include "common/base/keep.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>

#include "common/base/arena.h"

enum {
    REGION = 1 << 20,
    SLAB = 1 << 15,
    SLABS = REGION / SLAB,
    STEP = 16,
    SIZES = KEEP_LARGEST / STEP,
};

struct slab {
    LIST_ENTRY(slab) link;
    void *freed;    /* blocks that came back: each starts with the address of the next */
    uint32_t size;  /* of a block */
    uint32_t used;  /* blocks given out */
    uint32_t fresh; /* what is behind it was never given out */
};

LIST_HEAD(slab_list, slab);

struct region {
    struct keep *keep;
    struct region *next;
    struct slab slabs[SLABS]; /* the first stands for the one that this is in */
};
_Static_assert(sizeof(struct region) <= SLAB, "fits the first slab");

struct keep {
    struct region *regions;
    size_t in_use; /* slabs */
    struct slab_list empty, sizes[SIZES];
};

struct keep *keep_new(void)
{
    return heap_alloc(sizeof(struct keep));
}

struct keep *keep_free(struct keep *keep)
{
    if (!keep)
        return NULL;
    assert(keep->in_use == 0);
    for (struct region *region = keep->regions, *next; region; region = next) {
        next = region->next;
        ASAN_UNPOISON_MEMORY_REGION(region, REGION);
        free(region);
    }
    free(keep);
    return NULL;
}

static struct region *region_of(const void *address)
{
    return (struct region *)((uintptr_t)address & ~(uintptr_t)(REGION - 1));
}

static unsigned char *bytes_of(const struct slab *slab)
{
    struct region *region = region_of(slab);
    return (unsigned char *)region + (size_t)(slab - region->slabs) * SLAB;
}

static struct slab *slab_of(const void *block)
{
    struct region *region = region_of(block);
    return &region->slabs[((uintptr_t)block - (uintptr_t)region) / SLAB];
}

static bool has_room(const struct slab *slab)
{
    return slab->freed || slab->fresh + slab->size <= SLAB;
}

static void add_region(struct keep *keep)
{
    struct region *region = heap_alloc_aligned(REGION, REGION);
    *region = (struct region){.keep = keep, .next = keep->regions};
    keep->regions = region;
    for (size_t i = SLABS; --i > 0;) {
        ASAN_POISON_MEMORY_REGION(bytes_of(&region->slabs[i]), SLAB);
        LIST_INSERT_HEAD(&keep->empty, &region->slabs[i], link);
    }
}

/* An empty slab for blocks of that size, in the list of those that have room. */
static struct slab *begin_slab(struct keep *keep, struct slab_list *list, uint32_t size)
{
    if (LIST_EMPTY(&keep->empty))
        add_region(keep);
    struct slab *slab = LIST_FIRST(&keep->empty);
    LIST_REMOVE(slab, link);
    *slab = (struct slab){.size = size};
    LIST_INSERT_HEAD(list, slab, link);
    keep->in_use++;
    return slab;
}

static void end_slab(struct keep *keep, struct slab *slab)
{
    LIST_REMOVE(slab, link);
    LIST_INSERT_HEAD(&keep->empty, slab, link);
    keep->in_use--;
    (void)madvise(bytes_of(slab), SLAB, MADV_DONTNEED); /* if not, it stays ours */
}

static struct slab_list *list_of(struct keep *keep, size_t size)
{
    return &keep->sizes[(size - 1) / STEP];
}

static void *take_block(struct slab *slab)
{
    void *block = slab->freed;
    if (!block) {
        block = bytes_of(slab) + slab->fresh;
        slab->fresh += slab->size;
        ASAN_UNPOISON_MEMORY_REGION(block, slab->size);
        return block;
    }
    ASAN_UNPOISON_MEMORY_REGION(block, slab->size);
    slab->freed = *(void **)block;
    return block;
}

void *keep_alloc(struct keep *keep, size_t size)
{
    assert(size > 0);
    if (size > KEEP_LARGEST)
        return heap_alloc(size);
    struct slab_list *list = list_of(keep, size);
    struct slab *slab = LIST_FIRST(list);
    if (!slab)
        slab = begin_slab(keep, list, (uint32_t)(size + STEP - 1) / STEP * STEP);
    void *block = take_block(slab);
    slab->used++;
    if (!has_room(slab))
        LIST_REMOVE(slab, link);
    return block;
}

void keep_release(void *block, size_t size)
{
    if (size > KEEP_LARGEST) {
        free(block);
        return;
    }
    struct keep *keep = region_of(block)->keep;
    struct slab *slab = slab_of(block);
    bool had_room = has_room(slab);
    assert(slab->used > 0 && size <= slab->size && size + STEP > slab->size);
    *(void **)block = slab->freed;
    slab->freed = block;
    slab->used--;
    ASAN_POISON_MEMORY_REGION(block, slab->size);
    if (!had_room)
        LIST_INSERT_HEAD(list_of(keep, size), slab, link);
    if (slab->used == 0)
        end_slab(keep, slab);
}

size_t keep_size(const struct keep *keep)
{
    return keep->in_use * SLAB;
}
