/* The plan as people and programs read it: what --check prints. */
#ifndef CONTROLLER_REPORT_H
#define CONTROLLER_REPORT_H

#include "common/base/diag.h"
#include "common/base/sbuf.h"
#include "controller/placing.h"

/* Services that are not of type LoadBalancer are left out; those of another class are named, as
 * people ask why they get nothing. */
bool report_includes(const struct plan_record *record);

/* All that is reported. */
struct report {
    const struct plan_record *const *records;
    size_t count;
    const struct placing *placing; /* NULL: nothing was placed */
    const struct diag_list *findings;
};

/* A table of Services with their addresses, owners and backups, and reasons, then the findings, one
 * a line. */
void report_text(const struct report *report, struct sbuf *out);

/* {"services":[{"namespace","name","ips","owner","backups","pool","reason","message"}],
 *  "findings":[{"object","field","severity","message"}]} and a line feed. */
void report_json(const struct report *report, struct sbuf *out);

/* One member of "services"; for the REST API too. */
struct patch;
void report_service(struct patch *json, const struct plan_record *record,
                    const struct placing *placing);

/* Members "owner" and "backups" of the object that is open. */
void report_nodes(struct patch *json, struct str owner, const struct str_list *backups);

#endif
