#include "ctl/settings.h"

#include "ctl/show.h"

static const char *const format_names[] = {[SHOW_TEXT] = "text", [SHOW_JSON] = "json"};
static const struct names formats = NAMES(format_names);
_Static_assert(sizeof(format_names) / sizeof(format_names[0]) == SHOW_FORMATS, "a name each");

static const char *const election_names[] = {"balanced", "hash"};
static const struct names elections = NAMES(election_names);

static const char manual[] =
    "Commands:\n"
    "  status\n"
    "        Every address: the Services that have it, the node that owns it, the\n"
    "        nodes that step in, and who says that it announces it. Then Services\n"
    "        without an address and the load of each node. With --speaker the\n"
    "        members, too, as that speaker counts them.\n"
    "  explain service NAMESPACE/NAME\n"
    "  explain vip ADDRESS\n"
    "  explain node NODE\n"
    "        Why it is as it is: allocation, advertisements, and for each node its\n"
    "        place in the order or the reason that it has none. With --controller\n"
    "        the controller's own account of a Service, too (in JSON).\n"
    "  bgp\n"
    "        Every BGP session: is it up, since when, why not. The speakers are\n"
    "        asked, at the addresses of their Nodes or where --speaker says.\n"
    "  bgp routes [PEER]\n"
    "        What each peer is sent, with its attributes, and from which nodes.\n"
    "  bgp explain NAMESPACE/NAME|ADDRESS|PREFIX\n"
    "        For each node and peer, why it is announced or why it is not.\n"
    "  plan [--kill NODE]… [--drain NODE]… [--add N] [--n-node N [--failures N]]\n"
    "        What would move, and the loads before and after; nothing is changed.\n"
    "        With --n-node, how many pools and nodes are needed.\n"
    "  move ADDRESS|NAMESPACE/NAME NODE\n"
    "  move ADDRESS|NAMESPACE/NAME --back\n"
    "        Asks for another owner (annotation stentor.io/node on the Services),\n"
    "        or leaves it to the controller again.\n"
    "  drain NODE\n"
    "  undrain NODE\n"
    "        Empties a node (annotation stentor.io/drain on the Node), as far as\n"
    "        other nodes may have its addresses; or lets it have some again.\n"
    "  check DIR\n"
    "        Reads manifests and says what would become of them: the address of\n"
    "        each Service or why it gets none, every mistake, and Services that no\n"
    "        node would announce. Needs no cluster.\n"
    "\n"
    "Objects are read from the API server that the kubeconfig names, or from the\n"
    "directory of --manifests. There, move and drain change nothing but say what\n"
    "to write into which file.\n"
    "\n"
    "Exit status: 0 done; 1 it cannot be done, is not there, or check has found a\n"
    "mistake; 2 the command line is wrong; 3 the objects could not be read in\n"
    "time; 4 a file has to be edited.\n";

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    PROGRAM_ROWS_KUBE("the namespace whose metallb.io objects count; without it metallb-system"),
    PROGRAM_ROWS_DIRECTORY("with --manifests: the directory where the controller writes the "
                           "addresses of Services"),
    {"o", NULL, OPTION_ENUM, AT(output), .names = &formats, .value = "FORMAT",
     .help = "text for people, json for programs"},
    {"lb-class", NULL, OPTION_STR, AT(lb_class), .value = "CLASS",
     .help = "as the controller's and the speakers': look at Services of this class; without it at "
             "those that name none"},
    {"ignore-exclude-lb", NULL, OPTION_BOOL, AT(ignore_excluded),
     .help = "as the speakers': nodes that are labelled as excluded may announce as well"},
    {"election", NULL, OPTION_ENUM, AT(election), .fallback = "balanced", .names = &elections,
     .value = "HOW",
     .help = "as the controller's: for L2Advertisements that do not say it, how nodes are chosen"},
    {"controller", NULL, OPTION_STR, AT(controller), .value = "URL",
     .help = "ask the controller's REST API, too, such as http://127.0.0.1:9120"},
    {"speaker", NULL, OPTION_LIST, AT(speaker), .value = "URL",
     .help = "ask a speaker's REST API, too; bgp: ask these speakers and no others, with commas or "
             "given many times"},
    {"speaker-port", NULL, OPTION_UINT, AT(speaker_port), .fallback = "9120", .min = 1,
     .max = UINT16_MAX, .value = "PORT",
     .help = "bgp: the port of the speakers' REST API, their --port"},
    {"kill", NULL, OPTION_LIST, AT(kill), .value = "NODE",
     .help = "plan: nodes that die, with commas or given many times"},
    {"drain", NULL, OPTION_LIST, AT(drain), .value = "NODE",
     .help = "plan: nodes that are drained, with commas or given many times"},
    {"add", NULL, OPTION_UINT, AT(add), .max = 10000, .value = "N",
     .help = "plan: how many nodes come; they are named by every advertisement, and no endpoint is "
             "on them"},
    {"n-node", NULL, OPTION_UINT, AT(per_node), .max = 1000000, .value = "N",
     .help = "plan: how many units one node may carry"},
    {"failures", NULL, OPTION_UINT, AT(failures), .fallback = "1", .max = 1000, .value = "N",
     .help = "plan: with --n-node, how many nodes of a pool may fail at once"},
    {"back", NULL, OPTION_BOOL, AT(back), .help = "move: leave the choice to the controller again"},
    {"timeout", NULL, OPTION_DURATION, AT(timeout_ms), .fallback = "10s", .min = 1, .max = 3600000,
     .value = "DURATION", .help = "how long reading and writing may take"},
    PROGRAM_ROWS_LOG_QUIET,
};
#undef AT

static int check(const struct program_settings *common, struct str *ret_error)
{
    return program_settings_check(common, ret_error);
}

const struct program_flags settings_flags = {
    .options =
        {
            .program = "stentorctl",
            .synopsis = "COMMAND [ARGUMENT…] [flags]",
            .summary = "Shows who answers for the addresses of Services and why, says what would "
                       "happen, and moves addresses between nodes.",
            .manual = manual,
            .rows = rows,
            .count = sizeof(rows) / sizeof(rows[0]),
            .operands = true,
        },
    .settings_size = sizeof(struct settings),
    .check = check,
};

struct str_list settings_parts(const struct str_list *list, struct arena *arena)
{
    size_t most = 0;
    for (size_t i = 0; i < list->count; i++)
        most += list->items[i].len + 1;
    struct str_list parts = {.items = arena_array(arena, most, sizeof(struct str))};
    for (size_t i = 0; i < list->count; i++) {
        struct str rest = list->items[i], part;
        while (str_next(&rest, ',', &part)) {
            if (str_trim(part).len)
                parts.items[parts.count++] = str_trim(part);
        }
    }
    return parts;
}
