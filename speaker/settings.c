#include "speaker/settings.h"

#include "crd/name.h"
#include "speaker/excludes.h"
#include "speaker/sandbox_mode.h"

static const char *const mode_names[] = {
    [SANDBOX_ON] = "on",
    [SANDBOX_OFF] = "off",
    [SANDBOX_LOG] = "log",
};
static const struct names sandbox_modes = NAMES(mode_names);
_Static_assert(sizeof(mode_names) / sizeof(mode_names[0]) == SANDBOX_MODES, "a name each");

static const char *const probes[] = {
    [SETTINGS_PROBE_FAST] = "fast",
    [SETTINGS_PROBE_FULL] = "full",
    [SETTINGS_PROBE_OFF] = "off",
};
static const struct names probe_names = NAMES(probes);

static const char *const output_names[] = {[SETTINGS_BIRD] = "bird"};
static const struct names outputs = NAMES(output_names);

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    {"node-name", "METALLB_NODE_NAME", OPTION_STR, AT(node), .value = "NAME",
     .help = "the name of this node, as its Node object has it; must be given"},
    {"node", NULL, OPTION_STR, AT(node), .value = "NAME", .help = "the same, for short"},
    {"check", NULL, OPTION_STR, AT(check), .value = "DIR",
     .help = "read the manifests in DIR once, print what this node would do with them, and exit: "
             "0, or 1 when something in them is refused"},
    {"output", NULL, OPTION_ENUM, AT(output), .names = &outputs, .value = "FORMAT",
     .help = "what --check prints: bird, the configuration of BIRD as `bird -p` takes it, with "
             "passwords starred out"},
    {"pod-name", "METALLB_POD_NAME", OPTION_STR, AT(pod), .value = "NAME",
     .help = "the name of this pod, which status objects go with when it is deleted"},
    PROGRAM_ROWS_DIRECTORY("with --manifests: the directory where the controller writes the "
                           "addresses of Services"),
    PROGRAM_ROWS_KUBE("the namespace whose metallb.io objects count; without it the namespace of "
                      "the pod's service account, else metallb-system"),
    PROGRAM_ROWS_STATE,
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
    PROGRAM_ROWS_MEMBERS(AT(members),
                         "watch the other speakers from this address of the node; without it every "
                         "node counts as alive, and a node that dies is not noticed"),
    {"ml-labels", "METALLB_ML_LABELS", OPTION_STR, AT(labels), .value = "LABELS",
     .help = "taken, as MetalLB takes it, and not used: speakers are where the Nodes are"},
    {"hold-down", NULL, OPTION_DURATION, AT(hold_down_ms), .fallback = "10s", .max = 3600000,
     .value = "DURATION",
     .help = "for how long a node that the others took for dead and that is back again is chosen "
             "only when there is no other"},
    {"probe", NULL, OPTION_ENUM, AT(probe), .fallback = "fast", .names = &probe_names,
     .value = "MODE",
     .help = "how to find out, before a new address is first announced, whether another host uses "
             "it: fast (0.3 s), full (4 to 7 s, by RFC 5227), or off"},
    {"refresh-interval", NULL, OPTION_DURATION, AT(refresh_ms), .fallback = "1m", .max = 86400000,
     .value = "DURATION",
     .help = "how often an address is announced while nothing happens, so that switches do not "
             "forget where it is; 0s: never"},
    {"seccomp", NULL, OPTION_ENUM, AT(sandbox), .fallback = "on", .names = &sandbox_modes,
     .value = "MODE",
     .help = "on: once started, only what a speaker does is allowed, by seccomp and landlock; log: "
             "what else is done is noted in the kernel's log; off: all is allowed"},
    {"bird", NULL, OPTION_STR, AT(bird), .fallback = "/usr/sbin/bird", .value = "FILE",
     .help = "the program of BIRD, which speaks BGP once there is a BGPPeer; empty: no BGP"},
    {"bird-dir", NULL, OPTION_STR, AT(bird_dir), .fallback = "/run/stentor-bird", .value = "DIR",
     .help = "where BIRD's configuration and its control socket are; made when it is not there. A "
             "BIRD that a speaker before left running there is taken over"},
    {"bgp-drain", NULL, OPTION_DURATION, AT(drain_ms), .fallback = "5s", .max = 3600000,
     .value = "DURATION",
     .help = "how long a drained node asks its BGP peers to go elsewhere (RFC 8326) before it "
             "withdraws; 0: at once"},
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
    int result = program_members_check(&s->members, ret_error);
    return result < 0 ? result : program_settings_check(common, ret_error);
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
