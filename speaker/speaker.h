/* The speaker's shell: feeds the plan from a source and the kernel, carries it out, reports.
 *
 *     source ──changed──▶ basis (pure) ──▶ plan (pure) ──▶ apply ──▶ responders
 *     netlink ─changed─────────────────────┤                 └─────▶ tell, metrics, local
 *     peers ───changed─────────────────────┘
 *
 * Every change only marks that a plan is due. Once per turn of the loop everything is planned
 * together and carried out by differences. A member that comes or goes changes nothing about the
 * objects, so that the basis stands and a fail-over costs an election and what it changes. Nothing
 * is announced before the objects, the interfaces and the members are known in full; from then on
 * losing the source changes nothing. */
#ifndef SPEAKER_SPEAKER_H
#define SPEAKER_SPEAKER_H

#include "common/source/source.h"
#include "speaker/bgp.h"
#include "speaker/carrier.h"
#include "speaker/duty.h"
#include "speaker/excludes_file.h"
#include "speaker/local.h"
#include "speaker/netlink.h"
#include "speaker/speaker_metrics.h"

/* Texts are borrowed for the speaker's life. */
struct speaker_options {
    struct str node;      /* our name, as Node objects have it */
    struct str namespace; /* whose configuration objects count; empty: any */
    struct str lb_class;
    struct str pod;           /* the name of our pod; empty: none */
    struct str excludes_path; /* the list of excluded interfaces (excludes_file.h) */
    bool ignore_excluded;
    struct bgp *bgp; /* borrowed; outlives the speaker */
    uint64_t seed;   /* secret, of hash tables */
    struct peers_options peers;
    struct apply_options apply;
};

struct speaker;

/* Starts to follow the source and the interfaces. The source is taken over, also on failure;
 * metrics outlives the speaker. 0 and the speaker, or a negative errno (no netlink). */
int speaker_new(struct loop *loop, struct source *source, struct speaker_metrics *metrics,
                const struct speaker_options *options, struct speaker **ret)
    __attribute__((warn_unused_result));

/* Stops to answer at once. NULL is fine; returns NULL. */
struct speaker *speaker_free(struct speaker *speaker);

/* Hands over what others can serve, takes leave of the members and calls `done`, within two
 * seconds. Then comes speaker_free. */
void speaker_leave(struct speaker *speaker, void (*done)(void *ctx), void *ctx);

/* Has a plan been carried out and told of, and is this node to stay? The phrase (constant) says why
 * not. */
bool speaker_is_ready(const struct speaker *speaker, const char **ret_phrase);

/* For those who report: the plan that people were told of last (NULL: none yet), for only of that
 * one it is known what is announced, and what it was made from. Borrowed until the next turn of the
 * loop. */
const struct plan *speaker_plan(const struct speaker *speaker);
struct bgp *speaker_bgp(const struct speaker *speaker);
const struct peers *speaker_peers(const struct speaker *speaker);
const struct duty *speaker_duty(const struct speaker *speaker);
const struct apply *speaker_apply(const struct speaker *speaker);
const struct local *speaker_local(const struct speaker *speaker);
struct carrier *speaker_carrier(const struct speaker *speaker);
const struct excludes_file *speaker_excludes(const struct speaker *speaker);
const struct netlink *speaker_netlink(const struct speaker *speaker);
const struct diag_list *speaker_findings(const struct speaker *speaker); /* on configuration */
const struct diag_list *speaker_input_findings(const struct speaker *speaker);
struct source_saved speaker_saved(const struct speaker *speaker);
struct str speaker_node(const struct speaker *speaker);

#endif
