#include "common/metrics/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/keep.h"
#include "common/base/table.h"
#include "common/base/utf8.h"
#include "common/base/vec.h"

const double metric_latency_buckets[METRIC_LATENCY_BUCKETS] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

struct histogram {
    uint64_t count;
    uint64_t buckets[]; /* observations that belong to this bucket alone */
};

/* There may be tens of thousands. */
struct series {
    double value;                /* of a counter or gauge; the sum of a histogram */
    struct histogram *histogram; /* NULL for the others */
    struct series *follower;     /* that was set after this one the last time, NULL: not known */
    uint32_t filling; /* the family's when it was set last: with an older one it is not there */
    uint32_t key_len;
    char key[]; /* labels as they are printed, and the key in the table */
};

/* Who asks for metrics has most families cleared and filled with the same series again. So clearing
 * only begins a new filling; what the whole of one has not brought back goes when the next begins.
 * Series that stay keep their place in the order, which is sorted when new ones have come. They are
 * mostly set in the same sequence, too: the one that followed is looked at before the table is. */
struct family {
    const struct metric *row;
    struct table series; /* struct series by printed labels */
    struct keep *keep;   /* of them: that of all families */
    VEC(struct series *) order;
    struct series *last; /* that was set, NULL: not known */
    bool is_sorted;
    uint32_t filling;
    size_t live; /* series of this filling */
};

struct metrics {
    struct family *families;
    size_t count;
    struct keep *keep;
    struct sbuf key; /* of the series that is looked for */
};

static size_t label_count(const struct metric *row)
{
    size_t count = 0;
    while (row->labels[count])
        count++;
    return count;
}

/* How much of the text is printed as it is: nearly all that there ever is. */
static size_t plain_len(struct str text)
{
    size_t len = 0;
    while (len < text.len && (unsigned char)text.ptr[len] < 0x80 && text.ptr[len] != '\n' &&
           text.ptr[len] != '"' && text.ptr[len] != '\\')
        len++;
    return len;
}

static void put_escaped(struct sbuf *out, struct str value)
{
    while (value.len) {
        size_t plain = plain_len(value), len = plain ? plain : utf8_len(value);
        if (len == 0)
            sbuf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
        else if (plain || len > 1)
            sbuf_put(out, str_slice(value, 0, len));
        else if (value.ptr[0] == '\n')
            sbuf_puts(out, "\\n");
        else
            sbuf_put(out, (struct str){.ptr = (const char[]){'\\', value.ptr[0]}, .len = 2});
        value = str_slice(value, len ? len : 1, value.len);
    }
}

static void put_labels(struct sbuf *out, const struct metric *row, struct metric_labels labels)
{
    assert(labels.count == label_count(row));
    for (size_t i = 0; i < labels.count; i++) {
        if (i)
            sbuf_putc(out, ',');
        sbuf_puts(out, row->labels[i]);
        sbuf_put(out, STR("=\""));
        put_escaped(out, labels.values[i]);
        sbuf_putc(out, '"');
    }
}

static struct family *find_family(const struct metrics *metrics, size_t id)
{
    assert(id < metrics->count);
    return &metrics->families[id];
}

static struct str key_of(const struct series *series)
{
    return (struct str){.ptr = series->key, .len = series->key_len};
}

static struct str table_key_of(const void *series)
{
    return key_of(series);
}

static struct series *get_series(const struct family *family, struct str key)
{
    return table_get(&family->series, key, table_key_of);
}

static bool is_live(const struct family *family, const struct series *series)
{
    return series->filling == family->filling;
}

static struct series *add_series(struct family *family, struct str key)
{
    assert(key.len <= UINT32_MAX);
    struct series *series = keep_alloc(family->keep, sizeof(*series) + key.len);
    *series = (struct series){.filling = family->filling - 1, /* not there yet */
                              .key_len = (uint32_t)key.len};
    if (key.len)
        memcpy(series->key, key.ptr, key.len);
    if (family->row->kind == METRIC_HISTOGRAM)
        series->histogram = heap_alloc(sizeof(*series->histogram) +
                                       (family->row->bucket_count + 1) * sizeof(uint64_t));
    (void)table_put(&family->series, series, table_key_of);
    family->is_sorted = false;
    vec_push(&family->order, series);
    return series;
}

/* One of an older filling comes back as if it were new, and a new one becomes one of this. */
static void revive(struct family *family, struct series *series)
{
    series->filling = family->filling;
    family->live++;
    series->value = 0;
    if (!series->histogram)
        return;
    series->histogram->count = 0;
    for (size_t i = 0; i <= family->row->bucket_count; i++)
        series->histogram->buckets[i] = 0;
}

