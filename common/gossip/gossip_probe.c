/* For tests, not installed: a member of the gossip until SIGTERM, then it leaves.
 *
 * usage: gossip-probe NAME ADDRESS PORT KEY_DIRECTORY HOLD_DOWN_MS PEER…
 *
 * Whenever something changes it says "report " and what it sees as JSON. SIGUSR1: "figures " and
 * what it has counted. SIGUSR2: sends "hello" to all living members; what comes in is said as
 * "message FROM BYTES". */
#include <signal.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/base/vec.h"
#include "common/gossip/gossip.h"

struct probe {
    struct loop *loop;
    struct gossip *gossip;
};

static void say(const char *what, const struct sbuf *text)
{
    (void)fprintf(stderr, "%s %s\n", what, sbuf_cstr(text));
}

static void changed(void *ctx)
{
    const struct probe *probe = ctx;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf out = {0};
    size_t count;
    const struct gossip_member *list = gossip_list(probe->gossip, arena, &count);
    sbuf_printf(&out, "{\"at\": %.6f, \"on\": %s, \"settled\": %s, \"stalled\": %s, \"members\": {",
                (double)loop_clock_ns() / 1e9, gossip_is_on(probe->gossip) ? "true" : "false",
                gossip_is_settled(probe->gossip) ? "true" : "false",
                gossip_is_stalled(probe->gossip) ? "true" : "false");
    for (size_t i = 0; i < count; i++) {
        sbuf_puts(&out, i ? ", " : "");
        sbuf_json(&out, list[i].name);
        sbuf_printf(&out, ": [\"%s\", \"%s\", %s]", gossip_state_name(list[i].state),
                    ip_format(&list[i].address).text, list[i].meta.held ? "true" : "false");
    }
    sbuf_puts(&out, "}}");
    say("report", &out);
}

static void message(void *ctx, struct str from, struct str bytes)
{
    scoped_sbuf struct sbuf out = {0};
    (void)ctx;
    sbuf_put(&out, from);
    sbuf_putc(&out, ' ');
    sbuf_put(&out, bytes);
    say("message", &out);
}

static void figures(void *ctx, int number)
{
    const struct probe *probe = ctx;
    struct gossip_figures figures = gossip_figures(probe->gossip);
    scoped_sbuf struct sbuf out = {0};
    (void)number;
    sbuf_printf(&out, "{\"sent\": %d, \"received\": %d, \"keys\": %d, \"deaths\": %d",
                (int)figures.sent, (int)figures.received, (int)figures.keys,
                (int)figures.member.deaths);
    for (size_t i = 0; i < GOSSIP_DROPS; i++)
        sbuf_printf(&out, ", \"%s\": %d", gossip_drop_name((enum gossip_drop)i),
                    (int)figures.dropped[i]);
    sbuf_puts(&out, "}");
    say("figures", &out);
}

static void greet(void *ctx, int number)
{
    const struct probe *probe = ctx;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct gossip_member *list = gossip_list(probe->gossip, arena, &count);
    (void)number;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].self && gossip_is_alive(list[i].state))
            (void)gossip_send(probe->gossip, list[i].name, STR("hello")); /* may be lost anyway */
    }
}

static void left(void *ctx)
{
    const struct probe *probe = ctx;
    loop_stop(probe->loop);
}

static void leave(void *ctx, int number)
{
    struct probe *probe = ctx;
    (void)number;
    gossip_leave(probe->gossip, left, probe);
}

static int parse(char **argv, struct gossip_options *options)
{
    uint64_t port;
    if (ip_parse(str_from(argv[2]), &options->bind) < 0 ||
        str_to_u64(str_from(argv[3]), UINT16_MAX, &port) < 0 ||
        str_to_u64(str_from(argv[5]), UINT32_MAX, &options->hold_down_ms) < 0)
        return -1;
    options->name = str_from(argv[1]);
    options->port = (uint16_t)port;
    options->key_dir = str_from(argv[4]);
    return 0;
}

static void serve(struct probe *probe)
{
    struct loop_signal *signals[] = {
        loop_signal_watch(probe->loop, SIGTERM, leave, probe),
        loop_signal_watch(probe->loop, SIGUSR1, figures, probe),
        loop_signal_watch(probe->loop, SIGUSR2, greet, probe),
    };
    changed(probe);
    loop_run(probe->loop);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)loop_signal_cancel(signals[i]);
}

int main(int argc, char **argv)
{
    enum { FIXED = 6 };
    struct gossip_options options = {0};
    VEC(struct ip) peers = {0};
    if (argc < FIXED || parse(argv, &options) < 0)
        return 2;
    for (int i = FIXED; i < argc; i++) {
        struct ip ip;
        if (ip_parse(str_from(argv[i]), &ip) < 0)
            return 2;
        vec_push(&peers, ip);
    }
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct probe probe = {.loop = loop};
    struct gossip_calls calls = {.changed = changed, .message = message};
    int result = gossip_open(loop, &options, &calls, &probe, &probe.gossip);
    if (result < 0) {
        (void)fprintf(stderr, "open: %s\n", err_text(result));
        return 1;
    }
    gossip_set_peers(probe.gossip, peers.items, peers.len);
    serve(&probe);
    probe.gossip = gossip_close(probe.gossip);
    vec_done(&peers);
    return 0;
}
