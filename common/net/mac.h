/* Ethernet addresses (IEEE 802, 48 bits). */
#ifndef COMMON_NET_MAC_H
#define COMMON_NET_MAC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

struct mac {
    uint8_t bytes[6];
};

struct mac_text {
    char text[18];
};

int mac_parse(struct str text, struct mac *ret) __attribute__((warn_unused_result));
struct mac_text mac_format(const struct mac *mac);
bool mac_eq(const struct mac *a, const struct mac *b);
bool mac_is_broadcast(const struct mac *mac);
bool mac_is_multicast(const struct mac *mac); /* the group bit; broadcast has it too */

#endif
