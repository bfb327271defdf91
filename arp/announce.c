#include "arp/announce.h"

#include "arp/chaos.h"

enum { SECOND_MS = 1000 };
_Static_assert(ANNOUNCE_FOR_MS <= UINT16_MAX, "struct announce holds it");

void announce_start(struct announce *announce, uint64_t now)
{
    bool is_running = announce->is_started && announce->left;
    if (!is_running || announce->next < now)
        announce->next = now;
    announce->is_started = true;
    /* `next` may be a period away. */
    uint64_t end = now + ANNOUNCE_FOR_MS;
    announce->left = (uint16_t)(end - announce->next);
}

static uint64_t refresh_time(uint64_t now, uint64_t refresh_ms, uint64_t *chaos)
{
    uint64_t middle = refresh_ms < ANNOUNCE_REFRESH_MIN_MS ? ANNOUNCE_REFRESH_MIN_MS : refresh_ms;
    uint64_t time = now + chaos_between(chaos, middle - middle / 4, middle + middle / 4);
    return time - time % SECOND_MS;
}

bool announce_take(struct announce *announce, uint64_t now, uint64_t refresh_ms, uint64_t *chaos)
{
    if (!announce->is_started || announce->next > now)
        return false;
    uint64_t next = now + ANNOUNCE_PERIOD_MS; /* from now: a late round does not crowd the next */
    uint64_t passes = next - announce->next;
    if (passes < announce->left) {
        *announce = (struct announce){
            .next = next, .left = (uint16_t)(announce->left - passes), .is_started = true};
        return true;
    }
    *announce = (struct announce){0};
    if (refresh_ms)
        *announce =
            (struct announce){.next = refresh_time(now, refresh_ms, chaos), .is_started = true};
    return true;
}

bool announce_next(const struct announce *announce, uint64_t *ret)
{
    if (!announce->is_started)
        return false;
    *ret = announce->next;
    return true;
}
