/* Prints what the failure detector does in simulated clusters, as tables.
 *
 * usage: bench_gossip [detection|heal|traffic|false|all] [RUNS, or HOURS of false] */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/gossip/sim.h"

struct watch_death {
    size_t victim;
    uint64_t at, first, last;
    size_t knowing;
    uint64_t wrong; /* deaths of members that live */
    bool verbose;
};

static void on_note(void *ctx, struct sim *sim, size_t node, const struct member_note *note)
{
    struct watch_death *w = ctx;
    if (note->type != MEMBER_NOTE_STATE || note->state != GOSSIP_DEAD)
        return;
    size_t about = sim_index(sim, note->name);
    if (about != w->victim || !w->at) {
        w->wrong++;
        if (w->verbose)
            printf("wrong: node %zu says %zu dead by %.*s after %.3f s silence at %.3f\n", node,
                   about, STR_ARG(note->by), (double)note->silent_us / 1e6, (double)sim->now / 1e6);
        return;
    }
    uint64_t took = sim->now - w->at;
    if (!w->knowing)
        w->first = took;
    w->last = took;
    w->knowing++;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static double ms(const uint64_t *sorted, size_t count, unsigned percent)
{
    size_t at = (count * percent + 99) / 100;
    return (double)sorted[at ? at - 1 : 0] / 1e3;
}

struct net {
    const char *name;
    uint32_t loss_permille;
    uint64_t delay_us, jitter_us;
};

static const struct net nets[] = {
    {"quiet LAN", 0, 100, 100},
    {"1 % loss", 10, 100, 100},
    {"50 ms jitter", 0, 100, 50000},
    {"1 % loss, 50 ms jitter", 10, 100, 50000},
};

/* Who still does not know, and what it thinks. */
static void explain(struct sim *sim, const struct watch_death *w)
{
    printf("%zu of %zu know that %zu died\n", w->knowing, sim->options.nodes - 1, w->victim);
    for (size_t i = 0; i < sim->options.nodes; i++) {
        if (sim->nodes[i].up)
            printf("  %zu: %s\n", i, gossip_state_name(sim_state(sim, i, w->victim)));
    }
}

static void detection(size_t nodes, const struct net *net, size_t runs)
{
    VEC(uint64_t) first = {0}, last = {0};
    struct watch_death w = {.verbose = true};
    struct sim_options options = {.nodes = nodes,
                                  .seed = nodes * 7919 + net->jitter_us + net->loss_permille,
                                  .loss_permille = net->loss_permille,
                                  .delay_us = net->delay_us,
                                  .jitter_us = net->jitter_us};
    struct sim *sim = sim_new(&options);
    sim->note = on_note;
    sim->ctx = &w;
    if (!sim_start_all(sim))
        printf("not together after 60 s\n");
    for (size_t i = 0; i < runs; i++) {
        uint64_t wrong = w.wrong;
        sim_run(sim, sim->now + 3000000 + sim_random(sim, 200000));
        w = (struct watch_death){.victim = sim_random(sim, (uint32_t)nodes),
                                 .at = sim->now,
                                 .wrong = wrong,
                                 .verbose = true};
        sim_crash(sim, w.victim);
        sim_run(sim, sim->now + 5000000);
        if (w.knowing != nodes - 1)
            explain(sim, &w);
        vec_push(&first, w.first);
        vec_push(&last, w.last);
        w.at = 0;
        sim_start(sim, w.victim);
        if (!sim_until(sim, sim_agrees, sim->now + 20000000))
            printf("not together again\n");
    }
    vec_sort(&first, compare_u64);
    vec_sort(&last, compare_u64);
    printf("%6zu  %-24s %6zu  %7.0f %7.0f %7.0f   %7.0f %7.0f %7.0f  %5llu\n", nodes, net->name,
           runs, ms(first.items, runs, 50), ms(first.items, runs, 99), ms(first.items, runs, 100),
           ms(last.items, runs, 50), ms(last.items, runs, 99), ms(last.items, runs, 100),
           (unsigned long long)w.wrong);
    (void)fflush(stdout);
    vec_done(&first);
    vec_done(&last);
    (void)sim_free(sim);
}

static void detection_table(size_t runs)
{
    static const size_t sizes[] = {3, 5, 8, 16, 32};
    printf("A member crashes. Milliseconds until the first other knows, and until all do.\n");
    printf(" nodes  network                    runs    first p50     p99     max   all p50     p99 "
           "    "
           "max  wrong\n");
    for (size_t n = 0; n < sizeof(nets) / sizeof(nets[0]); n++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            detection(sizes[i], &nets[n], runs);
    }
    detection(1000, &nets[0], runs < 20 ? runs : 20);
    detection(1000, &nets[3], runs < 20 ? runs : 20);
}

static void no_false(size_t nodes, double hours)
{
    struct watch_death w = {.victim = SIZE_MAX, .verbose = true};
    struct sim_options options = {
        .nodes = nodes, .seed = 42, .loss_permille = 10, .delay_us = 100, .jitter_us = 50000};
    struct sim *sim = sim_new(&options);
    sim->note = on_note;
    sim->ctx = &w;
    clock_t start = clock();
    (void)sim_start_all(sim);
    uint64_t suspicions = 0;
    sim_run(sim, sim->now + (uint64_t)(hours * 3600e6));
    for (size_t i = 0; i < nodes; i++)
        suspicions += member_figures(sim->nodes[i].member).suspicions;
    printf("%6zu  %6.1f  %12llu  %10llu  %6llu   (%.0f s)\n", nodes, hours,
           (unsigned long long)sim->datagrams, (unsigned long long)suspicions,
           (unsigned long long)w.wrong, (double)(clock() - start) / CLOCKS_PER_SEC);
    (void)fflush(stdout);
    (void)sim_free(sim);
}

static void traffic(size_t nodes, const struct net *net)
{
    struct sim_options options = {.nodes = nodes,
                                  .seed = 7,
                                  .loss_permille = net->loss_permille,
                                  .delay_us = net->delay_us,
                                  .jitter_us = net->jitter_us};
    struct sim *sim = sim_new(&options);
    uint64_t began = sim->now;
    bool together = sim_start_all(sim);
    double join = (double)(sim->now - began) / 1e6;
    sim_run(sim, sim->now + 10000000);
    uint64_t sent = 0, most = 0, received = 0, count = 0, before = sim->now;
    for (size_t i = 0; i < nodes; i++)
        sim->nodes[i].sent_bytes = sim->nodes[i].received_bytes = sim->nodes[i].sent = 0;
    sim_run(sim, before + 20000000);
    for (size_t i = 0; i < nodes; i++) {
        sent += sim->nodes[i].sent_bytes;
        received += sim->nodes[i].received_bytes;
        count += sim->nodes[i].sent;
        most = sim->nodes[i].sent_bytes > most ? sim->nodes[i].sent_bytes : most;
    }
    printf("%6zu  %-24s %6.2f%s  %8.1f  %8.1f  %8.1f  %8.1f\n", nodes, net->name, join,
           together ? " " : "!", (double)sent / 20e3 / (double)nodes, (double)most / 20e3,
           (double)received / 20e3 / (double)nodes, (double)count / 20 / (double)nodes);
    (void)fflush(stdout);
    (void)sim_free(sim);
}

static void traffic_table(void)
{
    static const size_t sizes[] = {1000, 3, 5, 32, 100};
    printf("At rest. Seconds until all have met at a cold start; kB/s sent by a node (mean, most), "
           "received; datagrams/s sent\n");
    printf(" nodes  network                    join       sent      most  received   per s\n");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        traffic(sizes[i], &nets[0]);
        traffic(sizes[i], &nets[3]);
    }
}

