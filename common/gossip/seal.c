#include "common/gossip/seal.h"

#include <assert.h>
#include <errno.h>
#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include "common/base/err.h"

enum { MAGIC = 0x5e, VERSION = 2, HEADER = 2 };

_Static_assert(SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "size of the nonce");
_Static_assert(SEAL_OVERHEAD == HEADER + SEAL_NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "size of what is around the plain text");

/* BLAKE2b of the secret, with the purpose as its key: the same secret used elsewhere tells nothing
 * about this key. */
static struct seal_key derive(struct str secret)
{
    static const char purpose[] = "stentor gossip datagrams 1";
    struct seal_key key;
    (void)crypto_generichash(key.bytes, sizeof(key.bytes), (const uint8_t *)secret.ptr, secret.len,
                             (const uint8_t *)purpose, sizeof(purpose) - 1);
    return key;
}

static int add_lines(struct seal_keys *keys, struct str text)
{
    struct str line;
    while (str_next(&text, '\n', &line)) {
        line = str_trim(line);
        if (!line.len)
            continue;
        if (line.len < SEAL_SECRET_MIN)
            return ERR_TRUNCATED;
        if (keys->count < sizeof(keys->keys) / sizeof(keys->keys[0]))
            keys->keys[keys->count++] = derive(line);
    }
    return 0;
}

int seal_keys_parse(struct str current, struct str old, struct seal_keys *ret)
{
    struct seal_keys keys = {0};
    int result = add_lines(&keys, current);
    if (result == 0 && keys.count == 0)
        result = -ENOKEY;
    if (result == 0)
        result = add_lines(&keys, old);
    if (result == 0)
        *ret = keys;
    seal_keys_wipe(&keys);
    return result;
}

bool seal_keys_eq(const struct seal_keys *a, const struct seal_keys *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++) {
        if (sodium_memcmp(a->keys[i].bytes, b->keys[i].bytes, sizeof(a->keys[i].bytes)) != 0)
            return false;
    }
    return true;
}

void seal_keys_wipe(struct seal_keys *keys)
{
    sodium_memzero(keys, sizeof(*keys));
}

size_t seal_wrap(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE], const void *plain,
                 size_t size, uint8_t *ret)
{
    assert(size <= SEAL_PLAIN_MAX);
    unsigned long long sealed;
    ret[0] = MAGIC;
    ret[1] = VERSION;
    for (size_t i = 0; i < SEAL_NONCE; i++)
        ret[HEADER + i] = nonce[i];
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(ret + HEADER + SEAL_NONCE, &sealed, plain,
                                                     size, ret, HEADER, NULL, ret + HEADER,
                                                     key->bytes);
    return HEADER + SEAL_NONCE + (size_t)sealed;
}

int seal_open(const struct seal_keys *keys, const uint8_t *datagram, size_t size, uint8_t *ret,
              unsigned *ret_key)
{
    if (size < SEAL_OVERHEAD || datagram[0] != MAGIC || datagram[1] != VERSION)
        return -EKEYREJECTED;
    for (unsigned i = 0; i < keys->count; i++) {
        unsigned long long plain;
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(
                ret, &plain, NULL, datagram + HEADER + SEAL_NONCE, size - HEADER - SEAL_NONCE,
                datagram, HEADER, datagram + HEADER, keys->keys[i].bytes) == 0) {
            *ret_key = i;
            return (int)plain;
        }
    }
    return -EKEYREJECTED;
}
