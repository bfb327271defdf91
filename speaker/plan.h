/* What this node announces on the local segment, and why it does not announce the rest.
 *
 * The unit of decision is the set of addresses that must stay together: Services that share an
 * address, and the addresses of one Service. A node may announce a unit when it may announce every
 * Service in it; one node is elected for all of it (elect.h). When the Services of a unit carry
 * different published orders, the one of the higher epoch counts. The hash election goes by the
 * unit's smallest first address, which for a Service by itself is the first of its status.
 *
 * Candidates are the nodes that may announce the unit by their objects, live, and have an interface
 * for each family of its addresses that its advertisements name. The best of four tiers that has a
 * candidate elects: nodes like any other; those held because they came back from the dead lately;
 * those that leave or are drained; and, so that somebody says what is missing, those without an
 * interface. Pure, and sorted: equal input gives equal plans. */
#ifndef SPEAKER_PLAN_H
#define SPEAKER_PLAN_H

#include "common/gossip/member_view.h"
#include "speaker/basis.h"
#include "speaker/claim.h"
#include "speaker/elect.h"

/* What is known of nodes beyond their objects. All borrowed. */
struct plan_view {
    bool watches; /* members are known; if not, every node counts as alive and well */
    const struct gossip_member *members; /* sorted by name; this node's among them */
    size_t member_count;
    struct str_list interfaces; /* names of those of this node that may be answered on, sorted */
};

enum plan_tier {
    PLAN_NORMAL,
    PLAN_HELD,
    PLAN_LEAVING,
    PLAN_NO_INTERFACE, /* elected, but it cannot announce */
    PLAN_TIERS
};

/* "normal", "held" and so on. */
const char *plan_tier_name(enum plan_tier tier);

/* Answers about a plan; what they point to is the plan's and its basis'. */

/* An address to announce from here. */
struct plan_address {
    struct ip ip;
    struct str_list interfaces; /* names, sorted; at least one */
    bool announced;             /* set by who carries it out: it is, and not only planned */
    const struct basis_address *basis;
};

struct plan_service {
    struct str key;
    enum reason reason;  /* REASON_NONE: announced from here */
    struct str owner;    /* the node that was elected; empty: none could be */
    enum plan_tier tier; /* among which, with an owner */
    const struct ip *ips;
    size_t ip_count;
    struct str_list interfaces;       /* with REASON_NONE */
    bool all_interfaces;              /* no advertisement names any; with REASON_NONE */
    bool announced;                   /* as of its addresses */
    enum placement_verdict placement; /* what its published order is worth */
    uint64_t epoch;                   /* of the unit's order; 0 when the hash decided */
};

/* What was decided about a unit. */
struct plan_unit {
    uint32_t owner; /* index of a node; the number of nodes: none */
    uint8_t tier;   /* enum plan_tier */
    bool may_serve; /* this node may, whether elected or not */
    uint64_t epoch; /* of its published order; 0 when there is none */
};

/* The plan itself is what an election adds to its basis: a few bytes for each entry of it. */

struct plan_choice {
    uint32_t owner; /* these as in plan_unit */
    uint8_t tier;
    bool may_serve;
};

struct plan_verdict {
    uint8_t reason; /* enum reason */
    bool announced;
};

struct plan_place {
    uint32_t interfaces : 31; /* a list, by index; 0: it is not announced from here */
    uint32_t announced : 1;
};

/* What terms come to on this node. */
struct plan_terms {
    uint32_t interfaces; /* those that the advertisements name, all when one names none: a list */
    bool all_interfaces;
};

struct plan {
    struct basis *basis;           /* counted */
    struct plan_choice *units;     /* as in the basis */
    struct plan_verdict *services; /* as in the basis */
    struct plan_place *addresses;  /* as in the basis */
    struct plan_terms *terms;      /* as in the basis */
    struct str_list *lists;        /* of interfaces, no two the same; the first is empty */
    enum plan_tier tier;           /* this node's own */
    struct nodeset live;           /* nodes that are alive */
};

/* In the arena, and with a reference to the basis. `elect` remembers elections from plan to plan
 * and has no part in their outcome. */
struct plan *plan_make(struct basis *basis, const struct plan_view *view, struct elect *elect,
                       struct arena *arena);
/* Gives the basis back; the rest is the arena's. NULL is fine. */
void plan_done(struct plan *plan);

/* The Service of that index in the basis. */
struct plan_service plan_service_at(const struct plan *plan, size_t index);

/* The Service of that key; false when there is none. plan may be NULL: nothing is planned. */
bool plan_find(const struct plan *plan, struct str key, struct plan_service *ret);

/* Why the Service is announced from here or not, as far as it is carried out. */
enum reason plan_reason(const struct plan_service *service);

/* The next address to announce from here, sorted; cursor: 0 at first. False: no more. */
bool plan_next_address(const struct plan *plan, size_t *cursor, struct plan_address *ret);

/* Is this address announced from here? plan may be NULL. */
bool plan_find_address(const struct plan *plan, const struct ip *ip, struct plan_address *ret);

/* The key of the next Service that has the address announced from here, sorted; cursor: 0 at
 * first. False: no more. */
bool plan_next_service(const struct plan *plan, const struct plan_address *address, size_t *cursor,
                       struct str *ret_key);

/* What was decided about an address that Services have; false when none that stands has it. plan
 * may be NULL. */
bool plan_find_unit(const struct plan *plan, const struct ip *ip, struct plan_unit *ret);

/* The name of a unit's owner; empty when there is none. Borrowed from the basis. */
struct str plan_owner(const struct plan *plan, const struct plan_unit *unit);

/* Is the node of that name alive, as far as this plan knows? */
bool plan_is_live(const struct plan *plan, struct str node);

/* How good this node's claim to an address is. Dear (elect_rank). */
struct claim_standing plan_standing(const struct plan *plan, const struct elect *elect,
                                    const struct ip *ip);

#endif
