/* What stentorctl says, as text for people or as JSON for programs. Pure: each appends to `out`;
 * scratch holds what is needed on the way. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include "ctl/whatif.h"
#include "ctl/world.h"

enum show_format { SHOW_TEXT, SHOW_JSON, SHOW_FORMATS };

struct show {
    enum show_format format;
    const struct world *world;
    const struct world_input *input;
    /* Answers of REST APIs, NULL: not asked. Borrowed trees. */
    const json_t *announcements; /* a speaker's /api/v1/announcements */
    const json_t *explained;     /* the controller's /api/v1/explain/<namespace>/<name> */
    struct arena *scratch;
    struct sbuf *out;
};

/* Addresses with owner, backups and who announces them; Services without one; load of the nodes;
 * members as the speaker counts them. */
void show_status(const struct show *show);

/* Why a Service is where it is: allocation, advertisements, and each node's place or the reason
 * that it has none. */
void show_service(const struct show *show, size_t service);

/* Whose an address is, or would be; then the Services that have it. */
void show_address(const struct show *show, const struct ip *ip);

/* What a node answers for, would step in for, and why it may not. */
void show_node(const struct show *show, size_t node);

struct show_capacity {
    size_t per_node; /* n-node: units that one node may carry; 0: not asked */
    size_t failures; /* nodes of a pool that may fail at once */
};

/* What would move, the loads before and after, and how many pools and nodes are needed. */
void show_plan(const struct show *show, const struct whatif *whatif,
               const struct show_capacity *capacity);

/* --- shared by the files of this header ------------------------------------------------------ */

/* "available", "draining", "excluded", "noNetwork". */
const char *show_node_state(const struct world_node *node);

/* The names at places `from` to `to` (exclusive) of a unit's order. */
struct str_list show_order(const struct show *show, const struct world_unit *unit, size_t from,
                           size_t to);

/* Backups that people are shown: those that are published, else the next three. */
struct str_list show_backups(const struct show *show, const struct world_unit *unit);

/* Keys of the Services that show the address. */
struct str_list show_sharers(const struct show *show, const struct world_address *address);

/* "published", "hash" and why the latter. */
const char *show_election(const struct world_service *service, const struct world_unit *unit);

/* Why nobody may announce the Service, a phrase for people, in scratch; empty: somebody may. */
struct str show_silence(const struct show *show, const struct world_service *service);

/* The same as a name for programs: "noIPAllocated" and so on, or "noNode". */
struct str show_silence_name(const struct show *show, const struct world_service *service);

struct patch;
void show_put_list(struct patch *json, const char *key, const struct str_list *list);
void show_put_ips(struct patch *json, const char *key, const struct ip *ips, size_t count);

/* A member of an answer that is text; empty when it is not there. */
struct str show_text(const json_t *tree, const char *key);

/* "192.0.2.1,2001:db8::1", in scratch. */
struct str show_ips(const struct show *show, const struct ip *ips, size_t count);

#endif