static void heal(size_t nodes, const struct net *net, size_t runs)
{
    VEC(uint64_t) split = {0}, merge = {0};
    struct sim_options options = {.nodes = nodes,
                                  .seed = nodes,
                                  .loss_permille = net->loss_permille,
                                  .delay_us = net->delay_us,
                                  .jitter_us = net->jitter_us,
                                  .hold_us = 10000000};
    struct sim *sim = sim_new(&options);
    (void)sim_start_all(sim);
    for (size_t i = 0; i < runs; i++) {
        sim_run(sim, sim->now + 12000000 + sim_random(sim, 200000));
        size_t side = 1 + sim_random(sim, (uint32_t)nodes - 1);
        sim_split(sim, side);
        uint64_t at = sim->now;
        for (bool done = false; !done && sim->now < at + 20000000;) {
            sim_run(sim, sim->now + 5000);
            done = true;
            for (size_t k = 0; k < nodes && done; k++) {
                struct member_figures f = member_figures(sim->nodes[k].member);
                done = f.members[GOSSIP_ALIVE] + f.members[GOSSIP_SUSPECT] ==
                       (k < side ? side : nodes - side);
            }
        }
        vec_push(&split, sim->now - at);
        sim_run(sim, sim->now + 2000000 + sim_random(sim, 200000));
        sim_heal(sim);
        at = sim->now;
        (void)sim_until(sim, sim_agrees, sim->now + 20000000);
        vec_push(&merge, sim->now - at);
    }
    vec_sort(&split, compare_u64);
    vec_sort(&merge, compare_u64);
    printf("%6zu  %-24s %6zu  %7.0f %7.0f %7.0f   %7.0f %7.0f %7.0f\n", nodes, net->name, runs,
           ms(split.items, runs, 50), ms(split.items, runs, 99), ms(split.items, runs, 100),
           ms(merge.items, runs, 50), ms(merge.items, runs, 99), ms(merge.items, runs, 100));
    (void)fflush(stdout);
    vec_done(&split);
    vec_done(&merge);
    (void)sim_free(sim);
}

static void heal_table(size_t runs)
{
    static const size_t sizes[] = {2, 3, 5, 8, 16, 32};
    printf("The network splits at a random place, and heals. Milliseconds until both sides know; "
           "until all are "
           "one again.\n");
    printf(" nodes  network                    runs    split p50     p99     max  heal p50     p99 "
           "    max\n");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        heal(sizes[i], &nets[0], runs);
        heal(sizes[i], &nets[3], runs);
    }
    heal(1000, &nets[0], runs < 10 ? runs : 10);
}

static int usage(void)
{
    fputs("usage: bench_gossip [detection|heal|traffic|false|all] [RUNS, or HOURS of false]\n",
          stderr);
    return 2;
}

static void false_table(uint64_t hours)
{
    static const size_t nodes[] = {3, 5, 32};
    printf("1 %% loss, 50 ms jitter, nobody dies.\n"
           " nodes   hours     datagrams  suspicions  deaths\n");
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        no_false(nodes[i], (double)hours);
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const char *const tables[] = {"detection", "heal", "traffic", "false"};
    const char *what = argc > 1 ? argv[1] : "all";
    uint64_t number = 0;
    bool all = !strcmp(what, "all"), known = all;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        known |= !strcmp(what, tables[i]);
    if (!known || argc > 3 || (argc > 2 && str_to_u64(str_from(argv[2]), 100000, &number) < 0))
        return usage();
    if (all || !strcmp(what, "detection"))
        detection_table(number ? number : 1000);
    if (all || !strcmp(what, "heal"))
        heal_table(number ? number : 200);
    if (all || !strcmp(what, "traffic"))
        traffic_table();
    if (all || !strcmp(what, "false"))
        false_table(number ? number : 24);
    return 0;
}
