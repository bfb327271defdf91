/* What programs share: settings, findings, servers. The rest is run by the programs themselves. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/program/program_findings.h"
#include "common/program/program_servers.h"
#include "common/program/program_trim.h"
#include "common/program/test_tables.h"

struct settings {
    struct program_settings common;
    bool own;
};

static int check(const struct program_settings *common, struct str *ret_error)
{
    const struct settings *s = (const struct settings *)common;
    if (s->own)
        return program_settings_refuse(ret_error, STR("--own is refused"));
    return program_settings_check(common, ret_error);
}

static const struct option rows[] = {
    {"own", NULL, OPTION_BOOL, offsetof(struct settings, own), .help = "is refused"},
    PROGRAM_ROWS_DIRECTORY("where status is"),
    PROGRAM_ROWS_KUBE("whose objects count"),
    PROGRAM_ROWS_API,
    PROGRAM_ROWS_HEALTH("port of health"),
    PROGRAM_ROWS_LOG,
};

static const struct program_flags flags = {
    .options = {.program = "stentor-test", .rows = rows, .count = TEST_COUNT(rows)},
    .settings_size = sizeof(struct settings),
    .check = check,
};

static void test_settings(void)
{
    static const struct flag_case cases[] = {
        {{"--namespace=x"}, ""},
        {{"--manifests", "m", "--status=s"}, ""},
        {{"--own"}, "--own is refused"},
        {{"--status=s"}, "--status needs --manifests"},
        {{"--manifests=m", "--context=c"}, "--manifests and --context exclude each other"},
        {{"extra"}, "unexpected argument \"extra\""},
    };
    flags_run(&flags, cases, TEST_COUNT(cases));
}

/* Each row fills its own member, beside which the program's own stand. */
static void test_rows(void)
{
    static const char *const arguments[FLAG_ARGUMENTS] = {"--bind-address=192.0.2.1", "--port=1",
                                                          "--health-probe-port=2",
                                                          "--log-format=json", "--no-own"};
    static char variables[][32] = {"KUBECONFIG=k", "METALLB_NAMESPACE=n"};
    char *environment[] = {variables[0], variables[1], NULL};
    struct program_arguments line = {(char *const *)arguments, FLAG_ARGUMENTS, environment};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct program_settings *settings = NULL;
    struct str error = {0};
    TEST_ASSERT(program_settings_parse(&flags, &line, arena, &settings, &error) == OPTIONS_RUN);
    TEST_STR(settings->bind_address, "192.0.2.1");
    TEST_STR(settings->kubeconfig, "k");
    TEST_STR(settings->namespace, "n");
    CU_ASSERT(settings->manifests.len + settings->status.len + settings->context.len == 0);
    CU_ASSERT(settings->port == 1 && settings->health_port == 2);
    CU_ASSERT(settings->log_format == LOG_FORMAT_JSON);
    CU_ASSERT(!((const struct settings *)settings)->own);
}

static void test_asked(void)
{
    static const struct {
        const char *arguments[FLAG_ARGUMENTS];
        int outcome;
    } cases[] = {{{"--help"}, OPTIONS_HELP}, {{"--own", "--version"}, OPTIONS_VERSION}};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct program_settings *settings = NULL;
        struct str error = {0};
        TEST_ASSERT(flags_parse(&flags, cases[i].arguments, arena, &settings, &error) ==
                    cases[i].outcome);
        CU_ASSERT(settings == NULL && error.len == 0);
    }
}

static void test_levels(void)
{
    static const struct {
        const char *arguments[FLAG_ARGUMENTS];
        enum log_level level;
    } cases[] = {
        {{"--log-level=all"}, LOG_LEVEL_DEBUG},   {{"--log-level=debug"}, LOG_LEVEL_DEBUG},
        {{"--log-level=info"}, LOG_LEVEL_INFO},   {{"--log-level=warn"}, LOG_LEVEL_WARN},
        {{"--log-level=error"}, LOG_LEVEL_ERROR}, {{"--log-level=none"}, LOG_LEVEL_NONE},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct program_settings *settings = NULL;
        struct str error = {0};
        TEST_ASSERT(flags_parse(&flags, cases[i].arguments, arena, &settings, &error) ==
                    OPTIONS_RUN);
        TEST_ASSERT(program_settings_log_level(settings) == cases[i].level);
    }
}

static void test_findings(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list findings = {.arena = arena};
    scoped_patch struct patch json = {0};
    diag_add(&findings, DIAG_ERROR, STR("a"), STR("spec.x"), "is wrong");
    diag_add(&findings, DIAG_WARNING, STR("b"), STR(""), "is old");
    patch_open(&json, NULL);
    patch_list(&json, "findings");
    program_findings_put(&json, &findings);
    patch_close(&json);
    patch_close(&json);
    TEST_STR(patch_text(&json),
             "{\"findings\":[{\"object\":\"a\",\"field\":\"spec.x\",\"severity\":\"error\","
             "\"message\":\"is wrong\"},{\"object\":\"b\",\"field\":\"\",\"severity\":\"warning\","
             "\"message\":\"is old\"}]}");
    diag_done(&findings);
}

/* One of the two cannot be opened: a sentence that names it, and nothing left open. */
static void test_servers_refused(void)
{
    static const struct {
        const char *bind_address, *health_address, *error;
    } cases[] = {
        {"192.0.2.300", "127.0.0.1",
         "cannot serve api on address \"192.0.2.300\" port 0: Invalid argument"},
        {"127.0.0.1", "x", "cannot serve health on address \"x\" port 0: Invalid argument"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(loop) struct loop *loop = loop_new();
        struct program_settings settings = {.bind_address = str_from(cases[i].bind_address)};
        struct program program = {
            .name = "stentor-test", .arena = arena, .loop = loop, .settings = &settings};
        struct program_servers_config config = {.health_address =
                                                    str_from(cases[i].health_address)};
        struct str error = {0};
        TEST_ASSERT(program_servers_open(&program, &config, &error) == NULL);
        TEST_STR(error, cases[i].error);
    }
}

/* Kilobytes of files that are mapped in pages of this process. */
static uint64_t mapped_files(void)
{
    char text[8192];
    uint64_t size = 0;
    scoped_fd int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, text, sizeof(text));
    TEST_ASSERT(len > 0);
    struct str rest = {.ptr = text, .len = (size_t)len}, line, name, value;
    while (str_next(&rest, '\n', &line)) {
        if (!str_cut(line, ':', &name, &value) || !str_eq(name, STR("RssFile")))
            continue;
        value = str_trim(value);
        TEST_ASSERT(str_to_u64(str_slice(value, 0, str_find(value, ' ')), UINT64_MAX, &size) == 0);
    }
    return size;
}

/* Libraries give their pages back and go on working. */
static void test_trim(void)
{
    json_t *tree = json_pack("{s: [i, i]}", "a", 1, 2);
    uint64_t before = mapped_files();
    TEST_ASSERT(program_trim_now() > 0);
    TEST_ASSERT(mapped_files() < before);
    char *text = json_dumps(tree, JSON_COMPACT);
    TEST_STR(str_from(text), "{\"a\":[1,2]}");
    free(text);
    json_decref(tree);
}

TEST_MAIN("common/program", TEST(test_settings), TEST(test_rows), TEST(test_asked),
          TEST(test_levels), TEST(test_findings), TEST(test_servers_refused), TEST(test_trim))
