#include "controller/settings.h"

#include "common/base/err.h"

static const char *const output_names[] = {[SETTINGS_TEXT] = "text", [SETTINGS_JSON] = "json"};
static const struct names outputs = NAMES(output_names);

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_NONE] = "none", [LOG_LEVEL_NONE + 1] = "all",
};
static const struct names levels = NAMES(level_names);

static const char *const format_names[] = {
    [LOG_FORMAT_LOGFMT] = "logfmt",
    [LOG_FORMAT_JSON] = "json",
};
static const struct names formats = NAMES(format_names);

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    {"manifests", NULL, OPTION_STR, AT(manifests), .value = "DIR",
     .help =
         "read objects from the YAML and JSON files in DIR and follow their changes, instead of "
         "from a Kubernetes API server"},
    {"status", NULL, OPTION_STR, AT(status), .value = "DIR",
     .help = "with --manifests: write status, annotations and events under DIR, and read them back "
             "at start"},
    {"check", NULL, OPTION_STR, AT(check), .value = "DIR",
     .help = "read the manifests in DIR once, print the plan and all findings, and exit: with 1 "
             "when there are errors"},
    {"output", NULL, OPTION_ENUM, AT(output), .fallback = "text", .names = &outputs,
     .value = "FORMAT", .help = "how --check prints: text or json"},
    {"kubeconfig", "KUBECONFIG", OPTION_STR, AT(kubeconfig), .value = "FILE",
     .help = "how to reach the API server; without it the service account of the pod is used"},
    {"context", NULL, OPTION_STR, AT(context), .value = "NAME",
     .help = "the context of the kubeconfig to use, instead of its current one"},
    {"namespace", "METALLB_NAMESPACE", OPTION_STR, AT(namespace), .value = "NAME",
     .help = "the namespace whose metallb.io objects count, and of the Lease; without it the "
             "namespace of the pod's service account, else metallb-system"},
    {"lb-class", NULL, OPTION_STR, AT(lb_class), .value = "CLASS",
     .help = "serve Services whose spec.loadBalancerClass is exactly CLASS; without it those that "
             "name no class"},
    {"leader-elect", NULL, OPTION_BOOL, AT(elect), .fallback = "true",
     .help = "let one of several replicas lead, by a Lease named stentor-controller"},
    {"leader-elect-lease-duration", NULL, OPTION_DURATION, AT(lease_ms), .fallback = "15s",
     .value = "DURATION", .help = "how long a leader that has gone silent is waited for"},
    {"leader-elect-renew-deadline", NULL, OPTION_DURATION, AT(renew_ms), .fallback = "10s",
     .value = "DURATION", .help = "how long a leader that cannot renew goes on leading"},
    {"leader-elect-retry-period", NULL, OPTION_DURATION, AT(retry_ms), .fallback = "2s",
     .value = "DURATION", .help = "how often the Lease is renewed, or tried for"},
    {"pod-name", "METALLB_POD_NAME", OPTION_STR, AT(identity), .value = "NAME",
     .help = "name of this replica in the Lease; without it the host name and a random part"},
    {"writes-in-flight", NULL, OPTION_UINT, AT(writes_in_flight), .fallback = "64", .max = 1024,
     .value = "N", .help = "how many objects are written at the same time"},
    {"bind-address", NULL, OPTION_STR, AT(bind_address), .fallback = "127.0.0.1",
     .value = "ADDRESS",
     .help = "address of the REST API and the metrics; they name Services and addresses, so they "
             "are served to this host alone unless told otherwise"},
    {"port", NULL, OPTION_UINT, AT(port), .fallback = "9120", .max = 65535, .value = "PORT",
     .help = "port of the REST API and the metrics; 0 takes a free one and logs it"},
    {"metrics-cert-dir", NULL, OPTION_STR, AT(cert_dir), .value = "DIR",
     .help = "serve them by TLS, with tls.crt and tls.key in DIR"},
    {"health-probe-address", NULL, OPTION_STR, AT(health_address), .fallback = "",
     .value = "ADDRESS", .help = "address of /healthz and /readyz; all addresses without it"},
    {"health-probe-port", NULL, OPTION_UINT, AT(health_port), .fallback = "17472", .max = 65535,
     .value = "PORT", .help = "port of /healthz and /readyz; 0 takes a free one and logs it"},
    {"log-level", NULL, OPTION_ENUM, AT(log_level), .fallback = "info", .names = &levels,
     .value = "LEVEL",
     .help = "the least level that is logged: all, debug, info, warn, error, none"},
    {"log-format", NULL, OPTION_ENUM, AT(log_format), .fallback = "logfmt", .names = &formats,
     .value = "FORMAT", .help = "logfmt or json"},
};
#undef AT

const struct options settings_options = {
    .program = "stentor-controller",
    .synopsis = "[flags]",
    .summary = "Gives the addresses of IPAddressPools to Services of type LoadBalancer, and says "
               "why when it cannot.",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
};

static int refuse(struct arena *arena, struct str *ret_error, const char *sentence)
{
    *ret_error = arena_str(arena, str_from(sentence));
    return ERR_SYNTAX;
}

int settings_check(const struct settings *s, struct arena *arena, struct str *ret_error)
{
    if (s->check.len && (s->manifests.len || s->status.len))
        return refuse(arena, ret_error,
                      "--check reads one directory by itself; leave out "
                      "--manifests and --status");
    if (s->status.len && !s->manifests.len)
        return refuse(arena, ret_error, "--status needs --manifests");
    if (s->manifests.len && s->context.len)
        return refuse(arena, ret_error, "--manifests and --context exclude each other");
    if (s->retry_ms == 0 || s->renew_ms <= s->retry_ms || s->lease_ms <= s->renew_ms)
        return refuse(arena, ret_error,
                      "the lease duration must be longer than the renew deadline, and that longer "
                      "than the retry period");
    if (s->writes_in_flight == 0)
        return refuse(arena, ret_error, "--writes-in-flight must be at least 1");
    return 0;
}

enum log_level settings_log_level(const struct settings *s)
{
    return s->log_level > LOG_LEVEL_NONE ? LOG_LEVEL_DEBUG : (enum log_level)s->log_level;
}
