/* What a program sees of the world: a Kubernetes API server or a directory of manifests, behind the
 * same calls.
 *
 * The owner says which kinds it follows, gets one call per change and one when everything has been
 * listed, reads the cache at any time, and writes through keyed requests. Both kinds of source
 * keep the cache complete across errors: a list that fails keeps what is there. */
#ifndef COMMON_SOURCE_SOURCE_H
#define COMMON_SOURCE_SOURCE_H

#include "common/loop/loop.h"
#include "common/source/source_verb.h"
#include "crd/kinds.h"

struct source;

struct source_follow {
    enum kind_id kind;
    struct str namespace; /* only this namespace; empty: all */
    struct str name;      /* only the object of that name; empty: all */
    struct str labels;    /* only those that this takes (label_filter.h); empty: all */
    bool optional;        /* the work goes on without: told, when it may not be read */
};

struct source_calls {
    /* One object came (before is NULL), changed or went (after is NULL). Also while listing. */
    void (*changed)(void *ctx, const struct object *before, const struct object *after);
    /* Every followed kind has been listed once; again after source_refresh has completed. With
     * saved state (source_kube.h) first when that has been read in the server's stead, and again
     * when the server has been listed and what is gone has been told. */
    void (*synced)(void *ctx);
    /* Findings about input that is no object (a broken document, a file that cannot be read, an
     * object over the size limit) changed; read them with source_findings. */
    void (*findings)(void *ctx);
    /* May be NULL. Gets each object that was read, with its one reference, before it is kept, and
     * returns it, or a smaller one in its place. */
    struct object *(*reduce)(void *ctx, struct object *object);
    void *ctx;
};

struct source_write {
    enum source_verb verb;
    enum kind_id kind;
    struct str namespace, name;
    struct str labels;  /* SOURCE_DELETE_ALL: which ones (label_filter.h), not empty */
    struct str body;    /* JSON; may name metadata.resourceVersion as a precondition */
    struct str manager; /* field manager for apply; empty: the program's */
    /* Result: 0, ERR_CONFLICT (precondition failed, 409), -ENOENT (404), ERR_REMOTE (refused; the
     * server's sentence in message), -EAGAIN (429 or overloaded, retry later), or a transport
     * error. resource_version is the object's new one on success, else empty. */
    void (*done)(void *ctx, int result, struct str message, struct str resource_version);
    void *ctx;
};

struct source_request;

/* Starts to follow; calls come from the loop, never from inside this function. */
void source_start(struct source *source, const struct source_follow *follow, size_t count,
                  const struct source_calls *calls);

/* Stops everything: no call comes afterwards; writes under way are cancelled without `done`. Not to
 * be used inside one of source_calls. */
struct source *source_free(struct source *source);
SCOPE_DEFINE(source, struct source, source_free)

/* Lists everything again from the server's newest state and calls `synced` when the cache holds
 * it: the fence after winning an election. Nothing to do for a directory but to say so. */
void source_refresh(struct source *source);

/* The object, borrowed until the next turn of the loop (object_ref keeps it), or NULL. namespace
 * is empty for cluster-scoped kinds. */
const struct object *source_get(const struct source *source, enum kind_id kind,
                                struct str namespace, struct str name);

/* All objects of a kind sorted by key ("namespace/name"); the array is in the arena, the objects
 * are borrowed until the next turn of the loop. */
const struct object **source_list(const struct source *source, enum kind_id kind,
                                  struct arena *arena, size_t *ret_count);
size_t source_count(const struct source *source, enum kind_id kind);

/* An index, made before source_start: finds objects of one kind by something they hold, such as
 * EndpointSlices by their Service. `value_of` writes the value of an object to out, or nothing when
 * the object is not to be found that way. Returns the index's number. */
size_t source_index(struct source *source, enum kind_id kind,
                    void (*value_of)(const struct object *object, struct sbuf *out));
/* All objects with that value sorted by key; all borrowed until the next turn of the loop. */
const struct object *const *source_by(const struct source *source, size_t index, struct str value,
                                      size_t *ret_count);

/* State saved on disk (saved.h), for those who report. All zero for a directory, whose files are on
 * the disk anyway. */
struct source_saved {
    bool stale;        /* some of what the cache holds is from there: the server has not answered */
    uint64_t writes;   /* files written */
    uint64_t failures; /* that could not be */
    uint64_t damaged;  /* that could not be used at the start */
};
struct source_saved source_saved(const struct source *source);

/* Findings about input that is no object. Borrowed until the next turn of the loop. */
const struct diag_list *source_findings(const struct source *source);

/* Starts a write; `done` is called once from the loop unless cancelled. Texts are copied. */
struct source_request *source_write(struct source *source, const struct source_write *write);
struct source_request *source_cancel(struct source_request *request);

enum source_lead {
    SOURCE_STANDS_BY, /* must not write, and must stop at once */
    SOURCE_LEADS,     /* may write */
    /* May write, but the former leader did not give the lead back: what that one sent last may
     * still be done, on the version of the object that it was sent for. */
    SOURCE_SUCCEEDS,
    SOURCE_RESUMES, /* may write again, and nobody else could meanwhile */
};

/* Leader election. A directory grants the lead to one process by a lock on the status directory,
 * where no write is ever done late. */
struct source_election {
    struct str namespace, name, identity;
    uint64_t lease_ms, renew_ms, retry_ms;
    void (*changed)(void *ctx, enum source_lead lead);
    void *ctx;
};
void source_elect(struct source *source, const struct source_election *election);
/* Gives the lead back (so that another may have it at once), then calls done. */
void source_resign(struct source *source, void (*done)(void *ctx), void *ctx);

/* An Event about an object, told on transition by the caller; folding and rate limits are the
 * source's. A directory appends it to STATUS/events.jsonl. */
struct source_event {
    const struct object *about;
    bool warning;
    struct str reason, action, message;
};
void source_event(struct source *source, const struct source_event *event);

#endif
