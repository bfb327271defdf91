/* The controller's shell: feeds the plan from a source, carries out what it decides, reports.
 *
 *     source ──changed──▶ reconcile ──▶ config, plan, placing (pure) ──changes──▶ apply ──writes──▶
 *
 * reconcile.c gathers changes and runs the plan once per turn of the loop, reconcile_place.c the
 * placement of what the plan gives; apply.c turns both into keyed writes, many in flight, one per
 * object; status.c knows what each object's status should say. Only the leader plans and writes; a
 * standby keeps its cache warm. */
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H

#include "common/base/map.h"
#include "common/gossip/gossip.h"
#include "common/loop/loop.h"
#include "common/loop/work_queue.h"
#include "common/source/source.h"
#include "controller/config.h"
#include "controller/controller_metrics.h"
#include "controller/fence.h"
#include "controller/handover.h"
#include "controller/placing.h"
#include "controller/plan.h"
#include "controller/rebalance.h"
#include "controller/unsure.h"

struct service;

struct controller_options {
    struct str namespace; /* whose configuration objects count */
    struct str lb_class;
    struct str identity;   /* for the election */
    struct str deployment; /* our own, which the members' Secret goes with; empty: not known */
    uint64_t seed;         /* secret, of hash tables */
    bool elect;            /* false: lead at once */
    uint64_t lease_ms, renew_ms, retry_ms;
    size_t writes_in_flight;
    struct placing_options placing;
    bool rebalance;          /* move units that could as well stay */
    uint64_t rebalance_rate; /* how many a second */
};

struct controller {
    struct controller_options options;
    struct loop *loop;
    struct source *source;
    struct controller_metrics *metrics;
    struct config *config;
    struct plan *plan;
    struct placing *placing;           /* which nodes answer; borrows from the plan */
    struct rebalance moves;            /* how many may be made */
    size_t moves_left;                 /* that should be made, by the last run */
    size_t slices;                     /* index of the source: EndpointSlices by Service */
    struct work_queue *queue;          /* keys are object ids, "Service/default/web" */
    struct map flights;                /* id → struct flight (apply.c) */
    struct unsure *unsure;             /* writes that may or may not have been done */
    struct handover *handover;         /* addresses on their way from one Service to another */
    struct fence *fence;               /* NULL: down. While it is up no address is given */
    struct loop_timer *turn;           /* a run of the plan is due */
    struct loop_timer *counters;       /* the counters in status are due */
    struct loop_timer *expiry;         /* a reservation expires */
    struct loop_timer *quarantine_end; /* of an address */
    struct loop_timer *move;           /* a unit may be moved */
    struct loop_timer *fence_end;      /* nobody has passed the fence for long */
    struct loop_timer *grace;          /* not all members need be there yet */
    struct gossip *gossip;             /* NULL: every node counts as alive */
    bool fixed_peers;                  /* where they are was said, and is not read from Nodes */
    struct lost *lost;                 /* speakers, by the members */
    struct silent *silent;             /* what they wrote and nobody renews */
    struct loop_timer *silence;        /* somebody may have fallen silent */
    bool members_changed;
    bool placed;       /* everything was placed once, so that annotations may be written */
    struct str secret; /* to be made */
    struct source_request *secret_write; /* under way */
    struct loop_timer
        *watchdog; /* looks again at what should be there, such as ConfigurationState */
    bool synced;   /* the cache holds everything */
    bool leader;
    enum source_lead lead;
    bool fence_all;       /* all who are concerned are still to pass the fence */
    bool fenced;          /* it is known who is to pass the fence */
    bool active;          /* leader, with a cache that was listed since: plans and writes */
    int64_t led_since_ns; /* wall clock: when it became active */
    bool config_changed, quarantine_changed, world_changed;
    size_t planned;             /* Services planned since memory was given back last */
    unsigned trims;             /* times that memory is still to be given back */
    void (*stopped)(void *ctx); /* set while stopping */
    void *stopped_ctx;
    uint64_t stop_deadline_ms; /* loop_now at which waiting for writes ends */
};

/* Starts to follow the source (taken over). metrics outlives the controller. */
struct controller *controller_new(struct loop *loop, struct source *source,
                                  struct controller_metrics *metrics,
                                  const struct controller_options *options);

struct controller_members {
    struct str name; /* as a member */
    struct ip bind;
    uint16_t port;
    struct str key_dir;
    const struct ip *fixed; /* addresses of others; none: those of the Nodes. Borrowed */
    size_t fixed_count;
    struct str secret; /* of the members, to be made when there is none; empty: it is not made */
};

/* Watches the speakers as a member that is none of them; once, before the loop runs. 0, or a
 * negative errno when the socket cannot be had. */
int controller_watch(struct controller *controller, const struct controller_members *members)
    __attribute__((warn_unused_result));

/* Frees everything at once; writes under way are cancelled. */
struct controller *controller_free(struct controller *controller);

