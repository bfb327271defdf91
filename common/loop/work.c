#include "common/loop/work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/keep.h"
#include "common/base/map.h"
#include "common/base/vec.h"

enum item_state { ITEM_READY, ITEM_WAITING, ITEM_IN_FLIGHT };

/* There may be tens of thousands at once, and none soon afterwards. */
struct item {
    enum item_state state : 8;
    bool again;     /* in flight: added meanwhile */
    bool forgotten; /* in flight: no further turn */
    unsigned failures;
    union {
        TAILQ_ENTRY(item) link; /* ready */
        struct {                /* waiting */
            uint64_t due;
            size_t place;   /* index in the heap */
            uint64_t order; /* breaks ties, first come first */
        };
    };
    uint32_t key_len;
    char key[];
};

TAILQ_HEAD(items, item);

struct work {
    struct work_limits limits;
    struct keep *keep;  /* of the items */
    struct map items;   /* key to struct item */
    struct items ready; /* first come first */
    VEC(struct item *) heap;
    uint64_t order;
    struct work_figures figures;
};

struct work *work_new(const struct work_limits *limits)
{
    struct work *work = heap_alloc(sizeof(*work));
    assert(limits->in_flight > 0 && limits->backoff_min_ms > 0);
    assert(limits->backoff_min_ms <= limits->backoff_max_ms);
    work->limits = *limits;
    work->keep = keep_new();
    work->items.seed = limits->seed;
    TAILQ_INIT(&work->ready);
    return work;
}

static struct str key_of(const struct item *item)
{
    return (struct str){.ptr = item->key, .len = item->key_len};
}

static void item_free(struct item *item)
{
    keep_release(item, sizeof(*item) + item->key_len);
}

struct work *work_free(struct work *work)
{
    if (!work)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&work->items, &cursor));)
        item_free(entry->value);
    map_done(&work->items);
    vec_done(&work->heap);
    (void)keep_free(work->keep);
    free(work);
    return NULL;
}

