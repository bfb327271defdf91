#include "common/net/wire.h"

#include <assert.h>
#include <string.h>

#include "common/base/err.h"

struct wire wire_reader(const void *data, size_t size)
{
    return (struct wire){.data = data, .size = size};
}

struct wire wire_writer(void *room, size_t size)
{
    return (struct wire){.room = room, .size = size};
}

bool wire_ok(const struct wire *w)
{
    return w->error == 0;
}

size_t wire_left(const struct wire *w)
{
    return wire_ok(w) ? w->size - w->at : 0;
}

/* Moves over size bytes and gives where they start; false and the sticky error when they are not
 * there. */
static bool advance(struct wire *w, size_t size, size_t *ret_at)
{
    if (wire_left(w) < size || !wire_ok(w)) {
        w->error = ERR_TRUNCATED;
        return false;
    }
    *ret_at = w->at;
    w->at += size;
    return true;
}

const uint8_t *wire_get_bytes(struct wire *w, size_t size)
{
    assert(!w->room);
    size_t at;
    return advance(w, size, &at) ? w->data + at : NULL;
}

static uint64_t get_number(struct wire *w, size_t size)
{
    const uint8_t *bytes = wire_get_bytes(w, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t wire_get_u8(struct wire *w)
{
    return (uint8_t)get_number(w, 1);
}

uint16_t wire_get_u16(struct wire *w)
{
    return (uint16_t)get_number(w, 2);
}

uint32_t wire_get_u32(struct wire *w)
{
    return (uint32_t)get_number(w, 4);
}

uint64_t wire_get_u64(struct wire *w)
{
    return get_number(w, 8);
}

struct mac wire_get_mac(struct wire *w)
{
    struct mac mac = {0};
    const uint8_t *bytes = wire_get_bytes(w, sizeof(mac.bytes));
    if (bytes)
        memcpy(mac.bytes, bytes, sizeof(mac.bytes));
    return mac;
}

struct ip wire_get_ip(struct wire *w, enum ip_family family)
{
    const uint8_t *bytes = wire_get_bytes(w, family == IP_V4 ? 4 : 16);
    return bytes ? ip_from_bytes(family, bytes) : (struct ip){0};
}

void wire_skip(struct wire *w, size_t size)
{
    size_t at;
    (void)advance(w, size, &at); /* the error sticks */
}

void wire_put_bytes(struct wire *w, const void *data, size_t size)
{
    assert(w->room || w->size == 0);
    size_t at;
    if (advance(w, size, &at) && size)
        memcpy(w->room + at, data, size);
}

static void put_number(struct wire *w, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = size; i-- > 0; value >>= 8)
        bytes[i] = (uint8_t)value;
    wire_put_bytes(w, bytes, size);
}

void wire_put_u8(struct wire *w, uint8_t value)
{
    put_number(w, value, 1);
}

void wire_put_u16(struct wire *w, uint16_t value)
{
    put_number(w, value, 2);
}

void wire_put_u32(struct wire *w, uint32_t value)
{
    put_number(w, value, 4);
}

void wire_put_u64(struct wire *w, uint64_t value)
{
    put_number(w, value, 8);
}

void wire_put_mac(struct wire *w, const struct mac *mac)
{
    wire_put_bytes(w, mac->bytes, sizeof(mac->bytes));
}

void wire_put_ip(struct wire *w, const struct ip *ip)
{
    wire_put_bytes(w, ip->bytes, ip_bits(ip) / 8);
}

void wire_put_zero(struct wire *w, size_t size)
{
    assert(w->room || w->size == 0);
    size_t at;
    if (advance(w, size, &at) && size)
        memset(w->room + at, 0, size);
}

void wire_patch_u16(struct wire *w, size_t at, uint16_t value)
{
    if (!wire_ok(w))
        return; /* what was to be patched may never have been written */
    assert(w->room && at + 2 <= w->at);
    w->room[at] = (uint8_t)(value >> 8);
    w->room[at + 1] = (uint8_t)value;
}

static uint32_t fold(uint32_t sum)
{
    return (sum & 0xffff) + (sum >> 16);
}

uint32_t wire_checksum_add(uint32_t sum, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    sum = fold(sum);
    for (size_t i = 0; i < size; i += 2) {
        unsigned low = i + 1 < size ? bytes[i + 1] : 0;
        sum = fold(sum + ((uint32_t)bytes[i] << 8 | low));
    }
    return sum;
}

uint16_t wire_checksum_end(uint32_t sum)
{
    return (uint16_t)~fold(fold(sum));
}
