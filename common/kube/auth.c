#include "common/kube/auth.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/text_file.h"
#include "common/kube/exec_credential.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

enum {
    LOOK_MS = 1000, /* files are looked at no more often */
    EXEC_OUTPUT_MAX = 1024 * 1024,
    EXEC_TIMEOUT_MS = 60000,
    EXEC_RETRY_MS = 5000, /* pause after the program has failed */
    EXEC_FRESH_MS = 1000, /* what it gave is used at least that long */
    EXPIRY_MARGIN_S = 10, /* renewed this long before it expires */
};

/* What the credential program gave. */
struct given {
    struct arena *arena; /* NULL: nothing yet */
    struct exec_credential credential;
    uint64_t at; /* ms */
};

struct auth {
    struct loop *loop;
    struct arena *arena;
    struct kube_config config;
    struct text_file ca, cert, key, token;
    struct sbuf header;
    uint64_t version, tls_version, looked_at;
    struct given given;
    struct loop_child *child;
    struct loop_timer *starting; /* tells of a program that could not be started */
    uint64_t failed_at;          /* 0: the program has not failed */
    void (*ready)(void *ctx);
    void *ctx;
};

static void given_done(struct given *given)
{
    if (!given->arena)
        return;
    arena_wipe(given->arena);
    (void)arena_free(given->arena);
    *given = (struct given){0};
}

/* The header from what is there now, the strongest first. */
static void build_header(struct auth *auth)
{
    const struct kube_config *config = &auth->config;
    struct str token = text_file_str(&auth->token);
    token = token.len ? token : config->token;
    token = token.len ? token : auth->given.credential.token;
    if (auth->header.ptr)
        sodium_memzero(auth->header.ptr, auth->header.len);
    sbuf_clear(&auth->header);
    if (token.len) {
        sbuf_puts(&auth->header, "Bearer ");
        sbuf_put(&auth->header, token);
    } else if (config->username.len) {
        struct sbuf plain = {0};
        sbuf_printf(&plain, STR_FMT ":" STR_FMT, STR_ARG(config->username),
                    STR_ARG(config->password));
        size_t room = sodium_base64_encoded_len(plain.len, sodium_base64_VARIANT_ORIGINAL);
        char *text = heap_alloc(room);
        (void)sodium_bin2base64(text, room, (unsigned char *)plain.ptr, plain.len,
                                sodium_base64_VARIANT_ORIGINAL);
        sbuf_puts(&auth->header, "Basic ");
        sbuf_puts(&auth->header, text);
        sodium_memzero(plain.ptr, plain.len);
        sodium_memzero(text, room);
        sbuf_done(&plain);
        free(text);
    }
    auth->version++;
}

/* A token with a line break would be two headers. */
static bool header_ok(const struct auth *auth)
{
    for (size_t i = 0; i < auth->header.len; i++)
        if ((unsigned char)auth->header.ptr[i] < 0x20)
            return false;
    return true;
}

static int open_file(struct text_file *file, struct str path, struct str inline_text,
                     struct arena *arena, struct str *ret_error)
{
    if (inline_text.len)
        return 0;
    int ret = text_file_open(file, path);
    if (ret < 0)
        *ret_error = arena_printf(arena, STR_FMT ": %s", STR_ARG(path), err_text(ret));
    return ret;
}

static int open_files(struct auth *auth, struct arena *arena, struct str *ret_error)
{
    const struct kube_config *config = &auth->config;
    int ret = open_file(&auth->ca, config->ca_file, config->ca, arena, ret_error);
    if (ret == 0)
        ret = open_file(&auth->cert, config->cert_file, config->cert, arena, ret_error);
    if (ret == 0)
        ret = open_file(&auth->key, config->key_file, config->key, arena, ret_error);
    if (ret == 0)
        ret = open_file(&auth->token, config->token_file, STR(""), arena, ret_error);
    if (ret < 0)
        return ret;
    build_header(auth);
    if (!header_ok(auth)) {
        *ret_error = STR("the token is not one line of text");
        return -EINVAL;
    }
    return 0;
}

static int load_kubeconfig(struct auth *auth, const struct auth_config *config, struct arena *arena,
                           struct str *ret_error)
{
    struct text_file file;
    int ret = text_file_open(&file, str_from(config->kubeconfig));
    if (ret < 0) {
        *ret_error = arena_printf(arena, "%s: %s", config->kubeconfig, err_text(ret));
        return ret;
    }
    const char *slash = strrchr(config->kubeconfig, '/');
    struct str directory = STR(".");
    if (slash)
        directory = (struct str){config->kubeconfig, (size_t)(slash - config->kubeconfig)};
    struct str sentence = {0};
    ret = kube_config_parse((struct str){file.text, file.len}, str_from(config->context),
                            slash == config->kubeconfig ? STR("/") : directory, auth->arena,
                            &auth->config, &sentence);
    text_file_close(&file);
    if (ret < 0)
        *ret_error = arena_printf(arena, "%s: " STR_FMT, config->kubeconfig, STR_ARG(sentence));
    return ret;
}

