/* Probes addresses at a steady rate and tells who answered and how long nobody did.
 *
 * usage: probe_client [flags] TARGET…
 *   arp:ADDRESS         an ARP request, or for IPv6 a neighbour solicitation
 *   tcp:ADDRESS:PORT    a page over a connection of its own     (IPv6: tcp:[ADDRESS]:PORT)
 *   open:ADDRESS:PORT   a page over a connection that stays
 *
 * Writes "ready" when it starts to ask. After SIGTERM, or --seconds, prints one JSON object:
 * "targets" as probe_record_report() says; "stalls", when the client itself ran late, so that a gap
 * there is no fault of others. Times are seconds of the monotonic clock, which all processes of a
 * machine share. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench/probe_frames.h"
#include "bench/probe_tcp.h"
#include "common/base/options.h"

struct settings {
    uint64_t interval_ms, deadline_ms, open_deadline_ms, seconds;
    struct str interface, from, from6, from_mac;
};

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    {"interval", NULL, OPTION_DURATION, AT(interval_ms), .fallback = "10ms", .min = 1, .max = 60000,
     .value = "TIME", .help = "time between two questions to a target"},
    {"deadline", NULL, OPTION_DURATION, AT(deadline_ms), .fallback = "250ms", .min = 1,
     .max = 60000, .value = "TIME", .help = "a later answer counts as none"},
    {"open-deadline", NULL, OPTION_DURATION, AT(open_deadline_ms), .fallback = "1s", .min = 1,
     .max = 60000, .value = "TIME", .help = "the same for open connections"},
    {"seconds", NULL, OPTION_UINT, AT(seconds), .fallback = "0", .max = 86400, .value = "N",
     .help = "end after N seconds; 0: on SIGTERM"},
    {"interface", NULL, OPTION_STR, AT(interface), .fallback = "eth0", .value = "NAME",
     .help = "where ARP and neighbour discovery are asked"},
    {"from", NULL, OPTION_STR, AT(from), .fallback = "192.0.2.201", .value = "ADDRESS",
     .help = "the sender of ARP requests, and the six after it; no host should have them"},
    {"from6", NULL, OPTION_STR, AT(from6), .fallback = "2001:db8:0:1::201", .value = "ADDRESS",
     .help = "the same for neighbour solicitations"},
    {"from-mac", NULL, OPTION_STR, AT(from_mac), .fallback = "02:00:5e:00:53:01", .value = "MAC",
     .help = "the Ethernet sender of both, and 31 more with another last octet but one; no host "
             "should have them"},
};
#undef AT

static const struct options options = {
    .program = "probe_client",
    .synopsis = "[flags] TARGET…",
    .summary = "Probes addresses at a steady rate; tells who answered, and how long nobody did.",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .operands = true,
};

struct stall {
    uint64_t at_ns, length_ns;
};

struct client {
    struct settings settings;
    struct loop *loop;
    struct probe_names names;
    struct probe_frames *frames;
    struct probe_record *records; /* one for each target */
    size_t count;
    VEC(struct probe_tcp *) tcp;
    struct loop_timer *timer;
    uint64_t started_ns, last_ns;
    VEC(struct stall) stalls;
};

/* Notes when we did not ask for long, which is no gap of theirs. Returns the present time. */
static uint64_t note_stall(struct client *client)
{
    uint64_t now = loop_clock_ns(), interval = client->settings.interval_ms * 1000000;
    if (client->last_ns && now - client->last_ns > 3 * interval) {
        struct stall stall = {.at_ns = client->last_ns, .length_ns = now - client->last_ns};
        vec_push(&client->stalls, stall);
    }
    client->last_ns = now;
    return now;
}

static void tick(void *ctx)
{
    struct client *client = ctx;
    uint64_t now = note_stall(client);
    probe_frames_ask(client->frames);
    for (size_t i = 0; i < client->tcp.len; i++)
        probe_tcp_ask(client->tcp.items[i]);
    uint64_t limit = client->settings.seconds * 1000000000;
    if (limit && now - client->started_ns >= limit)
        loop_stop(client->loop);
}

static void stop(void *ctx, int number)
{
    (void)number;
    loop_stop(ctx);
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT". */
static bool parse_endpoint(struct str text, struct ip *ret_ip, uint16_t *ret_port)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon == 0 || str_to_u64(str_slice(text, colon, text.len), 65535, &port) < 0 || port == 0)
        return false;
    *ret_port = (uint16_t)port;
    struct str host = str_slice(text, 0, colon - 1);
    if (str_starts_with(host, STR("[")) && str_ends_with(host, STR("]")))
        host = str_slice(host, 1, host.len - 1);
    return ip_parse(host, ret_ip) == 0;
}

