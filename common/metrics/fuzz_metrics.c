/* Outside bytes that reach metrics: the Accept header and label values. */
#include <assert.h>
#include <stdint.h>

#include "common/base/utf8.h"
#include "common/metrics/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct metric rows[] = {
        {"stentor_fuzz", "Fuzzed labels.", METRIC_GAUGE, .labels = {"a", "b"}}};
    struct str text = {.ptr = (const char *)data, .len = size};
    struct str head, tail;
    enum metrics_format format = metrics_negotiate(text);
    (void)str_cut(text, ',', &head, &tail);
    scoped_ptr(metrics) struct metrics *metrics = metrics_new(rows, 1);
    metric_set(metrics, 0, 1, LABELS(head, tail));
    scoped_sbuf struct sbuf out = {0};
    const struct metrics *set = metrics;
    metrics_render(&set, 1, format, &out);
    assert(utf8_valid(sbuf_str(&out)));
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++)
        lines += out.ptr[i] == '\n';
    assert(lines == (format == METRICS_OPENMETRICS ? 4 : 3)); /* no label breaks a line */
    return 0;
}
