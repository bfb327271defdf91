/* The launcher's side of launcher.h: nothing but system calls. */
#ifndef BGP_LAUNCHER_CHILD_H
#define BGP_LAUNCHER_CHILD_H

#include "common/base/str.h"

/* All of it ends in NUL. */
struct launcher_command {
    const char *program, *config, *socket;
};

/* Messages on the socket between the two: a byte, and with some a number or text behind it. */
enum {
    LAUNCHER_START = 's', /* to the launcher */
    LAUNCHER_TERMINATE = 't',
    LAUNCHER_KILL = 'k',
    LAUNCHER_FOUND = 'f',   /* from it, once, at first: a number, the process found or 0 */
    LAUNCHER_STARTED = 'p', /* number: the process */
    LAUNCHER_LOG = 'l',     /* bytes of the log */
    LAUNCHER_EXITED = 'x',  /* number: the status, or a negative errno */
};

enum { LAUNCHER_MESSAGE_MAX = 4096 };

/* Serves until the other end of the socket is closed. Does not return. */
void launcher_child_run(const struct launcher_command *command, int socket)
    __attribute__((noreturn));

#endif
