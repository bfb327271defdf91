/* What BIRD writes on its control socket, put together from bytes as they come.
 *
 * A reply is one or more lines; each has a code of four digits, and the line where a blank follows
 * the code is the last. Lines that start with '+' belong to no reply: echoes of BIRD's log. On
 * connecting BIRD speaks first (REPLY_GREETING). Pure. */
#ifndef BGP_REPLY_H
#define BGP_REPLY_H

#include "common/base/arena.h"
#include "common/base/scope.h"

/* Codes that mean something to us; others only by their thousand (reply_is_error). */
enum reply_code {
    REPLY_GREETING = 1,
    REPLY_RECONFIGURED = 3,
    REPLY_IN_PROGRESS = 4,      /* a protocol must go down first */
    REPLY_QUEUED = 5,           /* behind another reconfiguration that is under way */
    REPLY_PROTOCOL = 1002,      /* a row of `show protocols` */
    REPLY_PROTOCOL_MORE = 1006, /* what belongs to the row before */
    REPLY_BFD = 1020,           /* `show bfd sessions` */
};

struct reply_line {
    unsigned code;
    struct str text; /* without code and line break */
};

struct reply {
    const struct reply_line *lines; /* at least one, the last of which decides */
    size_t count;
};

enum reply_event {
    REPLY_MORE,   /* nothing complete is there: more bytes are needed */
    REPLY_DONE,   /* a whole reply */
    REPLY_ECHO,   /* one line of BIRD's log, alone in ret */
    REPLY_BROKEN, /* what came is no reply, or is too large; for good */
};

/* One line, and all lines of one reply. */
enum { REPLY_LINE_MAX = 64 * 1024, REPLY_SIZE_MAX = 64 * 1024 * 1024 };

struct reply_reader;

struct reply_reader *reply_reader_new(void);
struct reply_reader *reply_reader_free(struct reply_reader *reader);
SCOPE_DEFINE(reply_reader, struct reply_reader, reply_reader_free)

/* Takes bytes over, of any number. */
void reply_feed(struct reply_reader *reader, struct str bytes);

/* The next thing that is complete; call until REPLY_MORE or REPLY_BROKEN. ret is set with
 * REPLY_DONE and REPLY_ECHO, and borrowed until the next call on the reader. */
enum reply_event reply_next(struct reply_reader *reader, struct reply *ret);

/* The last line of a reply. */
const struct reply_line *reply_last(const struct reply *reply);

/* Did BIRD refuse the command (8xxx) or not understand it (9xxx)? */
bool reply_is_error(const struct reply *reply);

/* "BIRD 2.0.12 ready." of a greeting: true, and 2, 0, 12. */
bool reply_version(const struct reply *reply, unsigned ret_version[3]);

#endif
