#include "speaker/claim.h"

#include "common/base/err.h"
#include "common/net/wire.h"

enum {
    KIND_CLAIM = 1,
    FLAG_QUESTION = 1,
    ENTRY_V6 = 1,
    ENTRY_ANSWERS = 2,
    ENTRY_CLAIMS = 4,
    ENTRY_TIER_SHIFT = 3,
    ENTRY_TIER_MASK = 3,
    ENTRY_BITS = 5,
    HEADER_SIZE = 18,
    ENTRY_SIZE = 11, /* without the address */
    V4_SIZE = 4,
    V6_SIZE = 16,
};
_Static_assert((CLAIM_MESSAGE_MAX - HEADER_SIZE) / (ENTRY_SIZE + V4_SIZE) == CLAIM_COUNT_MAX,
               "as many as there is room for");

int claim_cmp(const struct claim_standing *a, struct str a_name, const struct claim_standing *b,
              struct str b_name)
{
    if (a->epoch != b->epoch)
        return a->epoch > b->epoch ? -1 : 1;
    if (a->tier != b->tier)
        return a->tier < b->tier ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return str_cmp(a_name, b_name);
}

void claim_begin(struct claim_message *message, const struct claim_header *header)
{
    struct wire out = wire_writer(message->bytes, sizeof(message->bytes));
    wire_put_u8(&out, KIND_CLAIM);
    wire_put_u8(&out, header->question ? FLAG_QUESTION : 0);
    wire_put_u64(&out, header->sent);
    wire_put_u64(&out, header->replies);
    message->size = out.at;
}

bool claim_add(struct claim_message *message, const struct claim *claim)
{
    struct wire out =
        wire_writer(message->bytes + message->size, sizeof(message->bytes) - message->size);
    unsigned bits = (claim->ip.family == IP_V6 ? ENTRY_V6 : 0u) |
                    (claim->answers ? ENTRY_ANSWERS : 0u) | (claim->claims ? ENTRY_CLAIMS : 0u) |
                    (unsigned)claim->standing.tier << ENTRY_TIER_SHIFT;
    wire_put_u8(&out, (uint8_t)bits);
    wire_put_u64(&out, claim->standing.epoch);
    wire_put_u16(&out, claim->standing.rank);
    wire_put_ip(&out, &claim->ip);
    if (!wire_ok(&out))
        return false;
    message->size += out.at;
    return true;
}

bool claim_is_empty(const struct claim_message *message)
{
    return message->size <= HEADER_SIZE;
}

static int parse_entry(struct wire *in, struct claim *claim)
{
    unsigned bits = wire_get_u8(in);
    *claim = (struct claim){
        .answers = bits & ENTRY_ANSWERS,
        .claims = bits & ENTRY_CLAIMS,
        .standing.tier = bits >> ENTRY_TIER_SHIFT & ENTRY_TIER_MASK,
        .standing.epoch = wire_get_u64(in),
        .standing.rank = wire_get_u16(in),
    };
    claim->ip = wire_get_ip(in, bits & ENTRY_V6 ? IP_V6 : IP_V4);
    if (!wire_ok(in))
        return ERR_TRUNCATED;
    return bits >> ENTRY_BITS || claim->standing.tier >= CLAIM_TIERS ? ERR_PROTOCOL : 0;
}

int claim_parse(const void *bytes, size_t size, struct claim_list *ret)
{
    struct wire in = wire_reader(bytes, size);
    uint8_t kind = wire_get_u8(&in), flags = wire_get_u8(&in);
    struct claim_header header = {
        .question = flags & FLAG_QUESTION, .sent = wire_get_u64(&in), .replies = wire_get_u64(&in)};
    if (!wire_ok(&in))
        return ERR_TRUNCATED;
    if (size > CLAIM_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    if (kind != KIND_CLAIM || flags > FLAG_QUESTION || wire_left(&in) == 0)
        return ERR_PROTOCOL;
    size_t count = 0;
    while (wire_left(&in)) {
        if (count == CLAIM_COUNT_MAX)
            return ERR_TRUNCATED; /* what is left is too short for another */
        int result = parse_entry(&in, &ret->items[count++]);
        if (result < 0)
            return result;
    }
    ret->count = count;
    ret->header = header;
    return 0;
}
