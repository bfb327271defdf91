/* Findings as people's programs read them: in answers of the REST APIs and in what --check prints.
 * Pure. */
#ifndef COMMON_PROGRAM_PROGRAM_FINDINGS_H
#define COMMON_PROGRAM_PROGRAM_FINDINGS_H

#include "common/base/diag.h"
#include "common/json/patch.h"

/* Adds {"object","field","severity","message"} for each finding to the list that is open. */
void program_findings_put(struct patch *json, const struct diag_list *findings);

#endif
