#include "controller/settings.h"

static const char *const output_names[] = {[SETTINGS_TEXT] = "text", [SETTINGS_JSON] = "json"};
static const struct names outputs = NAMES(output_names);

static const char *const election_names[] = {
    [SETTINGS_BALANCED] = "balanced", [SETTINGS_HASH] = "hash"};
static const struct names elections = NAMES(election_names);

static const char *const switch_names[] = {[SETTINGS_OFF] = "off", [SETTINGS_ON] = "on"};
static const struct names switches = NAMES(switch_names);

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    PROGRAM_ROWS_DIRECTORY("with --manifests: write status, annotations and events under DIR, and "
                           "read them back at start"),
    {"check", NULL, OPTION_STR, AT(check), .value = "DIR",
     .help = "read the manifests in DIR once, print the plan and all findings, and exit: with 1 "
             "when there are errors"},
    {"output", NULL, OPTION_ENUM, AT(output), .fallback = "text", .names = &outputs,
     .value = "FORMAT", .help = "how --check prints: text or json"},
    PROGRAM_ROWS_KUBE("the namespace whose metallb.io objects count, and of the Lease; without it "
                      "the namespace of the pod's service account, else metallb-system"),
    {"lb-class", NULL, OPTION_STR, AT(lb_class), .value = "CLASS",
     .help = "serve Services whose spec.loadBalancerClass is exactly CLASS; without it those that "
             "name no class"},
    {"election", NULL, OPTION_ENUM, AT(election), .fallback = "balanced", .names = &elections,
     .value = "HOW",
     .help = "how the node is found that announces an address, where an L2Advertisement does not "
             "say: balanced spreads the addresses evenly, hash leaves it to the speakers, by "
             "MetalLB's election"},
    {"rebalance", NULL, OPTION_ENUM, AT(rebalance), .fallback = "on", .names = &switches,
     .value = "SWITCH",
     .help = "off: addresses that are announced are not moved to even out the nodes"},
    {"rebalance-rate", NULL, OPTION_UINT, AT(rebalance_rate), .fallback = "10", .min = 1,
     .max = 1000, .value = "N", .help = "how many addresses are moved a second for that, at most"},
    {"ignore-exclude-lb", NULL, OPTION_BOOL, AT(ignore_excluded),
     .help = "place on nodes with the label "
             "node.kubernetes.io/exclude-from-external-load-balancers too; as the speakers"},
    PROGRAM_ROWS_MEMBERS(AT(members),
                         "watch the speakers from this address of the pod; without it every node "
                         "counts as alive, and its addresses stay placed there when it dies"),
    {"ml-secret-name", "METALLB_ML_SECRET_NAME", OPTION_STR, AT(ml_secret), .value = "NAME",
     .help = "make the Secret that the speakers share, with a random key, when there is none of "
             "this name"},
    {"deployment", "METALLB_DEPLOYMENT", OPTION_STR, AT(deployment), .value = "NAME",
     .help = "the Deployment of the controller: that Secret then belongs to it, and goes with it"},
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
    {"writes-in-flight", NULL, OPTION_UINT, AT(writes_in_flight), .fallback = "32", .max = 1024,
     .value = "N", .help = "how many objects are written at the same time"},
    PROGRAM_ROWS_API,
    {"metrics-cert-dir", NULL, OPTION_STR, AT(cert_dir), .value = "DIR",
     .help = "serve them by TLS, with tls.crt and tls.key in DIR"},
    {"health-probe-address", NULL, OPTION_STR, AT(health_address), .fallback = "",
     .value = "ADDRESS", .help = "address of /healthz and /readyz; all addresses without it"},
    PROGRAM_ROWS_HEALTH("port of /healthz and /readyz; 0 takes a free one and logs it"),
    PROGRAM_ROWS_LOG,
};
#undef AT

static int check(const struct program_settings *common, struct str *ret_error)
{
    const struct settings *s = (const struct settings *)common;
    if (s->check.len && (common->manifests.len || common->status.len))
        return program_settings_refuse(
            ret_error,
            STR("--check reads one directory by itself; leave out --manifests and --status"));
    int result = program_settings_check(common, ret_error);
    if (result < 0)
        return result;
    result = program_members_check(&s->members, ret_error);
    if (result < 0)
        return result;
    if (s->retry_ms == 0 || s->renew_ms <= s->retry_ms || s->lease_ms <= s->renew_ms)
        return program_settings_refuse(
            ret_error, STR("the lease duration must be longer than the renew deadline, and that "
                           "longer than the retry period"));
    if (s->writes_in_flight == 0)
        return program_settings_refuse(ret_error, STR("--writes-in-flight must be at least 1"));
    return 0;
}

const struct program_flags settings_flags = {
    .options =
        {
            .program = "stentor-controller",
            .synopsis = "[flags]",
            .summary = "Gives the addresses of IPAddressPools to Services of type LoadBalancer, "
                       "and says why when it cannot.",
            .rows = rows,
            .count = sizeof(rows) / sizeof(rows[0]),
        },
    .settings_size = sizeof(struct settings),
    .check = check,
};
