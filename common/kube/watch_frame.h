/* The body of a watch: JSON events, one per line, arriving in pieces of any size. Bounded: a line
 * over the limit is not kept, but the object in it is named. */
#ifndef COMMON_KUBE_WATCH_FRAME_H
#define COMMON_KUBE_WATCH_FRAME_H

#include "common/base/sbuf.h"
#include "common/kube/identity.h"

enum { WATCH_FRAME_LIMIT = 2 * 1024 * 1024 };

enum watch_frame_result {
    WATCH_FRAME_MORE,    /* all input is taken, the line goes on */
    WATCH_FRAME_EVENT,   /* a whole line */
    WATCH_FRAME_SKIPPED, /* a line over the limit ended; `skipped` says what it was about */
};

struct watch_frame {
    size_t limit;
    struct sbuf line;
    bool skipping; /* the current line is over the limit */
    bool ended;    /* the line in `line` was handed out */
    struct identity skipped;
};

/* limit is the longest line in bytes, its newline not counted. */
void watch_frame_init(struct watch_frame *frame, size_t limit);
void watch_frame_done(struct watch_frame *frame);

/* Takes bytes from the front of *input, up to and including the end of one line. The line (without
 * its newline, never empty: blank lines are passed over) is borrowed in ret_line until the next
 * call. Call again while input is left. */
enum watch_frame_result watch_frame_next(struct watch_frame *frame, struct str *input,
                                         struct str *ret_line);

#endif
