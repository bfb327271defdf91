#include "bench/probe_record.h"

#include <string.h>

#include "common/base/arena.h"

/* Answers of one answerer that are farther apart than this many intervals are two runs. */
enum { RUN_BREAK = 10 };

uint32_t probe_names_find(struct probe_names *names, struct str name)
{
    if (names->items.len == 0)
        vec_push(&names->items, NULL);
    for (uint32_t i = 1; i < names->items.len; i++) {
        if (str_eq(str_from(names->items.items[i]), name))
            return i;
    }
    char *copy = heap_resize(NULL, name.len + 1);
    if (name.len)
        memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    vec_push(&names->items, copy);
    return (uint32_t)names->items.len - 1;
}

void probe_names_done(struct probe_names *names)
{
    for (size_t i = 0; i < names->items.len; i++)
        free(names->items.items[i]);
    vec_done(&names->items);
}

size_t probe_record_ask(struct probe_record *record, uint64_t now_ns)
{
    struct probe_event event = {.asked_ns = now_ns};
    vec_push(&record->events, event);
    return record->events.len - 1;
}

void probe_record_answer(struct probe_record *record, size_t index, uint32_t who, uint64_t now_ns)
{
    struct probe_event answered = record->events.items[index];
    bool again = answered.answered_ns != 0;
    answered.answered_ns = now_ns;
    answered.who = who;
    if (again)
        vec_push(&record->events, answered);
    else
        record->events.items[index] = answered;
}

void probe_record_note(struct probe_record *record, const char *what, uint32_t who, uint64_t now_ns)
{
    struct probe_notice notice = {.at_ns = now_ns, .who = who, .what = what};
    vec_push(&record->notices, notice);
}

void probe_record_done(struct probe_record *record)
{
    vec_done(&record->events);
    vec_done(&record->notices);
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_asked(const void *a, const void *b)
{
    const struct probe_event *one = a, *other = b;
    int order = compare(one->asked_ns, other->asked_ns);
    return order ? order : compare(one->answered_ns, other->answered_ns);
}

static int by_answered(const void *a, const void *b)
{
    const struct probe_event *one = a, *other = b;
    int order = compare(one->who, other->who);
    return order ? order : compare(one->answered_ns, other->answered_ns);
}

static int by_number(const void *a, const void *b)
{
    return compare(*(const uint64_t *)a, *(const uint64_t *)b);
}

static void put_number(struct patch *out, const char *key, uint64_t ns, double unit)
{
    scoped_sbuf struct sbuf text = {0};
    sbuf_printf(&text, "%.6f", (double)ns / unit);
    patch_raw(out, key, sbuf_str(&text));
}

static void put_seconds(struct patch *out, const char *key, uint64_t ns)
{
    put_number(out, key, ns, 1e9);
}

static void put_ms(struct patch *out, const char *key, uint64_t ns)
{
    put_number(out, key, ns, 1e6);
}

/* Leaves out what was asked too late to be judged. Second answers follow the first one. */
static void forget_undecided(struct probe_record *record, const struct probe_rules *rules)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->events.len; i++) {
        struct probe_event *event = &record->events.items[i];
        if (event->answered_ns || event->asked_ns + rules->deadline_ns <= rules->end_ns)
            record->events.items[kept++] = *event;
    }
    record->events.len = kept;
}

static void put_gaps(struct probe_record *record, struct patch *out)
{
    uint64_t asked = 0, lost = 0, lost_here = 0, longest = 0;
    const struct probe_event *last = NULL;
    vec_sort(&record->events, by_asked);
    patch_list(out, "gaps");
    for (size_t i = 0; i < record->events.len; i++) {
        const struct probe_event *event = &record->events.items[i];
        bool again = i > 0 && record->events.items[i - 1].asked_ns == event->asked_ns;
        asked += !again;
        lost += event->answered_ns == 0;
        lost_here += event->answered_ns == 0;
        if (event->answered_ns == 0)
            continue;
        if (last && lost_here) {
            uint64_t length = event->asked_ns - last->asked_ns;
            longest = length > longest ? length : longest;
            patch_open(out, NULL);
            put_seconds(out, "from", last->asked_ns);
            put_ms(out, "ms", length);
            patch_int(out, "lost", (int64_t)lost_here);
            patch_close(out);
        }
        last = event;
        lost_here = 0;
    }
    patch_close(out);
    patch_int(out, "asked", (int64_t)asked);
    patch_int(out, "lost", (int64_t)lost);
    patch_int(out, "lost_at_end", (int64_t)lost_here);
    put_ms(out, "longest_gap_ms", longest);
}

static void put_run(struct patch *out, const struct probe_names *names,
                    const struct probe_event *first, const struct probe_event *last)
{
    patch_open(out, NULL);
    patch_str(out, "who", str_from(names->items.items[first->who]));
    put_seconds(out, "from", first->answered_ns);
    put_seconds(out, "to", last->answered_ns);
    patch_int(out, "answers", last - first + 1);
    patch_close(out);
}

static void put_runs(struct probe_record *record, const struct probe_names *names,
                     const struct probe_rules *rules, struct patch *out)
{
    const struct probe_event *events = record->events.items;
    size_t start = 0, count = record->events.len;
    vec_sort(&record->events, by_answered);
    while (start < count && events[start].who == PROBE_NOBODY)
        start++;
    patch_list(out, "runs");
    for (size_t i = start; i < count; i++) {
        bool ends =
            i + 1 == count || events[i + 1].who != events[i].who ||
            events[i + 1].answered_ns - events[i].answered_ns > RUN_BREAK * rules->interval_ns;
        if (!ends)
            continue;
        put_run(out, names, &events[start], &events[i]);
        start = i + 1;
    }
    patch_close(out);
}

static void put_latency(const struct probe_record *record, struct patch *out)
{
    static const struct {
        const char *key;
        unsigned per_mille;
    } points[] = {{"p50", 500}, {"p99", 990}, {"max", 1000}};
    VEC(uint64_t) times = {0};
    for (size_t i = 0; i < record->events.len; i++) {
        const struct probe_event *event = &record->events.items[i];
        if (event->answered_ns)
            vec_push(&times, event->answered_ns - event->asked_ns);
    }
    vec_sort(&times, by_number);
    patch_open(out, "latency_ms");
    for (size_t i = 0; times.len && i < sizeof(points) / sizeof(points[0]); i++)
        put_ms(out, points[i].key, times.items[(times.len - 1) * points[i].per_mille / 1000]);
    patch_close(out);
    vec_done(&times);
}

static void put_notices(const struct probe_record *record, const struct probe_names *names,
                        struct patch *out)
{
    patch_list(out, "notices");
    for (size_t i = 0; i < record->notices.len; i++) {
        const struct probe_notice *notice = &record->notices.items[i];
        patch_open(out, NULL);
        put_seconds(out, "at", notice->at_ns);
        patch_str(out, "what", str_from(notice->what));
        patch_str(out, "who", str_from(notice->who ? names->items.items[notice->who] : ""));
        patch_close(out);
    }
    patch_close(out);
}

void probe_record_report(struct probe_record *record, const struct probe_names *names,
                         const struct probe_rules *rules, struct patch *out)
{
    patch_open(out, NULL);
    patch_str(out, "target", str_from(record->target));
    forget_undecided(record, rules);
    put_gaps(record, out);
    put_runs(record, names, rules, out);
    put_latency(record, out);
    put_notices(record, names, out);
    patch_close(out);
}