/* The heap of waiting items: the earliest is at 0, the children of i are at 2i+1 and 2i+2. */
static bool is_before(const struct item *a, const struct item *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put_at(struct work *work, struct item *item, size_t place)
{
    work->heap.items[place] = item;
    item->place = place;
}

static void sift_up(struct work *work, struct item *item, size_t place)
{
    while (place > 0 && is_before(item, work->heap.items[(place - 1) / 2])) {
        put_at(work, work->heap.items[(place - 1) / 2], place);
        place = (place - 1) / 2;
    }
    put_at(work, item, place);
}

static void sift_down(struct work *work, struct item *item, size_t place)
{
    for (size_t child; (child = 2 * place + 1) < work->heap.len; place = child) {
        if (child + 1 < work->heap.len &&
            is_before(work->heap.items[child + 1], work->heap.items[child]))
            child++;
        if (!is_before(work->heap.items[child], item))
            break;
        put_at(work, work->heap.items[child], place);
    }
    put_at(work, item, place);
}

static void heap_remove(struct work *work, struct item *item)
{
    size_t place = item->place;
    struct item *last = vec_pop(&work->heap);
    if (work->heap.len == 0)
        vec_done(&work->heap); /* it may have been long */
    if (last == item)
        return;
    if (place > 0 && is_before(last, work->heap.items[(place - 1) / 2]))
        sift_up(work, last, place);
    else
        sift_down(work, last, place);
}

/* Takes the item out of the list that its state puts it in. */
static void leave(struct work *work, struct item *item)
{
    switch (item->state) {
    case ITEM_READY:
        TAILQ_REMOVE(&work->ready, item, link);
        work->figures.ready--;
        break;
    case ITEM_WAITING:
        heap_remove(work, item);
        work->figures.waiting--;
        break;
    case ITEM_IN_FLIGHT:
        work->figures.in_flight--;
        break;
    }
}

static void enter_ready(struct work *work, struct item *item)
{
    item->state = ITEM_READY;
    TAILQ_INSERT_TAIL(&work->ready, item, link);
    work->figures.ready++;
}

static void enter_waiting(struct work *work, struct item *item, uint64_t due)
{
    item->state = ITEM_WAITING;
    item->due = due;
    item->order = work->order++;
    vec_push(&work->heap, item);
    sift_up(work, item, work->heap.len - 1);
    work->figures.waiting++;
}

static void item_drop(struct work *work, struct item *item)
{
    leave(work, item);
    (void)map_remove(&work->items, key_of(item));
    item_free(item);
}

static struct item *item_new(struct work *work, struct str key)
{
    assert(key.len <= UINT32_MAX);
    struct item *item = keep_alloc(work->keep, sizeof(*item) + key.len);
    *item = (struct item){.key_len = (uint32_t)key.len};
    if (key.len)
        memcpy(item->key, key.ptr, key.len);
    (void)map_put(&work->items, key_of(item), item);
    return item;
}

void work_add(struct work *work, struct str key)
{
    struct item *item = map_get(&work->items, key);
    work->figures.added++;
    if (!item) {
        enter_ready(work, item_new(work, key));
    } else if (item->state == ITEM_WAITING) {
        leave(work, item);
        enter_ready(work, item);
    } else if (item->state == ITEM_IN_FLIGHT) {
        item->again = true;
        item->forgotten = false;
    }
}

void work_add_at(struct work *work, struct str key, uint64_t due)
{
    struct item *item = map_get(&work->items, key);
    work->figures.added++;
    if (!item) {
        enter_waiting(work, item_new(work, key), due);
    } else if (item->state == ITEM_WAITING && due < item->due) {
        leave(work, item);
        enter_waiting(work, item, due);
    } else if (item->state == ITEM_IN_FLIGHT) {
        item->again = true; /* its newest wish is not what is under way: a turn soon is right too */
        item->forgotten = false;
    }
}

void work_forget(struct work *work, struct str key)
{
    struct item *item = map_get(&work->items, key);
    if (item && item->state == ITEM_IN_FLIGHT) {
        item->again = false;
        item->forgotten = true;
    } else if (item) {
        item_drop(work, item);
    }
}

bool work_take(struct work *work, uint64_t now, struct str *ret_key)
{
    while (work->heap.len && work->heap.items[0]->due <= now) {
        struct item *due = work->heap.items[0];
        leave(work, due);
        enter_ready(work, due);
    }
    struct item *item = TAILQ_FIRST(&work->ready);
    if (!item || work->figures.in_flight >= work->limits.in_flight)
        return false;
    leave(work, item);
    item->state = ITEM_IN_FLIGHT;
    item->again = item->forgotten = false;
    work->figures.in_flight++;
    *ret_key = key_of(item);
    return true;
}

uint64_t work_backoff(const struct work_limits *limits, struct str key, unsigned failures)
{
    uint64_t delay = limits->backoff_min_ms;
    for (unsigned i = 1; i < failures && delay < limits->backoff_max_ms; i++)
        delay *= 2;
    if (delay > limits->backoff_max_ms)
        delay = limits->backoff_max_ms;
    uint64_t half = delay / 2;
    return delay - half + map_hash(limits->seed + failures, key) % (half + 1);
}

static uint64_t retry_delay(const struct work *work, const struct item *item,
                            enum work_result result, uint64_t retry_after_ms)
{
    if (result == WORK_LATER)
        return retry_after_ms ? retry_after_ms : work->limits.backoff_min_ms;
    uint64_t delay = work_backoff(&work->limits, key_of(item), item->failures);
    return delay > retry_after_ms ? delay : retry_after_ms;
}

void work_finish(struct work *work, struct str key, enum work_result result,
                 uint64_t retry_after_ms, uint64_t now)
{
    struct item *item = map_get(&work->items, key);
    if (!item || item->state != ITEM_IN_FLIGHT)
        return;
    assert(result != WORK_PENDING);
    work->figures.finished++;
    if (result == WORK_ERROR)
        work->figures.failed++;
    bool wanted = result != WORK_DONE && !item->forgotten;
    if (!wanted && !item->again) {
        item_drop(work, item);
        return;
    }
    if (wanted)
        work->figures.retried++;
    if (result != WORK_ERROR)
        item->failures = 0;
    else if (item->failures < UINT32_MAX)
        item->failures++;
    leave(work, item);
    /* A newer wish does not wait for the back-off of the old one, but for what the other side
     * asked for. */
    if (item->again && retry_after_ms == 0)
        enter_ready(work, item);
    else
        enter_waiting(work, item, now + retry_delay(work, item, result, retry_after_ms));
}

bool work_next_due(const struct work *work, uint64_t *ret_due)
{
    if (work->figures.in_flight >= work->limits.in_flight)
        return false;
    if (!TAILQ_EMPTY(&work->ready))
        *ret_due = 0;
    else if (work->heap.len)
        *ret_due = work->heap.items[0]->due;
    else
        return false;
    return true;
}

struct work_figures work_figures(const struct work *work)
{
    return work->figures;
}
