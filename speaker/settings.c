#include "speaker/settings.h"

#include "crd/name.h"
#include "speaker/excludes.h"

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    {"node-name", "METALLB_NODE_NAME", OPTION_STR, AT(node), .value = "NAME",
     .help = "the name of this node, as its Node object has it; must be given"},
    PROGRAM_ROWS_DIRECTORY("with --manifests: the directory where the controller writes the "
                           "addresses of Services"),
    PROGRAM_ROWS_KUBE("the namespace whose metallb.io objects count; without it the namespace of "
                      "the pod's service account, else metallb-system"),
    {"lb-class", NULL, OPTION_STR, AT(lb_class), .value = "CLASS",
     .help = "announce Services whose spec.loadBalancerClass is exactly CLASS; without it those "
             "that name no class"},
    {"ignore-exclude-lb", NULL, OPTION_BOOL, AT(ignore_excluded),
     .help = "announce also from nodes with the label "
             "node.kubernetes.io/exclude-from-external-load-balancers"},
    {"excludel2-path", NULL, OPTION_STR, AT(excludes_path), .fallback = EXCLUDES_FILE_DEFAULT,
     .value = "FILE",
     .help = "the interfaces to leave out: a YAML file with a list of regular expressions under "
             "announcedInterfacesToExclude, read again when it changes; without the file a list of "
             "the usual names of container and overlay interfaces"},
    PROGRAM_ROWS_API,
    PROGRAM_ROWS_HEALTH("port of /healthz and /readyz, on 127.0.0.1; 0 takes a free one and logs "
                        "it"),
    PROGRAM_ROWS_LOG,
};
#undef AT

static int check(const struct program_settings *common, struct str *ret_error)
{
    const struct settings *s = (const struct settings *)common;
    if (s->node.len == 0)
        return program_settings_refuse(ret_error,
                                       STR("--node-name (or METALLB_NODE_NAME) must be given"));
    if (!name_is_subdomain(s->node))
        return program_settings_refuse(ret_error,
                                       STR("--node-name is not a name that a Node can have"));
    return program_settings_check(common, ret_error);
}

const struct program_flags settings_flags = {
    .options =
        {
            .program = "stentor-speaker",
            .synopsis = "--node-name NAME [flags]",
            .summary = "Makes the network send traffic for the addresses of Services to this node, "
                       "when it is the one to take it.",
            .rows = rows,
            .count = sizeof(rows) / sizeof(rows[0]),
        },
    .settings_size = sizeof(struct settings),
    .check = check,
};
