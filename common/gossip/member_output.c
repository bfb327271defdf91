#include <assert.h>
#include <string.h>

#include "common/gossip/member_internal.h"

enum { HEALTH_MAX = 4 }; /* stretches times up to threefold */

/* A quiet time saves up for a start or a partition of a thousand members. */
enum { TOKENS_PER_MS = 8, GREETINGS_PER_MS = 3, GREETING = 256, KNOCK = 128 };

/* splitmix64: quick, and good enough to choose among members. */
uint32_t member_random(struct member *m, uint32_t below)
{
    uint64_t x = m->random += 0x9e3779b97f4a7c15U;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    x ^= x >> 31;
    return (uint32_t)((x >> 32) * below >> 32);
}

struct str member_keep(struct member *m, struct str text)
{
    if (!m->out->texts)
        m->out->texts = arena_new(0);
    return arena_str(m->out->texts, text);
}

void member_note(struct member *m, const struct member_note *note)
{
    struct member_note copy = *note;
    copy.name = member_keep(m, note->name);
    copy.by = member_keep(m, note->by);
    vec_push(&m->out->notes, copy);
}

struct str member_name_of(const struct member *m, uint64_t id)
{
    const struct peer *peer = roster_find(&m->roster, id);
    return peer ? peer->name : STR("");
}

static void refill(struct member *m)
{
    uint64_t passed = (m->now - m->tokens_at) / 1000;
    if (!passed)
        return;
    m->tokens_at = m->now;
    m->tokens += passed * TOKENS_PER_MS;
    m->tokens = m->tokens < MEMBER_TOKENS_MAX ? m->tokens : MEMBER_TOKENS_MAX;
    m->greetings += passed * GREETINGS_PER_MS;
    m->greetings = m->greetings < MEMBER_GREETINGS_MAX ? m->greetings : MEMBER_GREETINGS_MAX;
}

bool member_take_tokens(struct member *m, size_t bytes)
{
    refill(m);
    if (m->tokens < bytes)
        return false;
    m->tokens -= bytes;
    return true;
}

static bool take_greeting(struct member *m, uint64_t bytes)
{
    refill(m);
    if (m->greetings < bytes)
        return false;
    m->greetings -= bytes;
    return true;
}

bool member_may_greet(struct member *m)
{
    return take_greeting(m, GREETING);
}

bool member_may_knock(struct member *m)
{
    return take_greeting(m, KNOCK);
}

uint64_t member_stretch(const struct member *m, uint64_t us)
{
    return us + us * m->health / 2;
}

void member_ail(struct member *m)
{
    m->health += m->health < HEALTH_MAX;
    m->all_well = false;
}

void draft_begin(struct member *m, struct draft *draft, enum message_type type, uint64_t id,
                 uint64_t life)
{
    struct message_head head = {
        .type = type,
        .sender = m->self->id,
        .life = m->self->life,
        .target = id ? message_target(id, life) : 0,
        .count = ++m->count,
    };
    draft->wire = wire_writer(draft->room, sizeof(draft->room));
    message_put_head(&draft->wire, &head);
}

bool draft_fits(const struct draft *draft, size_t size)
{
    return wire_left(&draft->wire) >= size;
}

void draft_send(struct member *m, const struct draft *draft, const struct ip *to)
{
    assert(wire_ok(&draft->wire));
    if (!ip_is_set(to))
        return;
    struct member_out *out = m->out;
    struct member_send send = {.to = *to, .at = out->bytes.len, .size = draft->wire.at};
    vec_reserve(&out->bytes, send.at + send.size);
    memcpy(out->bytes.items + send.at, draft->room, send.size);
    out->bytes.len += send.size;
    vec_push(&out->sends, send);
}
