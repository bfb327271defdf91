/* How long placing takes, in a large cluster: everything at once, then one Service, one node lost.
 * What is compared with is the hash election of the same units by the same nodes in the same run.
 */
#include <stdio.h>
#include <time.h>

#include "common/election/election.h"
#include "controller/place.h"

enum { NODES = 1000, UNITS = 10000, ROUNDS = 3, PICKED = 3 };

struct bench {
    struct arena *arena;
    struct str names[NODES];
    struct place_unit units[UNITS];
};

/* Of the processor: others may use the machine too. */
static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Every unit may be on each node, or on just a few that are its own, as with the Local policy. */
static void make_units(struct bench *b, bool is_local)
{
    uint64_t random = 1;
    for (size_t i = 0; i < UNITS; i++) {
        struct nodeset eligible = nodeset_new(NODES, b->arena);
        for (size_t j = 0; j < (is_local ? PICKED : NODES); j++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            nodeset_add(&eligible, is_local ? (random >> 33) % NODES : j);
        }
        b->units[i] = (struct place_unit){
            .ip = ip_v4(198, 18, (uint8_t)(i >> 8), (uint8_t)i),
            .eligible = eligible,
            .wish = PLACE_NONE,
        };
    }
}

static double elect_ms(const struct bench *b)
{
    struct election_candidate candidates[NODES];
    double started = now_ms();
    size_t sum = 0;
    for (size_t i = 0; i < UNITS; i++) {
        size_t count = 0;
        for (size_t node = nodeset_next(&b->units[i].eligible, 0); node != NODESET_END;
             node = nodeset_next(&b->units[i].eligible, node + 1))
            candidates[count++] = (struct election_candidate){.name = b->names[node]};
        sum += election_winner(candidates, count, &b->units[i].ip);
    }
    double took = now_ms() - started;
    if (sum == 0)
        printf("nobody was elected\n"); /* keeps the work from being left out */
    return took;
}

static size_t run(struct place *place)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t changed;
    (void)place_tidy(place, SIZE_MAX);
    (void)place_changes(place, scratch, &changed);
    return changed;
}

static size_t largest_load(const struct place *place)
{
    size_t largest = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        if (place_load(place, i) > largest)
            largest = place_load(place, i);
    }
    return largest;
}

static void measure_changes(struct bench *b, struct place *place)
{
    static const struct place_past none = {0};
    double started = now_ms();
    uint32_t added = place_add(place, &b->units[0], &none);
    place_run(place);
    double chosen = now_ms() - started;
    size_t changed = run(place);
    double tidy = now_ms() - started;
    printf("  one unit more: chosen %.3f ms, tidy %.3f ms, %zu written\n", chosen, tidy, changed);
    place_remove(place, added);
    (void)run(place);
    started = now_ms();
    place_set_state(place, 7, PLACE_DEAD);
    changed = run(place);
    printf("  a node lost: %.3f ms, %zu written, at most %zu\n", now_ms() - started, changed,
           largest_load(place));
    started = now_ms();
    place_set_state(place, 7, PLACE_NORMAL);
    changed = run(place);
    printf("  it returns: %.3f ms, %zu written, at most %zu\n", now_ms() - started, changed,
           largest_load(place));
}

static void measure(struct bench *b, const char *what, bool is_local)
{
    static const struct place_past none = {0};
    make_units(b, is_local);
    double elected = elect_ms(b), best = 0;
    struct place *place = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        (void)place_free(place);
        place = place_new(b->names, NODES);
        double started = now_ms();
        for (size_t j = 0; j < UNITS; j++)
            (void)place_add(place, &b->units[j], &none);
        (void)run(place);
        double took = now_ms() - started;
        if (i == 0 || took < best)
            best = took;
    }
    printf("%d units, %d nodes, %s: %.1f ms, at most %zu; hash election %.1f ms, ratio %.3f\n",
           UNITS, NODES, what, best, largest_load(place), elected, best / elected);
    measure_changes(b, place);
    (void)place_free(place);
}

int main(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct bench *b = arena_alloc(arena, sizeof(*b));
    b->arena = arena;
    for (size_t i = 0; i < NODES; i++)
        b->names[i] = arena_printf(arena, "node-%03zu", i);
    measure(b, "all eligible", false);
    measure(b, "three eligible each", true);
    return 0;
}
