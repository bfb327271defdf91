/* The directory source: manifests in one directory, what the programs write in another.
 *
 * MANIFESTS   *.yaml, *.yml and *.json, also in subdirectories (but not in those whose name begins
 *             with '.'), read by everybody and written by nobody of us. Followed with inotify.
 * STATUS      services/default/web.json and so on: what was written to objects (dir_object.h), each
 *             file replaced in one step;
 *             leader.lock: locked by the leader;  write.lock: locked during each write;
 *             events.jsonl: the Events, one JSON object a line; events.jsonl.1: the ones before.
 *
 * All programs of a machine (or of several, on a file system with locks) may share both. Objects
 * that a program has made stay until it deletes them; what is stored over an object that is in no
 * manifest any more is removed by the leader after a while. Without a status directory the source
 * is for reading and trying out: writes succeed and are forgotten at the end. */
#ifndef COMMON_SOURCE_SOURCE_DIR_H
#define COMMON_SOURCE_SOURCE_DIR_H

#include "common/source/source.h"

struct source_dir_options {
    struct str manifests;
    struct str status;  /* empty: none */
    uint64_t gone_ms;   /* how long an object outlives its file, so that an editor may move a file
                           away and write it anew; 0: 300 ms */
    uint64_t orphan_ms; /* how long status outlives its object; 0: 30 s */
};

/* The source, free with source_free. Texts are copied. A directory that cannot be read is a
 * finding, and source_calls.synced waits for it. */
struct source *source_dir_new(struct loop *loop, const struct source_dir_options *options);

#endif
