/* Between the files of the speaker's shell, and for nobody else. */
#ifndef SPEAKER_SPEAKER_INTERNAL_H
#define SPEAKER_SPEAKER_INTERNAL_H

#include "speaker/carrier.h"
#include "speaker/config.h"
#include "speaker/leaving.h"
#include "speaker/report.h"
#include "speaker/speaker.h"
#include "speaker/tell.h"

/* A plan with its arena. */
struct planned {
    struct plan *plan; /* NULL: none yet */
    struct arena *arena;
};

struct speaker {
    struct speaker_options options;
    struct loop *loop;
    struct keep *keep; /* of the source's objects */
    struct source *source;
    struct excludes_file *excludes;
    struct netlink *netlink;
    struct speaker_metrics *metrics;
    struct config *config;
    struct elect *elect;
    struct peers *peers;
    struct duty *duty;
    struct leaving *leaving; /* NULL: stays */
    struct local *local;
    struct carrier *carrier;
    struct report *report;
    struct tell tell;
    struct basis *basis;             /* NULL: objects have changed since */
    struct planned now;              /* carried out */
    struct planned told;             /* what people were told of last, and are told when they ask */
    struct loop_timer *turn;         /* a plan is due */
    struct loop_timer *telling_more; /* there is more to tell */
    struct loop_timer *telling;      /* deferred: the plan carried out is to be told of */
    bool at_once;                    /* it does not wait for its time (pace.h) */
    uint64_t started_ns, ended_ns;   /* the last plan, from its making to its telling */
    uint64_t changed_ns;             /* members have changed last */
    uint64_t deaths, detection_us;   /* as noted last */
    struct sbuf findings;            /* as they were logged last */
    bool synced;                     /* the cache holds everything */
    bool started;                    /* members may elect this node: it has planned */
    bool stalled;                    /* it was, since the last plan (gossip_is_stalled) */
    bool config_changed;
};

/* speaker_report.c: makes the report and attaches BGP, which tell each other through the speaker.
 * config: the configuration in force, for BGP (bgp.h). */
void speaker_report_begin(struct speaker *speaker, const struct validated *(*config)(void *ctx));

#endif
