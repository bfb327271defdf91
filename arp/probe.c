#include "arp/probe.h"

#include "arp/chaos.h"
#include "common/base/names.h"

static const char *const mode_names[] = {[PROBE_FAST] = "fast", [PROBE_FULL] = "full"};
static const struct names modes = NAMES(mode_names);

const char *probe_mode_name(enum probe_mode mode)
{
    return names_of(&modes, mode);
}

/* Milliseconds. */
struct timing {
    unsigned first_max;            /* before the first probe, from 0 */
    unsigned count;                /* of probes */
    unsigned apart_min, apart_max; /* between two */
    unsigned last;                 /* after the last */
};

static const struct timing fast = {.count = 3, .apart_min = 90, .apart_max = 90, .last = 90};

/* RFC 5227 section 1.1: PROBE_WAIT, PROBE_NUM, PROBE_MIN and PROBE_MAX, ANNOUNCE_WAIT. */
static const struct timing full_v4 = {
    .first_max = 1000, .count = 3, .apart_min = 1000, .apart_max = 2000, .last = 2000};

/* RFC 4861 section 10, RFC 4862 section 5.1: MAX_RTR_SOLICITATION_DELAY, DupAddrDetectTransmits,
 * RetransTimer. */
static const struct timing full_v6 = {
    .first_max = 1000, .count = 1, .apart_min = 1000, .apart_max = 1000, .last = 1000};

static const struct timing *timing_of(const struct probe *probe)
{
    if (probe->mode == PROBE_FAST)
        return &fast;
    return probe->family == IP_V4 ? &full_v4 : &full_v6;
}

struct probe probe_start(enum ip_family family, enum probe_mode mode, uint64_t seed, uint64_t now)
{
    struct probe probe = {.mode = mode, .family = family, .chaos = seed};
    const struct timing *timing = timing_of(&probe);
    probe.left = timing->count;
    probe.next = now + chaos_between(&probe.chaos, 0, timing->first_max);
    return probe;
}

enum probe_step probe_take(struct probe *probe, uint64_t now)
{
    const struct timing *timing = timing_of(probe);
    if (now < probe->next)
        return PROBE_WAIT;
    if (!probe->left) {
        probe->next = UINT64_MAX;
        return PROBE_FREE;
    }
    probe->left--;
    probe->next =
        now + (probe->left ? chaos_between(&probe->chaos, timing->apart_min, timing->apart_max)
                           : timing->last);
    return PROBE_SEND;
}
