/* For tests, not installed: answers ARP on one interface until SIGTERM.
 *
 * usage: arp-probe INTERFACE MAC ADDRESS…
 *
 * SIGUSR1 announces all addresses, SIGUSR2 disowns the first. At the end, or when the interface
 * fails, prints the figures as JSON. */
#include <signal.h>
#include <stdio.h>

#include "arp/responder.h"
#include "common/base/err.h"
#include "common/base/sbuf.h"

struct probe {
    struct loop *loop;
    struct responder *responder;
    char **addresses;
    int count, error;
};

static struct ip parse(const char *text)
{
    struct ip ip;
    if (ip_parse(str_from(text), &ip) < 0)
        exit(2);
    return ip;
}

static void announce(void *ctx, int number)
{
    struct probe *probe = ctx;
    (void)number;
    for (int i = 0; i < probe->count; i++) {
        struct ip ip = parse(probe->addresses[i]);
        int result = responder_announce(probe->responder, &ip);
        if (result < 0)
            (void)fprintf(stderr, "announce: %s\n", err_text(result));
    }
    (void)fprintf(stderr, "announced\n");
}

static void disown(void *ctx, int number)
{
    struct probe *probe = ctx;
    struct ip ip = parse(probe->addresses[0]);
    (void)number;
    responder_disown(probe->responder, &ip);
    (void)fprintf(stderr, "disowned\n");
}

static void stop(void *ctx, int number)
{
    struct probe *probe = ctx;
    (void)number;
    loop_stop(probe->loop);
}

static void failed(void *ctx, int error)
{
    struct probe *probe = ctx;
    probe->error = error;
    loop_stop(probe->loop);
}

static void print_figures(const struct probe *probe)
{
    struct responder_figures figures = responder_figures(probe->responder);
    scoped_sbuf struct sbuf out = {0};
    sbuf_printf(&out, "{\"error\": \"%s\", \"received\": %d, \"answered\": %d, \"announced\": %d",
                probe->error ? err_text(probe->error) : "", (int)figures.received,
                (int)figures.answered, (int)figures.announced);
    for (size_t i = 0; i < ARP_VERDICTS; i++)
        sbuf_printf(&out, ", \"%s\": %d", i ? arp_verdict_name((enum arp_verdict)i) : "ok",
                    (int)figures.verdicts[i]);
    size_t cursor = 0;
    for (const struct owned_address *address;
         (address = responder_next(probe->responder, &cursor));)
        sbuf_printf(&out, ", \"%s\": [%d, %d, %d]", ip_format(&address->ip).text,
                    (int)address->received, (int)address->answered, (int)address->announced);
    (void)fprintf(stderr, "%s}\n", sbuf_cstr(&out));
}

static int serve(struct probe *probe)
{
    struct loop_signal *signals[] = {
        loop_signal_watch(probe->loop, SIGTERM, stop, probe),
        loop_signal_watch(probe->loop, SIGUSR1, announce, probe),
        loop_signal_watch(probe->loop, SIGUSR2, disown, probe),
    };
    for (int i = 0; i < probe->count; i++) {
        struct ip ip = parse(probe->addresses[i]);
        responder_own(probe->responder, &ip);
    }
    (void)fprintf(stderr, "ready\n");
    loop_run(probe->loop);
    print_figures(probe);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)loop_signal_cancel(signals[i]);
    probe->responder = responder_close(probe->responder);
    return 0;
}

int main(int argc, char **argv)
{
    struct responder_interface interface;
    if (argc < 3 || mac_parse(str_from(argv[2]), &interface.mac) < 0)
        return 2;
    interface.name = str_from(argv[1]);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct probe probe = {.loop = loop, .addresses = argv + 3, .count = argc - 3};
    int result = responder_open(loop, &interface, failed, &probe, &probe.responder);
    if (result < 0) {
        (void)fprintf(stderr, "open: %s\n", err_text(result));
        return 1;
    }
    return serve(&probe);
}
