/* Inside placing: what its files share. */
#ifndef CONTROLLER_PLACING_INTERNAL_H
#define CONTROLLER_PLACING_INTERNAL_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/election/unit.h"
#include "controller/placing.h"

/* A Service. */
struct placing_entry {
    const struct plan_record *record;
    struct ip ips[ALLOC_IPS];
    size_t ip_count;
    struct placing_entry *next_at[ALLOC_IPS]; /* the next that has the address too */
    struct placing_entry *next_of;            /* the next of its unit */
    uint32_t unit;                            /* of the placement, or PLACE_NONE */
    uint64_t *serving; /* nodes with an endpoint that can serve; NULL: they do not matter */
    bool dirty, met, changed;
};

/* An address, and who has it. */
struct placing_address {
    struct ip ip;
    struct placing_entry *first;
};

struct placing {
    struct placing_options options;
    /* the world */
    struct arena *world;       /* of the tables */
    struct eligible *eligible; /* NULL: no world yet */
    struct str_list nodes;     /* names */
    struct nodeset draining;
    VEC(struct object *) kept; /* references: pools and advertisements */
    /* the members */
    struct arena *told; /* of the next two */
    bool watches;
    struct gossip_member *members; /* sorted by name */
    size_t member_count;
    struct arena *served_arena;
    struct nodeset *served[2]; /* IPv4, IPv6; by advertisement: the nodes that have an interface */
    size_t advertisement_count;
    /* the placement */
    struct arena *numbers; /* of the next three */
    struct str_list names; /* its nodes: those of the world, and those that orders name besides */
    uint32_t *number;      /* of each node of the world */
    bool same;             /* numbers are those of the world */
    struct place *place;
    /* Services */
    struct map entries;                   /* key → struct placing_entry */
    struct map addresses;                 /* ip_key → struct placing_address */
    VEC(struct placing_entry *) first_of; /* by unit: its Services */
    VEC(struct placing_entry *) dirty;
    VEC(struct placing_entry *) changed;
};

/* placing.c */
void placing_mark_dirty(struct placing *p, struct placing_entry *entry);
void placing_mark_changed(struct placing *p, struct placing_entry *entry);
/* Links a Service to a unit, or to none. */
void placing_link(struct placing *p, struct placing_entry *entry, uint32_t unit);

/* placing_world.c: makes sure that the placement knows all nodes of the world, all that orders in
 * force name, and these; sets the states of all. */
void placing_know(struct placing *p, const struct str_list *names);
/* A set over the nodes of the world as one of the placement's, in the arena. */
struct nodeset placing_translate(const struct placing *p, const struct nodeset *set,
                                 struct arena *arena);
int64_t *placing_translate_scores(const struct placing *p, const int64_t *scores,
                                  struct arena *arena);
/* The placement's number of a node, or PLACE_NONE. */
uint32_t placing_number(const struct placing *p, struct str name);

/* placing_members.c: finds out which nodes have interfaces for which advertisements. True: that has
 * changed. */
bool placing_find_served(struct placing *p);
/* Takes the nodes that have no interface for the addresses out of a set, unless none is left. */
void placing_narrow(const struct placing *p, const struct candidacy *candidacy,
                    struct nodeset *nodes, struct arena *scratch);
/* What the members say of a node of the world. */
enum place_state placing_state(const struct placing *p, size_t node);

/* placing_world.c */
void placing_set_states(struct placing *p);

/* placing_units.c: puts the dirty Services into units, and those into the placement. */
void placing_regroup(struct placing *p);

#endif
