/* What the probing client asked and what it got: one record for each thing that it probes. */
#ifndef BENCH_PROBE_RECORD_H
#define BENCH_PROBE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "common/base/vec.h"
#include "common/json/patch.h"

enum { PROBE_NOBODY = 0 };

/* Names of who answered: an Ethernet address, or the first line of a page. Index 0 is nobody. */
struct probe_names {
    VEC(char *) items; /* heap */
};

/* The index of a name, which is added when it is new. */
uint32_t probe_names_find(struct probe_names *names, struct str name);
void probe_names_done(struct probe_names *names);

/* One question. Times are monotonic, in nanoseconds. */
struct probe_event {
    uint64_t asked_ns, answered_ns; /* answered_ns 0: no answer */
    uint32_t who;
};

/* Something said unasked: a gratuitous ARP packet or an unsolicited neighbour advertisement, or a
 * connection that broke. */
struct probe_notice {
    uint64_t at_ns;
    uint32_t who;
    const char *what; /* constant */
};

struct probe_record {
    const char *target; /* as on the command line, borrowed */
    VEC(struct probe_event) events;
    VEC(struct probe_notice) notices;
};

/* Adds a question; returns its index, for probe_record_answer. */
size_t probe_record_ask(struct probe_record *record, uint64_t now_ns);
/* A second answer to one question is kept as well: two may claim one address. */
void probe_record_answer(struct probe_record *record, size_t index, uint32_t who, uint64_t now_ns);
void probe_record_note(struct probe_record *record, const char *what, uint32_t who,
                       uint64_t now_ns);
void probe_record_done(struct probe_record *record);

/* How a record is judged. */
struct probe_rules {
    uint64_t interval_ns;
    uint64_t deadline_ns; /* questions younger than that at the end are left out */
    uint64_t end_ns;
};

/* Writes the record as one JSON object: counts; "gaps", each from one answered question to the next
 * with at least one unanswered question between; "runs", who answered from when to when without a
 * break; "latency_ms" at percentiles; "notices". Sorts the events by answer. */
void probe_record_report(struct probe_record *record, const struct probe_names *names,
                         const struct probe_rules *rules, struct patch *out);

#endif