/* The pod's service account, as the documentation of Kubernetes describes it ("Accessing the API
 * from within a Pod"). */
static int load_in_cluster(struct auth *auth, const struct auth_config *config, struct arena *arena,
                           struct str *ret_error)
{
    struct str host = str_from(getenv("KUBERNETES_SERVICE_HOST"));
    struct str port = str_from(getenv("KUBERNETES_SERVICE_PORT"));
    const char *directory = config->in_cluster ? config->in_cluster : SERVICE_ACCOUNT;
    if (!host.len || !port.len) {
        *ret_error = STR("not in a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
                         "not set), and no kubeconfig was given");
        return -ENOENT;
    }
    bool v6 = str_find(host, ':') < host.len;
    struct str server = arena_printf(auth->arena, "https://%s" STR_FMT "%s:" STR_FMT, v6 ? "[" : "",
                                     STR_ARG(host), v6 ? "]" : "", STR_ARG(port));
    if (!kube_config_server_ok(server)) {
        *ret_error = STR("KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not usable");
        return -EINVAL;
    }
    struct text_file namespace;
    auth->config.server = server;
    auth->config.ca_file = arena_printf(auth->arena, "%s/ca.crt", directory);
    auth->config.token_file = arena_printf(auth->arena, "%s/token", directory);
    if (text_file_open(&namespace, arena_printf(arena, "%s/namespace", directory)) == 0) {
        auth->config.namespace = arena_str(auth->arena, text_file_str(&namespace));
        text_file_close(&namespace);
    }
    return 0;
}

struct auth *auth_new(struct loop *loop, const struct auth_config *config, void (*ready)(void *ctx),
                      void *ctx, struct arena *arena, struct str *ret_error)
{
    struct auth *auth = heap_alloc(sizeof(*auth));
    *auth = (struct auth){
        .loop = loop, .arena = arena_new(0), .ready = ready, .ctx = ctx, .tls_version = 1};
    int ret = config->kubeconfig ? load_kubeconfig(auth, config, arena, ret_error)
                                 : load_in_cluster(auth, config, arena, ret_error);
    if (ret == 0)
        ret = open_files(auth, arena, ret_error);
    return ret == 0 ? auth : auth_free(auth);
}

struct auth *auth_free(struct auth *auth)
{
    if (!auth)
        return NULL;
    auth->child = loop_child_cancel(auth->child);
    auth->starting = loop_timer_cancel(auth->starting);
    struct text_file *files[] = {&auth->ca, &auth->cert, &auth->key, &auth->token};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        text_file_close(files[i]);
    given_done(&auth->given);
    if (auth->header.ptr)
        sodium_memzero(auth->header.ptr, auth->header.len);
    sbuf_done(&auth->header);
    arena_wipe(auth->arena);
    (void)arena_free(auth->arena);
    free(auth);
    return NULL;
}

const struct kube_config *auth_config(const struct auth *auth)
{
    return &auth->config;
}

static void exec_failed(struct auth *auth, const char *what, int result)
{
    const struct kube_exec *exec = auth->config.exec;
    auth->failed_at = loop_now(auth->loop);
    log_error("credential program failed", kv_str("command", exec->command), kv_cstr("why", what),
              kv_int("status", result), kv_str("hint", exec->install_hint));
}

/* Takes what the program printed. */
static void take_output(struct auth *auth, struct str output)
{
    struct given given = {.arena = arena_new(0), .at = loop_now(auth->loop)};
    struct str sentence = {0};
    int ret = exec_credential_parse(output, auth->config.exec->api_version, given.arena,
                                    &given.credential, &sentence);
    if (ret < 0) {
        exec_failed(auth, sentence.ptr, ret);
        given_done(&given);
        return;
    }
    bool other_cert = !str_eq(given.credential.cert, auth->given.credential.cert) ||
                      !str_eq(given.credential.key, auth->given.credential.key);
    auth->tls_version += other_cert;
    given_done(&auth->given);
    auth->given = given;
    auth->failed_at = 0;
    build_header(auth);
    if (header_ok(auth))
        return;
    exec_failed(auth, "the token is not one line of text", 0);
    given_done(&auth->given);
    build_header(auth);
}

static void on_exec(void *ctx, int result, struct str output)
{
    struct auth *auth = ctx;
    auth->child = NULL;
    if (result != 0)
        exec_failed(auth, result < 0 ? err_text(result) : "exit status", result);
    else
        take_output(auth, output);
    auth->ready(auth->ctx);
}

