/* How long the answer to GET /metrics keeps the loop: 10 000 Services announced by one node, each
 * series set anew and all of it rendered; beside it, what the same lines cost with a plain snprintf
 * each, and what the finished text costs to copy. All with cold caches. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "speaker/speaker_metrics.h"

enum { SERVICES = 10000, ROUNDS = 15, LINE_MAX_LEN = 256, OTHER_BYTES = 128 * 1024 * 1024 };

struct load {
    struct arena *arena;
    struct basis basis;
    struct plan plan;
    struct speaker_metrics *metrics;
    struct sbuf text; /* the last one rendered */
    char *other;      /* OTHER_BYTES */
};

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void load_init(struct load *load)
{
    *load = (struct load){
        .arena = arena_new(0), .metrics = speaker_metrics_new(), .other = heap_alloc(OTHER_BYTES)};
    struct basis *basis = &load->basis;
    struct plan *plan = &load->plan;
    uint32_t *services = arena_array(load->arena, SERVICES, sizeof(*services));
    basis->address_count = basis->service_count = SERVICES;
    basis->addresses = arena_array(load->arena, SERVICES, sizeof(*basis->addresses));
    basis->services = arena_array(load->arena, SERVICES, sizeof(*basis->services));
    plan->basis = basis;
    plan->addresses = arena_array(load->arena, SERVICES, sizeof(*plan->addresses));
    plan->services = arena_array(load->arena, SERVICES, sizeof(*plan->services));
    plan->lists = arena_array(load->arena, 2, sizeof(*plan->lists));
    for (uint32_t i = 0; i < SERVICES; i++) {
        services[i] = i;
        basis->services[i] = (struct basis_service){
            .key = arena_printf(load->arena, "default/service-%05" PRIu32, i), .unit = BASIS_NONE};
        basis->addresses[i] =
            (struct basis_address){.ip = ip_v4(198, 18, (uint8_t)(i / 256), (uint8_t)(i % 256)),
                                   .services = &services[i],
                                   .service_count = 1};
        plan->addresses[i] = (struct plan_place){.interfaces = 1, .announced = 1};
    }
}

static void load_done(struct load *load)
{
    (void)speaker_metrics_free(load->metrics);
    (void)arena_free(load->arena);
    sbuf_done(&load->text);
    free(load->other);
}

static void set_all(struct load *load, uint64_t round)
{
    for (size_t i = 0; i < SERVICES; i++)
        speaker_metrics_address(load->metrics, &load->basis.addresses[i].ip, round + i, round + i,
                                round + 10);
    speaker_metrics_plan(load->metrics, &load->plan, STR("node-1"));
}

static void render(struct load *load, uint64_t round)
{
    const struct metrics *set = speaker_metrics_set(load->metrics);
    (void)round;
    sbuf_done(&load->text); /* each answer gives its memory away */
    metrics_render(&set, 1, METRICS_TEXT, &load->text);
}

static void print_plainly(struct load *load, uint64_t round)
{
    static const char *const names[] = {"metallb_layer2_requests_received",
                                        "metallb_layer2_responses_sent",
                                        "metallb_layer2_gratuitous_sent"};
    char *text = malloc((size_t)SERVICES * 4 * LINE_MAX_LEN), *at = text;
    for (size_t i = 0; text && i < SERVICES; i++) {
        struct ip_text ip = ip_format(&load->basis.addresses[i].ip);
        at += snprintf(at, LINE_MAX_LEN,
                       "metallb_speaker_announced{service=\"%s\",protocol=\"layer2\",node=\"%s\","
                       "ip=\"%s\"} %.15g\n",
                       load->basis.services[i].key.ptr, "node-1", ip.text, 1.0);
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
            at += snprintf(at, LINE_MAX_LEN, "%s{ip=\"%s\"} %.15g\n", names[j], ip.text,
                           (double)(round + i));
    }
    free(text);
}

static void copy_text(struct load *load, uint64_t round)
{
    char *copy = malloc(load->text.len);
    if (copy)
        memcpy(copy, load->text.ptr, load->text.len);
    load->text.ptr[0] = copy && round != UINT64_MAX ? copy[0] : '\0';
    free(copy);
}

/* Between two answers a speaker does other things, and nothing of the series is in the caches. */
static void forget_caches(struct load *load)
{
    memset(load->other, 1, OTHER_BYTES);
}

/* The best of the rounds: the others were disturbed. */
static double best_ms(struct load *load, void (*work)(struct load *load, uint64_t round))
{
    double best = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        forget_caches(load);
        double started = now_ms();
        work(load, round);
        double took = now_ms() - started;
        best = round == 0 || took < best ? took : best;
    }
    return best;
}

int main(void)
{
    struct load load;
    load_init(&load);
    double started = now_ms();
    set_all(&load, 0);
    render(&load, 0);
    double first = now_ms() - started;
    double set = best_ms(&load, set_all), rendered = best_ms(&load, render);
    double plain = best_ms(&load, print_plainly), copied = best_ms(&load, copy_text);
    printf("%d services, %zu bytes: the first time %.2f ms, then set %.2f ms, render %.2f ms; "
           "snprintf "
           "per line %.2f ms, memcpy %.2f ms; set and render are %.2f of snprintf, render %.2f\n",
           SERVICES, load.text.len, first, set, rendered, plain, copied, (set + rendered) / plain,
           rendered / plain);
    load_done(&load);
    return 0;
}
