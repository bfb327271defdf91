#include "common/program/program_findings.h"

void program_findings_put(struct patch *json, const struct diag_list *findings)
{
    for (size_t i = 0; i < findings->found.len; i++) {
        const struct diag *diag = &findings->found.items[i];
        patch_open(json, NULL);
        patch_str(json, "object", diag->object);
        patch_str(json, "field", diag->field);
        patch_str(json, "severity", str_from(diag_severity_name(diag->severity)));
        patch_str(json, "message", diag->message);
        patch_close(json);
    }
}
