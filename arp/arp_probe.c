/* For tests, not installed: the responder by itself, on one interface, until SIGTERM.
 *
 * usage: arp-probe COMMANDS INTERFACE MAC [ADDRESS…]
 *
 * COMMANDS is a FIFO from which commands are read, one a line; each is acknowledged by a line on
 * standard error, as is what the responder tells. At the end, or when the interface fails, the
 * figures follow as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "arp/responder.h"
#include "common/base/err.h"
#include "common/base/sbuf.h"

struct program {
    struct loop *loop;
    struct responder *responder;
    int error;
    bool is_stalled;
    int commands;
};

#define TELL(...) ((void)fprintf(stderr, __VA_ARGS__))

static struct ip parse(struct str text)
{
    struct ip ip;
    if (ip_parse(text, &ip) < 0) {
        TELL("no address: " STR_FMT "\n", STR_ARG(text));
        exit(2);
    }
    return ip;
}

/* --- commands -------------------------------------------------------------------------------- */

static void own(struct program *program, struct str argument)
{
    struct ip ip = parse(argument);
    responder_own(program->responder, &ip);
}

/* FIRST COUNT */
static void change_many(struct program *program, struct str argument,
                        void (*change)(struct responder *responder, const struct ip *ip))
{
    struct str first, count;
    uint64_t many;
    if (!str_cut(argument, ' ', &first, &count) || str_to_u64(count, 1000000, &many) < 0)
        exit(2);
    struct ip ip = parse(first);
    for (uint64_t i = 0; i < many; i++) {
        struct ip one;
        if (ip_add(&ip, i, &one))
            change(program->responder, &one);
    }
}

static void own_many(struct program *program, struct str argument)
{
    change_many(program, argument, responder_own);
}

static void disown_many(struct program *program, struct str argument)
{
    change_many(program, argument, responder_disown);
}

static void disown(struct program *program, struct str argument)
{
    struct ip ip = parse(argument);
    responder_disown(program->responder, &ip);
}

static void announce(struct program *program, struct str argument)
{
    struct ip ip = parse(argument);
    int result = responder_announce(program->responder, &ip);
    if (result < 0)
        TELL("announce: %s\n", err_text(result));
}

static void announce_all(struct program *program, struct str argument)
{
    size_t cursor = 0;
    (void)argument;
    for (const struct owned_address *address;
         (address = responder_next(program->responder, &cursor));)
        (void)responder_announce(program->responder, &address->ip); /* counted */
}

static void probed(void *ctx, const struct ip *ip, const struct mac *taken_by)
{
    (void)ctx;
    TELL("probed %s %s\n", ip_format(ip).text, taken_by ? mac_format(taken_by).text : "free");
}

static void probe_fast(struct program *program, struct str argument)
{
    struct ip ip = parse(argument);
    (void)responder_probe_start(program->responder, &ip, PROBE_FAST, probed, program);
}

static void probe_full(struct program *program, struct str argument)
{
    struct ip ip = parse(argument);
    (void)responder_probe_start(program->responder, &ip, PROBE_FULL, probed, program);
}

static void stall(struct program *program, struct str argument)
{
    program->is_stalled = str_eq(argument, STR("on"));
}

static void catch_up(struct program *program, struct str argument)
{
    (void)argument;
    responder_catch_up(program->responder);
}

static void put_verdicts(struct sbuf *out, const struct responder_figures *figures)
{
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++) {
        sbuf_printf(out, ", \"%s\": {", reaction_protocol_name((enum reaction_protocol)i));
        for (size_t j = 0; j < REACTION_VERDICTS; j++)
            sbuf_printf(out, "%s\"%s\": %llu", j ? ", " : "",
                        reaction_verdict_name((enum reaction_verdict)j),
                        (unsigned long long)figures->verdicts[i][j]);
        sbuf_putc(out, '}');
    }
}

static void put_addresses(struct sbuf *out, const struct responder *responder)
{
    size_t cursor = 0;
    const char *between = "";
    sbuf_puts(out, ", \"addresses\": {");
    for (const struct owned_address *address; (address = responder_next(responder, &cursor));) {
        sbuf_printf(out, "%s\"%s\": [%d, %d, %d]", between, ip_format(&address->ip).text,
                    (int)address->received, (int)address->answered, (int)address->announced);
        between = ", ";
    }
    sbuf_putc(out, '}');
}

