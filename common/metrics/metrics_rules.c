/* What the client asks for, and what a table of metrics must obey. */
#include <ctype.h>
#include <stdint.h>

#include "common/metrics/metrics.h"

/* A quality value (RFC 9110 section 12.4.2) in thousandths; what is no such value counts as 0. */
static unsigned parse_quality(struct str text)
{
    struct str whole, fraction;
    uint64_t value;
    (void)str_cut(text, '.', &whole, &fraction);
    if (str_eq(whole, STR("1")))
        return 1000;
    if (!str_eq(whole, STR("0")) || fraction.len > 3)
        return 0;
    if (str_to_u64(fraction, 999, &value) < 0)
        return 0;
    for (size_t i = fraction.len; i < 3; i++)
        value *= 10;
    return (unsigned)value;
}

/* One element of Accept: "type/subtype; name=value; q=0.5". */
static unsigned parse_range(struct str element, struct str *ret_type)
{
    unsigned quality = 1000;
    struct str parameter, name, value;
    (void)str_cut(element, ';', ret_type, &element);
    *ret_type = str_trim(*ret_type);
    while (str_next(&element, ';', &parameter)) {
        if (str_cut(str_trim(parameter), '=', &name, &value) && str_eq(name, STR("q")))
            quality = parse_quality(value);
    }
    return quality;
}

enum metrics_format metrics_negotiate(struct str accept)
{
    unsigned open = 0, text = 0;
    struct str element, type;
    while (str_next(&accept, ',', &element)) {
        unsigned quality = parse_range(element, &type);
        if (str_eq(type, STR("application/openmetrics-text")) && quality > open)
            open = quality;
        else if (str_eq(type, STR("text/plain")) && quality > text)
            text = quality;
    }
    return open > text ? METRICS_OPENMETRICS : METRICS_TEXT;
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && c != '_' && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

static bool is_help(struct str help)
{
    return help.len > 1 && isupper((unsigned char)help.ptr[0]) && str_ends_with(help, STR(".")) &&
           str_find(help, '\n') == help.len && str_find(help, '\\') == help.len;
}

static bool are_labels_fit(const struct metric *row)
{
    for (size_t i = 0; row->labels[i]; i++) {
        struct str label = str_from(row->labels[i]);
        if (!is_name(label) || str_starts_with(label, STR("__")) || str_eq(label, STR("le")))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (str_eq(label, str_from(row->labels[j])))
                return false;
        }
    }
    return true;
}

static bool are_buckets_fit(const struct metric *row)
{
    if (row->kind != METRIC_HISTOGRAM)
        return row->bucket_count == 0;
    for (size_t i = 1; i < row->bucket_count; i++) {
        if (row->buckets[i] <= row->buckets[i - 1])
            return false;
    }
    return row->bucket_count > 0;
}

/* Units are base units, and what is a time or a distribution says so at its end. */
static const char *unit_breach(const struct metric *row)
{
    static const char *const scaled[] = {"ms",           "us",        "ns",     "milliseconds",
                                         "microseconds", "minutes",   "hours",  "days",
                                         "kilobytes",    "megabytes", "percent"};
    static const char *const times[] = {"duration", "latency", "delay", "age"};
    struct str rest = str_from(row->name), word, unit = {0};
    while (str_next(&rest, '_', &word)) {
        if (!str_eq(word, STR("total")))
            unit = word;
    }
    for (size_t i = 0; i < sizeof(scaled) / sizeof(scaled[0]); i++) {
        if (str_eq(unit, str_from(scaled[i])))
            return "unit is no base unit";
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (str_eq(unit, str_from(times[i])))
            return "a time does not end in its unit, seconds";
    }
    if (row->kind == METRIC_HISTOGRAM && !str_eq(unit, STR("seconds")) &&
        !str_eq(unit, STR("bytes")))
        return "a histogram does not end in its unit, seconds or bytes";
    return NULL;
}

/* Would samples of `other` have a name that samples of row have, too? */
static bool is_clash(const struct metric *row, const struct metric *other)
{
    static const char *const suffixes[] = {"", "_bucket", "_sum", "_count"};
    size_t count = row->kind == METRIC_HISTOGRAM ? sizeof(suffixes) / sizeof(suffixes[0]) : 1;
    struct str name = str_from(row->name), rest = str_from(other->name);
    if (!str_starts_with(rest, name))
        return false;
    rest = str_slice(rest, name.len, rest.len);
    for (size_t i = 0; i < count; i++) {
        if (str_eq(rest, str_from(suffixes[i])))
            return true;
    }
    return false;
}

static size_t breach(struct sbuf *out, const struct metric *row, const char *what)
{
    sbuf_printf(out, "%s: %s\n", row->name, what);
    return 1;
}

static size_t lint_row(const struct metric *row, const char *prefix, struct sbuf *out)
{
    struct str name = str_from(row->name);
    bool total = str_ends_with(name, STR("_total"));
    size_t found = 0;
    if (!is_name(name))
        found += breach(out, row, "name has other characters than a-z, 0-9 and _");
    if (!row->borrowed_name && !str_starts_with(name, str_from(prefix)))
        found += breach(out, row, "name lacks the prefix");
    if (!row->borrowed_name && total != (row->kind == METRIC_COUNTER))
        found += breach(out, row, "counters, and only counters, end in _total");
    if (!row->borrowed_name && unit_breach(row))
        found += breach(out, row, unit_breach(row));
    if (!is_help(str_from(row->help)))
        found += breach(out, row, "help is not one sentence");
    if (!are_labels_fit(row))
        found += breach(out, row, "a label is malformed, reserved or there twice");
    if (!are_buckets_fit(row))
        found += breach(out, row, "buckets do not rise or do not belong here");
    return found;
}

size_t metrics_lint(const struct metric *rows, size_t count, const char *prefix, struct sbuf *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += lint_row(&rows[i], prefix, out);
        for (size_t j = 0; j < i; j++) {
            if (is_clash(&rows[i], &rows[j]) || is_clash(&rows[j], &rows[i]))
                found += breach(out, &rows[i], "name is there twice");
        }
    }
    return found;
}
