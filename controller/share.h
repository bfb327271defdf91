/* The addresses that Services of one sharing key and one backend key have in use together, in the
 * order in which addresses are tried. Finds the first that has none of some ports: each node of the
 * tree knows the ports that *all* addresses below it have in use, and a subtree is skipped when one
 * of the wanted ports is among them. That is O(log n) for one port, and for any number of ports
 * that are usually used together. */
#ifndef CONTROLLER_SHARE_H
#define CONTROLLER_SHARE_H

#include <stdbool.h>

#include "common/base/vec.h"
#include "common/net/ip.h"
#include "controller/tree.h"

/* Protocol and port in one number: protocol << 16 | port. Lists are sorted, no two the same. */
struct port_list {
    uint32_t *items;
    size_t count;
};

/* A place in a pool set; segments are ordered as they are tried. */
struct spot {
    uint32_t segment;
    ip_value index;
};

int spot_cmp(const struct spot *a, const struct spot *b);

/* An address, as part of the thing that describes it. */
struct share_member {
    struct spot spot;
    struct tree_node node;
    uint64_t ports, all_ports; /* bits of the share's table: used here; used by all below */
};

/* A port that has a bit. Ports beyond the 64th at a time have none; they are only compared address
 * by address. */
struct share_port {
    uint32_t port;
    uint32_t count; /* members with the bit set; 0: the bit is free */
};

struct share {
    struct str name; /* owned */
    struct tree tree;
    size_t count;
    VEC(struct share_port) ports; /* the bit is the index */
};

struct share *share_new(struct str name, uint64_t seed);

/* The share must be empty. */
void share_free(struct share *share);

/* A member comes without ports and goes without ports. */
void share_add(struct share *share, struct share_member *member);
void share_remove(struct share *share, struct share_member *member);

/* Somebody starts and stops using ports on the member that nobody else there uses. */
void share_use(struct share *share, struct share_member *member, const struct port_list *ports);
void share_drop(struct share *share, struct share_member *member, const struct port_list *ports);

struct share_query {
    uint32_t from, to; /* segments, `to` not included */
    const struct port_list *ports;
    /* The member itself has none of the ports, and nothing else is against it. */
    bool (*usable)(const struct share_member *member, const struct share_query *query);
};

/* The first usable member, or NULL. */
const struct share_member *share_first(const struct share *share, const struct share_query *query);

#endif