static void on_not_started(void *ctx)
{
    struct auth *auth = ctx;
    auth->starting = NULL;
    auth->ready(auth->ctx);
}

extern char **environ;

/* Our environment and what the configuration adds. */
static char **exec_environment(const struct auth *auth, struct arena *arena)
{
    const struct kube_exec *exec = auth->config.exec;
    const struct str_pair *more = exec->env.items;
    size_t count = 0, at = 0;
    while (environ[count])
        count++;
    char **list = arena_array(arena, count + exec->env.count + 2, sizeof(*list));
    /* getenv takes the first of a name: what is added goes first. */
    list[at++] =
        (char *)(uintptr_t)arena_printf(arena, "KUBERNETES_EXEC_INFO=" STR_FMT,
                                        STR_ARG(exec_credential_info(exec, &auth->config, arena)))
            .ptr;
    for (size_t i = 0; i < exec->env.count; i++)
        list[at++] = (char *)(uintptr_t)arena_printf(arena, STR_FMT "=" STR_FMT,
                                                     STR_ARG(more[i].key), STR_ARG(more[i].value))
                         .ptr;
    for (size_t i = 0; i < count; i++)
        list[at++] = environ[i];
    return list;
}

static void exec_start(struct auth *auth)
{
    const struct kube_exec *exec = auth->config.exec;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    char **arguments = arena_array(arena, exec->args.count + 2, sizeof(*arguments));
    arguments[0] = (char *)(uintptr_t)arena_cstr(arena, exec->command);
    for (size_t i = 0; i < exec->args.count; i++)
        arguments[i + 1] = (char *)(uintptr_t)arena_cstr(arena, exec->args.items[i]);
    int error = 0;
    auth->child = loop_child_start(auth->loop, arguments, exec_environment(auth, arena),
                                   EXEC_OUTPUT_MAX, EXEC_TIMEOUT_MS, on_exec, auth, &error);
    if (auth->child)
        return;
    exec_failed(auth, err_text(error), error);
    auth->starting = loop_defer(auth->loop, on_not_started, auth);
}

/* Is what the program gave missing or about to expire? */
static bool exec_due(const struct auth *auth)
{
    const struct given *given = &auth->given;
    if (!given->arena)
        return true;
    if (!given->credential.expires || loop_now(auth->loop) - given->at < EXEC_FRESH_MS)
        return false;
    return loop_wall_ns() / 1000000000 >= given->credential.expires - EXPIRY_MARGIN_S;
}

static void look_at_files(struct auth *auth, bool force)
{
    auth->looked_at = loop_now(auth->loop);
    bool token = text_file_refresh(&auth->token, force);
    bool tls = text_file_refresh(&auth->ca, force);
    tls |= text_file_refresh(&auth->cert, force);
    tls |= text_file_refresh(&auth->key, force);
    auth->tls_version += tls;
    if (token || tls)
        build_header(auth);
    if (token || tls)
        log_info("credentials read again", kv_bool("token", token), kv_bool("tls", tls));
}

enum auth_state auth_check(struct auth *auth)
{
    uint64_t now = loop_now(auth->loop);
    if (now - auth->looked_at >= LOOK_MS)
        look_at_files(auth, false);
    if (!header_ok(auth))
        return AUTH_FAILED;
    if (!auth->config.exec || (!auth->child && !auth->starting && !exec_due(auth)))
        return AUTH_READY;
    if (auth->child || auth->starting)
        return AUTH_WAIT;
    if (auth->failed_at && now - auth->failed_at < EXEC_RETRY_MS)
        return AUTH_FAILED;
    exec_start(auth);
    return AUTH_WAIT;
}

struct str auth_header(const struct auth *auth)
{
    return sbuf_str(&auth->header);
}

static struct str first_of(struct str a, struct str b, struct str c)
{
    return a.len ? a : b.len ? b : c;
}

struct auth_tls auth_tls(const struct auth *auth)
{
    const struct kube_config *config = &auth->config;
    const struct exec_credential *given = &auth->given.credential;
    return (struct auth_tls){
        .ca = first_of(config->ca, text_file_str(&auth->ca), STR("")),
        .cert = first_of(config->cert, text_file_str(&auth->cert), given->cert),
        .key = first_of(config->key, text_file_str(&auth->key), given->key),
        .version = auth->tls_version,
    };
}

uint64_t auth_version(const struct auth *auth)
{
    return auth->version;
}

bool auth_rejected(struct auth *auth, uint64_t version)
{
    if (auth->version == version)
        look_at_files(auth, true);
    if (auth->version != version)
        return true;
    if (!auth->config.exec || loop_now(auth->loop) - auth->given.at < EXEC_FRESH_MS)
        return false;
    given_done(&auth->given);
    build_header(auth);
    return true;
}
