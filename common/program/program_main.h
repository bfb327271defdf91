/* How every program starts and ends: command line, --help and --version, log, signals.
 *
 *     static int run(struct program *program);
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct program_kind kind = {&settings_flags, "speaker", run};
 *         return program_main(&kind, argc, argv);
 *     }
 *
 * Exit status: that of run; 0 after --help and --version; 2 when the command line or the
 * environment is wrong, with a sentence on standard error. */
#ifndef COMMON_PROGRAM_PROGRAM_MAIN_H
#define COMMON_PROGRAM_PROGRAM_MAIN_H

#include "common/loop/loop.h"
#include "common/program/program_settings.h"

/* One run of a program. */
struct program {
    const char *name; /* "stentor-speaker" */
    struct arena *arena;
    struct loop *loop;
    /* The program's own struct starts here. The namespace is set: that of the flag, of the pod's
     * service account, or metallb-system. */
    struct program_settings *settings;
};

struct program_kind {
    const struct program_flags *flags;
    const char *log_name; /* in every line of the log */
    /* Does all there is to do; the log is ready. Returns the exit status. */
    int (*run)(struct program *program);
};

int program_main(const struct program_kind *kind, int argc, char **argv);

/* For run: logs that the program has started, with the field that tells instances apart, and runs
 * the loop. SIGTERM or SIGINT calls `stop` once, which must end in loop_stop, then or later;
 * another signal after that ends the process at once. */
void program_run(struct program *program, struct kv instance, void (*stop)(void *ctx), void *ctx);

#endif
