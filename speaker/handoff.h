/* Local hand-off: local routes (table local, type local, device lo) for addresses that this node
 * answers for, so that a process here takes their traffic itself, with the client's address.
 *
 *     handoff_run(wanted) ──▶ book (handoff_plan.h) ──deeds──▶ rtnetlink
 *                               ▲                                  │
 *                               └──────── route gone ◀─────────────┘
 *
 * The routes carry a protocol number of their own, by which all that an earlier process has left
 * behind is removed at the start. A route that somebody else removes is put back at once; when the
 * kernel had to drop messages, all routes of ours are listed and compared. Changing routes needs
 * CAP_NET_ADMIN; without it each address is refused once, with a reason.
 *
 * Requests to rtnetlink are carried out inside the system call that sends them, so nothing here
 * waits. */
#ifndef SPEAKER_HANDOFF_H
#define SPEAKER_HANDOFF_H

#include "common/loop/loop.h"
#include "speaker/handoff_plan.h"

enum {
    HANDOFF_PROTOCOL = 83, /* none that rtnetlink.h or rt_protos of iproute2 names */
    HANDOFF_OVERLAP_MS = 5000,
};

struct handoff;

struct handoff_config {
    /* How long a route stays after its address has left. Neighbours go on sending here until they
     * have heard the new owner, whose announcements last as long. */
    uint64_t overlap_ms;
    /* An address cannot have its route, or has it after all (error 0). Told on transition, from
     * handoff_run or from the loop. */
    void (*changed)(void *ctx, const struct ip *ip, int error);
    void *ctx;
};

/* Removes what an earlier process left. 0, or a negative errno: no netlink. */
int handoff_open(struct loop *loop, const struct handoff_config *config, struct handoff **ret)
    __attribute__((warn_unused_result));

/* Removes all routes. NULL is fine; returns NULL. */
struct handoff *handoff_close(struct handoff *handoff);

/* These addresses, sorted and without duplicates, are to have a route. Called after each plan. */
void handoff_run(struct handoff *handoff, const struct ip *wanted, size_t count);

struct handoff_figures handoff_figures(const struct handoff *handoff);

#endif
