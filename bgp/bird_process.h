/* The BIRD process: started with the least rights that work, or found running.
 *
 * It gets CAP_NET_BIND_SERVICE (port 179) and CAP_NET_RAW (BFD's priority of packets, router
 * advertisements), as far as we have them, no new privileges, no descriptor of ours. It does not
 * die with us: when we are started again, it is found by its control socket. */
#ifndef BGP_BIRD_PROCESS_H
#define BGP_BIRD_PROCESS_H

#include "common/loop/loop.h"

struct bird_process;

struct bird_process_calls {
    /* One line of its log; never from a process that was found. The owner must not free here. */
    void (*line)(void *ctx, struct str line);
    /* It has ended, with this exit status (128 + signal when killed by one; -1: not known). The
     * owner frees. */
    void (*exited)(void *ctx, int status);
    void *ctx;
};

/* Starts PROGRAM -f -c CONFIG -s SOCKET -R. arguments ends in NULL; its first is the program's
 * path. 0 or a negative errno. */
int bird_process_start(struct loop *loop, const char *const *arguments,
                       const struct bird_process_calls *calls, struct bird_process **ret)
    __attribute__((warn_unused_result));

/* Watches a process that runs already. 0 or a negative errno. */
int bird_process_adopt(struct loop *loop, pid_t pid, const struct bird_process_calls *calls,
                       struct bird_process **ret) __attribute__((warn_unused_result));

void bird_process_signal(const struct bird_process *process, int number);

pid_t bird_process_pid(const struct bird_process *process);

/* No call comes any more; the process itself goes on. NULL is fine; returns NULL. */
struct bird_process *bird_process_free(struct bird_process *process);

#endif
