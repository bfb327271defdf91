#include "controller/report.h"

#include "common/json/patch.h"
#include "common/program/program_findings.h"
#include "common/program/program_service.h"

bool report_includes(const struct plan_record *record)
{
    return record->reason && (record->managed || record->foreign);
}

/* --- text ------------------------------------------------------------------------------------ */

enum { COLUMNS = 5 }; /* with the same width in all rows; the message follows */

struct row {
    struct str cells[COLUMNS];
    struct str message;
};

static struct str ips_text(const struct plan_record *record, struct arena *arena)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < record->ip_count; i++)
        sbuf_printf(&text, "%s%s", i ? "," : "", ip_format(&record->ips[i]).text);
    return record->ip_count ? sbuf_move(&text, arena) : STR("-");
}

static struct str list_text(const struct str_list *list, struct arena *arena)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < list->count; i++)
        sbuf_printf(&text, "%s" STR_FMT, i ? "," : "", STR_ARG(list->items[i]));
    return list->count ? sbuf_move(&text, arena) : STR("-");
}

/* Where it is placed; without owner and backups when it is not. */
static struct placing_view view_of(const struct placing *placing, struct str key,
                                   struct arena *arena)
{
    struct placing_view view = {0};
    if (placing && !placing_view(placing, key, arena, &view))
        view = (struct placing_view){0};
    return view;
}

static struct row make_row(const struct plan_record *record, const struct placing *placing,
                           struct arena *arena)
{
    struct placing_view view = view_of(placing, record->key, arena);
    return (struct row){
        .cells = {record->key, ips_text(record, arena), view.owner.len ? view.owner : STR("-"),
                  list_text(&view.backups, arena), str_from(record->reason)},
        .message = record->message,
    };
}

static void put_row(struct sbuf *out, const struct row *row, const int *widths)
{
    for (size_t i = 0; i < COLUMNS; i++)
        sbuf_printf(out, "%-*.*s  ", widths[i], STR_ARG(row->cells[i]));
    sbuf_printf(out, STR_FMT "\n", STR_ARG(row->message));
}

static void put_rows(struct sbuf *out, const struct row *rows, size_t count)
{
    int widths[COLUMNS] = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            int width = (int)rows[i].cells[j].len;
            widths[j] = width > widths[j] ? width : widths[j];
        }
    }
    for (size_t i = 0; i < count; i++)
        put_row(out, &rows[i], widths);
}

void report_text(const struct report *report, struct sbuf *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct row *rows = arena_array(arena, report->count + 1, sizeof(*rows));
    size_t count = 0;
    rows[count++] = (struct row){
        .cells = {STR("SERVICE"), STR("ADDRESSES"), STR("OWNER"), STR("BACKUPS"), STR("REASON")},
        .message = STR("MESSAGE"),
    };
    for (size_t i = 0; i < report->count; i++) {
        if (report_includes(report->records[i]))
            rows[count++] = make_row(report->records[i], report->placing, arena);
    }
    put_rows(out, rows, count);
    for (size_t i = 0; i < report->findings->found.len; i++) {
        const struct diag *diag = &report->findings->found.items[i];
        sbuf_printf(out, "%s: " STR_FMT "%s" STR_FMT ": " STR_FMT "\n",
                    diag_severity_name(diag->severity), STR_ARG(diag->object),
                    diag->field.len ? ": " : "", STR_ARG(diag->field), STR_ARG(diag->message));
    }
}

/* --- JSON ------------------------------------------------------------------------------------ */

void report_nodes(struct patch *json, struct str owner, const struct str_list *backups)
{
    patch_str(json, "owner", owner);
    patch_list(json, "backups");
    for (size_t i = 0; i < backups->count; i++)
        patch_str(json, NULL, backups->items[i]);
    patch_close(json);
}

void report_service(struct patch *json, const struct plan_record *record,
                    const struct placing *placing)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct placing_view view = view_of(placing, record->key, arena);
    patch_open(json, NULL);
    program_service_put(json, record->key, record->ips, record->ip_count);
    report_nodes(json, view.owner, &view.backups);
    patch_str(json, "pool", record->pool);
    patch_str(json, "reason", str_from(record->reason));
    patch_str(json, "message", record->message);
    patch_close(json);
}

void report_json(const struct report *report, struct sbuf *out)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "services");
    for (size_t i = 0; i < report->count; i++) {
        if (report_includes(report->records[i]))
            report_service(&json, report->records[i], report->placing);
    }
    patch_close(&json);
    patch_list(&json, "findings");
    program_findings_put(&json, report->findings);
    patch_close(&json);
    patch_close(&json);
    sbuf_put(out, patch_text(&json));
    sbuf_putc(out, '\n');
}
