#include "speaker/talk.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/vec.h"

/* Another member. */
struct partner {
    struct str name; /* heap */
    uint64_t newest; /* by its clock: when the newest of its messages was sent */
    VEC(struct ip) to_ask;
};

struct talk {
    struct loop *loop;
    const struct talk_calls *calls;
    void *ctx;
    struct map partners;       /* name → struct partner */
    struct loop_timer *asking; /* deferred */
    struct talk_figures figures;
};

struct talk *talk_new(struct loop *loop, const struct talk_calls *calls, void *ctx)
{
    struct talk *talk = heap_alloc(sizeof(*talk));
    *talk = (struct talk){.loop = loop, .calls = calls, .ctx = ctx};
    return talk;
}

static void partner_free(struct partner *partner)
{
    vec_done(&partner->to_ask);
    free((void *)(uintptr_t)partner->name.ptr);
    free(partner);
}

struct talk *talk_free(struct talk *talk)
{
    size_t cursor = 0;
    if (!talk)
        return NULL;
    (void)loop_timer_cancel(talk->asking);
    for (struct map_entry *slot; (slot = map_next(&talk->partners, &cursor));)
        partner_free(slot->value);
    map_done(&talk->partners);
    free(talk);
    return NULL;
}

static struct partner *need_partner(struct talk *talk, struct str name)
{
    struct partner *partner = map_get(&talk->partners, name);
    if (partner)
        return partner;
    partner = heap_alloc(sizeof(*partner));
    char *copy = heap_alloc(name.len);
    for (size_t i = 0; i < name.len; i++)
        copy[i] = name.ptr[i];
    *partner = (struct partner){.name = {.ptr = copy, .len = name.len}};
    (void)map_put(&talk->partners, partner->name, partner);
    return partner;
}

/* --- sending --------------------------------------------------------------------------------- */

static void send_message(struct talk *talk, struct str member, const struct claim_message *message)
{
    struct str bytes = {.ptr = (const char *)message->bytes, .len = message->size};
    if (claim_is_empty(message))
        return;
    talk->figures.sent++;
    talk->calls->send(talk->ctx, member, bytes);
}

static void send_claims(struct talk *talk, struct str member, const struct claim_header *header,
                        const struct ip *ips, size_t count)
{
    struct claim_message message;
    claim_begin(&message, header);
    for (size_t i = 0; i < count; i++) {
        struct claim claim = talk->calls->say(talk->ctx, &ips[i]);
        if (claim_add(&message, &claim))
            continue;
        send_message(talk, member, &message);
        claim_begin(&message, header);
        (void)claim_add(&message, &claim); /* has room for one */
    }
    send_message(talk, member, &message);
}

static void asking(void *ctx)
{
    struct talk *talk = ctx;
    struct claim_header header = {.question = true, .sent = loop_now(talk->loop)};
    size_t cursor = 0;
    talk->asking = NULL;
    for (struct map_entry *slot; (slot = map_next(&talk->partners, &cursor));) {
        struct partner *partner = slot->value;
        send_claims(talk, partner->name, &header, partner->to_ask.items, partner->to_ask.len);
        vec_clear(&partner->to_ask);
    }
}

void talk_ask(struct talk *talk, struct str member, const struct ip *ip)
{
    struct partner *partner = need_partner(talk, member);
    vec_push(&partner->to_ask, *ip);
    if (!talk->asking)
        talk->asking = loop_defer(talk->loop, asking, talk);
}

/* --- receiving ------------------------------------------------------------------------------- */

static void answer(struct talk *talk, struct str member, const struct claim_list *list)
{
    struct ip ips[CLAIM_COUNT_MAX];
    struct claim_header header = {.sent = loop_now(talk->loop), .replies = list->header.sent};
    for (size_t i = 0; i < list->count; i++)
        ips[i] = list->items[i].ip;
    send_claims(talk, member, &header, ips, list->count);
}

void talk_take(struct talk *talk, struct str member, struct str bytes)
{
    struct claim_list list;
    struct partner *partner = need_partner(talk, member);
    talk->figures.received++;
    if (claim_parse(bytes.ptr, bytes.len, &list) < 0) {
        talk->figures.malformed++;
        return;
    }
    if (list.header.sent < partner->newest) {
        talk->figures.late++;
        return;
    }
    partner->newest = list.header.sent;
    uint64_t asked = list.header.question ? 0 : list.header.replies;
    for (size_t i = 0; i < list.count; i++)
        talk->calls->heard(talk->ctx, partner->name, &list.items[i], asked);
    if (list.header.question)
        answer(talk, partner->name, &list);
}

void talk_members(struct talk *talk, const struct gossip_member *members, size_t count)
{
    VEC(struct partner *) gone = {0};
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&talk->partners, &cursor));) {
        struct partner *partner = slot->value;
        const struct gossip_member *member = gossip_find(members, count, partner->name);
        if (!member)
            vec_push(&gone, partner);
        else if (!gossip_is_alive(member->state))
            partner->newest = 0;
    }
    for (size_t i = 0; i < gone.len; i++) {
        (void)map_remove(&talk->partners, gone.items[i]->name);
        partner_free(gone.items[i]);
    }
    vec_done(&gone);
}

struct talk_figures talk_figures(const struct talk *talk)
{
    struct talk_figures figures = talk->figures;
    figures.partners = map_count(&talk->partners);
    return figures;
}
