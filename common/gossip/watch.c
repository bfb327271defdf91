#include "common/gossip/watch.h"

#include <string.h>

enum { PATH_GAIN = 16, NODE_GAIN = 64 };

void watch_init(struct watch *watch, const struct path *like, uint64_t now)
{
    *watch = (struct watch){.path = *like, .alive_at = now};
}

static void drop_first(struct watch *watch, size_t count)
{
    watch->count -= count;
    memmove(watch->attempts, watch->attempts + count, watch->count * sizeof(*watch->attempts));
}

void watch_add(struct watch *watch, const struct attempt *attempt)
{
    if (watch->count == WATCH_ATTEMPTS)
        drop_first(watch, 1);
    watch->attempts[watch->count++] = *attempt;
}

/* It was alive after all, so what was lost was lost by the path. */
static void count_lost(struct watch *watch, const struct attempt *attempt, struct path *node)
{
    if (attempt->state != ATTEMPT_LOST || attempt->indirect)
        return;
    path_count(&watch->path, true, PATH_GAIN);
    path_count(node, true, NODE_GAIN);
}

void watch_alive(struct watch *watch, uint64_t at, struct path *node)
{
    size_t old = 0;
    while (old < watch->count && watch->attempts[old].sent <= at)
        count_lost(watch, &watch->attempts[old++], node);
    drop_first(watch, old);
    if (at > watch->alive_at)
        watch->alive_at = at;
    if (!watch->count || watch->attempts[0].state == ATTEMPT_OPEN)
        watch->pressing = watch->accused = false;
}

bool watch_answer(struct watch *watch, uint32_t number, uint64_t now, struct path *node,
                  uint64_t *ret_sent)
{
    size_t i = 0;
    while (i < watch->count && watch->attempts[i].number != number)
        i++;
    if (i == watch->count)
        return false;
    struct attempt *attempt = &watch->attempts[i];
    uint64_t sent = attempt->sent;
    if (!attempt->indirect) {
        path_measure(&watch->path, now - sent);
        path_measure(node, now - sent);
        path_count(&watch->path, false, PATH_GAIN);
        path_count(node, false, NODE_GAIN);
    }
    attempt->state = ATTEMPT_OPEN; /* late, but not lost */
    watch_alive(watch, sent, node);
    *ret_sent = sent;
    return true;
}

void watch_deny(struct watch *watch, uint32_t number)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->attempts[i].number == number && watch->attempts[i].indirect)
            watch->attempts[i].state = ATTEMPT_DENIED;
    }
}

size_t watch_expire(struct watch *watch, uint64_t now)
{
    size_t silent = 0;
    for (size_t i = 0; i < watch->count; i++) {
        struct attempt *attempt = &watch->attempts[i];
        if (attempt->state != ATTEMPT_OPEN || attempt->due > now)
            continue;
        attempt->state = ATTEMPT_LOST;
        silent += attempt->indirect;
    }
    return silent;
}

bool watch_is_late(const struct watch *watch, uint64_t now)
{
    return watch->count && watch->attempts[0].sent + path_late(&watch->path) <= now;
}

uint32_t watch_evidence(const struct watch *watch, const struct path *node)
{
    uint32_t once = path_weight(watch->path.loss, node->loss);
    uint32_t twice = path_weight(2 * watch->path.loss, 2 * node->loss); /* two paths in a row */
    uint32_t sum = 0;
    for (size_t i = 0; i < watch->count; i++) {
        const struct attempt *attempt = &watch->attempts[i];
        if (attempt->state == ATTEMPT_DENIED)
            sum += once;
        else if (attempt->state == ATTEMPT_LOST)
            sum += attempt->indirect ? twice : once;
    }
    return sum;
}

uint64_t watch_next(const struct watch *watch, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    if (watch->count && !watch->pressing)
        next = watch->attempts[0].sent + path_late(&watch->path);
    if (watch->pressing)
        next = watch->press_at;
    for (size_t i = 0; i < watch->count; i++) {
        const struct attempt *attempt = &watch->attempts[i];
        if (attempt->state == ATTEMPT_OPEN && attempt->due < next)
            next = attempt->due;
    }
    return next < now ? now : next;
}
