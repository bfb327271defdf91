/* Carries out a plan: what this node does about each address (tenure.h), on the responders of its
 * interfaces (links.h), with rounds of announcements (announce.h).
 *
 * From the moment that a plan is given, the addresses that it brings are answered for; their
 * announcements follow before the call returns, all others by timers. An address is announced when
 * it comes to an interface, when that interface's carrier comes back or its Ethernet address
 * changes, when a member returns, and slowly for ever after. What has changed is logged in a later
 * turn of the loop, so that nothing waits for the log. */
#ifndef SPEAKER_APPLY_H
#define SPEAKER_APPLY_H

#include "speaker/apply_note.h"
#include "speaker/links.h"
#include "speaker/plan.h"
#include "speaker/stations.h"

struct apply;

struct apply_options {
    uint64_t seed; /* secret: of the table of addresses, and of the delays of probes */
    bool probes;   /* find out whether a new address is free before it is announced */
    enum probe_mode probe_mode;
    uint64_t refresh_ms; /* between two announcements of an address at rest; 0: none */
};

struct apply_calls {
    /* May frames be sent and answered now? */
    bool (*may_answer)(void *ctx);
    /* A member, or all of them when it is empty, is to be asked about an address. */
    void (*ask)(void *ctx, struct str member, const struct ip *ip);
    /* Has one of us announced the address before, as far as records tell? */
    bool (*known)(void *ctx, const struct ip *ip);
    void (*note)(void *ctx, const struct apply_note *note);
    /* What is done about some addresses has changed. In a later turn of the loop. */
    void (*changed)(void *ctx);
};

/* calls is borrowed for life. */
struct apply *apply_new(struct loop *loop, const struct apply_options *options,
                        const struct apply_calls *calls, void *ctx);

/* Stops to answer for everything. NULL is fine; returns NULL. */
struct apply *apply_free(struct apply *apply);

struct apply_input {
    const struct iface *ifaces; /* all there are */
    size_t iface_count;
    const struct plan *before; /* the plan carried out last; NULL: none was */
    const struct plan *plan;
    const struct stations *stations; /* of the members */
    bool watches;                    /* members can be asked, and are known to live */
    bool at_once; /* what is another's now was so before this plan: stop without asking */
    bool back;    /* in touch again: whom the plan before did not know to live may have begun */
};

/* From now on the plan is what is done. The plan and the stations are borrowed until the next
 * call, all else for the call. Returns how many addresses are answered for that were not. */
size_t apply_run(struct apply *apply, const struct apply_input *input);

/* A message of a member has come: who asked on an interface before that is answered first, since
 * the message may be the word that ends a hand-over. */
void apply_catch_up(struct apply *apply);

/* A member says something of an address; order as claim_cmp(ours, theirs). */
void apply_claimed(struct apply *apply, struct str member, const struct claim *claim,
                   uint64_t asked, int order);

/* What is done about an address; TENURE_NONE when nothing is. */
enum tenure_state apply_state(const struct apply *apply, const struct ip *ip);

/* Is it answered for, on at least one of its interfaces, while none waits to be listened on and
 * frames may be answered? An interface that cannot be listened on does not count: one that is
 * broken would hold every hand-over to this node. */
bool apply_answers(const struct apply *apply, const struct ip *ip);

/* Is it owned, and answered for on some interface, now or in a moment? What is owned where nothing
 * can be listened on is no claim: who yielded to it may take it back. */
bool apply_claims(const struct apply *apply, const struct ip *ip);

/* Announces everything that is owned, in rounds. */
void apply_announce(struct apply *apply);

/* How many addresses are in that state. */
size_t apply_count(const struct apply *apply, enum tenure_state state);

/* Is there a responder on that interface? ret_figures (may be NULL) gets its counts. */
bool apply_listens(const struct apply *apply, uint32_t interface,
                   struct responder_figures *ret_figures);

/* An address over the life of the process; its counts go on when it comes back. */
struct apply_figures {
    struct ip ip;
    enum tenure_state state;
    struct str peer; /* the member that it is handed to or yielded to, or that is told */
    uint64_t requests, replies, gratuitous;
};

/* All addresses that there ever was something to do about, sorted, in the arena. */
struct apply_figures *apply_figures(const struct apply *apply, struct arena *arena,
                                    size_t *ret_count);

#endif
