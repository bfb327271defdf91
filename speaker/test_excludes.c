/* The list of excluded interfaces: what it says of names, and what is said about a bad one. */
#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "speaker/excludes.h"

static void test_shipped(void)
{
    static const struct {
        const char *name;
        bool excluded;
    } cases[] = {
        {"eth0", false},     {"eth0.100", false},  {"bond0", false},  {"br0", false},
        {"lo", true},        {"lo2", false},       {"docker0", true}, {"mydocker0", false},
        {"cali12ab", true},  {"veth12ab", true},   {"cbr0", true},    {"dummy0", true},
        {"virbr0", true},    {"lxcbr0", true},     {"tunl0", true},   {"flannel.1", true},
        {"cni0", true},      {"kube-ipvs0", true}, {"lxc_a", true},   {"nodelocaldns", true},
        {"kube-ipvs", true},
    };
    scoped_ptr(excludes) struct excludes *list = excludes_default();
    TEST_ASSERT(excludes_count(list) == 14);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        bool excluded = excludes_has(list, str_from(cases[i].name));
        if (excluded != cases[i].excluded)
            printf("\n%s\n", cases[i].name);
        TEST_ASSERT(excluded == cases[i].excluded);
    }
}

/* Anywhere in the name, as MetalLB finds it, unless it says otherwise. */
static void test_read(void)
{
    static const struct {
        const char *text, *name;
        size_t count;
        bool excluded;
    } cases[] = {
        {"announcedInterfacesToExclude: [\"^eth1$\", wg]", "eth1", 2, true},
        {"announcedInterfacesToExclude: [\"^eth1$\", wg]", "eth10", 2, false},
        {"announcedInterfacesToExclude: [\"^eth1$\", wg]", "mywg0", 2, true},
        {"announcedInterfacesToExclude:\n- ^eth[0-9]+\\.\n", "eth7.20", 1, true},
        {"announcedInterfacesToExclude:\n- ^eth[0-9]+\\.\n", "eth7", 1, false},
        {"announcedInterfacesToExclude: []", "docker0", 0, false},
        {"announcedInterfacesToExclude:", "docker0", 0, false},
        {"other: 1", "lo", 0, false},
        {"", "lo", 0, false},
        /* Steps without end are no match. */
        {"announcedInterfacesToExclude: ['^(a+)+$']", "aaaaaaaaaaaaaab", 1, false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct excludes *made = NULL;
        struct str error = {0};
        int result = excludes_parse(str_from(cases[i].text), arena, &made, &error);
        scoped_ptr(excludes) struct excludes *list = made;
        TEST_STR(error, "");
        TEST_ASSERT(result == 0 && excludes_count(list) == cases[i].count);
        TEST_ASSERT(excludes_has(list, str_from(cases[i].name)) == cases[i].excluded);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"# names\nannouncedInterfacesToExclude:\n- ^eth\n- \"(ab\"\n",
         "line 4: missing closing parenthesis"},
        {"announcedInterfacesToExclude:\n- ok\n- '*'\n",
         "line 3: quantifier does not follow a repeatable item"},
        {"announcedInterfacesToExclude:\n- \"\\x5b\"\n",
         "line 1: missing terminating ] for character class"},
        {"announcedInterfacesToExclude: 7\n",
         "line 1: announcedInterfacesToExclude must be a list"},
        {"a: 1\nannouncedInterfacesToExclude: [7]\n", "line 2: an expression must be text"},
        {"announcedInterfacesToExclude: ['']\n", "line 1: an expression must have 1 to 1024 bytes"},
        {"- x\n", "line 1: must be a mapping with the key announcedInterfacesToExclude"},
        {"a: 1\n---\nb: 2\n", "line 3: one document is expected"},
        {"a: 1\nb: [\n", "line 3: did not find expected node content while parsing a flow node"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct excludes *list = NULL;
        struct str error = {0};
        TEST_ASSERT(excludes_parse(str_from(cases[i].text), arena, &list, &error) == ERR_SYNTAX);
        TEST_STR(error, cases[i].error);
        TEST_ASSERT(list == NULL);
    }
}

static void test_too_many(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf text = {0};
    struct excludes *list = NULL;
    struct str error = {0};
    sbuf_puts(&text, "announcedInterfacesToExclude:\n");
    for (size_t i = 0; i <= EXCLUDES_MAX; i++)
        sbuf_puts(&text, "- x\n");
    TEST_ASSERT(excludes_parse(sbuf_str(&text), arena, &list, &error) == ERR_SYNTAX);
    TEST_STR(error, "line 1: at most 256 expressions");
}

TEST_MAIN("speaker/excludes", TEST(test_shipped), TEST(test_read), TEST(test_refused),
          TEST(test_too_many))
