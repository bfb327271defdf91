/* Tells people what changes about BGP: the log, Events on the Services. Only transitions are told,
 * and a start of this process is none: what was announced before it began is known by the
 * ServiceBGPStatus of this node. */
#ifndef SPEAKER_BGP_TELL_H
#define SPEAKER_BGP_TELL_H

#include "bgp/model.h"
#include "common/source/source.h"
#include "speaker/bgp_view.h"

struct bgp_tell;

struct bgp_tell_calls {
    /* Whether a Service is announced, or to whom, has changed. */
    void (*service)(void *ctx, struct str service);
    /* A session has come, gone, or is another way now. */
    void (*session)(void *ctx, struct str peer);
    void *ctx;
};

/* All is borrowed, but the calls are copied. */
struct bgp_tell *bgp_tell_new(struct source *source, struct str node,
                              const struct bgp_tell_calls *calls);
struct bgp_tell *bgp_tell_free(struct bgp_tell *tell); /* NULL is fine; returns NULL */

/* before may be NULL: nothing was planned. */
void bgp_tell_model(struct bgp_tell *tell, const struct model *before, const struct model *after);

/* Of single Services, by updates of a model. */
void bgp_tell_changes(struct bgp_tell *tell, const struct model_change *changes, size_t count);

/* The sessions as they are now. */
void bgp_tell_sessions(struct bgp_tell *tell, const struct bgp_view *views, size_t count);

/* What a session has been through since the start of the process; zero when it is not known. */
struct bgp_told {
    uint64_t downs;   /* how often it went down */
    uint64_t updates; /* routes sent or withdrawn */
};
struct bgp_told bgp_tell_session(const struct bgp_tell *tell, struct str peer);

#endif
