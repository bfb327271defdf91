/* The plan: for every Service the addresses it is to have, and the sentence that says why.
 *
 * A plan is fed with the configuration and with Services as they change; it keeps one record per
 * Service and tells which records changed since last asked. It never writes: the shell compares a
 * record with the object (service_patch.h) and carries out the difference. What a Service holds
 * stays as long as it is allowed; every existing assignment is adopted before any new one is made.
 *
 * Pure and deterministic: equal calls in equal order give equal records. */
#ifndef CONTROLLER_PLAN_H
#define CONTROLLER_PLAN_H

#include "controller/alloc.h"
#include "controller/quarantine.h"
#include "controller/record.h"

struct plan;

struct plan_options {
    struct str lb_class;
    uint64_t seed; /* of hash tables */
    /* Is a write under way by which the Service of this key will show the address? NULL: none ever
     * is. */
    bool (*writes)(const void *ctx, struct str key, const struct ip *ip);
    const void *ctx;
};

/* Options are copied. Never NULL. */
struct plan *plan_new(const struct plan_options *options);
struct plan *plan_free(struct plan *plan);
SCOPE_DEFINE(plan, struct plan, plan_free)

/* Puts new pools in force; the plan owns `set`. Every Service is looked at again by the next
 * plan_run. */
void plan_set_pools(struct plan *plan, struct pool_set *set);

/* Puts a new quarantine in force; the plan owns it. Services that hold or ask for an address that
 * came or went are looked at again by the next plan_run. */
void plan_set_quarantine(struct plan *plan, struct quarantine *quarantine);

/* The quarantine in force; NULL: none was set yet. */
const struct quarantine *plan_quarantine(const struct plan *plan);

/* A Service is new or has changed. written_ahead: a write of ours is under way that this version
 * does not show yet, so that its status is older than the record. A reference is kept. */
void plan_offer(struct plan *plan, const struct object *service, bool written_ahead);

/* A Service is gone; what it held is free. */
void plan_drop(struct plan *plan, struct str key);

/* Decides for everything that was offered, freed or put in force since the last run: first those
 * that hold addresses, then the others: explicit addresses, explicit pools, then the oldest.
 *
 * Who shows an address goes before who was only meant to: a write that a former leader sent just
 * before its end may be carried out after this plan has begun. Whom the address was planned for
 * then seeks anew, unless it shows it too or is being written. */
void plan_run(struct plan *plan);

/* Keys of the records that plan_run decided anew since the last call, sorted, in the arena (texts
 * too). A key without a record is of a Service that is gone. */
struct str_list plan_changes(struct plan *plan, struct arena *arena);

/* Has the Service been offered and not been decided for since? Its record, if it has one, then says
 * what was decided for a version before. */
bool plan_is_due(const struct plan *plan, struct str key);

/* The record of a Service, or NULL. Borrowed until the next plan_run or plan_drop. */
const struct plan_record *plan_get(const struct plan *plan, struct str key);

/* All records sorted by key, in the arena. */
const struct plan_record **plan_list(const struct plan *plan, struct arena *arena,
                                     size_t *ret_count);

/* Walks all records in no particular order: *cursor starts at 0. NULL at the end. */
const struct plan_record *plan_next(const struct plan *plan, size_t *cursor);

/* The notes of a record have been told, or need not be. */
void plan_forget_notes(struct plan *plan, struct str key);

const struct alloc *plan_alloc(const struct plan *plan);

#endif
