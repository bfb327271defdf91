/* For tests: a program's tables keep to the rules. */
#ifndef COMMON_PROGRAM_TEST_TABLES_H
#define COMMON_PROGRAM_TEST_TABLES_H

#include "common/base/err.h"
#include "common/base/test.h"
#include "common/metrics/metrics.h"
#include "common/program/program_settings.h"

enum { FLAG_ARGUMENTS = 5 };

/* A command line and the sentence that refuses it; empty: it is taken. */
struct flag_case {
    const char *arguments[FLAG_ARGUMENTS];
    const char *error;
};

/* Parses a command line without an environment. */
static inline int flags_parse(const struct program_flags *flags, const char *const *arguments,
                              struct arena *arena, struct program_settings **ret,
                              struct str *ret_error)
{
    struct program_arguments line = {.items = (char *const *)arguments};
    while (line.count < FLAG_ARGUMENTS && arguments[line.count])
        line.count++;
    return program_settings_parse(flags, &line, arena, ret, ret_error);
}

static inline void flags_run(const struct program_flags *flags, const struct flag_case *cases,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct program_settings *settings = NULL;
        struct str error = {0};
        int outcome = flags_parse(flags, cases[i].arguments, arena, &settings, &error);
        TEST_STR(error, cases[i].error);
        TEST_ASSERT(outcome == (cases[i].error[0] ? (int)ERR_SYNTAX : (int)OPTIONS_RUN));
        TEST_ASSERT((settings != NULL) == (outcome == OPTIONS_RUN));
    }
}

/* At least `least` rows, named by the rules and with our prefix where they are not MetalLB's. */
static inline void metrics_run(const struct metric *rows, size_t count, const char *prefix,
                               size_t least)
{
    scoped_sbuf struct sbuf out = {0};
    size_t breaches = metrics_lint(rows, count, prefix, &out);
    TEST_STR(sbuf_str(&out), "");
    TEST_ASSERT(breaches == 0 && count >= least);
}

#endif
