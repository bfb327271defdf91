/* One small file that is followed: read again when it changes. */
#ifndef COMMON_BASE_TEXT_FILE_H
#define COMMON_BASE_TEXT_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/str.h"

struct text_file {
    char *path; /* heap; NULL: no file */
    char *text; /* heap, wiped when replaced; ends in NUL */
    size_t len;
    struct stat seen;
};

/* Begins to follow a file and reads it; an empty path is no file. 0 or negative errno
 * (ERR_TOO_LARGE over 1 MiB). */
int text_file_open(struct text_file *file, struct str path) __attribute__((warn_unused_result));

/* Reads the file again if it has changed. True when its text is another; a file that cannot be
 * read (it is being replaced) leaves what there is. `force`: also when it looks the same. */
bool text_file_refresh(struct text_file *file, bool force);

/* The text without blanks at its ends. */
struct str text_file_str(const struct text_file *file);

void text_file_close(struct text_file *file);

#endif
