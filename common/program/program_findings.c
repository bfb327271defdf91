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

static void add_errors(struct str_list *errors, const struct diag_list *list, struct arena *arena)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        const char *gap = diag->field.len ? " " : "";
        if (diag->severity == DIAG_ERROR)
            errors->items[errors->count++] =
                arena_printf(arena, STR_FMT "%s" STR_FMT ": " STR_FMT, STR_ARG(diag->object), gap,
                             STR_ARG(diag->field), STR_ARG(diag->message));
    }
}

struct str_list program_findings_errors(const struct diag_list *findings,
                                        const struct diag_list *more, struct arena *arena)
{
    size_t most = findings->found.len + more->found.len;
    struct str_list errors = {.items = arena_array(arena, most, sizeof(struct str))};
    add_errors(&errors, findings, arena);
    add_errors(&errors, more, arena);
    return errors;
}
