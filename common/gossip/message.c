#include "common/gossip/message.h"

#include <assert.h>
#include <errno.h>
#include <sodium/crypto_generichash.h>

#include "common/base/err.h"
#include "common/gossip/gossip_limits.h"
#include "common/gossip/meta.h"

static uint64_t hash64(const void *data, size_t size)
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    (void)crypto_generichash(hash, sizeof(hash), data, size, NULL, 0);
    struct wire in = wire_reader(hash, sizeof(hash));
    return wire_get_u64(&in);
}

uint64_t message_id(struct str name)
{
    uint64_t id = hash64(name.ptr, name.len);
    return id ? id : 1; /* 0 is nobody */
}

/* Two rounds of a 64-bit mixer: the datagram is sealed, so nobody can choose what is hashed. */
uint32_t message_target(uint64_t id, uint64_t life)
{
    uint64_t x = id ^ (life * 0x9e3779b97f4a7c15U);
    for (int i = 0; i < 2; i++) {
        x ^= x >> 31;
        x *= 0xbf58476d1ce4e5b9U;
    }
    uint32_t target = (uint32_t)(x >> 32);
    return target ? target : 1; /* 0 is anybody */
}

void message_put_head(struct wire *out, const struct message_head *head)
{
    wire_put_u8(out, (uint8_t)head->type);
    wire_put_u64(out, head->sender);
    wire_put_u64(out, head->life);
    wire_put_u32(out, head->target);
    wire_put_u16(out, (uint16_t)(head->count >> 32));
    wire_put_u32(out, (uint32_t)head->count);
}

int message_get_head(struct wire *in, struct message_head *ret)
{
    struct message_head head = {.type = (enum message_type)wire_get_u8(in)};
    head.sender = wire_get_u64(in);
    head.life = wire_get_u64(in);
    head.target = wire_get_u32(in);
    head.count = (uint64_t)wire_get_u16(in) << 32;
    head.count |= wire_get_u32(in);
    bool anybody = head.type == MESSAGE_HELLO;
    if (!wire_ok(in) || head.type < MESSAGE_HELLO || head.type >= MESSAGE_TYPES || !head.sender ||
        head.life >= GOSSIP_LIFE_MAX || anybody != (head.target == 0))
        return ERR_SYNTAX;
    *ret = head;
    return 0;
}

enum { FACT_HEAD = 1 + 8 + 8 + 4 };

static size_t address_size(const struct ip *address)
{
    return 1 + ip_bits(address) / 8;
}

size_t fact_size(const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_ALIVE:
        return FACT_HEAD + 4;
    case FACT_RECORD:
        return FACT_HEAD + 4 + address_size(&fact->address) + 2 + fact->name.len + 2 +
               fact->meta.len;
    case FACT_SUSPECT:
        return FACT_HEAD + 1 + (size_t)8 * fact->accuser_count;
    case FACT_DEAD:
    case FACT_LEFT:
        return FACT_HEAD + 8 + 2;
    case FACT_KINDS:
        break;
    }
    return 0;
}

static void put_text(struct wire *out, struct str text)
{
    wire_put_u16(out, (uint16_t)text.len);
    wire_put_bytes(out, text.ptr, text.len);
}

void fact_put(struct wire *out, const struct fact *fact)
{
    wire_put_u8(out, (uint8_t)fact->kind);
    wire_put_u64(out, fact->id);
    wire_put_u64(out, fact->life);
    wire_put_u32(out, fact->turn);
    switch (fact->kind) {
    case FACT_ALIVE:
        wire_put_u32(out, fact->edition);
        break;
    case FACT_RECORD:
        wire_put_u32(out, fact->edition);
        wire_put_u8(out, fact->address.family);
        if (ip_is_set(&fact->address))
            wire_put_ip(out, &fact->address);
        put_text(out, fact->name);
        put_text(out, fact->meta);
        break;
    case FACT_SUSPECT:
        wire_put_u8(out, (uint8_t)fact->accuser_count);
        for (unsigned i = 0; i < fact->accuser_count; i++)
            wire_put_u64(out, fact->accusers[i]);
        break;
    case FACT_DEAD:
    case FACT_LEFT:
        wire_put_u64(out, fact->accusers[0]);
        wire_put_u16(out, fact->side);
        break;
    case FACT_KINDS:
        assert(false);
    }
}

static struct str get_text(struct wire *in, size_t max)
{
    uint16_t len = wire_get_u16(in);
    const uint8_t *bytes = wire_get_bytes(in, len <= max ? len : SIZE_MAX);
    return (struct str){.ptr = (const char *)bytes, .len = bytes ? len : 0};
}

static bool get_record(struct wire *in, struct fact *fact)
{
    uint8_t family = wire_get_u8(in);
    if (family != IP_NONE && family != IP_V4 && family != IP_V6)
        return false;
    if (family != IP_NONE)
        fact->address = wire_get_ip(in, (enum ip_family)family);
    fact->name = get_text(in, GOSSIP_NAME_MAX);
    fact->meta = get_text(in, META_SIZE_MAX);
    return wire_ok(in) && fact->name.len > 0 && fact->id == message_id(fact->name);
}

static bool get_rest(struct wire *in, struct fact *fact)
{
    switch (fact->kind) {
    case FACT_ALIVE:
        fact->edition = wire_get_u32(in);
        return true;
    case FACT_RECORD:
        fact->edition = wire_get_u32(in);
        return get_record(in, fact);
    case FACT_SUSPECT:
        fact->accuser_count = wire_get_u8(in);
        if (fact->accuser_count < 1 || fact->accuser_count > MESSAGE_ACCUSERS)
            return false;
        for (unsigned i = 0; i < fact->accuser_count; i++)
            fact->accusers[i] = wire_get_u64(in);
        return true;
    case FACT_DEAD:
    case FACT_LEFT:
        fact->accuser_count = 1;
        fact->accusers[0] = wire_get_u64(in);
        fact->side = wire_get_u16(in);
        return true;
    case FACT_KINDS:
        break;
    }
    return false;
}

int fact_get(struct wire *in, struct fact *ret)
{
    if (wire_ok(in) && wire_left(in) == 0)
        return -ENOENT;
    struct fact fact = {.kind = (enum fact_kind)wire_get_u8(in)};
    fact.id = wire_get_u64(in);
    fact.life = wire_get_u64(in);
    fact.turn = wire_get_u32(in);
    if (fact.kind < FACT_ALIVE || fact.kind >= FACT_KINDS || !fact.id ||
        fact.life >= GOSSIP_LIFE_MAX || fact.turn >= GOSSIP_TURN_MAX || !get_rest(in, &fact) ||
        !wire_ok(in))
        return ERR_SYNTAX;
    *ret = fact;
    return 0;
}

void digest_put(struct wire *out, const struct digest_entry *entry)
{
    wire_put_u64(out, entry->id);
    wire_put_u64(out, entry->life);
    wire_put_u32(out, entry->edition);
}

struct digest_entry digest_get(struct wire *in)
{
    struct digest_entry entry = {.id = wire_get_u64(in)};
    entry.life = wire_get_u64(in);
    entry.edition = wire_get_u32(in);
    return entry;
}
