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

struct program {
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
    struct program *program = ctx;
    (void)number;
    for (int i = 0; i < program->count; i++) {
        struct ip ip = parse(program->addresses[i]);
        int result = responder_announce(program->responder, &ip);
        if (result < 0)
            (void)fprintf(stderr, "announce: %s\n", err_text(result));
    }
    (void)fprintf(stderr, "announced\n");
}

static void disown(void *ctx, int number)
{
    struct program *program = ctx;
    struct ip ip = parse(program->addresses[0]);
    (void)number;
    responder_disown(program->responder, &ip);
    (void)fprintf(stderr, "disowned\n");
}

static void stop(void *ctx, int number)
{
    struct program *program = ctx;
    (void)number;
    loop_stop(program->loop);
}

static void failed(void *ctx, int error)
{
    struct program *program = ctx;
    program->error = error;
    loop_stop(program->loop);
}

static void print_figures(const struct program *program)
{
    struct responder_figures figures = responder_figures(program->responder);
    scoped_sbuf struct sbuf out = {0};
    sbuf_printf(&out, "{\"error\": \"%s\", \"received\": %d, \"answered\": %d, \"announced\": %d",
                program->error ? err_text(program->error) : "", (int)figures.received,
                (int)figures.answered, (int)figures.announced);
    for (size_t i = 0; i < REACTION_VERDICTS; i++)
        sbuf_printf(&out, ", \"%s\": %d",
                    i ? reaction_verdict_name((enum reaction_verdict)i) : "ok",
                    (int)figures.verdicts[REACTION_ARP][i]);
    size_t cursor = 0;
    for (const struct owned_address *address;
         (address = responder_next(program->responder, &cursor));)
        sbuf_printf(&out, ", \"%s\": [%d, %d, %d]", ip_format(&address->ip).text,
                    (int)address->received, (int)address->answered, (int)address->announced);
    (void)fprintf(stderr, "%s}\n", sbuf_cstr(&out));
}

static int serve(struct program *program)
{
    struct loop_signal *signals[] = {
        loop_signal_watch(program->loop, SIGTERM, stop, program),
        loop_signal_watch(program->loop, SIGUSR1, announce, program),
        loop_signal_watch(program->loop, SIGUSR2, disown, program),
    };
    for (int i = 0; i < program->count; i++) {
        struct ip ip = parse(program->addresses[i]);
        responder_own(program->responder, &ip);
    }
    (void)fprintf(stderr, "ready\n");
    loop_run(program->loop);
    print_figures(program);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)loop_signal_cancel(signals[i]);
    program->responder = responder_close(program->responder);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct responder_calls calls = {.failed = failed};
    struct responder_interface interface = {0};
    if (argc < 3 || mac_parse(str_from(argv[2]), &interface.mac) < 0)
        return 2;
    interface.name = str_from(argv[1]);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct program program = {.loop = loop, .addresses = argv + 3, .count = argc - 3};
    int result = responder_open(loop, &interface, &calls, &program, &program.responder);
    if (result < 0) {
        (void)fprintf(stderr, "open: %s\n", err_text(result));
        return 1;
    }
    return serve(&program);
}
