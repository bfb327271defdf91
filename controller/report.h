/* The plan as people and programs read it: what --check prints. */
#ifndef CONTROLLER_REPORT_H
#define CONTROLLER_REPORT_H

#include "common/base/diag.h"
#include "common/base/sbuf.h"
#include "controller/record.h"

/* Services that are not of type LoadBalancer are left out; those of another class are named, as
 * people ask why they get nothing. */
bool report_includes(const struct plan_record *record);

/* A table of Services with their addresses and reasons, then the findings, one a line. */
void report_text(const struct plan_record *const *records, size_t count,
                 const struct diag_list *findings, struct sbuf *out);

/* {"services":[{"namespace","name","ips","pool","reason","message"}],
 *  "findings":[{"object","field","severity","message"}]} and a line feed. */
void report_json(const struct plan_record *const *records, size_t count,
                 const struct diag_list *findings, struct sbuf *out);

/* One member of "services"; for the REST API too. */
struct patch;
void report_service(struct patch *json, const struct plan_record *record);

#endif
