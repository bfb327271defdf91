/* Keeps BIRD running and connected, by the rules of life.h.
 *
 * One process per directory: its configuration (birdconf.h), its control socket. A BIRD that runs
 * there already when the supervisor is opened, left by one of us that was killed, is taken over as
 * it is. Lines of BIRD's log become lines of ours.
 *
 * When the launcher ends (the kernel was out of memory, say), BIRD goes on, and so do we with it:
 * it takes commands, and is asked to end, over its control socket. What cannot be done that way is
 * told by `failed`. */
#ifndef BGP_SUPERVISOR_H
#define BGP_SUPERVISOR_H

#include "bgp/birdctl.h"
#include "bgp/launcher.h"
#include "bgp/life.h"
#include "bgp/logline.h"

struct supervisor;

struct supervisor_options {
    struct launcher *launcher; /* borrowed; starts BIRD */
    pid_t found;               /* a BIRD that runs already (launcher_open), or 0 */
    struct str socket;         /* path of its control socket */
};

struct supervisor_calls {
    /* BIRD takes commands, by supervisor_ctl; anew each time that it was away. */
    void (*ready)(void *ctx, const unsigned version[3]);
    /* It does no longer. */
    void (*away)(void *ctx);
    /* The state of one of its protocols has changed. */
    void (*state_changed)(void *ctx);
    /* It has ended although it was wanted; once more so when it is started and ends again. before:
     * it had not greeted yet, as happens when it cannot read its configuration. */
    void (*crashed)(void *ctx, int status, bool before);
    /* supervisor_end has come to its end. */
    void (*ended)(void *ctx);
    /* The launcher has gone, and BIRD would have to be started or killed, which nobody can any
     * more: this program is to end, so that the next one takes over. Once. */
    void (*failed)(void *ctx);
    void *ctx;
};

/* Texts are copied. */
struct supervisor *supervisor_new(struct loop *loop, const struct supervisor_options *options,
                                  const struct supervisor_calls *calls);

/* Leaves BIRD running. NULL is fine; returns NULL. */
struct supervisor *supervisor_free(struct supervisor *supervisor);

/* From now on BIRD shall run. */
void supervisor_start(struct supervisor *supervisor);

/* From now on it shall not. command: how it is asked to end, "down" or "graceful restart". `ended`
 * is called when it has, also when it did not run. */
void supervisor_end(struct supervisor *supervisor, struct str command);

/* The connection to a BIRD that is ready, else NULL; NULL also once it has been asked to end. */
struct birdctl *supervisor_ctl(const struct supervisor *supervisor);

struct supervisor_figures {
    enum life_state state;
    pid_t pid;       /* 0: none */
    uint64_t starts; /* of processes by this supervisor */
    uint64_t crashes;
    int last_status; /* of the last crash; -1: not known */
};

struct supervisor_figures supervisor_figures(const struct supervisor *supervisor);

#endif
