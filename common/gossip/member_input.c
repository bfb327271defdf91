#include "common/gossip/member_internal.h"

static void drop(struct member *m, enum gossip_drop why)
{
    m->out->dropped = true;
    m->out->drop = why;
}

static void dispatch(struct member *m, const struct message_head *head, struct peer *peer,
                     const struct ip *from, struct wire *in)
{
    switch (head->type) {
    case MESSAGE_PING:
        on_ping(m, peer, from, in);
        return;
    case MESSAGE_ACK:
        on_ack(m, peer, from, in);
        return;
    case MESSAGE_ASK:
        on_ask(m, peer, in);
        return;
    case MESSAGE_NACK:
        on_nack(m, in);
        return;
    case MESSAGE_RUMOR:
        facts_apply(m, in, peer, from);
        return;
    case MESSAGE_CHECK:
        on_check(m, peer, in);
        return;
    case MESSAGE_SAME:
        on_same(m);
        return;
    case MESSAGE_DIGEST:
        on_digest(m, peer, in);
        return;
    case MESSAGE_PULL:
        on_pull(m, peer, in);
        return;
    case MESSAGE_USER: {
        size_t size = wire_left(in);
        m->out->message =
            member_keep(m, (struct str){(const char *)wire_get_bytes(in, size), size});
        m->out->from = member_keep(m, peer->name);
        return;
    }
    default:
        drop(m, GOSSIP_DROP_MALFORMED);
    }
}

/* From a process with our name: a replay of what we once said, or a second one. */
static void on_namesake(struct member *m, const struct message_head *head, const struct ip *from)
{
    if (head->life == m->self->life)
        return; /* our own knocking at our own address */
    drop(m, head->life < m->self->life ? GOSSIP_DROP_REPLAY : GOSSIP_DROP_NAMESAKE);
    if (head->life < m->self->life)
        return;
    struct member_note note = {.type = MEMBER_NOTE_NAMESAKE, .address = *from};
    member_note(m, &note);
}

/* It knows us already, and we live, whoever it is. */
static void answer_stranger(struct member *m, const struct message_head *head, const struct ip *to,
                            struct wire *in)
{
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_ACK, head->sender, head->life);
    wire_put_u32(&draft.wire, wire_get_u32(in));
    draft_send(m, &draft, to);
}

/* True when the datagram is from a member that we know, in the life that we know, and new. */
static bool is_taken(struct member *m, const struct message_head *head, struct peer *peer,
                     const struct ip *from, struct wire *in)
{
    if (!peer || head->life > peer->life) {
        drop(m, GOSSIP_DROP_STRANGER);
        if (head->type == MESSAGE_PING)
            answer_stranger(m, head, from, in);
        if (!m->left)
            join_who(m, from, head->sender, head->life);
        return false;
    }
    if (!peer->window) {
        peer->window = heap_alloc(sizeof(*peer->window));
        *peer->window = (struct window){0};
    }
    if (head->life < peer->life || !window_take(peer->window, head->count)) {
        drop(m, GOSSIP_DROP_REPLAY);
        return false;
    }
    peer->heard_at = m->now;
    return true;
}

void on_datagram(struct member *m, const struct member_event *event)
{
    struct wire in = wire_reader(event->bytes.ptr, event->bytes.len);
    struct message_head head;
    if (message_get_head(&in, &head) < 0) {
        drop(m, GOSSIP_DROP_MALFORMED);
        return;
    }
    if (head.sender == m->self->id) {
        on_namesake(m, &head, &event->from);
        return;
    }
    if (head.target && head.target != message_target(m->self->id, m->self->life)) {
        drop(m, GOSSIP_DROP_TARGET);
        if (!m->left)
            join_hello(m, &event->from); /* so that it learns who is here now */
        return;
    }
    if (head.type == MESSAGE_HELLO)
        on_hello(m, &head, &event->from);
    else if (head.type == MESSAGE_WHO)
        on_who(m, &head, &event->from, &in);
    else if (head.type == MESSAGE_IAM)
        on_iam(m, &head, &event->from, &in);
    else if (head.type == MESSAGE_STALE)
        on_stale(m, &in);
    else {
        struct peer *peer = roster_find(&m->roster, head.sender);
        if (is_taken(m, &head, peer, &event->from, &in))
            dispatch(m, &head, peer, &event->from, &in);
    }
    if (!wire_ok(&in))
        drop(m, GOSSIP_DROP_MALFORMED);
}
