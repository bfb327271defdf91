#include "bgp/reply.h"

#include "bgp/logline.h"
#include "common/base/sbuf.h"
#include "common/base/test.h"

/* "DONE 2:text|13:text", "ECHO text" or "BROKEN" for each thing that is complete. */
static void drain(struct reply_reader *reader, struct sbuf *out)
{
    struct reply reply;
    for (enum reply_event event; (event = reply_next(reader, &reply)) != REPLY_MORE;) {
        sbuf_puts(out, out->len ? "\n" : "");
        if (event == REPLY_BROKEN) {
            sbuf_puts(out, "BROKEN");
            return;
        }
        sbuf_puts(out, event == REPLY_ECHO ? "ECHO" : reply_is_error(&reply) ? "ERROR" : "DONE");
        for (size_t i = 0; i < reply.count; i++)
            sbuf_printf(out, "%s%u:" STR_FMT, i ? "|" : " ", reply.lines[i].code,
                        STR_ARG(reply.lines[i].text));
    }
}

struct reply_case {
    const char *bytes, *want;
};

static const struct reply_case cases[] = {
    {"", ""},
    {"0001 BIRD 2.0.12 ready.\n", "DONE 1:BIRD 2.0.12 ready."},
    {"0000 \n", "DONE 0:"},
    {"0001 half", ""},
    {"0002-Reading configuration from /p/bird.conf\n0003 Reconfigured\n",
     "DONE 2:Reading configuration from /p/bird.conf|3:Reconfigured"},
    {"0002-Reading\n8002 /p/bird.conf:1:82 Invalid prefix length 33\n",
     "ERROR 2:Reading|8002:/p/bird.conf:1:82 Invalid prefix length 33"},
    {"9001 syntax error\n", "ERROR 9001:syntax error"},
    /* a continuation has the code of the line before; a blank line is one too */
    {"1000-BIRD 2.0.12\n1011-Router ID is 10.99.0.1\n Hostname is vm\n \n0013 up\n",
     "DONE 1000:BIRD 2.0.12|1011:Router ID is 10.99.0.1|1011:Hostname is vm|1011:|13:up"},
    /* two in one piece, with line breaks of the other kind */
    {"0000 \r\n0013 up\r\n", "DONE 0:\nDONE 13:up"},
    /* the log comes between and inside of replies */
    {"+p: Starting\n0002-a\n+p: Started\n0003 b\n", "ECHO 0:p: Starting\nECHO 0:p: Started\n"
                                                    "DONE 2:a|3:b"},
    {"garbage\n", "BROKEN"},
    {" continues nothing\n", "BROKEN"},
    {"12 3456\n", "BROKEN"},
    {"0001x\n", "BROKEN"},
    {"0001\n", "BROKEN"},
    {"0000 \n\n", "DONE 0:\nBROKEN"},
    {"0000 \n after the end\n", "DONE 0:\nBROKEN"},
};

static void test_replies(void)
{
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
        scoped_sbuf struct sbuf out = {0};
        reply_feed(reader, str_from(cases[i].bytes));
        drain(reader, &out);
        TEST_STR(sbuf_str(&out), cases[i].want);
    }
}

static void test_byte_by_byte(void)
{
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
        scoped_sbuf struct sbuf out = {0};
        struct str bytes = str_from(cases[i].bytes);
        bool broken = false;
        for (size_t at = 0; at < bytes.len && !broken; at++) {
            reply_feed(reader, str_slice(bytes, at, at + 1));
            drain(reader, &out);
            broken = str_ends_with(sbuf_str(&out), STR("BROKEN"));
        }
        TEST_STR(sbuf_str(&out), cases[i].want);
    }
}

static void test_broken_is_for_good(void)
{
    scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
    struct reply reply;
    reply_feed(reader, STR("oops\n"));
    TEST_ASSERT(reply_next(reader, &reply) == REPLY_BROKEN);
    reply_feed(reader, STR("0000 \n"));
    TEST_ASSERT(reply_next(reader, &reply) == REPLY_BROKEN);
}

static void test_sizes(void)
{
    scoped_sbuf struct sbuf line = {0};
    struct reply reply;
    sbuf_puts(&line, "0000 ");
    while (line.len < REPLY_LINE_MAX)
        sbuf_putc(&line, 'x');
    scoped_ptr(reply_reader) struct reply_reader *fits = reply_reader_new();
    reply_feed(fits, sbuf_str(&line));
    TEST_ASSERT(reply_next(fits, &reply) == REPLY_MORE);
    reply_feed(fits, STR("\n"));
    TEST_ASSERT(reply_next(fits, &reply) == REPLY_DONE);
    TEST_ASSERT(reply_last(&reply)->text.len == REPLY_LINE_MAX - 5);
    scoped_ptr(reply_reader) struct reply_reader *longer = reply_reader_new();
    sbuf_putc(&line, 'x');
    reply_feed(longer, sbuf_str(&line));
    TEST_ASSERT(reply_next(longer, &reply) == REPLY_BROKEN);
}

