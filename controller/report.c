#include "controller/report.h"

#include "common/json/patch.h"
#include "common/program/program_findings.h"

bool report_includes(const struct plan_record *record)
{
    return record->reason && (record->managed || record->foreign);
}

static struct str ips_text(const struct plan_record *record, struct sbuf *scratch)
{
    sbuf_clear(scratch);
    for (size_t i = 0; i < record->ip_count; i++)
        sbuf_printf(scratch, "%s%s", i ? "," : "", ip_format(&record->ips[i]).text);
    return record->ip_count ? sbuf_str(scratch) : STR("-");
}

/* Widths of the columns, so that the table fits what is in it. */
struct widths {
    int key, ips, reason;
};

static void widen(int *width, struct str text)
{
    if ((int)text.len > *width)
        *width = (int)text.len;
}

static struct widths measure(const struct plan_record *const *records, size_t count)
{
    struct widths w = {.key = 7, .ips = 9, .reason = 6};
    scoped_sbuf struct sbuf scratch = {0};
    for (size_t i = 0; i < count; i++) {
        if (!report_includes(records[i]))
            continue;
        widen(&w.key, records[i]->key);
        widen(&w.ips, ips_text(records[i], &scratch));
        widen(&w.reason, str_from(records[i]->reason));
    }
    return w;
}

static void put_row(struct sbuf *out, const struct widths *w, struct str key, struct str ips,
                    struct str reason, struct str message)
{
    sbuf_printf(out, "%-*.*s  %-*.*s  %-*.*s  " STR_FMT "\n", w->key, STR_ARG(key), w->ips,
                STR_ARG(ips), w->reason, STR_ARG(reason), STR_ARG(message));
}

void report_text(const struct plan_record *const *records, size_t count,
                 const struct diag_list *findings, struct sbuf *out)
{
    struct widths w = measure(records, count);
    scoped_sbuf struct sbuf scratch = {0};
    put_row(out, &w, STR("SERVICE"), STR("ADDRESSES"), STR("REASON"), STR("MESSAGE"));
    for (size_t i = 0; i < count; i++) {
        if (report_includes(records[i]))
            put_row(out, &w, records[i]->key, ips_text(records[i], &scratch),
                    str_from(records[i]->reason), records[i]->message);
    }
    for (size_t i = 0; i < findings->found.len; i++) {
        const struct diag *diag = &findings->found.items[i];
        sbuf_printf(out, "%s: " STR_FMT "%s" STR_FMT ": " STR_FMT "\n",
                    diag_severity_name(diag->severity), STR_ARG(diag->object),
                    diag->field.len ? ": " : "", STR_ARG(diag->field), STR_ARG(diag->message));
    }
}

void report_service(struct patch *json, const struct plan_record *record)
{
    struct str namespace, name;
    (void)str_cut(record->key, '/', &namespace, &name);
    patch_open(json, NULL);
    patch_str(json, "namespace", namespace);
    patch_str(json, "name", name);
    patch_list(json, "ips");
    for (size_t i = 0; i < record->ip_count; i++)
        patch_str(json, NULL, str_from(ip_format(&record->ips[i]).text));
    patch_close(json);
    patch_str(json, "pool", record->pool);
    patch_str(json, "reason", str_from(record->reason));
    patch_str(json, "message", record->message);
    patch_close(json);
}

void report_json(const struct plan_record *const *records, size_t count,
                 const struct diag_list *findings, struct sbuf *out)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "services");
    for (size_t i = 0; i < count; i++) {
        if (report_includes(records[i]))
            report_service(&json, records[i]);
    }
    patch_close(&json);
    patch_list(&json, "findings");
    program_findings_put(&json, findings);
    patch_close(&json);
    patch_close(&json);
    sbuf_put(out, patch_text(&json));
    sbuf_putc(out, '\n');
}
