/* Between the files of the engine, and for nobody else. */
#ifndef BGP_ENGINE_INTERNAL_H
#define BGP_ENGINE_INTERNAL_H

#include "bgp/birdconf.h"
#include "bgp/engine.h"
#include "common/base/sbuf.h"

struct engine {
    struct loop *loop;
    struct engine_calls calls;
    struct birdconf *conf;
    struct launcher *launcher;
    struct supervisor *supervisor;
    struct arena *arena; /* of paths */
    struct str trial_path;
    uint16_t listen_port;
    /* what is wanted */
    struct sbuf main, routes, extras;
    bool wanted, pending;         /* pending: it differs from what BIRD was told last */
    bool current;                 /* BIRD has taken it */
    uint64_t pending_ns, busy_ns; /* when it began to differ; the same of what is under way */
    /* what the user's part is worth */
    struct sbuf good_extras, bad_extras;
    bool with_extras; /* the configuration under way has some */
    bool busy;        /* a command that changes the configuration is under way */
    struct loop_timer *progress;
    /* what could not be done to the files is tried again */
    struct loop_timer *retry;
    int file_error;  /* the last one that was told; 0: none */
    bool unrestored; /* a refused configuration is still there */
    bool port_is_saved;
    struct loop_timer *wake;
    uint64_t wake_until, wake_ms; /* until when; how long until the next one */
    struct loop_timer *poll;
    bool polling, poll_again;
    struct arena *state; /* of the two below */
    struct status status;
    struct status_bfd_list bfd;
    struct engine_figures figures;
};

/* engine_watch.c: BIRD has taken a configuration, or says that a session's state has changed. Its
 * state is read again soon, and a BIRD that must be woken is. */
void engine_watch_configured(struct engine *engine);
void engine_watch_changed(struct engine *engine);

#endif