static void test_version(void)
{
    static const struct {
        const char *line;
        bool known;
        unsigned version[3];
    } greetings[] = {
        {"0001 BIRD 2.0.12 ready.\n", true, {2, 0, 12}},
        {"0001 BIRD 2.14 ready.\n", true, {2, 14, 0}},
        {"0001 BIRD 3.1.0 ready.\n", true, {3, 1, 0}},
        {"0001 BIRD 2 ready.\n", false, {0}},
        {"0001 BIRD x.y ready.\n", false, {0}},
        {"0001 FRR 8.4.4 ready.\n", false, {0}},
        {"0001 BIRD\n", false, {0}},
        {"0000 BIRD 2.0.12 ready.\n", false, {0}},
    };
    for (size_t i = 0; i < TEST_COUNT(greetings); i++) {
        scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
        struct reply reply;
        unsigned version[3] = {0};
        reply_feed(reader, str_from(greetings[i].line));
        TEST_ASSERT(reply_next(reader, &reply) == REPLY_DONE);
        TEST_ASSERT(reply_version(&reply, version) == greetings[i].known);
        for (size_t j = 0; j < 3; j++)
            TEST_ASSERT(!greetings[i].known || version[j] == greetings[i].version[j]);
    }
}

static void test_log_lines(void)
{
    static const struct {
        const char *line;
        enum logline_class class;
        enum log_level level;
        const char *protocol, *text;
        bool state_changed;
    } lines[] = {
        {"2026-11-25 18:24:07.932 <TRACE> p_tor1: State changed to up", LOGLINE_TRACE,
         LOG_LEVEL_DEBUG, "p_tor1", "State changed to up", true},
        {"2026-11-25 18:24:06.961 <INFO> Reconfigured", LOGLINE_INFO, LOG_LEVEL_DEBUG, "",
         "Reconfigured", false},
        {"2026-11-25 18:24:06.961 <INFO> Started", LOGLINE_INFO, LOG_LEVEL_INFO, "", "Started",
         false},
        {"2026-11-25 18:24:06.961 <RMT> p_tor1: Error: Bad peer AS: 64513", LOGLINE_REMOTE,
         LOG_LEVEL_WARN, "p_tor1", "Error: Bad peer AS: 64513", false},
        {"2026-11-25 18:24:06.961 <FATAL> Shutdown completed", LOGLINE_FATAL, LOG_LEVEL_INFO, "",
         "Shutdown completed", false},
        {"2026-11-25 18:24:06.961 <FATAL> out of memory", LOGLINE_FATAL, LOG_LEVEL_ERROR, "",
         "out of memory", false},
        {"2026-11-25 18:24:06.961 <ERR> p1: Socket error: bind: Address already in use",
         LOGLINE_ERROR, LOG_LEVEL_ERROR, "p1", "Socket error: bind: Address already in use", false},
        /* no name of a protocol, and no state of one */
        {"2026-11-25 18:24:06.961 <WARN> I/O loop cycle: 5 ms", LOGLINE_WARNING, LOG_LEVEL_WARN, "",
         "I/O loop cycle: 5 ms", false},
        {"2026-11-25 18:24:06.961 <INFO> State changed", LOGLINE_INFO, LOG_LEVEL_INFO, "",
         "State changed", false},
        {"bird: /run/bird.conf:3:4 syntax error", LOGLINE_OTHER, LOG_LEVEL_WARN, "",
         "bird: /run/bird.conf:3:4 syntax error", false},
        {"2026-11-25 18:24:06.961 <OTHER> x", LOGLINE_OTHER, LOG_LEVEL_WARN, "",
         "2026-11-25 18:24:06.961 <OTHER> x", false},
        {"2026 <INFO", LOGLINE_OTHER, LOG_LEVEL_WARN, "", "2026 <INFO", false},
        {"", LOGLINE_OTHER, LOG_LEVEL_WARN, "", "", false},
    };
    for (size_t i = 0; i < TEST_COUNT(lines); i++) {
        struct logline got = logline_parse(str_from(lines[i].line));
        TEST_STR(got.protocol, lines[i].protocol);
        TEST_STR(got.text, lines[i].text);
        TEST_ASSERT(got.class == lines[i].class && logline_level(&got) == lines[i].level);
        TEST_ASSERT(got.state_changed == lines[i].state_changed);
    }
    struct logline echo = logline_parse_echo(STR("p_tor1: State changed to stop"));
    TEST_STR(echo.protocol, "p_tor1");
    TEST_ASSERT(echo.state_changed && echo.class == LOGLINE_INFO);
}

TEST_MAIN("bgp/reply", TEST(test_replies), TEST(test_byte_by_byte), TEST(test_broken_is_for_good),
          TEST(test_sizes), TEST(test_version), TEST(test_log_lines))
