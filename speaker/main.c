/* stentor-speaker: announces the addresses of Services from this node. See speaker.h for how it
 * works. */
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/source/source_dir.h"
#include "common/source/source_kube.h"
#include "speaker/rest.h"
#include "speaker/settings.h"
#include "speaker/speaker.h"

#define ACCOUNT_NAMESPACE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

enum { EXIT_USAGE = 2 };

struct program {
    struct arena *arena;
    struct settings settings;
    struct loop *loop;
    struct speaker_metrics *metrics;
    struct speaker *speaker;
    struct rest *rest;
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

static struct source *open_source(struct program *p, struct str *ret_error)
{
    const struct settings *s = &p->settings;
    if (s->manifests.len) {
        struct source_dir_options options = {.manifests = s->manifests, .status = s->status};
        return source_dir_new(p->loop, &options);
    }
    struct source_kube_config config = {
        .auth = {.kubeconfig = s->kubeconfig.len ? arena_cstr(p->arena, s->kubeconfig) : NULL,
                 .context = s->context.len ? arena_cstr(p->arena, s->context) : NULL},
        .program = STR("stentor-speaker"),
        .reporter = STR("metallb-speaker"),
        .instance = s->node,
        .observe = speaker_metrics_request,
        .ctx = p->metrics,
    };
    return source_kube_new(p->loop, &config, p->arena, ret_error);
}

static bool start_speaker(struct program *p, struct str *ret_error)
{
    const struct settings *s = &p->settings;
    struct source *source = open_source(p, ret_error);
    if (!source)
        return false;
    struct speaker_options options = {
        .node = s->node,
        .namespace = s->namespace,
        .lb_class = s->lb_class,
        .ignore_excluded = s->ignore_excluded,
    };
    randombytes_buf(&options.seed, sizeof(options.seed));
    int result = speaker_new(p->loop, source, p->metrics, &options, &p->speaker);
    if (result < 0)
        *ret_error = arena_printf(p->arena, "cannot follow interfaces: %s", err_text(result));
    return result >= 0;
}

static bool start(struct program *p, struct str *ret_error)
{
    if (!start_speaker(p, ret_error))
        return false;
    p->rest = rest_start(p->loop, p->speaker, p->metrics, &p->settings, p->arena, ret_error);
    return p->rest != NULL;
}

static void on_signal(void *ctx, int number)
{
    const struct program *p = ctx;
    log_info("stopping", kv_int("signal", number));
    loop_stop(p->loop);
}

static void run_until_signal(struct program *p)
{
    struct loop_signal *terminate = loop_signal_watch(p->loop, SIGTERM, on_signal, p);
    struct loop_signal *interrupt = loop_signal_watch(p->loop, SIGINT, on_signal, p);
    log_info("started", kv_cstr("version", STENTOR_VERSION), kv_str("node", p->settings.node));
    loop_run(p->loop);
    (void)loop_signal_cancel(terminate);
    (void)loop_signal_cancel(interrupt);
}

static int serve(struct program *p)
{
    struct settings *s = &p->settings;
    struct str error = {0};
    int status = EXIT_SUCCESS;
    log_init("speaker", settings_log_level(s), (enum log_format)s->log_format);
    if (s->namespace.len == 0)
        s->namespace = default_namespace(p->arena);
    p->metrics = speaker_metrics_new();
    if (start(p, &error)) {
        run_until_signal(p);
    } else {
        log_error("cannot start", kv_str("reason", error));
        status = EXIT_FAILURE;
    }
    (void)rest_stop(p->rest);
    (void)speaker_free(p->speaker);
    (void)speaker_metrics_free(p->metrics);
    return status;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "stentor-speaker: libsodium cannot start\n");
        return EXIT_FAILURE;
    }
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct program program = {.arena = arena, .loop = loop};
    struct str_list operands;
    struct str error = {0};
    int outcome = options_parse(&settings_options, argv + 1, (size_t)argc - 1, environ, arena,
                                &program.settings, &operands, &error);
    if (outcome == OPTIONS_RUN && settings_check(&program.settings, &error) == 0)
        return serve(&program);
    if (outcome == OPTIONS_VERSION) {
        (void)printf("stentor-speaker %s\n", STENTOR_VERSION);
        return EXIT_SUCCESS;
    }
    if (outcome == OPTIONS_HELP) {
        scoped_sbuf struct sbuf usage = {0};
        options_usage(&settings_options, &usage);
        (void)fwrite(usage.ptr, 1, usage.len, stdout);
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "stentor-speaker: " STR_FMT "\nSee stentor-speaker --help.\n",
                  STR_ARG(error));
    return EXIT_USAGE;
}
