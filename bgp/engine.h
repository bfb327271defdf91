/* BIRD as a part of this program: give it a configuration, and it is what the peers hear.
 *
 *     texts ──> files ──> configure ──> peers
 *                            │
 *     state <── show protocols all, show bfd sessions
 *
 * There is at most one command under way; the newest texts win, those between are skipped. A
 * configuration that BIRD refuses is put back to the last good one and told. Extras, which a user
 * writes, are checked by BIRD before they are used; refused ones leave those before in force.
 * Sessions go on through everything but a change of their own parameters.
 *
 * BIRD before 2.14 may hold UPDATEs back for three seconds after sessions come up or the
 * configuration changes, unless something wakes it: so it is asked for its status in that time, at
 * once and then every 50 ms. */
#ifndef BGP_ENGINE_H
#define BGP_ENGINE_H

#include "bgp/status.h"
#include "bgp/supervisor.h"

struct engine;

struct engine_options {
    struct str directory; /* of files and socket; made when it is not there */
    struct str program;   /* BIRD's path, absolute */
};

struct engine_calls {
    /* What engine_status and engine_figures tell may have changed. */
    void (*changed)(void *ctx);
    /* A configuration was refused; extras: it is the user's part. why is BIRD's sentence. */
    void (*refused)(void *ctx, bool extras, struct str why);
    /* BIRD has taken texts, this long after they came. */
    void (*applied)(void *ctx, uint64_t duration_ns);
    /* engine_end has come to its end. */
    void (*ended)(void *ctx);
    /* BIRD cannot be kept as it shall be by this process any more (supervisor.h); the next one can.
     */
    void (*failed)(void *ctx);
    void *ctx;
};

/* Takes over a BIRD that runs in the directory, or starts one when a configuration of a process
 * before us is there. To be called before this program confines itself, and before it has threads:
 * see launcher.h. 0 or a negative errno. */
int engine_open(struct loop *loop, const struct engine_options *options,
                const struct engine_calls *calls, struct engine **ret)
    __attribute__((warn_unused_result));

/* Leaves BIRD running. NULL is fine; returns NULL. */
struct engine *engine_close(struct engine *engine);

/* The port that BIRD is to listen on, for the configuration; 0: the standard one. */
uint16_t engine_listen_port(const struct engine *engine);

struct engine_texts {
    struct str main, routes; /* as render.h makes them; main includes the routes */
    struct str extras;       /* to include at the end of main; may be empty */
};

/* From now on this is what BIRD shall do. NULL: nothing, it shall not run. Texts are copied. */
void engine_apply(struct engine *engine, const struct engine_texts *texts);

/* Ends BIRD. restarting: peers that know graceful restart keep the routes; else they are told that
 * we go. */
void engine_end(struct engine *engine, bool restarting);

/* As of the last poll, borrowed until the next turn of the loop; empty when BIRD is away. */
const struct status *engine_status(const struct engine *engine);
const struct status_bfd_list *engine_bfd(const struct engine *engine);

struct engine_figures {
    struct supervisor_figures bird;
    unsigned version[3];     /* 0: not known */
    uint64_t applied;        /* configurations that BIRD took */
    uint64_t refused;        /* and did not take */
    uint64_t wakes;          /* commands only to wake it */
    bool is_current;         /* it has taken the newest texts */
    bool extras_are_refused; /* those that are wanted now */
    bool bfd_is_taken;       /* another program gets the BFD packets */
};

struct engine_figures engine_figures(const struct engine *engine);

#endif
