#include "arp/announce.h"

#include "arp/chaos.h"

enum { SECOND_MS = 1000 };

void announce_start(struct announce *announce, uint64_t now)
{
    bool is_running = announce->is_started && announce->next < announce->until;
    if (!is_running)
        announce->next = now;
    announce->is_started = true;
    announce->until = now + ANNOUNCE_FOR_MS;
}

static uint64_t refresh_time(struct announce *announce, uint64_t now, uint64_t refresh_ms)
{
    uint64_t middle = refresh_ms < ANNOUNCE_REFRESH_MIN_MS ? ANNOUNCE_REFRESH_MIN_MS : refresh_ms;
    uint64_t time = now + chaos_between(&announce->chaos, middle - middle / 4, middle + middle / 4);
    return time - time % SECOND_MS;
}

bool announce_take(struct announce *announce, uint64_t now, uint64_t refresh_ms)
{
    if (!announce->is_started || announce->next > now)
        return false;
    announce->next = now + ANNOUNCE_PERIOD_MS; /* from now: a late round does not crowd the next */
    if (announce->next < announce->until)
        return true;
    announce->is_started = refresh_ms != 0;
    announce->next = announce->is_started ? refresh_time(announce, now, refresh_ms) : 0;
    announce->until = 0;
    return true;
}

bool announce_next(const struct announce *announce, uint64_t *ret)
{
    if (!announce->is_started)
        return false;
    *ret = announce->next;
    return true;
}