/* Stops in order: writes that are under way end, the lead is given back, then `stopped` is called,
 * after which controller_free may be. */
void controller_stop(struct controller *controller, void (*stopped)(void *ctx), void *ctx);

/* Ready to serve: everything has been listed, and a leader has planned once. */
bool controller_is_ready(const struct controller *controller);

/* --- between the files of the shell ---------------------------------------------------------- */

/* reconcile.c: a run of the plan is due. */
void reconcile_schedule(struct controller *controller);

/* reconcile_place.c: before the source is started. */
void reconcile_place_init(struct controller *controller);
void reconcile_place_begin(struct controller *controller); /* leading */
void reconcile_place_end(struct controller *controller);   /* no more */
/* A Service's record goes. */
void reconcile_place_drop(struct controller *controller, struct str key);
/* A Node, or an EndpointSlice, came (before is NULL), changed or went (after is NULL). */
void reconcile_place_node(struct controller *controller, const struct object *before,
                          const struct object *after);
void reconcile_place_slice(struct controller *controller, const struct object *before,
                           const struct object *after);
/* Places what these records (keys) give; whose annotation is to be written anew is added to what is
 * to be applied. */
void reconcile_place_run(struct controller *controller, const struct str_list *keys);
/* Keeps of objects that are many only what is used. */
struct object *reconcile_place_reduce(void *ctx, struct object *object);

/* reconcile_members.c */
void reconcile_members_begin(struct controller *controller); /* leading */
void reconcile_members_end(struct controller *controller);   /* no more */
void reconcile_members_done(struct controller *controller);
/* The Nodes may have changed. */
void reconcile_members_find(struct controller *controller);
/* Tells the placement who lives. False: that is not known yet, or not any more. */
bool reconcile_members_read(struct controller *controller);
/* In the arena; NULL when no speaker is known. */
const struct quarantine_members *reconcile_members_known(const struct controller *controller,
                                                         struct arena *arena);
/* This replica leads: makes the Secret of the members if it is to. */
void reconcile_members_make_secret(struct controller *controller);

/* reconcile_fence.c: after a leader that did not give the lead back, no address is given until no
 * write of that one can be done any more (fence.h). */
void reconcile_fence_raise(struct controller *controller); /* leading */
/* Leading no more, and writes under way are about to be given up: when this process leads next, and
 * nobody else did meanwhile, it is to wait for those alone and for who has not passed yet. */
void reconcile_fence_keep(struct controller *controller);
void reconcile_fence_drop(struct controller *controller);
/* The first plan is made: everybody who is concerned is to pass the fence. */
void reconcile_fence_fill(struct controller *controller);
/* The Service of this id is seen, or was answered to be, at this version (empty: it is gone). */
void reconcile_fence_pass(struct controller *controller, struct str id, struct str version);

/* apply.c */
void apply_init(struct controller *controller);
void apply_done(struct controller *controller);
/* Cancels every write that is under way or waits for its turn. */
void apply_give_up(struct controller *controller);
/* The object's status may differ from what it should say. */
void apply_add(struct controller *controller, struct str id);
/* Is a write of ours under way that this version of the object does not show yet? */
bool apply_is_ahead(const struct controller *controller, const struct object *object);
/* Is a write under way by which the Service of this key will show the address? ctx is a controller.
 */
bool apply_writes(const void *ctx, struct str key, const struct ip *ip);
/* Tells the handover which addresses a Service shows, or will by a write under way, that its record
 * does not have; who waited for one that it has let go of is looked at again. */
void apply_update_handover(struct controller *controller, struct str key);
/* A newer version has arrived (NULL: it is gone). */
void apply_seen(struct controller *controller, struct str id, const struct object *object);
/* Adds all Services to whom a write is under way, or may be. */
void apply_fence(const struct controller *controller, struct fence *fence);
/* Can the Service be given no address now, as it is not known what earlier writes did to it? */
bool apply_is_unsure(const struct controller *controller, struct str id);
/* Nothing is under way, and every write has been answered. */
bool apply_is_idle(const struct controller *controller);

/* status.c: the write that makes the object of this id show what it should, or deletes it when it
 * is over. False: nothing to do. Texts are in the arena. */
bool status_write(struct controller *controller, struct str id, struct arena *arena,
                  struct source_write *ret);
/* Is the fence up, does another Service still show an address that the record gives to this one, or
 * is too much unsure about it? It is then looked at again when that is over; until then only what
 * it gives up itself is written.
 */
bool status_must_wait(struct controller *controller, const struct plan_record *record,
                      const struct service *service);
/* The object of an id ("Kind/namespace/name") in the cache, or NULL. */
const struct object *status_find(const struct controller *controller, struct str id);
/* The id of our own ConfigurationState, in the arena. */
struct str status_state_id(const struct controller *controller, struct arena *arena);

#endif
