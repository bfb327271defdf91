/* A cursor over bytes from or for the network, big endian. The first failure sticks: later reads
 * give zero and later writes do nothing, so that a codec checks `wire_ok` once, at its end. */
#ifndef COMMON_NET_WIRE_H
#define COMMON_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/ip.h"
#include "common/net/mac.h"

struct wire {
    const uint8_t *data; /* what reads see */
    uint8_t *room;       /* what writes fill; NULL for a reader */
    size_t size, at;
    int error; /* 0 or ERR_TRUNCATED */
};

struct wire wire_reader(const void *data, size_t size);
struct wire wire_writer(void *room, size_t size);

bool wire_ok(const struct wire *w);
size_t wire_left(const struct wire *w);

uint8_t wire_get_u8(struct wire *w);
uint16_t wire_get_u16(struct wire *w);
uint32_t wire_get_u32(struct wire *w);
uint64_t wire_get_u64(struct wire *w);
struct mac wire_get_mac(struct wire *w);
struct ip wire_get_ip(struct wire *w, enum ip_family family);
/* size bytes borrowed from the input; NULL and the sticky error when they are not there. */
const uint8_t *wire_get_bytes(struct wire *w, size_t size);
void wire_skip(struct wire *w, size_t size);

void wire_put_u8(struct wire *w, uint8_t value);
void wire_put_u16(struct wire *w, uint16_t value);
void wire_put_u32(struct wire *w, uint32_t value);
void wire_put_u64(struct wire *w, uint64_t value);
void wire_put_mac(struct wire *w, const struct mac *mac);
void wire_put_ip(struct wire *w, const struct ip *ip); /* 4 or 16 bytes */
void wire_put_bytes(struct wire *w, const void *data, size_t size);
void wire_put_zero(struct wire *w, size_t size);

/* Overwrites two bytes written earlier at offset `at` (a length or a checksum). */
void wire_patch_u16(struct wire *w, size_t at, uint16_t value);

/* The Internet checksum (RFC 1071) of data, starting from `sum`; folded and complemented by
 * wire_checksum_end. Lets a pseudo-header be added first; every piece but the last must have an
 * even size. */
uint32_t wire_checksum_add(uint32_t sum, const void *data, size_t size);
uint16_t wire_checksum_end(uint32_t sum);

#endif
