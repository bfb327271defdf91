/* Paths and queries of the REST API. All results are in the arena and end in NUL. */
#ifndef COMMON_KUBE_PATH_H
#define COMMON_KUBE_PATH_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/sbuf.h"

/* Appends text percent-encoded: all but unreserved characters (RFC 3986 section 2.3). */
void path_encode(struct sbuf *out, struct str text);

/* "/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME" ("/api/VERSION/…" for the core group). Namespace
 * and name may be empty. */
struct str path_of(struct str group, struct str version, struct str namespace, struct str plural,
                   struct str name, struct arena *arena);

/* Which objects of a collection; each may be empty. */
struct path_choice {
    struct str name;   /* the one of that name */
    struct str labels; /* those that this labelSelector takes */
};

/* A page of a list from the newest state; `next` is the token of the page before (empty: the
 * first). */
struct str path_list(struct str collection, const struct path_choice *choice, unsigned limit,
                     struct str next, struct arena *arena);

/* A watch from behind resource_version, with bookmarks; the server ends it after timeout_s. */
struct str path_watch(struct str collection, const struct path_choice *choice,
                      struct str resource_version, unsigned timeout_s, struct arena *arena);

/* All objects of a collection with those labels, to be deleted. */
struct str path_delete_all(struct str collection, struct str labels, struct arena *arena);

/* path with "?fieldManager=…" (and "&force=true"), for writes. */
struct str path_write(struct str path, struct str manager, bool force, struct arena *arena);

#endif
