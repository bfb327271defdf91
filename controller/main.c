/* stentor-controller: gives addresses to Services. See controller.h for how it works. */
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/source/source_dir.h"
#include "common/source/source_kube.h"
#include "controller/check.h"
#include "controller/controller.h"
#include "controller/rest.h"
#include "controller/settings.h"

#define ACCOUNT_NAMESPACE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

enum { EXIT_USAGE = 2 };

struct program {
    struct arena *arena;
    struct settings settings;
    struct loop *loop;
    struct controller_metrics *metrics;
    struct controller *controller;
    struct loop_signal *terminate, *interrupt;
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

/* Each start of a replica is a holder of its own: a pod that was killed and comes back under the
 * same name must not take its own Lease for granted while its last writes may still be under way.
 */
static struct str unique_identity(struct str name, struct arena *arena)
{
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    return arena_printf(arena, STR_FMT "_%08x", STR_ARG(name.len ? name : str_from(host)),
                        randombytes_random());
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
        .program = STR("stentor-controller"),
        .reporter = STR("metallb-controller"),
        .instance = s->identity,
        .observe = controller_metrics_request,
        .ctx = p->metrics,
    };
    return source_kube_new(p->loop, &config, p->arena, ret_error);
}

static void stopped(void *ctx)
{
    struct program *p = ctx;
    loop_stop(p->loop);
}

static void on_signal(void *ctx, int number)
{
    struct program *p = ctx;
    log_info("stopping", kv_int("signal", number));
    p->terminate = loop_signal_cancel(p->terminate);
    p->interrupt = loop_signal_cancel(p->interrupt);
    controller_stop(p->controller, stopped, p);
}

static struct controller *start_controller(struct program *p, struct source *source)
{
    struct settings *s = &p->settings;
    struct controller_options options = {
        .namespace = s->namespace,
        .lb_class = s->lb_class,
        .identity = s->identity,
        .elect = s->elect,
        .lease_ms = s->lease_ms,
        .renew_ms = s->renew_ms,
        .retry_ms = s->retry_ms,
        .writes_in_flight = s->writes_in_flight,
    };
    randombytes_buf(&options.seed, sizeof(options.seed));
    return controller_new(p->loop, source, p->metrics, &options);
}

static int serve(struct program *p)
{
    struct str error = {0};
    p->metrics = controller_metrics_new();
    struct rest *rest = NULL;
    int status = EXIT_FAILURE;
    struct source *source = open_source(p, &error);
    if (source) {
        p->controller = start_controller(p, source);
        rest = rest_start(p->controller, &p->settings, p->arena, &error);
    }
    if (rest) {
        p->terminate = loop_signal_watch(p->loop, SIGTERM, on_signal, p);
        p->interrupt = loop_signal_watch(p->loop, SIGINT, on_signal, p);
        log_info("started", kv_cstr("version", STENTOR_VERSION),
                 kv_str("identity", p->settings.identity));
        loop_run(p->loop);
        status = EXIT_SUCCESS;
    } else {
        log_error("cannot start", kv_str("reason", error));
    }
    (void)loop_signal_cancel(p->terminate);
    (void)loop_signal_cancel(p->interrupt);
    (void)rest_stop(rest);
    p->controller = controller_free(p->controller);
    p->metrics = controller_metrics_free(p->metrics);
    return status;
}

static int run(struct program *p)
{
    struct settings *s = &p->settings;
    log_init("controller", (enum log_level)settings_log_level(s), (enum log_format)s->log_format);
    if (s->namespace.len == 0)
        s->namespace = default_namespace(p->arena);
    if (s->check.len)
        return check_run(s);
    s->identity = unique_identity(s->identity, p->arena);
    return serve(p);
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "stentor-controller: libsodium cannot start\n");
        return EXIT_FAILURE;
    }
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct program program = {.arena = arena, .loop = loop};
    struct str_list operands;
    struct str error = {0};
    int outcome = options_parse(&settings_options, argv + 1, (size_t)argc - 1, environ, arena,
                                &program.settings, &operands, &error);
    if (outcome == OPTIONS_RUN && settings_check(&program.settings, arena, &error) == 0)
        return run(&program);
    if (outcome == OPTIONS_VERSION) {
        (void)printf("stentor-controller %s\n", STENTOR_VERSION);
        return EXIT_SUCCESS;
    }
    if (outcome == OPTIONS_HELP) {
        scoped_sbuf struct sbuf usage = {0};
        options_usage(&settings_options, &usage);
        (void)fwrite(usage.ptr, 1, usage.len, stdout);
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "stentor-controller: " STR_FMT "\nSee stentor-controller --help.\n",
                  STR_ARG(error));
    return EXIT_USAGE;
}
