/* The BGPSessionStatus objects of nodes whose speakers are silent: dead, or gone. What such an
 * object says was true once, and nobody is there to write it anew, so the controller makes it say
 * that it is not known any more. It does so once for each time that a speaker falls silent: one
 * that only the members do not hear, and that can still write, has the last word. Pure. */
#ifndef CONTROLLER_SILENT_H
#define CONTROLLER_SILENT_H

#include "common/base/arena.h"
#include "common/gossip/member_view.h"
#include "crd/bgpsessionstatus.h"

struct silent;

/* Nothing is known. Never NULL. */
struct silent *silent_new(void);
struct silent *silent_free(struct silent *silent); /* NULL is fine; returns NULL */
SCOPE_DEFINE(silent, struct silent, silent_free)

/* Takes the members as they are now. */
void silent_set_members(struct silent *silent, const struct gossip_member *members, size_t count);

/* The ids, in the arena, of the objects to be looked at by silent_patch: of all nodes that have
 * fallen silent since the last time. objects: all BGPSessionStatuses. */
struct str_list silent_find(struct silent *silent, const struct object *const *objects,
                            size_t count, struct arena *arena);

/* What is to be written to such an object, a merge patch with its version as the precondition, in
 * the arena; empty when it says so already or its speaker is there. now: seconds since 1970. */
struct str silent_patch(const struct silent *silent, const struct object *object, int64_t now,
                        struct arena *arena);

#endif
