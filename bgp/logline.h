/* Lines of BIRD's log: "2026-11-25 18:24:07.932 <TRACE> p_tor1: State changed to up". Pure. */
#ifndef BGP_LOGLINE_H
#define BGP_LOGLINE_H

#include "common/base/log.h"
#include "common/base/str.h"

enum logline_class {
    LOGLINE_DEBUG,
    LOGLINE_TRACE,
    LOGLINE_INFO,
    LOGLINE_REMOTE, /* the peer did something wrong */
    LOGLINE_WARNING,
    LOGLINE_ERROR,
    LOGLINE_AUTH,
    LOGLINE_FATAL, /* also the last word of a regular end */
    LOGLINE_BUG,
    LOGLINE_OTHER, /* no line of the log: what BIRD complains of before it has read its own */
    LOGLINE_CLASSES
};

struct logline {
    enum logline_class class;
    struct str protocol; /* the one it is about; empty: BIRD as a whole */
    struct str text;     /* the rest, at most LOGLINE_TEXT_MAX bytes */
    bool state_changed;  /* the state of the protocol did: it is worth asking for */
};

enum { LOGLINE_TEXT_MAX = 512 };

/* Reads one line without its end; anything is a line of some kind. Texts are borrowed. */
struct logline logline_parse(struct str line);

/* An echo of the control socket has neither time nor class: "p_tor1: State changed to up". */
struct logline logline_parse_echo(struct str line);

/* How loud it is in our own log. */
enum log_level logline_level(const struct logline *line);

#endif