/* The series with this key, made when it is not there. */
static struct series *follow(struct family *family, struct str key)
{
    struct series *last = family->last, *series = last ? last->follower : NULL;
    if (!series || !str_eq(key_of(series), key))
        series = get_series(family, key);
    if (!series)
        series = add_series(family, key);
    if (last)
        last->follower = series;
    family->last = series;
    return series;
}

static struct series *need_series(struct metrics *metrics, size_t id, struct metric_labels labels)
{
    struct family *family = find_family(metrics, id);
    sbuf_clear(&metrics->key);
    put_labels(&metrics->key, family->row, labels);
    struct series *series = follow(family, sbuf_str(&metrics->key));
    if (!is_live(family, series))
        revive(family, series);
    return series;
}

static void series_free(struct series *series)
{
    free(series->histogram);
    keep_release(series, sizeof(*series) + series->key_len);
}

/* Frees the series of older fillings; the others stay in their order. */
static void sweep(struct family *family)
{
    size_t kept = 0;
    for (size_t i = 0; i < family->order.len; i++) {
        struct series *series = family->order.items[i];
        if (is_live(family, series)) {
            series->follower = NULL; /* it may be one that goes */
            family->order.items[kept++] = series;
            continue;
        }
        (void)table_remove(&family->series, key_of(series), table_key_of);
        series_free(series);
    }
    family->order.len = kept;
    family->last = NULL;
}

struct metrics *metrics_new(const struct metric *rows, size_t count)
{
    struct metrics *metrics = heap_alloc(sizeof(*metrics));
    metrics->families = heap_alloc(count * sizeof(*metrics->families));
    metrics->count = count;
    metrics->keep = keep_new();
    for (size_t i = 0; i < count; i++) {
        metrics->families[i] = (struct family){.row = &rows[i], .keep = metrics->keep};
        if (label_count(&rows[i]) == 0)
            (void)need_series(metrics, i, NO_LABELS);
    }
    return metrics;
}

struct metrics *metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return NULL;
    for (size_t i = 0; i < metrics->count; i++) {
        struct family *family = &metrics->families[i];
        for (size_t j = 0; j < family->order.len; j++)
            series_free(family->order.items[j]);
        vec_done(&family->order);
        table_done(&family->series);
    }
    (void)keep_free(metrics->keep);
    sbuf_done(&metrics->key);
    free(metrics->families);
    free(metrics);
    return NULL;
}

void metric_inc(struct metrics *metrics, size_t id, struct metric_labels labels)
{
    metric_add(metrics, id, 1, labels);
}

void metric_add(struct metrics *metrics, size_t id, double value, struct metric_labels labels)
{
    assert(find_family(metrics, id)->row->kind != METRIC_HISTOGRAM);
    need_series(metrics, id, labels)->value += value;
}

void metric_set(struct metrics *metrics, size_t id, double value, struct metric_labels labels)
{
    assert(find_family(metrics, id)->row->kind != METRIC_HISTOGRAM);
    need_series(metrics, id, labels)->value = value;
}

void metric_observe(struct metrics *metrics, size_t id, double value, struct metric_labels labels)
{
    const struct metric *row = find_family(metrics, id)->row;
    assert(row->kind == METRIC_HISTOGRAM);
    struct series *series = need_series(metrics, id, labels);
    size_t bucket = 0;
    while (bucket < row->bucket_count && !(value <= row->buckets[bucket])) /* NaN: the last */
        bucket++;
    series->histogram->buckets[bucket]++;
    series->histogram->count++;
    series->value += value;
}

void metric_remove(struct metrics *metrics, size_t id, struct metric_labels labels)
{
    struct family *family = find_family(metrics, id);
    sbuf_clear(&metrics->key);
    put_labels(&metrics->key, family->row, labels);
    struct series *series = get_series(family, sbuf_str(&metrics->key));
    if (!series || !is_live(family, series))
        return;
    series->filling = family->filling - 1;
    family->live--;
    sweep(family);
}

void metric_clear(struct metrics *metrics, size_t id)
{
    struct family *family = find_family(metrics, id);
    if (family->live < family->order.len)
        sweep(family);
    family->filling++;
    family->live = 0;
}

double metric_value(const struct metrics *metrics, size_t id, struct metric_labels labels)
{
    const struct family *family = find_family(metrics, id);
    scoped_sbuf struct sbuf key = {0};
    put_labels(&key, family->row, labels);
    const struct series *series = get_series(family, sbuf_str(&key));
    return series && is_live(family, series) ? series->value : 0;
}

