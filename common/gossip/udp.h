/* One UDP socket of one address family. */
#ifndef COMMON_GOSSIP_UDP_H
#define COMMON_GOSSIP_UDP_H

#include "common/net/ip.h"

/* A bound, non-blocking socket: the descriptor, or a negative errno. An IPv6 socket takes IPv6
 * only. */
int udp_open(const struct ip *bind, uint16_t port) __attribute__((warn_unused_result));

/* 0, or a negative errno. */
int udp_send(int fd, const struct ip *to, uint16_t port, const void *data, size_t size);

/* One datagram: its size (cut to `size`), -EAGAIN when none is there, or another negative errno. */
int udp_receive(int fd, void *data, size_t size, struct ip *ret_from, uint16_t *ret_port);

#endif
