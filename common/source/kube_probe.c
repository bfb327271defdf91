/* kube-probe: the Kubernetes source by hand, for tests (not installed).
 *
 *     kube-probe [--kubeconfig FILE | --in-cluster DIR] [--object-max BYTES] [--state-dir DIR]
 *                KIND[@NAMESPACE]…
 *
 * Follows the kinds and prints one JSON object a line for everything that the source tells. Takes
 * commands, one JSON object a line, from standard input ({"do": "write", …}; see `commands`); ends
 * with "quit" or at the end of the input. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/json/patch.h"
#include "common/source/source_kube.h"

struct probe {
    struct loop *loop;
    struct source *source;
    struct loop_fd *input;
    struct sbuf line;
};

/* One line to whoever reads us; a pipe that is closed ends the program. */
static void say(struct patch *line)
{
    struct str text = patch_text(line);
    (void)fwrite(text.ptr, 1, text.len, stdout);
    (void)putchar('\n');
    (void)fflush(stdout);
    patch_done(line);
}

static void say_flag(const char *key)
{
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_bool(&line, key, true);
    patch_close(&line);
    say(&line);
}

static void put_version(struct patch *line, const char *key, const struct object *object)
{
    if (object)
        patch_str(line, key, object->resource_version);
    else
        patch_null(line, key);
}

static void on_changed(void *ctx, const struct object *before, const struct object *after)
{
    (void)ctx;
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_str(&line, "changed", object_id(after ? after : before));
    put_version(&line, "before", before);
    put_version(&line, "after", after);
    patch_close(&line);
    say(&line);
}

static void on_synced(void *ctx)
{
    (void)ctx;
    say_flag("synced");
}

static void on_findings(void *ctx)
{
    const struct probe *probe = ctx;
    const struct diag_list *list = source_findings(probe->source);
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_list(&line, "findings");
    for (size_t i = 0; i < list->found.len; i++) {
        patch_open(&line, NULL);
        patch_str(&line, "object", list->found.items[i].object);
        patch_str(&line, "message", list->found.items[i].message);
        patch_close(&line);
    }
    patch_close(&line);
    patch_close(&line);
    say(&line);
}

static struct str text_of(const json_t *command, const char *key)
{
    const json_t *value = json_object_get(command, key);
    return (struct str){json_string_value(value), json_string_length(value)};
}

static const struct kind *kind_of(struct str name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (str_eq(str_from(kinds_get((enum kind_id)i)->name), name))
            return kinds_get((enum kind_id)i);
    return NULL;
}

static void do_refresh(struct probe *probe, const json_t *command)
{
    (void)command;
    source_refresh(probe->source);
}

static void do_list(struct probe *probe, const json_t *command)
{
    const struct kind *kind = kind_of(text_of(command, "kind"));
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count = 0;
    const struct object **all = kind ? source_list(probe->source, kind->id, arena, &count) : NULL;
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_open(&line, "objects");
    for (size_t i = 0; i < count; i++)
        patch_str(&line, all[i]->key.ptr, all[i]->resource_version);
    patch_close(&line);
    patch_close(&line);
    say(&line);
}

struct writing {
    struct arena *arena;
    struct str id;
};

static void on_written(void *ctx, int result, struct str message, struct str version)
{
    struct writing *writing = ctx;
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_str(&line, "wrote", writing->id);
    patch_str(&line, "result", result ? str_from(err_text(result)) : STR("ok"));
    patch_str(&line, "message", message);
    patch_str(&line, "version", version);
    patch_close(&line);
    say(&line);
    (void)arena_free(writing->arena);
}

