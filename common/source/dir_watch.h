/* Follows the files of a directory tree with inotify.
 *
 * It says which files are new, changed or gone, when it is good to look: a file is looked at once
 * its writer has closed it (or renamed or linked it into place), never in the middle of writing;
 * one that goes is believed gone only after a moment, because editors move a file away and then
 * write it anew. What cannot be followed event by event (directories that come and go, a queue that
 * ran over, the swapped directory of a Kubernetes ConfigMap) makes the whole tree be listed again.
 * Names that begin with '.' are left out, symbolic links to directories too. */
#ifndef COMMON_SOURCE_DIR_WATCH_H
#define COMMON_SOURCE_DIR_WATCH_H

#include "common/base/arena.h"
#include "common/loop/loop.h"

enum {
    DIR_WATCH_DEPTH = 8,      /* levels of directories below the root */
    DIR_WATCH_SETTLE_MS = 5,  /* from the first change to the call, so that many are one */
    DIR_WATCH_GONE_MS = 300,  /* from a file's going until that is believed */
    DIR_WATCH_RETRY_MS = 1000 /* between attempts at a directory that cannot be read */
};

struct dir_watch;

struct dir_watch_options {
    struct str root;
    uint64_t gone_ms;                /* until a missing file is gone; 0: DIR_WATCH_GONE_MS */
    bool (*wanted)(struct str name); /* by the name of the file, without its directories */
    void (*changed)(void *ctx);      /* there is news to take; always from the loop */
    void *ctx;
};

/* What happened since the last time. Texts are in the arena given to dir_watch_take. */
struct dir_watch_news {
    struct str *files; /* to be read (or found missing), relative to the root, sorted */
    size_t count;
    /* These are all there are: others that were known are gone, but for those that are hidden by a
     * failed directory and those that are still pending. */
    bool all;
    struct str *failed;   /* directories that cannot be read; "." is the root */
    const char **reasons; /* why, for each */
    size_t failed_count;
};

/* Starts to follow; the first news is all files, and is there at once. */
struct dir_watch *dir_watch_start(struct loop *loop, const struct dir_watch_options *options);

/* NULL is fine; returns NULL. */
struct dir_watch *dir_watch_cancel(struct dir_watch *watch);

/* Takes the news. */
struct dir_watch_news dir_watch_take(struct dir_watch *watch, struct arena *arena);

/* Lists everything again now: the next news is all files. */
void dir_watch_rescan(struct dir_watch *watch);

/* Is the file missing, but not for long enough to be gone? There will be news about it. */
bool dir_watch_is_pending(const struct dir_watch *watch, struct str file);

/* Is the file in (or below) one of the failed directories? */
bool dir_watch_hides(const struct dir_watch_news *news, struct str file);

#endif
