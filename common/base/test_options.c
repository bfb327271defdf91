#include "common/base/test.h"

#include "common/base/err.h"
#include "common/base/options.h"

struct settings {
    struct str node;
    bool leader;
    uint64_t port;
    uint64_t members;
    uint64_t wait_ms;
    int format;
    struct str_list kinds;
};

static const char *const format_names[] = {"logfmt", "json"};
static const struct names formats = NAMES(format_names);

static const struct option rows[] = {
    {"node-name", "NODE_NAME", OPTION_STR, offsetof(struct settings, node), .value = "NAME",
     .help = "the name of this node"},
    {"leader", "LEADER", OPTION_BOOL, offsetof(struct settings, leader), .fallback = "true",
     .help = "elect a leader"},
    {"port", "PORT", OPTION_UINT, offsetof(struct settings, port), .fallback = "7472", .max = 65535,
     .value = "PORT", .help = "port of the metrics"},
    {"members", NULL, OPTION_UINT, offsetof(struct settings, members), .fallback = "3", .min = 1,
     .value = "N", .help = "how many speakers are asked before one is suspected of being gone"},
    {"wait", "WAIT", OPTION_DURATION, offsetof(struct settings, wait_ms), .fallback = "15s",
     .min = 100, .max = 3600000, .value = "TIME", .help = "patience"},
    {"log-format", NULL, OPTION_ENUM, offsetof(struct settings, format), .names = &formats,
     .fallback = "logfmt", .value = "FORMAT", .help = "form of the log"},
    {"kind", "KINDS", OPTION_LIST, offsetof(struct settings, kinds), .value = "KIND",
     .fallback = "x", .help = "a kind to show"},
};

static const struct options options = {
    .program = "test",
    .synopsis = "[flags] [NAME]",
    .summary = "Tests options.",
    .rows = rows,
    .count = TEST_COUNT(rows),
    .operands = true,
};

/* Arguments and environment are words separated by blanks. */
struct option_case {
    const char *arguments, *environment;
    int outcome;
    const char *text; /* the settings as text, or the error */
};

static char **split(struct arena *arena, const char *words, size_t *ret_count)
{
    char **items = arena_array(arena, 16, sizeof(*items));
    struct str rest = str_from(words), part;
    *ret_count = 0;
    while (str_next(&rest, ' ', &part))
        items[(*ret_count)++] = (char *)arena_cstr(arena, part);
    return items;
}

static struct str settings_text(struct arena *arena, const struct settings *s,
                                const struct str_list *operands)
{
    scoped_sbuf struct sbuf b = {0};
    sbuf_printf(&b, STR_FMT " %d %d %d", STR_ARG(s->node), s->leader, (int)s->port, s->format);
    if (s->members != 3 || s->wait_ms != 15000)
        sbuf_printf(&b, " %d %dms", (int)s->members, (int)s->wait_ms);
    for (size_t i = 0; i < s->kinds.count; i++)
        sbuf_printf(&b, " +" STR_FMT, STR_ARG(s->kinds.items[i]));
    for (size_t i = 0; i < operands->count; i++)
        sbuf_printf(&b, " <" STR_FMT ">", STR_ARG(operands->items[i]));
    return sbuf_move(&b, arena);
}