static void do_write(struct probe *probe, const json_t *command)
{
    static const char *const verb_names[] = {
        [SOURCE_CREATE] = "create",
        [SOURCE_PATCH] = "patch",
        [SOURCE_PATCH_STATUS] = "patch-status",
        [SOURCE_APPLY_STATUS] = "apply-status",
        [SOURCE_APPLY] = "apply",
        [SOURCE_DELETE] = "delete",
    };
    static const struct names verbs = NAMES(verb_names);
    const struct kind *kind = kind_of(text_of(command, "kind"));
    size_t verb;
    if (!kind || names_find(&verbs, text_of(command, "verb"), &verb) < 0) {
        say_flag("refused");
        return;
    }
    const json_t *body = json_object_get(command, "body");
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct arena *arena = arena_new(0);
    struct writing *writing = arena_alloc(arena, sizeof(*writing));
    *writing = (struct writing){arena, arena_str(arena, text_of(command, "id"))};
    struct source_write write = {
        .verb = (enum source_verb)verb,
        .kind = kind->id,
        .namespace = text_of(command, "namespace"),
        .name = text_of(command, "name"),
        .body = str_from(text),
        .manager = text_of(command, "manager"),
        .done = on_written,
        .ctx = writing,
    };
    (void)source_write(probe->source, &write);
    free(text);
}

static void on_leading(void *ctx, enum source_lead lead)
{
    (void)ctx;
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_bool(&line, "leader", lead != SOURCE_STANDS_BY);
    patch_bool(&line, "succeeds", lead == SOURCE_SUCCEEDS);
    patch_close(&line);
    say(&line);
}

static uint64_t number_of(const json_t *command, const char *key, uint64_t fallback)
{
    json_int_t value = json_integer_value(json_object_get(command, key));
    return value > 0 ? (uint64_t)value : fallback;
}

static void do_elect(struct probe *probe, const json_t *command)
{
    struct source_election election = {
        .namespace = text_of(command, "namespace"),
        .name = text_of(command, "name"),
        .identity = text_of(command, "identity"),
        .lease_ms = number_of(command, "lease", 15000),
        .renew_ms = number_of(command, "renew", 10000),
        .retry_ms = number_of(command, "retry", 2000),
        .changed = on_leading,
        .ctx = probe,
    };
    source_elect(probe->source, &election);
}

static void on_resigned(void *ctx)
{
    (void)ctx;
    say_flag("resigned");
}

static void do_resign(struct probe *probe, const json_t *command)
{
    (void)command;
    source_resign(probe->source, on_resigned, probe);
}

static void do_event(struct probe *probe, const json_t *command)
{
    const struct kind *kind = kind_of(text_of(command, "kind"));
    struct source_event event = {
        .about = kind ? source_get(probe->source, kind->id, text_of(command, "namespace"),
                                   text_of(command, "name"))
                      : NULL,
        .warning = json_is_true(json_object_get(command, "warning")),
        .reason = text_of(command, "reason"),
        .action = text_of(command, "action"),
        .message = text_of(command, "message"),
    };
    if (event.about)
        source_event(probe->source, &event);
    else
        say_flag("refused");
}

static void do_counts(struct probe *probe, const json_t *command)
{
    (void)command;
    struct source_kube_counts counts = source_kube_counts(probe->source);
    struct patch line = {0};
    patch_open(&line, NULL);
    patch_open(&line, "counts");
    patch_int(&line, "lists", (int64_t)counts.reflectors.lists);
    patch_int(&line, "watches", (int64_t)counts.reflectors.watches);
    patch_int(&line, "events", (int64_t)counts.reflectors.events);
    patch_int(&line, "skipped", (int64_t)counts.reflectors.skipped);
    patch_int(&line, "failures", (int64_t)counts.reflectors.failures);
    patch_int(&line, "eventsSent", (int64_t)counts.events.sent);
    patch_int(&line, "eventsFolded", (int64_t)counts.events.folded);
    patch_int(&line, "eventsLimited", (int64_t)counts.events.limited);
    patch_int(&line, "eventsFailed", (int64_t)counts.events.failed);
    patch_int(&line, "writesPending", (int64_t)counts.writes_pending);
    patch_close(&line);
    patch_close(&line);
    say(&line);
}

static void do_quit(struct probe *probe, const json_t *command)
{
    (void)command;
    loop_stop(probe->loop);
}

