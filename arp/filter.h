/* The kernel's filter of one capture: which frames wake us. Pure.
 *
 * Networks carry ARP requests and neighbour solicitations to everybody, and we are asked few of
 * them. A classic BPF program, made from our addresses, lets through what asks for or claims one
 * of them and nothing else. Addresses are looked for as ranges, in a tree: all exactly while there
 * are up to FILTER_RANGES_MAX ranges with gaps between them, as addresses from pools make; beyond
 * that the smallest gaps are closed, and frames about what lies there wake us for nothing. Of IPv6
 * addresses the last four bytes are compared. */
#ifndef ARP_FILTER_H
#define ARP_FILTER_H

#include <linux/filter.h>

#include "arp/owned.h"
#include "arp/reaction.h"
#include "common/base/vec.h"

enum { FILTER_RANGES_MAX = 256 };

typedef VEC(struct sock_filter) filter_program;

/* The program for the owned and watched addresses of a protocol; frames that pass are cut to snap
 * bytes. ranges: at most so many, up to FILTER_RANGES_MAX. ret is emptied first; vec_done() it. */
void filter_make(enum reaction_protocol protocol, const struct owned *owned, size_t ranges,
                 uint32_t snap, filter_program *ret);

#endif
