/* The life of BIRD as a child: when to start it, to connect, to start it again, to end it. Pure.
 *
 * A crash of a BIRD that has served for a while is answered by a start at once: its peers keep its
 * routes for as long as they were promised (RFC 4724). One that crashes again and again is started
 * ever later, up to 5 s. */
#ifndef BGP_LIFE_H
#define BGP_LIFE_H

#include <stdbool.h>
#include <stdint.h>

enum life_state {
    LIFE_OFF,      /* there is none, and none is wanted */
    LIFE_STARTING, /* it runs, but has not greeted */
    LIFE_READY,    /* it takes commands */
    LIFE_WAITING,  /* it has ended, and is to be started again later */
    LIFE_ENDING,   /* it was asked to end */
    LIFE_STATES
};

enum life_event {
    LIFE_WANT,   /* it shall run */
    LIFE_UNWANT, /* it shall not */
    LIFE_ADOPT,  /* one runs already that we have not started */
    LIFE_GREETED,
    LIFE_LOST,   /* the connection to it */
    LIFE_EXITED, /* or could not be started */
    LIFE_TIME,   /* the timer asked for has run out */
    LIFE_EVENTS
};

struct life {
    enum life_state state;
    bool wanted;
    uint64_t since;    /* when it was started, became ready or was asked to end; milliseconds */
    unsigned failures; /* ends in a row without a while of service between */
    bool stable;       /* it has served for a while */
};

/* What is to be done, in this order. */
struct life_actions {
    bool disconnect;
    bool ask;          /* it to end, over the connection */
    bool terminate;    /* it, by SIGTERM */
    bool kill;         /* it, by SIGKILL */
    bool start;        /* a process; when that fails, LIFE_EXITED */
    bool connect;      /* try to */
    bool set_timer;    /* anew; else it stays as it is, and may come to nothing */
    uint64_t timer_ms; /* from now */
};

enum {
    LIFE_CONNECT_MS = 20,     /* between attempts */
    LIFE_GREETING_MS = 10000, /* with 50 000 routes it takes 100 ms */
    LIFE_END_MS = 3000,
    LIFE_STABLE_MS = 10000,
    LIFE_BACKOFF_MIN_MS = 100,
    LIFE_BACKOFF_MAX_MS = 5000,
};

/* now: any monotonic time in milliseconds. */
struct life_actions life_step(struct life *life, enum life_event event, uint64_t now);

/* "off", "starting" and so on. */
const char *life_state_name(enum life_state state);

#endif
