/* What a member does with a datagram that was sealed with our key but says anything: it may not
 * break. The input is a row of datagrams, each behind its length (two bytes); they come from three
 * addresses in turn, with timers between them. A member that knows two others takes them; in each,
 * the target and sender are put right when the input asks for that (top bit of the length), so that
 * the bodies are reached. */
#include <assert.h>
#include <string.h>

#include "common/gossip/member_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OTHERS = 2, NOW = 1000000000, STEP_US = 30000 };

static const char *const names[OTHERS] = {"other-1", "other-2"};

static void introduce(struct member *m, struct member_out *out, unsigned which)
{
    static const char meta[4] = {0};
    struct draft draft;
    struct fact record = {.kind = FACT_RECORD,
                          .id = message_id(str_from(names[which])),
                          .life = 100 + which,
                          .address = ip_v4(198, 18, 0, (uint8_t)(1 + which)),
                          .name = str_from(names[which]),
                          .meta = {.ptr = meta, .len = sizeof(meta)}};
    struct message_head head = {.type = MESSAGE_WHO,
                                .sender = record.id,
                                .life = record.life,
                                .target = message_target(m->self->id, m->self->life),
                                .count = 1};
    draft.wire = wire_writer(draft.room, sizeof(draft.room));
    message_put_head(&draft.wire, &head);
    wire_put_u32(&draft.wire, 1);
    fact_put(&draft.wire, &record);
    struct member_event event = {.type = MEMBER_DATAGRAM,
                                 .from = record.address,
                                 .bytes = {(const char *)draft.room, draft.wire.at}};
    member_step(m, &event, NOW, out);
}

/* Puts a head that will be taken before the bytes of a body; the first byte says the type. */
static size_t dress(const struct member *m, const uint8_t *bytes, size_t size, uint64_t count,
                    uint8_t *room)
{
    unsigned which = (unsigned)(count % OTHERS);
    struct message_head head = {.type = (enum message_type)bytes[0],
                                .sender = message_id(str_from(names[which])),
                                .life = 100 + which,
                                .target = message_target(m->self->id, m->self->life),
                                .count = count};
    struct wire out = wire_writer(room, SEAL_PLAIN_MAX);
    message_put_head(&out, &head);
    size_t fits = wire_left(&out) < size - 1 ? wire_left(&out) : size - 1;
    wire_put_bytes(&out, bytes + 1, fits);
    return out.at;
}

static void check(const struct member *m, const struct member_out *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct gossip_member *list = member_list(m, arena, &count);
    assert(gossip_find(list, count, STR("self"))->self);
    for (size_t i = 0; i < out->sends.len; i++)
        assert(out->sends.items[i].size <= SEAL_PLAIN_MAX);
    assert(out->wake_at <= NOW + (uint64_t)1000 * 1000 * 1000 * 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct member_event timer = {.type = MEMBER_TIMER};
    struct member_config config = {.name = STR("self"), .life = 1000, .seed = 1, .hold_us = 1000};
    config.address = ip_v4(198, 18, 0, 9);
    struct member *m = member_new(&config, NOW);
    struct member_out out = {0};
    struct wire in = wire_reader(data, size);
    uint64_t now = NOW;
    for (unsigned i = 0; i < OTHERS; i++)
        introduce(m, &out, i);
    for (uint64_t count = 10; wire_left(&in) > 2; count++) {
        uint8_t room[SEAL_PLAIN_MAX];
        uint16_t head = wire_get_u16(&in);
        size_t len = head & 0x7ff, left = wire_left(&in);
        len = len < left ? len : left;
        const uint8_t *bytes = wire_get_bytes(&in, len);
        struct member_event event = {.type = MEMBER_DATAGRAM,
                                     .from = ip_v4(198, 18, 0, (uint8_t)(1 + count % 3)),
                                     .bytes = {(const char *)bytes, len}};
        if (head & 0x8000 && len > 0)
            event.bytes = (struct str){(const char *)room, dress(m, bytes, len, count, room)};
        member_step(m, &event, now += STEP_US, &out);
        check(m, &out);
        member_step(m, &timer, now, &out);
        check(m, &out);
    }
    member_out_done(&out);
    (void)member_free(m);
    return 0;
}
