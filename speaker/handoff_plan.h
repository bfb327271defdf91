/* Local hand-off, the pure half: which addresses want a local route on this node, and what is to be
 * done to the routes that are there.
 *
 * An address wants one when this node answers for it, a Service that has it carries the annotation
 * stentor.io/handoff: local, and an endpoint of that Service on this node can serve. One Service of
 * those that share an address is enough: the route takes only what kube-proxy's rules, which come
 * before it, have left alone. */
#ifndef SPEAKER_HANDOFF_PLAN_H
#define SPEAKER_HANDOFF_PLAN_H

#include "common/base/vec.h"
#include "speaker/basis.h"

/* Does the Service carry the annotation? */
bool handoff_is_asked(const struct object *service);

/* Which addresses want a route, of those that this node answers for: owned, or on their way to
 * another owner who does not answer yet. */
struct handoff_question {
    struct str node;
    struct objects services, slices; /* sorted by key */
    const struct basis *basis;
    bool (*answers)(void *ctx, const struct ip *ip);
    void *ctx;
};

/* Sorted, in the arena. */
struct ip *handoff_wanted(const struct handoff_question *question, struct arena *arena,
                          size_t *ret_count);

/* An address whose route is wanted, or was until lately. */
struct handoff_entry {
    struct ip ip;
    bool wanted;
    bool present;      /* the kernel has the route, ours or another one that does the same */
    bool ours;         /* it is present because of us, or may be */
    int error;         /* of the last try to change it; 0: none failed */
    uint64_t until_ms; /* not wanted any more: the route goes then */
};

struct handoff_book {
    VEC(struct handoff_entry) entries; /* sorted by address */
};

/* From `now_ms` on these addresses, sorted and without duplicates, want a route. The others keep
 * theirs until the overlap is over; one that comes back in the meantime just keeps it. */
void handoff_book_want(struct handoff_book *book, const struct ip *wanted, size_t count,
                       uint64_t now_ms, uint64_t overlap_ms);

/* The entry of an address, or NULL. */
struct handoff_entry *handoff_book_find(const struct handoff_book *book, const struct ip *ip);

enum handoff_deed { HANDOFF_NOTHING, HANDOFF_ADD, HANDOFF_REMOVE, HANDOFF_FORGET };

/* What is to be done about an entry. HANDOFF_FORGET: it is over, see handoff_book_tidy. */
enum handoff_deed handoff_deed(const struct handoff_entry *entry, uint64_t now_ms);

/* Drops the entries that are over. */
void handoff_book_tidy(struct handoff_book *book, uint64_t now_ms);

/* When the next overlap is over. False: none is under way. */
bool handoff_book_next(const struct handoff_book *book, uint64_t *ret_ms);

/* For those who report. */
struct handoff_figures {
    size_t routes;     /* that are there now, those of the overlap too */
    size_t refused;    /* addresses that cannot have theirs */
    uint64_t restored; /* put back after somebody else had removed them */
    uint64_t swept;    /* left behind by an earlier process */
    uint64_t failures; /* changes that the kernel refused */
};
void handoff_book_done(struct handoff_book *book);

#endif
