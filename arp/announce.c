#include "arp/announce.h"

void announce_start(struct announce *announce, uint64_t now)
{
    uint64_t next;
    if (!announce_next(announce, &next))
        announce->next = now;
    announce->until = now + ANNOUNCE_FOR_MS;
}

bool announce_take(struct announce *announce, uint64_t now)
{
    uint64_t next;
    if (!announce_next(announce, &next) || next > now)
        return false;
    announce->next = now + ANNOUNCE_PERIOD_MS; /* from now: a late round does not crowd the next */
    return true;
}

bool announce_next(const struct announce *announce, uint64_t *ret)
{
    if (announce->next >= announce->until)
        return false;
    *ret = announce->next;
    return true;
}
