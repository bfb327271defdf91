#include "speaker/settings.h"

#include "common/base/err.h"
#include "crd/name.h"

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
    {"node-name", "METALLB_NODE_NAME", OPTION_STR, AT(node), .value = "NAME",
     .help = "the name of this node, as its Node object has it; must be given"},
    {"manifests", NULL, OPTION_STR, AT(manifests), .value = "DIR",
     .help =
         "read objects from the YAML and JSON files in DIR and follow their changes, instead of "
         "from a Kubernetes API server"},
    {"status", NULL, OPTION_STR, AT(status), .value = "DIR",
     .help = "with --manifests: the directory where the controller writes the addresses of "
             "Services"},
    {"kubeconfig", "KUBECONFIG", OPTION_STR, AT(kubeconfig), .value = "FILE",
     .help = "how to reach the API server; without it the service account of the pod is used"},
    {"context", NULL, OPTION_STR, AT(context), .value = "NAME",
     .help = "the context of the kubeconfig to use, instead of its current one"},
    {"namespace", "METALLB_NAMESPACE", OPTION_STR, AT(namespace), .value = "NAME",
     .help = "the namespace whose metallb.io objects count; without it the namespace of the pod's "
             "service account, else metallb-system"},
    {"lb-class", NULL, OPTION_STR, AT(lb_class), .value = "CLASS",
     .help = "announce Services whose spec.loadBalancerClass is exactly CLASS; without it those "
             "that name no class"},
    {"ignore-exclude-lb", NULL, OPTION_BOOL, AT(ignore_excluded),
     .help = "announce also from nodes with the label "
             "node.kubernetes.io/exclude-from-external-load-balancers"},
    {"bind-address", NULL, OPTION_STR, AT(bind_address), .fallback = "127.0.0.1",
     .value = "ADDRESS",
     .help = "address of the REST API and the metrics; they name Services and addresses, so they "
             "are served to this host alone unless told otherwise"},
    {"port", NULL, OPTION_UINT, AT(port), .fallback = "9120", .max = 65535, .value = "PORT",
     .help = "port of the REST API and the metrics; 0 takes a free one and logs it"},
    {"health-probe-port", NULL, OPTION_UINT, AT(health_port), .fallback = "17472", .max = 65535,
     .value = "PORT",
     .help = "port of /healthz and /readyz, on 127.0.0.1; 0 takes a free one and logs it"},
    {"log-level", NULL, OPTION_ENUM, AT(log_level), .fallback = "info", .names = &levels,
     .value = "LEVEL",
     .help = "the least level that is logged: all, debug, info, warn, error, none"},
    {"log-format", NULL, OPTION_ENUM, AT(log_format), .fallback = "logfmt", .names = &formats,
     .value = "FORMAT", .help = "logfmt or json"},
};
#undef AT

const struct options settings_options = {
    .program = "stentor-speaker",
    .synopsis = "--node-name NAME [flags]",
    .summary = "Makes the network send traffic for the addresses of Services to this node, when "
               "it is the one to take it.",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
};

static int refuse(struct str *ret_error, struct str sentence)
{
    *ret_error = sentence;
    return ERR_SYNTAX;
}

int settings_check(const struct settings *s, struct str *ret_error)
{
    if (s->node.len == 0)
        return refuse(ret_error, STR("--node-name (or METALLB_NODE_NAME) must be given"));
    if (!name_is_subdomain(s->node))
        return refuse(ret_error, STR("--node-name is not a name that a Node can have"));
    if (s->status.len && !s->manifests.len)
        return refuse(ret_error, STR("--status needs --manifests"));
    if (s->manifests.len && s->context.len)
        return refuse(ret_error, STR("--manifests and --context exclude each other"));
    return 0;
}

enum log_level settings_log_level(const struct settings *s)
{
    return s->log_level > LOG_LEVEL_NONE ? LOG_LEVEL_DEBUG : (enum log_level)s->log_level;
}
