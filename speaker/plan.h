/* What this node announces on the local segment, and why it does not announce the rest.
 *
 * One node is elected for each unit (unit.h), among those that may announce every Service in it
 * (eligible.h, elect.h). When the Services of a unit carry different published orders, the one of
 * the higher epoch counts. The hash election goes by the unit's smallest first address, which for a
 * Service by itself is the first of its status. Pure, and sorted: equal snapshots give equal plans.
 */
#ifndef SPEAKER_PLAN_H
#define SPEAKER_PLAN_H

#include "common/election/reason.h"
#include "speaker/elect.h"
#include "speaker/snapshot.h"

/* An address to announce from here. */
struct plan_address {
    struct ip ip;
    struct str_list interfaces; /* names, sorted; at least one */
    struct str_list services;   /* keys of those that have it, sorted */
};

struct plan_service {
    struct str key;
    enum reason reason; /* REASON_NONE: announced from here */
    struct str owner;   /* the node that announces it; empty: none does */
    struct ip *ips;
    size_t ip_count;
    struct str_list interfaces;       /* with REASON_NONE */
    enum placement_verdict placement; /* what its published order is worth */
    uint64_t epoch;                   /* of the unit's order; 0 when the hash decided */
};

struct plan {
    struct plan_address *addresses; /* sorted */
    size_t address_count;
    struct plan_service *services; /* sorted by key: those of type LoadBalancer and of our class */
    size_t service_count;
};

/* Everything in the arena; nothing of the snapshot is borrowed. `elect` remembers elections from
 * plan to plan and has no part in their outcome. */
struct plan *plan_make(const struct snapshot *snapshot, struct elect *elect, struct arena *arena);

/* The entry of a Service, or NULL. plan may be NULL: nothing is planned. */
const struct plan_service *plan_find(const struct plan *plan, struct str key);

#endif
