/* Writes to the API server: many in flight at once, the rest in order of arrival. When the server
 * asks for a pause (429, or any Retry-After), all that has not been sent waits, and what was
 * turned away is sent again, a few times. */
#ifndef COMMON_KUBE_WRITER_H
#define COMMON_KUBE_WRITER_H

#include "common/kube/client.h"
#include "crd/kinds.h"

struct writer;
struct write;

enum write_verb {
    WRITE_CREATE,       /* POST */
    WRITE_PATCH,        /* JSON merge patch (RFC 7396) */
    WRITE_PATCH_STATUS, /* the same on the status subresource */
    WRITE_APPLY,        /* server-side apply, forced */
    WRITE_APPLY_STATUS,
    WRITE_DELETE,     /* body empty, or DeleteOptions */
    WRITE_DELETE_ALL, /* those with the labels; that there are none is no error */
};

struct write_request {
    enum write_verb verb;
    enum kind_id kind;
    struct str namespace, name; /* name is empty for WRITE_CREATE */
    struct str labels;          /* WRITE_DELETE_ALL: a labelSelector, not empty */
    struct str body;            /* JSON */
    struct str manager;         /* field manager; empty: the writer's */
    /* Called once. result: 0, ERR_CONFLICT, -ENOENT, -EAGAIN (turned away, try later), ERR_REMOTE
     * (refused; message is the server's sentence), ERR_TOO_LARGE, or a transport error, after
     * which the write may have been done or not. version is the object's new resourceVersion on
     * success. Texts are borrowed. */
    void (*done)(void *ctx, int result, struct str message, struct str version);
    void *ctx;
};

enum { WRITER_IN_FLIGHT = 64 };

struct writer *writer_new(struct client *client, struct str manager);
/* Cancels all writes, without `done`. NULL is fine; returns NULL. */
struct writer *writer_free(struct writer *writer);
SCOPE_DEFINE(writer, struct writer, writer_free)

/* How long the server may take for a write, in ms, asked for each when it is sent; 0: as long as it
 * likes. What it has not done by then it does not do any more (the query parameter `timeout`); it
 * counts from when it has read the request, which a starved server may do late. */
void writer_set_limit(struct writer *writer, uint64_t (*limit_ms)(void *ctx), void *ctx);

/* Texts are copied. `done` comes from the loop, never from inside this function. */
struct write *writer_start(struct writer *writer, const struct write_request *request);
/* `done` is not called. A write that was sent may be done all the same. */
struct write *writer_cancel(struct write *write);

/* Writes that are not done, sent or not. */
size_t writer_pending(const struct writer *writer);

#endif
