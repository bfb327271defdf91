/* Command lines by tables: one row is a flag, its environment variable, its default and its help.
 *
 *     static const struct option rows[] = {
 *         {"port", "STENTOR_PORT", OPTION_UINT, offsetof(struct settings, port), .fallback =
 * "7472", .max = 65535, .value = "PORT", .help = "serve metrics there; 0 chooses a free port"},
 *     };
 *
 * "--flag value", "--flag=value" and the same with one dash are accepted; a boolean is set by
 * "--flag" alone and cleared by "--no-flag" or "--flag=false". A flag given twice counts the last
 * time. The flag wins over the environment (where an empty variable counts as unset), the
 * environment over the default. --help, -h and --version are always there; "--" ends the flags.
 * Pure: argv and environment are arguments.
 */
#ifndef COMMON_BASE_OPTIONS_H
#define COMMON_BASE_OPTIONS_H

#include "common/base/arena.h"
#include "common/base/names.h"
#include "common/base/sbuf.h"

/* Members by type: struct str; bool; uint64_t; uint64_t in milliseconds (written in Go's syntax,
 * "15s"; a broken millisecond counts as a whole one); int (index in names); struct str_list (may be
 * given many times, and by the environment with commas). */
enum option_type {
    OPTION_STR,
    OPTION_BOOL,
    OPTION_UINT,
    OPTION_DURATION,
    OPTION_ENUM,
    OPTION_LIST
};

struct option {
    const char *flag; /* without dashes */
    const char *env;  /* NULL: none */
    enum option_type type;
    size_t offset;             /* in the struct that options_parse fills */
    const char *fallback;      /* the default as text; NULL: empty, false, 0, the first name */
    uint64_t min, max;         /* OPTION_UINT, OPTION_DURATION (ms); max 0: no limit */
    const struct names *names; /* OPTION_ENUM */
    const char *value;         /* what the usage text calls the value; not for OPTION_BOOL */
    const char *help;          /* a phrase, without the default */
};

struct options {
    const char *program;  /* "stentor-speaker" */
    const char *synopsis; /* what follows the program's name: "[flags]", "[flags] COMMAND [NAME]" */
    const char *summary;  /* one sentence */
    const char *manual;   /* what the usage text says between that and the flags, as it is; NULL:
                             nothing */
    const struct option *rows;
    size_t count;
    bool operands; /* are arguments that are no flags allowed? */
};

enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_HELP,    /* --help was given: print options_usage and succeed */
    OPTIONS_VERSION, /* --version was given */
};

/* Fills the struct at ret and ret_operands (what is left, in order). `arguments` is argv without
 * the program's name; environment ends in NULL (NULL: none). Texts are borrowed from both. Returns
 * enum options_outcome, or ERR_SYNTAX with a sentence that names the flag in ret_error (arena). */
int options_parse(const struct options *options, char *const *arguments, size_t count,
                  char *const *environment, struct arena *arena, void *ret,
                  struct str_list *ret_operands, struct str *ret_error)
    __attribute__((warn_unused_result));

/* The usage text, flags in the order of the rows, within 80 columns. */
void options_usage(const struct options *options, struct sbuf *out);

#endif
