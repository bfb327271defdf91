/* Which ports of this host are free for BIRD. */
#ifndef BGP_LISTEN_H
#define BGP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

enum { LISTEN_BGP = 179, LISTEN_OTHER = 17900, LISTEN_OTHERS = 10 };

/* The TCP port for BIRD to listen on: 179, or one from LISTEN_OTHER on when another program has
 * that (the BIRD of a network plugin) or we may not. Sessions that we open work all the same; peers
 * that want to open them themselves find 179 taken. */
uint16_t listen_choose(void);

/* Does another program receive BFD packets (UDP port 3784)? Then ours would not. */
bool listen_bfd_is_taken(void);

#endif
