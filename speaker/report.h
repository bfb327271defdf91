/* What this node writes to the source: ServiceL2Status, ServiceBGPStatus and BGPSessionStatus
 * objects, its ConfigurationState, and AddressConflict objects.
 *
 * Everything is a key in a work queue, brought to what is wanted when its turn comes, one write at
 * a time and tried again until it is there. Nothing else waits for it. */
#ifndef SPEAKER_REPORT_H
#define SPEAKER_REPORT_H

#include "common/net/ip.h"
#include "common/net/mac.h"
#include "common/source/source.h"
#include "speaker/session_status.h"

struct report;

struct report_options {
    struct str node;      /* ours */
    struct str namespace; /* ours, where all of it is written */
    struct str pod;       /* the name of our pod, which the objects go with; empty: none */
    uint64_t seed;
};

struct report_calls {
    /* Is a Service ("namespace/name") announced from here? ret_interfaces: on which of our
     * interfaces, none for all; in the arena. False in ret_known while nothing has been planned. */
    bool (*announced)(void *ctx, struct str service, struct arena *arena,
                      struct str_list *ret_interfaces, bool *ret_known);
    /* The same over BGP. ret_peers: the BGPPeers that get it, sorted; in the arena. */
    bool (*announced_bgp)(void *ctx, struct str service, struct arena *arena,
                          struct str_list *ret_peers, bool *ret_known);
    /* The session with a BGPPeer; what is not ours to know of ret is filled in, in the arena.
     * False: there is none. False in ret_known while nothing has been planned. */
    bool (*session)(void *ctx, struct str peer, struct arena *arena, struct session_want *ret,
                    bool *ret_known);
    /* What is wrong with the configuration, a sentence each, in the arena. */
    struct str_list (*errors)(void *ctx, struct arena *arena);
};

/* Everything is borrowed for life. Before source_start. */
struct report *report_new(struct loop *loop, struct source *source,
                          const struct report_options *options, const struct report_calls *calls,
                          void *ctx);
/* Ends without a write under way. NULL is fine; returns NULL. */
struct report *report_free(struct report *report);

/* What has to be followed for this, for source_start. Returns how many, REPORT_FOLLOWS at most. */
enum { REPORT_FOLLOWS = 5 };
size_t report_follow(const struct report *report, struct source_follow follow[REPORT_FOLLOWS]);

/* The source holds everything: what is left over from before is there. */
void report_synced(struct report *report);

/* Is the object of a kind that is followed for this? */
bool report_is_about(const struct object *object);
/* Such an object has changed. */
void report_object(struct report *report, const struct object *object);

/* A plan has been carried out for the first time: what is left over from before can be told. */
void report_planned(struct report *report);

/* Whether the Service is announced from here, or where, has changed. took: it is now, and was not
 * before. */
void report_service(struct report *report, struct str service, bool took);

/* The same over BGP, or to whom. */
void report_bgp_service(struct report *report, struct str service);
/* The same of BGP. */
void report_bgp_planned(struct report *report);

/* A session has come, gone, or is another way now. A peer that goes and comes within two seconds is
 * not told of. */
void report_bgp_session(struct report *report, struct str peer);

/* The configuration was judged. */
void report_config(struct report *report);

/* A stranger has an address that was to be announced. */
void report_conflict(struct report *report, const struct ip *ip, const struct mac *mac,
                     struct str interface);

/* Is the Service one that this node announced by its own status object, now or in an earlier life?
 */
bool report_has_status(const struct report *report, struct str service);

#endif
