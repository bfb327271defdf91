/* The list of excluded interfaces in its file, which is read again when it changes. A file that
 * cannot be understood leaves the last good list in force, and is named once. */
#ifndef SPEAKER_EXCLUDES_FILE_H
#define SPEAKER_EXCLUDES_FILE_H

#include "common/loop/loop.h"
#include "speaker/excludes.h"

struct excludes_file;

/* Reads the file and follows it. While there has been none, or none that is good, the shipped list
 * is in force. `changed` is called from the loop when another list is. path is copied. */
struct excludes_file *excludes_file_open(struct loop *loop, struct str path,
                                         void (*changed)(void *ctx), void *ctx);

/* NULL is fine; returns NULL. */
struct excludes_file *excludes_file_close(struct excludes_file *file);

/* The list in force, borrowed until `changed` is called. */
const struct excludes *excludes_file_list(const struct excludes_file *file);

/* Why the file as it is now is not in force; empty: it is, or there is none. Borrowed. */
struct str excludes_file_trouble(const struct excludes_file *file);

/* How often a changed file could not be understood. */
uint64_t excludes_file_failures(const struct excludes_file *file);

#endif
