#include "common/program/program_main.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/program/program_trim.h"

#define ACCOUNT_NAMESPACE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

enum { EXIT_USAGE = 2 };

struct run {
    struct loop_signal *terminate, *interrupt;
    void (*stop)(void *ctx);
    void *ctx;
};

/* The namespace of the pod's service account, or the one of MetalLB's manifests. */
static struct str default_namespace(struct arena *arena)
{
    char text[256];
    scoped_fd int fd = open(ACCOUNT_NAMESPACE, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (len <= 0)
        return STR("metallb-system");
    return arena_str(arena, str_trim((struct str){.ptr = text, .len = (size_t)len}));
}

static void cancel_signals(struct run *run)
{
    run->terminate = loop_signal_cancel(run->terminate);
    run->interrupt = loop_signal_cancel(run->interrupt);
}

static void on_signal(void *ctx, int number)
{
    struct run *run = ctx;
    log_info("stopping", kv_int("signal", number));
    cancel_signals(run);
    run->stop(run->ctx);
}

void program_run(struct program *program, struct kv instance, void (*stop)(void *ctx), void *ctx)
{
    struct run run = {.stop = stop, .ctx = ctx};
    run.terminate = loop_signal_watch(program->loop, SIGTERM, on_signal, &run);
    run.interrupt = loop_signal_watch(program->loop, SIGINT, on_signal, &run);
    log_info("started", kv_cstr("version", STENTOR_VERSION), instance);
    struct program_trim *trim = program_trim_start(program->loop);
    loop_run(program->loop);
    (void)program_trim_cancel(trim);
    cancel_signals(&run);
}

static int start(const struct program_kind *kind, struct program *program)
{
    struct program_settings *s = program->settings;
    log_init(kind->log_name, program_settings_log_level(s), (enum log_format)s->log_format);
    if (s->namespace.len == 0)
        s->namespace = default_namespace(program->arena);
    return kind->run(program);
}

static int show_version(const char *name)
{
    (void)printf("%s %s\n", name, STENTOR_VERSION);
    return EXIT_SUCCESS;
}

static int show_help(const struct options *options)
{
    scoped_sbuf struct sbuf usage = {0};
    options_usage(options, &usage);
    (void)fwrite(usage.ptr, 1, usage.len, stdout);
    return EXIT_SUCCESS;
}

int program_main(const struct program_kind *kind, int argc, char **argv)
{
    const struct options *options = &kind->flags->options;
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "%s: libsodium cannot start\n", options->program);
        return EXIT_FAILURE;
    }
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct program program = {.name = options->program, .arena = arena, .loop = loop};
    struct program_arguments arguments = {argv + 1, (size_t)argc - 1, environ};
    struct str error = {0};
    int outcome = program_settings_parse(kind->flags, &arguments, arena, &program.settings, &error);
    switch (outcome) {
    case OPTIONS_RUN:
        return start(kind, &program);
    case OPTIONS_VERSION:
        return show_version(options->program);
    case OPTIONS_HELP:
        return show_help(options);
    default:
        (void)fprintf(stderr, "%s: " STR_FMT "\nSee %s --help.\n", options->program, STR_ARG(error),
                      options->program);
        return EXIT_USAGE;
    }
}
