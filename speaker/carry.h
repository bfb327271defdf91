/* Connections that were open when an address came here in a planned move. Their packets come here
 * from then on, where nobody knows them: kube-proxy's state of a connection is on the node where it
 * was begun, and what is sent to another pod in the middle of a connection is answered by a reset.
 * So packets of TCP connections that this node does not know are carried to the node that had the
 * address before (carrier.h), which still serves them.
 *
 * Here is the book of the addresses that this is done for. Pure: times are milliseconds of one
 * clock. */
#ifndef SPEAKER_CARRY_H
#define SPEAKER_CARRY_H

#include "speaker/plan.h"

enum {
    CARRY_MS = 3600 * 1000,    /* how long connections may last that were open then */
    CARRY_LEFT_MS = 60 * 1000, /* that a node is carried to whose speaker has left: a new one of a
                                  rolling update is there by then; a node that is switched off
                                  would keep its connections from being reset */
    CARRY_BACK_MS = 2000,      /* that a node is carried to which has the address again: neighbours
                                  that have not heard it yet send here */
    CARRY_MAX = 16384,         /* addresses; what is more is not carried */
};

struct carry {
    struct ip ip;      /* the address */
    struct str node;   /* which had it before */
    struct ip to;      /* its own address, of the same family */
    uint64_t moved_ms; /* when it came: connections begun since then are not carried */
    uint64_t until_ms;
};

struct carry_book;

/* Empty. Never NULL. */
struct carry_book *carry_book_new(void);
struct carry_book *carry_book_free(struct carry_book *book); /* NULL is fine; returns NULL */
SCOPE_DEFINE(carry_book, struct carry_book, carry_book_free)

struct carry_input {
    const struct plan *before; /* carried out last; NULL: none was */
    const struct plan *plan;   /* about to be */
    const struct plan_view *view;
    uint64_t now_ms;
    /* The address of a node in that family; unset: it has none that can be sent to directly. */
    struct ip (*address_of)(void *ctx, struct str node, enum ip_family family);
    /* Is the address one whose connections can be carried? */
    bool (*may_carry)(void *ctx, const struct ip *ip);
    void *ctx;
};

/* Takes a plan. True: the book reads otherwise than before, apart from what is just over. */
bool carry_update(struct carry_book *book, const struct carry_input *input);

/* Takes over what an earlier process carried: any order, at most CARRY_MAX, copied. What it means
 * by now is found out by the next update. The book must be empty. */
void carry_restore(struct carry_book *book, const struct carry *list, size_t count);

/* All that are carried, sorted by address; borrowed until the next update. Some may be over. */
const struct carry *carry_list(const struct carry_book *book, size_t *ret_count);

/* The one of an address that is not over; NULL: there is none. */
const struct carry *carry_find(const struct carry_book *book, const struct ip *ip, uint64_t now_ms);

#endif
