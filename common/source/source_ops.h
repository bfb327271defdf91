/* Inside common/source: what the two kinds of source have in common. Users include source.h, and
 * source_dir.h or source_kube.h to make one. */
#ifndef COMMON_SOURCE_SOURCE_OPS_H
#define COMMON_SOURCE_SOURCE_OPS_H

#include "common/kube/cache.h"
#include "common/source/source.h"

/* How a kind of source does what source.h promises; each call gets the source whose first member
 * is the struct source. `free` releases all but the cache and the findings. */
struct source_ops {
    void (*start)(struct source *source, const struct source_follow *follow, size_t count);
    void (*refresh)(struct source *source);
    struct source_request *(*write)(struct source *source, const struct source_write *write);
    struct source_request *(*cancel)(struct source_request *request);
    void (*elect)(struct source *source, const struct source_election *election);
    void (*resign)(struct source *source, void (*done)(void *ctx), void *ctx);
    void (*event)(struct source *source, const struct source_event *event);
    void (*free)(struct source *source);
};

/* The first member of each kind of source. */
struct source {
    const struct source_ops *ops;
    struct cache *cache;
    struct source_calls calls; /* set by source_start */
    struct diag_list findings; /* borrowed texts live in its arena */
    struct source_saved saved; /* set by those who save */
};

/* The first member of each kind of request, so that source_cancel finds its way. */
struct source_request {
    struct source *source;
};

/* Fills the members above; the caller has made the rest. */
void source_init(struct source *source, const struct source_ops *ops);

/* The object (whose one reference is taken over) as it is to be kept: what the owner makes of it.
 */
struct object *source_reduce(const struct source *source, struct object *object)
    __attribute__((warn_unused_result));

/* Puts an object that source_reduce gave in the cache (taking the reference over) or takes one out,
 * and tells the owner. */
void source_put(struct source *source, struct object *object);
void source_remove(struct source *source, enum kind_id kind, struct str key);

/* Starts a new, empty list of findings, to be filled and then told with calls.findings. */
struct diag_list *source_reset_findings(struct source *source);

#endif
