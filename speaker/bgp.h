/* BGP as the speaker does it: feeds the model (bgp/model.h) from the source, and BIRD from the
 * model (bgp/engine.h); tells people what changes.
 *
 *     source ──changed──▶ model (pure) ──▶ texts (pure) ──▶ engine ──▶ peers
 *                              │                               │
 *                              └──▶ log, Events, statuses ◀────┘
 *
 * A change is carried out in the turn of the loop that it came in, together with all others of that
 * turn; in a storm of them as long is waited as planning took, but no longer than BGP_LATEST_MS.
 * Layer 2 has no part in this, nor has BGP in layer 2: a Service that
 * is announced by both is announced by each for itself.
 *
 * Objects that were only saved on disk say nothing here: BIRD has its configuration on the disk
 * too, and goes on with that until the API server has answered. */
#ifndef SPEAKER_BGP_H
#define SPEAKER_BGP_H

#include "bgp/engine.h"
#include "bgp/model.h"
#include "common/metrics/metrics.h"
#include "common/source/source.h"
#include "speaker/bgp_view.h"

/* The ConfigMap of our namespace with a user's own configuration for BIRD, under the key "extras".
 */
#define BGP_EXTRAS_NAME "bgpextras"

enum { BGP_LATEST_MS = 15 };

/* Texts are borrowed for its life. */
struct bgp_options {
    struct str node, namespace, lb_class;
    bool ignore_excluded;
    uint64_t seed;        /* secret, of hash tables */
    struct str program;   /* BIRD's path; empty: no BGP */
    struct str directory; /* for its files */
    uint64_t drain_ms;    /* how long peers have to go elsewhere before a drained node withdraws */
    /* The program is to end, with an error: only its next start can bring BIRD back. */
    void (*failed)(void *ctx);
    void *ctx;
};

struct bgp_calls {
    /* The configuration in force, judged anew if it has changed; borrowed for the turn. */
    const struct validated *(*config)(void *ctx);
    /* Whether a Service is announced, or to whom, has changed. */
    void (*service_changed)(void *ctx, struct str service);
    /* A session has come, gone, or is another way now. */
    void (*session_changed)(void *ctx, struct str peer);
    /* There is a model for the first time; comes after the calls above. */
    void (*planned)(void *ctx);
    void *ctx;
};

struct bgp;

/* Takes over or starts BIRD if it was configured by a process before. To be called before the
 * program confines itself or starts threads (bgp/launcher.h). Without a BIRD that can be run, with
 * the reason in the log, there is no BGP. */
struct bgp *bgp_open(struct loop *loop, const struct bgp_options *options);

/* From here on it may plan; the source is borrowed. */
void bgp_attach(struct bgp *bgp, struct source *source, const struct bgp_calls *calls);

/* Leaves BIRD running. NULL is fine; returns NULL. */
struct bgp *bgp_close(struct bgp *bgp);

/* Something that matters has changed, perhaps for all Services. Everything followed must have been
 * listed. */
void bgp_changed(struct bgp *bgp);

/* The same of one object; before or after may be NULL. What a Service or an EndpointSlice changes
 * costs no more with many others there. */
void bgp_object_changed(struct bgp *bgp, const struct object *before, const struct object *after);

/* A clean end: peers that restart gracefully keep the routes for a while, unless this node is being
 * drained; others are told that we go. Calls done when BIRD has ended. */
void bgp_leave(struct bgp *bgp, void (*done)(void *ctx), void *ctx);

/* The model in force, or NULL; borrowed until the next turn of the loop. */
const struct model *bgp_model(const struct bgp *bgp);

/* The sessions now; the array is in the arena, texts are borrowed until the next turn of the
 * loop. */
const struct bgp_view *bgp_views(const struct bgp *bgp, struct arena *arena, size_t *ret_count);

/* Of BIRD; all zero without BGP. */
struct engine_figures bgp_figures(const struct bgp *bgp);

/* The metrics, brought up to date; borrowed. */
const struct metrics *bgp_metrics(struct bgp *bgp);

/* What BIRD said of a configuration, or of the user's part, that it did not take; empty: nothing.
 * Borrowed until the next turn of the loop. */
struct str bgp_refusal(const struct bgp *bgp);
struct str bgp_extras_refusal(const struct bgp *bgp);

#endif
