#include "common/base/suggest.h"

#include <ctype.h>
#include <stdint.h>

enum { TEXT_MAX = 64, DISTANCE_MAX = 2 };

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment, three rows of the table at a time. */
size_t suggest_distance(struct str a, struct str b)
{
    if (a.len > TEXT_MAX || b.len > TEXT_MAX)
        return SIZE_MAX;
    size_t rows[3][TEXT_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = last[j - 1] + !same(a.ptr[i - 1], b.ptr[j - 1]);
            now[j] = min_of(replaced, min_of(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a.ptr[i - 1], b.ptr[j - 2]) &&
                same(a.ptr[i - 2], b.ptr[j - 1]))
                now[j] = min_of(now[j], older[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void suggest_try(struct suggest *suggest, struct str candidate)
{
    size_t distance = suggest_distance(suggest->typed, candidate);
    if (distance > DISTANCE_MAX || 2 * distance >= candidate.len)
        return;
    if (suggest->best.len && distance >= suggest->distance)
        return;
    suggest->best = candidate;
    suggest->distance = distance;
}