static bool add_target(struct client *client, struct str target, struct probe_record *record)
{
    struct str kind, rest;
    if (!str_cut(target, ':', &kind, &rest))
        return false;
    if (str_eq(kind, STR("arp"))) {
        struct ip ip;
        if (ip_parse(rest, &ip) < 0)
            return false;
        probe_frames_add(client->frames, &ip, record);
        return true;
    }
    bool open = str_eq(kind, STR("open"));
    uint64_t deadline_ms = open ? client->settings.open_deadline_ms : client->settings.deadline_ms;
    struct probe_tcp_options one = {.kind = open ? PROBE_OPEN : PROBE_FRESH,
                                    .deadline_ns = deadline_ms * 1000000};
    if (!(open || str_eq(kind, STR("tcp"))) || !parse_endpoint(rest, &one.ip, &one.port))
        return false;
    vec_push(&client->tcp, probe_tcp_new(client->loop, &one, &client->names, record));
    return true;
}

static int open_frames(struct client *client)
{
    const struct settings *settings = &client->settings;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct probe_frames_options frames = {.interface = arena_cstr(scratch, settings->interface)};
    if (mac_parse(settings->from_mac, &frames.from_mac) < 0 ||
        ip_parse(settings->from, &frames.from_ip) < 0 || frames.from_ip.family != IP_V4 ||
        ip_parse(settings->from6, &frames.from_ip6) < 0 || frames.from_ip6.family != IP_V6) {
        (void)fprintf(stderr, "probe_client: --from, --from6 or --from-mac is no address\n");
        return -1;
    }
    int error = 0;
    client->frames = probe_frames_open(client->loop, &frames, &client->names, &error);
    if (!client->frames)
        (void)fprintf(stderr, "probe_client: %s: %s\n", frames.interface, strerror(-error));
    return client->frames ? 0 : -1;
}

static void report(struct client *client)
{
    struct patch out = {0};
    struct probe_rules rules = {.interval_ns = client->settings.interval_ms * 1000000,
                                .end_ns = loop_clock_ns()};
    patch_open(&out, NULL);
    patch_list(&out, "targets");
    for (size_t i = 0; i < client->count; i++) {
        bool open = str_starts_with(str_from(client->records[i].target), STR("open:"));
        rules.deadline_ns =
            1000000 * (open ? client->settings.open_deadline_ms : client->settings.deadline_ms);
        probe_record_report(&client->records[i], &client->names, &rules, &out);
    }
    patch_close(&out);
    patch_list(&out, "stalls");
    for (size_t i = 0; i < client->stalls.len; i++) {
        scoped_sbuf struct sbuf text = {0};
        sbuf_printf(&text, "{\"from\":%.6f,\"ms\":%.3f}",
                    (double)client->stalls.items[i].at_ns / 1e9,
                    (double)client->stalls.items[i].length_ns / 1e6);
        patch_raw(&out, NULL, sbuf_str(&text));
    }
    patch_close(&out);
    patch_close(&out);
    (void)printf(STR_FMT "\n", STR_ARG(patch_text(&out)));
    patch_done(&out);
}

static void close_all(struct client *client)
{
    for (size_t i = 0; i < client->tcp.len; i++)
        (void)probe_tcp_free(client->tcp.items[i]);
    vec_done(&client->tcp);
    client->frames = probe_frames_close(client->frames);
    for (size_t i = 0; i < client->count; i++)
        probe_record_done(&client->records[i]);
    free(client->records);
    vec_done(&client->stalls);
    probe_names_done(&client->names);
}

static void probe(struct client *client)
{
    struct loop_signal *end = loop_signal_watch(client->loop, SIGTERM, stop, client->loop);
    client->started_ns = loop_clock_ns();
    client->timer = loop_timer_start(client->loop, 0, client->settings.interval_ms, tick, client);
    (void)fprintf(stderr, "ready\n");
    loop_run(client->loop);
    (void)note_stall(client); /* the signal to end may come before the tick that is late */
    (void)loop_timer_cancel(client->timer);
    (void)loop_signal_cancel(end);
    report(client);
}

/* False, with what is wrong told, when a target is none. */
static bool add_targets(struct client *client, const struct str_list *targets)
{
    client->records = heap_alloc(targets->count * sizeof(*client->records));
    for (size_t i = 0; i < targets->count; i++) {
        client->records[i] = (struct probe_record){.target = targets->items[i].ptr};
        client->count++;
        if (!add_target(client, targets->items[i], &client->records[i])) {
            (void)fprintf(stderr, "probe_client: no target: " STR_FMT "\n",
                          STR_ARG(targets->items[i]));
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct client client = {0};
    struct str_list targets = {0};
    struct str error = {0};
    int outcome = options_parse(&options, argv + 1, (size_t)argc - 1, NULL, arena, &client.settings,
                                &targets, &error);
    if (outcome != OPTIONS_RUN || targets.count == 0) {
        scoped_sbuf struct sbuf usage = {0};
        options_usage(&options, &usage);
        (void)fprintf(stderr, STR_FMT "\n%s", STR_ARG(error), sbuf_cstr(&usage));
        return outcome == OPTIONS_HELP ? 0 : 2;
    }
    scoped_ptr(loop) struct loop *loop = loop_new();
    client.loop = loop;
    bool good = open_frames(&client) == 0 && add_targets(&client, &targets);
    if (good)
        probe(&client);
    close_all(&client);
    return good ? 0 : 1;
}