/* A count, as nearly every value is. Not -0: its sign is printed. */
static bool is_count(double value)
{
    return value >= 0 && value < 1e15 && value == (double)(uint64_t)value && !signbit(value);
}

/* The shortest text that reads back as the same number. OpenMetrics wants bounds of buckets to look
 * like floats (section "Considerations: Canonical Numbers"). */
static void put_number(struct sbuf *out, double value, bool as_float)
{
    if (isnan(value) || isinf(value)) {
        sbuf_puts(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (is_count(value)) {
        sbuf_u64(out, (uint64_t)value);
        if (as_float)
            sbuf_put(out, STR(".0"));
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    sbuf_puts(out, text);
    if (as_float && !str_contains(str_from(text), STR(".")) &&
        !str_contains(str_from(text), STR("e")))
        sbuf_puts(out, ".0");
}

/* One line: name, suffix, labels (with one more, "le", for a bucket), value. */
struct sample {
    struct str name, suffix, labels;
    const double *bound; /* NULL: no bucket */
    double value;
    bool float_bound;
};

static void put_sample(struct sbuf *out, const struct sample *sample)
{
    sbuf_put(out, sample->name);
    sbuf_put(out, sample->suffix);
    if (sample->labels.len || sample->bound) {
        sbuf_putc(out, '{');
        sbuf_put(out, sample->labels);
        if (sample->bound) {
            sbuf_puts(out, sample->labels.len ? ",le=\"" : "le=\"");
            put_number(out, *sample->bound, sample->float_bound);
            sbuf_putc(out, '"');
        }
        sbuf_putc(out, '}');
    }
    sbuf_putc(out, ' ');
    put_number(out, sample->value, false);
    sbuf_putc(out, '\n');
}

static void put_histogram(struct sbuf *out, const struct metric *row, const struct series *series,
                          enum metrics_format format)
{
    struct sample sample = {.name = str_from(row->name),
                            .suffix = STR("_bucket"),
                            .labels = key_of(series),
                            .float_bound = format == METRICS_OPENMETRICS};
    const double infinite = INFINITY;
    uint64_t below = 0;
    for (size_t i = 0; i <= row->bucket_count; i++) {
        below += series->histogram->buckets[i];
        sample.bound = i < row->bucket_count ? &row->buckets[i] : &infinite;
        sample.value = (double)below;
        put_sample(out, &sample);
    }
    sample.bound = NULL;
    sample.suffix = STR("_sum");
    sample.value = series->value;
    put_sample(out, &sample);
    sample.suffix = STR("_count");
    sample.value = (double)series->histogram->count;
    put_sample(out, &sample);
}

/* OpenMetrics names a counter without "_total"; one that has no such ending cannot be a counter
 * there, and is of unknown type so that it keeps its name. */
static void put_header(struct sbuf *out, const struct metric *row, enum metrics_format format)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    struct str name = str_from(row->name);
    const char *kind = kinds[row->kind];
    if (format == METRICS_OPENMETRICS && row->kind == METRIC_COUNTER) {
        if (str_ends_with(name, STR("_total")))
            name.len -= STR("_total").len;
        else
            kind = "unknown";
    }
    sbuf_printf(out, "# HELP " STR_FMT " %s\n", STR_ARG(name), row->help);
    sbuf_printf(out, "# TYPE " STR_FMT " %s\n", STR_ARG(name), kind);
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(key_of(*(struct series *const *)a), key_of(*(struct series *const *)b));
}

static void put_family(struct sbuf *out, struct family *family, enum metrics_format format)
{
    if (family->live == 0)
        return;
    if (!family->is_sorted)
        vec_sort(&family->order, by_key);
    family->is_sorted = true;
    put_header(out, family->row, format);
    struct str name = str_from(family->row->name);
    for (size_t i = 0; i < family->order.len; i++) {
        const struct series *series = family->order.items[i];
        if (!is_live(family, series))
            continue;
        if (family->row->kind == METRIC_HISTOGRAM)
            put_histogram(out, family->row, series, format);
        else
            put_sample(out, &(struct sample){
                                .name = name, .labels = key_of(series), .value = series->value});
    }
}

void metrics_render(const struct metrics *const *sets, size_t count, enum metrics_format format,
                    struct sbuf *out)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sets[i]->count; j++)
            put_family(out, &sets[i]->families[j], format);
    }
    if (format == METRICS_OPENMETRICS)
        sbuf_puts(out, "# EOF\n");
}
