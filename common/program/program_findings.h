/* Findings as people's programs read them: in answers of the REST APIs and in what --check prints.
 * Pure. */
#ifndef COMMON_PROGRAM_PROGRAM_FINDINGS_H
#define COMMON_PROGRAM_PROGRAM_FINDINGS_H

#include "common/base/diag.h"
#include "common/json/patch.h"

/* Adds {"object","field","severity","message"} for each finding to the list that is open. */
void program_findings_put(struct patch *json, const struct diag_list *findings);

/* Findings that are errors as sentences, in the arena: "Kind/ns/name field: message". */
struct str_list program_findings_errors(const struct diag_list *findings,
                                        const struct diag_list *more, struct arena *arena);

#endif
