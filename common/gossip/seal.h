/* Sealing of datagrams: XChaCha20-Poly1305 (IETF construction) under a key made from a secret.
 *
 *     magic  version  nonce[24]  ciphertext  tag[16]
 *
 * The nonce is random (24 bytes: no two alike in any life time), and magic and version are sealed
 * too, as associated data. Nothing else is readable, and nothing can be changed. */
#ifndef COMMON_GOSSIP_SEAL_H
#define COMMON_GOSSIP_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

enum {
    SEAL_NONCE = 24,
    SEAL_OVERHEAD = 2 + SEAL_NONCE + 16,
    SEAL_DATAGRAM_MAX = 1200, /* fits every path that IPv6 allows (RFC 8200 section 5: 1280) */
    SEAL_PLAIN_MAX = SEAL_DATAGRAM_MAX - SEAL_OVERHEAD,
    SEAL_SECRET_MIN = 16, /* bytes of a secret: less is no secret */
};

struct seal_key {
    uint8_t bytes[32];
};

/* What is accepted; the first is the current one. */
struct seal_keys {
    struct seal_key keys[3];
    unsigned count;
};

/* The keys of the secret's text: its first line that is not blank is the current one, a second line
 * and the lines of `old` (may be empty) are accepted besides. 0; -ENOKEY when there is none;
 * ERR_TRUNCATED when one is too short. */
int seal_keys_parse(struct str current, struct str old, struct seal_keys *ret)
    __attribute__((warn_unused_result));

bool seal_keys_eq(const struct seal_keys *a, const struct seal_keys *b);

/* Overwrites the keys. */
void seal_keys_wipe(struct seal_keys *keys);

/* Seals size (≤ SEAL_PLAIN_MAX) bytes into ret, which has room for SEAL_OVERHEAD more; returns the
 * size of the datagram. */
size_t seal_wrap(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE], const void *plain,
                 size_t size, uint8_t *ret);

/* Opens a datagram into ret, which has room for `size` bytes: the size of the plain text, and in
 * ret_key which of the keys it was; -EKEYREJECTED when it is not one of ours. */
int seal_open(const struct seal_keys *keys, const uint8_t *datagram, size_t size, uint8_t *ret,
              unsigned *ret_key) __attribute__((warn_unused_result));

#endif