static void show_figures(struct program *program, struct str argument)
{
    struct responder_figures figures = responder_figures(program->responder);
    scoped_sbuf struct sbuf out = {0};
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"received", figures.received},   {"answered", figures.answered},
        {"announced", figures.announced}, {"probes", figures.probes},
        {"claims", figures.claims},       {"dropped", figures.dropped},
        {"lost", figures.lost},           {"send_errors", figures.send_errors},
    };
    (void)argument;
    sbuf_printf(&out, "figures {\"error\": \"%s\"", program->error ? err_text(program->error) : "");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sbuf_printf(&out, ", \"%s\": %llu", numbers[i].name, (unsigned long long)numbers[i].value);
    put_verdicts(&out, &figures);
    put_addresses(&out, program->responder);
    TELL("%s}\n", sbuf_cstr(&out));
}

static const struct command {
    const char *name;
    void (*run)(struct program *program, struct str argument);
} commands[] = {
    {"own", own},
    {"own-many", own_many},
    {"disown-many", disown_many},
    {"disown", disown},
    {"announce", announce},
    {"announce-all", announce_all},
    {"probe-fast", probe_fast},
    {"probe-full", probe_full},
    {"stall", stall},
    {"catch-up", catch_up},
    {"figures", show_figures},
};

static void run_command(struct program *program, struct str line)
{
    struct str name = line, argument = {0};
    (void)str_cut(line, ' ', &name, &argument);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!str_eq(name, str_from(commands[i].name)))
            continue;
        commands[i].run(program, argument);
        TELL("done " STR_FMT "\n", STR_ARG(line));
        return;
    }
    TELL("no command: " STR_FMT "\n", STR_ARG(line));
    exit(2);
}

/* Whole lines only: a command is written in one piece, but several may have come. */
static void readable(void *ctx, unsigned events)
{
    struct program *program = ctx;
    char bytes[4096];
    (void)events;
    ssize_t size = read(program->commands, bytes, sizeof(bytes));
    struct str rest = {.ptr = bytes, .len = size > 0 ? (size_t)size : 0}, line;
    while (str_cut(rest, '\n', &line, &rest))
        run_command(program, line);
}

/* --- what the responder tells ---------------------------------------------------------------- */

static void stop(void *ctx, int number)
{
    (void)number;
    loop_stop(((struct program *)ctx)->loop);
}

static void failed(void *ctx, int error)
{
    struct program *program = ctx;
    program->error = error;
    loop_stop(program->loop);
}

static void heard(void *ctx, const struct ip *ip, const struct mac *mac, enum reaction_claim claim)
{
    (void)ctx;
    TELL("heard %s %s %s\n", ip_format(ip).text, mac_format(mac).text, reaction_claim_name(claim));
}

static bool may_answer(void *ctx)
{
    return !((const struct program *)ctx)->is_stalled;
}

static int serve(struct program *program, char **addresses)
{
    struct loop_signal *end = loop_signal_watch(program->loop, SIGTERM, stop, program);
    struct loop_fd *watch =
        loop_fd_watch(program->loop, program->commands, LOOP_READ, readable, program);
    for (; *addresses; addresses++)
        own(program, str_from(*addresses));
    TELL("ready\n");
    loop_run(program->loop);
    show_figures(program, STR(""));
    (void)loop_fd_cancel(watch);
    (void)loop_signal_cancel(end);
    program->responder = responder_close(program->responder);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct responder_calls calls = {failed, heard, may_answer};
    struct responder_interface interface = {.seed = 1};
    if (argc < 4 || mac_parse(str_from(argv[3]), &interface.mac) < 0)
        return 2;
    interface.name = str_from(argv[2]);
    /* Read and write: so that it stays open while nobody writes. */
    scoped_fd int fd = open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct program program = {.loop = loop, .commands = fd};
    int result =
        fd < 0 ? -ENOENT : responder_open(loop, &interface, &calls, &program, &program.responder);
    if (result < 0) {
        TELL("open: %s\n", err_text(result));
        return 1;
    }
    return serve(&program, argv + 4);
}