static const struct {
    struct str name;
    void (*run)(struct probe *probe, const json_t *command);
} commands[] = {
    {STR_INIT("refresh"), do_refresh}, /* list anew, then "synced" */
    {STR_INIT("list"), do_list},       /* kind: what the cache holds, with versions */
    {STR_INIT("write"), do_write},     /* id, verb, kind, namespace, name, body, manager */
    {STR_INIT("elect"), do_elect},     /* namespace, name, identity, lease, renew, retry (ms) */
    {STR_INIT("resign"), do_resign},   /* then "resigned" */
    {STR_INIT("event"), do_event},     /* kind, namespace, name, reason, action, message, warning */
    {STR_INIT("counts"), do_counts},   {STR_INIT("quit"), do_quit},
};

static void run_command(struct probe *probe, struct str line)
{
    json_t *command = json_loadb(line.ptr, line.len, 0, NULL);
    struct str name = text_of(command, "do");
    bool known = false;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!str_eq(name, commands[i].name))
            continue;
        commands[i].run(probe, command);
        known = true;
    }
    if (!known)
        say_flag("refused");
    json_decref(command);
}

static void on_input(void *ctx, unsigned events)
{
    (void)events;
    struct probe *probe = ctx;
    char bytes[4096];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        loop_stop(probe->loop);
        return;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] != '\n') {
            sbuf_putc(&probe->line, bytes[i]);
            continue;
        }
        run_command(probe, sbuf_str(&probe->line));
        sbuf_clear(&probe->line);
    }
}

static int usage(const char *why)
{
    (void)fprintf(stderr,
                  "kube-probe: %s\n"
                  "usage: kube-probe [--kubeconfig FILE | --in-cluster DIR] [--object-max BYTES] "
                  "[--state-dir DIR] KIND[?][@NAMESPACE]...\n",
                  why);
    return 2;
}

static int run(const struct source_kube_config *config, const struct source_follow *follow,
               size_t count)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct probe probe = {.loop = loop};
    struct str error = {0};
    probe.source = source_kube_new(loop, config, arena, &error);
    if (!probe.source) {
        (void)fprintf(stderr, "kube-probe: " STR_FMT "\n", STR_ARG(error));
        return 1;
    }
    struct source_calls calls = {
        .changed = on_changed, .synced = on_synced, .findings = on_findings, .ctx = &probe};
    source_start(probe.source, follow, count, &calls);
    probe.input = loop_fd_watch(loop, STDIN_FILENO, LOOP_READ, on_input, &probe);
    loop_run(loop);
    probe.input = loop_fd_cancel(probe.input);
    probe.source = source_free(probe.source);
    sbuf_done(&probe.line);
    return 0;
}

int main(int argc, char **argv)
{
    struct source_kube_config config = {
        .program = STR("kube-probe"),
        .reporter = STR("stentor.io/kube-probe"),
        .instance = STR("probe"),
    };
    struct source_follow follow[KIND_COUNT];
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        struct str argument = str_from(argv[i]), name, namespace;
        bool value = i + 1 < argc;
        if (str_eq(argument, STR("--kubeconfig")) && value) {
            config.auth.kubeconfig = argv[++i];
        } else if (str_eq(argument, STR("--in-cluster")) && value) {
            config.auth.in_cluster = argv[++i];
        } else if (str_eq(argument, STR("--state-dir")) && value) {
            config.state_dir = str_from(argv[++i]);
        } else if (str_eq(argument, STR("--object-max")) && value) {
            uint64_t limit;
            if (str_to_u64(str_from(argv[++i]), INT32_MAX, &limit) < 0)
                return usage("--object-max is not a number");
            config.object_max = (size_t)limit;
        } else {
            (void)str_cut(argument, '@', &name, &namespace);
            bool optional = str_ends_with(name, STR("?"));
            const struct kind *kind = kind_of(str_slice(name, 0, name.len - optional));
            if (!kind || count == KIND_COUNT)
                return usage("unknown kind or option");
            follow[count++] = (struct source_follow){
                .kind = kind->id, .namespace = namespace, .optional = optional};
        }
    }
    log_init("kube-probe", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
    return run(&config, follow, count);
}