static void test_parse(void)
{
    static const struct option_case cases[] = {
        {"", "", OPTIONS_RUN, " 1 7472 0 +x"},
        {"--node-name a", "", OPTIONS_RUN, "a 1 7472 0 +x"},
        {"--node-name=a", "", OPTIONS_RUN, "a 1 7472 0 +x"},
        {"-node-name=a", "", OPTIONS_RUN, "a 1 7472 0 +x"},
        {"--node-name=", "NODE_NAME=e", OPTIONS_RUN, " 1 7472 0 +x"},
        {"--node-name=a=b", "", OPTIONS_RUN, "a=b 1 7472 0 +x"},
        {"--node-name a --node-name b", "", OPTIONS_RUN, "b 1 7472 0 +x"},
        {"", "NODE_NAME=e PORT=1 LEADER=false", OPTIONS_RUN, "e 0 1 0 +x"},
        {"--port 2 --leader", "PORT=1 LEADER=0", OPTIONS_RUN, " 1 2 0 +x"},
        {"", "PORT= NODE_NAMES=x", OPTIONS_RUN, " 1 7472 0 +x"},
        {"--leader=false one two", "", OPTIONS_RUN, " 0 7472 0 +x <one> <two>"},
        {"--leader false", "", OPTIONS_RUN, " 1 7472 0 +x <false>"},
        {"-- --port -", "", OPTIONS_RUN, " 1 7472 0 +x <--port> <->"},
        {"--log-format json", "", OPTIONS_RUN, " 1 7472 1 +x"},
        {"--kind a --kind=b", "KINDS=c,d", OPTIONS_RUN, " 1 7472 0 +a +b"},
        {"", "KINDS=c,d", OPTIONS_RUN, " 1 7472 0 +c +d"},
        {"--port 70000", "", ERR_SYNTAX, "--port: \"70000\" is not a number from 0 to 65535"},
        {"--port=-1", "", ERR_SYNTAX, "--port: \"-1\" is not a number from 0 to 65535"},
        {"", "PORT=x", ERR_SYNTAX, "PORT: \"x\" is not a number from 0 to 65535"},
        {"--port", "", ERR_SYNTAX, "--port needs a value"},
        {"--leader=maybe", "", ERR_SYNTAX, "--leader: \"maybe\" is not true or false"},
        {"--log-format xml", "", ERR_SYNTAX, "--log-format: \"xml\" is not one of logfmt, json"},
        {"--colour=red", "", ERR_SYNTAX, "unknown flag --colour"},
        {"-prot 1", "", ERR_SYNTAX, "unknown flag -prot: did you mean --port?"},
        {"--no-leader", "", OPTIONS_RUN, " 0 7472 0 +x"},
        {"-no-leader --leader=T", "", OPTIONS_RUN, " 1 7472 0 +x"},
        {"--no-leader=false", "", ERR_SYNTAX, "--no-leader takes no value"},
        {"--no-port", "", ERR_SYNTAX, "unknown flag --no-port"},
        {"--members=1 --wait 1m0.5s", "", OPTIONS_RUN, " 1 7472 0 1 60500ms +x"},
        {"--wait 100ms --wait 99999001ns", "WAIT=1h", OPTIONS_RUN, " 1 7472 0 3 100ms +x"},
        {"--members=0", "", ERR_SYNTAX, "--members: \"0\" is not a number from 1"},
        {"--wait=15", "", ERR_SYNTAX,
         "--wait: \"15\" is not a duration (such as 1m30s or 500ms) from 100ms to 1h0m0s"},
        {"--wait=99ms", "", ERR_SYNTAX,
         "--wait: \"99ms\" is not a duration (such as 1m30s or 500ms) from 100ms to 1h0m0s"},
        {"--wait=-1s", "", ERR_SYNTAX,
         "--wait: \"-1s\" is not a duration (such as 1m30s or 500ms) from 100ms to 1h0m0s"},
        {"", "WAIT=2h", ERR_SYNTAX,
         "WAIT: \"2h\" is not a duration (such as 1m30s or 500ms) from 100ms to 1h0m0s"},
        {"--help", "PORT=x", OPTIONS_HELP, NULL},
        {"-h", "", OPTIONS_HELP, NULL},
        {"a --version --colour", "", OPTIONS_VERSION, NULL},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct settings settings = {0};
        struct str_list operands;
        struct str error;
        size_t count, variables;
        char **arguments = split(arena, cases[i].arguments, &count);
        char **environment = split(arena, cases[i].environment, &variables);
        int outcome = options_parse(&options, arguments, count, environment, arena, &settings,
                                    &operands, &error);
        TEST_ASSERT(outcome == cases[i].outcome);
        if (outcome < 0)
            TEST_STR(error, cases[i].text);
        else if (outcome == OPTIONS_RUN)
            TEST_STR(settings_text(arena, &settings, &operands), cases[i].text);
    }
}

static void test_operands_refused(void)
{
    struct options none = options;
    none.operands = false;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct settings settings = {0};
    struct str_list operands;
    struct str error;
    char *arguments[] = {"stray"};
    int outcome = options_parse(&none, arguments, 1, NULL, arena, &settings, &operands, &error);
    TEST_ASSERT(outcome == ERR_SYNTAX);
    TEST_STR(error, "unexpected argument \"stray\"");
}

static void test_usage(void)
{
    scoped_sbuf struct sbuf out = {0};
    options_usage(&options, &out);
    TEST_STR(sbuf_str(&out), "usage: test [flags] [NAME]\n\nTests options.\n\n"
                             "Flags (in brackets the environment variable that does the same):\n"
                             "  --node-name NAME\n        the name of this node [NODE_NAME]\n"
                             "  --leader\n        elect a leader (default true) [LEADER]\n"
                             "  --port PORT\n        port of the metrics (default 7472) [PORT]\n"
                             "  --members N\n"
                             "        how many speakers are asked before one is suspected of being "
                             "gone\n        (default 3)\n"
                             "  --wait TIME\n        patience (default 15s) [WAIT]\n"
                             "  --log-format FORMAT\n"
                             "        form of the log: one of logfmt, json (default logfmt)\n"
                             "  --kind KIND\n        a kind to show (default x) [KINDS]\n"
                             "  --help\n        print this text\n"
                             "  --version\n        print the version\n");
}

TEST_MAIN("common/base options", TEST(test_parse), TEST(test_operands_refused), TEST(test_usage))
