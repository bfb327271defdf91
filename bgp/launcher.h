/* A small process that starts BIRD for this program, which confines itself and may then start
 * nothing.
 *
 * It is forked before that, knows one command line, and does what a message says: start BIRD, end
 * it, kill it. BIRD gets CAP_NET_BIND_SERVICE (port 179) and CAP_NET_RAW (priority of BFD packets,
 * router advertisements), as far as we have them, no new privileges, and no descriptor of ours.
 * When this program dies, the launcher ends and BIRD goes on; the next launcher finds it by its
 * control socket. */
#ifndef BGP_LAUNCHER_H
#define BGP_LAUNCHER_H

#include "bgp/launcher_child.h"
#include "common/loop/loop.h"

struct launcher;

struct launcher_calls {
    /* BIRD runs; what it says next is that it is ready, or why it ends. */
    void (*started)(void *ctx, pid_t pid);
    /* One line of its log, without its end; never from a BIRD that was found running. */
    void (*line)(void *ctx, struct str line);
    /* It has ended with this exit status (128 + signal when killed by one; -1: not known), or it
     * could not be started (a negative errno). */
    void (*exited)(void *ctx, int status);
    /* The launcher itself has gone: BIRD cannot be started or ended any more. */
    void (*broken)(void *ctx);
    void *ctx;
};

/* Forks it; the texts of the command are borrowed for the call. There must be no other thread yet.
 * ret_found is the process of a BIRD that answers at the command's socket already, else 0. 0 or a
 * negative errno. */
int launcher_open(const struct launcher_command *command, struct launcher **ret, pid_t *ret_found)
    __attribute__((warn_unused_result));

/* From now on its calls come from the loop. */
void launcher_watch(struct launcher *launcher, struct loop *loop,
                    const struct launcher_calls *calls);

/* Ends the launcher; BIRD goes on. NULL is fine; returns NULL. Not inside of a call. */
struct launcher *launcher_close(struct launcher *launcher);
SCOPE_DEFINE(launcher, struct launcher, launcher_close)

void launcher_start(struct launcher *launcher);     /* nothing when it runs already */
void launcher_terminate(struct launcher *launcher); /* SIGTERM */
void launcher_kill(struct launcher *launcher);      /* SIGKILL */

#endif
