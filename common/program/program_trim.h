/* Gives memory back that is not used at rest.
 *
 * The start of a program, its first lists and its first connections touch much that is needed
 * rarely or never again: megabytes of tables in the libraries behind TLS, and heap between what
 * stayed. Some seconds after the start, and then once a minute, free heap goes back to the system,
 * and so do the pages of those libraries that are as they are in their files: when one is used
 * again, the kernel finds it in its cache of files. The program itself and the libraries that the
 * answer to a frame runs through keep theirs, so that a fail-over waits for no page. */
#ifndef COMMON_PROGRAM_PROGRAM_TRIM_H
#define COMMON_PROGRAM_PROGRAM_TRIM_H

#include "common/loop/loop.h"

struct program_trim;

struct program_trim *program_trim_start(struct loop *loop);
/* NULL is fine; returns NULL. */
struct program_trim *program_trim_cancel(struct program_trim *trim);

/* Does it now. Returns how many bytes of libraries are mapped that were given up. */
size_t program_trim_now(void);

#endif
