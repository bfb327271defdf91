#include "common/gossip/path.h"

#include <stddef.h>

void path_measure(struct path *path, uint64_t us)
{
    uint32_t sample = us < PATH_TIME_MAX ? (uint32_t)us : PATH_TIME_MAX;
    if (!path->rtt) {
        path->rtt = sample ? sample : 1;
        path->deviation = sample / 2;
        return;
    }
    uint32_t off = sample > path->rtt ? sample - path->rtt : path->rtt - sample;
    path->deviation = (path->deviation * 7 + off) / 8;
    path->rtt = (path->rtt * 7 + sample) / 8;
    path->rtt += !path->rtt;
}

void path_count(struct path *path, bool lost, uint32_t gain)
{
    uint32_t sample = lost ? 65536 : 0;
    path->loss = (path->loss * (gain - 1) + sample) / gain;
}

static uint64_t bounded(uint64_t us, uint64_t min)
{
    return us < min ? min : us > PATH_TIME_MAX ? PATH_TIME_MAX : us;
}

uint64_t path_late(const struct path *path)
{
    if (!path->rtt)
        return 2 * PATH_LATE_MIN;
    return bounded(path->rtt + (uint64_t)2 * path->deviation, PATH_LATE_MIN);
}

uint64_t path_lost(const struct path *path)
{
    if (!path->rtt)
        return 4 * PATH_LOST_MIN;
    return bounded(path->rtt + (uint64_t)4 * path->deviation, PATH_LOST_MIN);
}

uint32_t path_weight(uint32_t loss, uint32_t other_loss)
{
    static const struct {
        uint32_t loss; /* 65536ths, up to */
        uint32_t weight;
    } table[] = {
        {3277, 1301}, {4588, 1155}, {6554, 1000}, {9830, 824},  {13107, 699},
        {16384, 602}, {19661, 523}, {26214, 398}, {32768, 301},
    };
    uint32_t worse = loss > other_loss ? loss : other_loss;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (worse <= table[i].loss)
            return table[i].weight;
    }
    return 222; /* 60 %: with more than that, more losses are asked for than are kept */
}
