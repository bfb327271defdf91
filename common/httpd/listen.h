/* Listening TCP sockets. */
#ifndef COMMON_HTTPD_LISTEN_H
#define COMMON_HTTPD_LISTEN_H

#include <stdint.h>

#include "common/base/str.h"

/* A listening, non-blocking socket on a numeric address (empty: every address of both families, or
 * of IPv4 where there is no IPv6) and a port (0: a free one). The descriptor or a negative errno
 * (-EINVAL: no address). */
int listen_open(struct str address, uint16_t port);

/* The port that the socket has. */
uint16_t listen_port(int fd);

#endif
