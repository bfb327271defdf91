/* One kind of object followed: listed in pages, watched, and told to the owner as it changes.
 *
 * The owner keeps the cache; the reflector reads it, to tell what a list no longer names and what
 * is unchanged. Nothing is ever taken out because of an error. Objects that cannot be read (over
 * the size limit, or JSON that cannot be held; no Service that etcd stores is either) are passed
 * over, named in the findings and counted; the version that is in the cache stays. */
#ifndef COMMON_KUBE_REFLECTOR_H
#define COMMON_KUBE_REFLECTOR_H

#include "common/kube/cache.h"
#include "common/kube/client.h"

struct reflector;

struct reflector_config {
    enum kind_id kind;
    struct str namespace; /* only this namespace; empty: all */
    struct str name;      /* only the object of that name; empty: all */
    struct str labels;    /* only those that this labelSelector takes; empty: all */
    bool optional;        /* when it may not be read, go on as if it were not installed */
    size_t object_max;    /* limit in bytes of one object's JSON; 0: 2 MiB, of Services 10 MiB */
    unsigned page;        /* objects of one page; 0: 250 */
    /* An object came or changed; its reference is the owner's. The owner puts it in the cache. */
    void (*put)(void *ctx, struct object *object);
    /* The object with this key went; the owner takes it out of the cache. */
    void (*remove)(void *ctx, enum kind_id kind, struct str key);
    /* A complete list was told; again after each relist. Also, once, when the server does not
     * know the kind, or an optional one may not be read (then it is asked for again, later and
     * later). */
    void (*listed)(void *ctx, struct reflector *reflector);
    void (*findings)(void *ctx); /* what reflector_findings gives has changed */
    void *ctx;
};

struct reflector *reflector_new(struct client *client, const struct cache *cache,
                                const struct reflector_config *config);
/* No call comes afterwards. Not from inside a call. NULL is fine; returns NULL. */
struct reflector *reflector_free(struct reflector *reflector);

/* Begins to list. Calls come from the loop only. */
void reflector_start(struct reflector *reflector);

/* Lists anew from the newest state. `listed` is called when it is complete (an earlier list that
 * is under way does not count). */
void reflector_relist(struct reflector *reflector);

/* Adds what is wrong with this kind: objects passed over, a kind that is not installed or may not
 * be read, a server that cannot be reached. */
void reflector_findings(const struct reflector *reflector, struct diag_list *list);

enum kind_id reflector_kind(const struct reflector *reflector);

/* Are objects of this namespace followed? */
bool reflector_follows(const struct reflector *reflector, struct str namespace);

/* Has a list been completed since the start or the last reflector_relist (or is the kind not
 * installed)? */
bool reflector_is_listed(const struct reflector *reflector);

struct reflector_counts {
    uint64_t lists, watches, events, skipped, failures;
};
struct reflector_counts reflector_counts(const struct reflector *reflector);

#endif
