#include "speaker/carry_force.h"

#include <errno.h>
#include <stdlib.h>

#include "speaker/carry_batch.h"
#include "speaker/carry_kernel.h"

enum {
    FAMILIES = 2,
    READS_MAX = 5,   /* attempts to read what an earlier process has left */
    CLOSE_MS = 2000, /* so near to its end, an element is there or not */
};

static const enum ip_family families[FAMILIES] = {IP_V4, IP_V6};

/* Of one family. */
struct part {
    enum ip_family family;
    int refusal;
    uint64_t packets, bytes; /* of the rule in force: added to the totals already */
};

struct carry_force {
    struct part parts[FAMILIES];
    uint64_t packets, bytes;
    struct arena *arena; /* of what follows; NULL: what is in force is not known */
    struct carry *items;
    size_t count;
};

struct carry_force *carry_force_open(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry_force *force = heap_alloc(sizeof(*force));
    *force = (struct carry_force){0};
    for (size_t i = 0; i < FAMILIES; i++)
        force->parts[i] = (struct part){
            .family = families[i], .refusal = carry_kernel_put(carry_trial(families[i], arena))};
    return force;
}

static void forget(struct carry_force *force)
{
    force->arena = arena_free(force->arena);
    force->items = NULL;
    force->count = 0;
}

struct carry_force *carry_force_close(struct carry_force *force)
{
    if (force)
        forget(force);
    free(force);
    return NULL;
}

int carry_force_refusal(const struct carry_force *force, enum ip_family family)
{
    return force->parts[family == IP_V4 ? 0 : 1].refusal;
}

/* --- counting -------------------------------------------------------------------------------- */

/* Adds what the rule has sent on since it was asked last. */
static void count(struct carry_force *force, struct part *part, const struct carry_answer *answer)
{
    if (!answer->has_rule)
        return;
    bool fresh = answer->packets < part->packets; /* somebody has set it back */
    force->packets += answer->packets - (fresh ? 0 : part->packets);
    force->bytes += answer->bytes - (fresh ? 0 : part->bytes);
    part->packets = answer->packets;
    part->bytes = answer->bytes;
}

static void count_part(struct carry_force *force, struct part *part)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    if (part->refusal)
        return;
    struct carry_answer answer = carry_kernel_ask(CARRY_RULES, part->family, 0, arena);
    count(force, part, &answer);
    carry_answer_done(&answer);
}

void carry_force_count(struct carry_force *force, uint64_t *ret_packets, uint64_t *ret_bytes)
{
    for (size_t i = 0; i < FAMILIES; i++)
        count_part(force, &force->parts[i]);
    *ret_packets = force->packets;
    *ret_bytes = force->bytes;
}

/* --- putting --------------------------------------------------------------------------------- */

/* Those of a family that last longer than that. */
static size_t count_lasting(const struct carry *list, size_t total, enum ip_family family,
                            uint64_t from_ms)
{
    size_t lasting = 0;
    for (size_t i = 0; i < total; i++)
        lasting += list[i].ip.family == family && list[i].until_ms > from_ms;
    return lasting;
}

static int put_whole(struct carry_force *force, struct part *part, const struct carry *list,
                     size_t total, uint64_t now)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    count_part(force, part); /* it is another rule afterwards */
    int result = carry_kernel_put(carry_batch(part->family, list, total, now, arena));
    if (result == 0)
        part->packets = part->bytes = 0;
    return result;
}

/* By the differences, which does not cost more with each address that is carried already; as a
 * whole when the kernel has something else in force than it should. */
static int put_part(struct carry_force *force, struct part *part, const struct carry *list,
                    size_t total, uint64_t now)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t wanted = count_lasting(list, total, part->family, now);
    if (force->arena && !wanted && !count_lasting(force->items, force->count, part->family, 0))
        return 0;
    if (force->arena && wanted && count_lasting(force->items, force->count, part->family, now)) {
        struct str change =
            carry_change(part->family, force->items, force->count, list, total, now, arena);
        if (!change.len || carry_kernel_put(change) == 0)
            return 0;
    }
    return put_whole(force, part, list, total, now);
}

static void note(struct carry_force *force, const struct carry *list, size_t total)
{
    forget(force);
    force->arena = arena_new(0);
    force->items = arena_array(force->arena, total, sizeof(*list));
    force->count = total;
    for (size_t i = 0; i < total; i++) {
        force->items[i] = list[i];
        force->items[i].node = arena_str(force->arena, list[i].node);
    }
}

int carry_force_put(struct carry_force *force, const struct carry *list, size_t total,
                    uint64_t now_ms)
{
    int result = 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        struct part *part = &force->parts[i];
        int outcome = part->refusal ? 0 : put_part(force, part, list, total, now_ms);
        result = result < 0 ? result : outcome;
    }
    if (result == 0)
        note(force, list, total);
    else
        forget(force);
    return result;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Not asked in vain, and not while the rules were changing. */
static bool is_known(const struct carry_answer *answer)
{
    return !answer->torn && (answer->error == 0 || answer->error == -ENOENT);
}

/* What is not told now is gone for good: others who change rules just then are waited out. */
static struct carry_answer ask_elements(enum ip_family family, uint64_t now_ms, struct arena *arena)
{
    struct carry_answer answer = carry_kernel_ask(CARRY_ELEMENTS, family, now_ms, arena);
    for (int i = 1; i < READS_MAX && !is_known(&answer); i++) {
        carry_answer_done(&answer);
        answer = carry_kernel_ask(CARRY_ELEMENTS, family, now_ms, arena);
    }
    return answer;
}

struct carry *carry_force_read(const struct carry_force *force, uint64_t now_ms,
                               struct arena *arena, size_t *ret_count)
{
    struct carry *list = arena_array(arena, CARRY_MAX, sizeof(*list));
    *ret_count = 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (force->parts[i].refusal)
            continue;
        struct carry_answer answer = ask_elements(families[i], now_ms, arena);
        for (size_t j = 0; j < answer.items.len && *ret_count < CARRY_MAX; j++) {
            if (answer.items.items[j].node.len) /* else it is not known what it depends on */
                list[(*ret_count)++] = answer.items.items[j];
        }
        carry_answer_done(&answer);
    }
    return list;
}

static int compare(const void *a, const void *b)
{
    return ip_cmp(&((const struct carry *)a)->ip, &((const struct carry *)b)->ip);
}

/* The next one of the family, or NULL. */
static const struct carry *next_of(const struct carry *list, size_t total, size_t *at,
                                   enum ip_family family)
{
    while (*at < total) {
        const struct carry *one = &list[(*at)++];
        if (one->ip.family == family)
            return one;
    }
    return NULL;
}

/* One that is over by then may be missing on either side: their clocks are not the same. */
static bool agree(enum ip_family family, const struct carry *list, size_t total,
                  struct carry_answer *told, uint64_t over_ms)
{
    size_t at = 0, told_at = 0;
    if (told->items.len)
        qsort(told->items.items, told->items.len, sizeof(*told->items.items), compare);
    const struct carry *wanted = next_of(list, total, &at, family);
    const struct carry *found = next_of(told->items.items, told->items.len, &told_at, family);
    while (wanted || found) {
        int order = !found ? -1 : !wanted ? 1 : ip_cmp(&wanted->ip, &found->ip);
        bool match = order == 0 && ip_eq(&wanted->to, &found->to);
        if (!match && ((order <= 0 && wanted->until_ms > over_ms) ||
                       (order >= 0 && found->until_ms > over_ms)))
            return false;
        if (order <= 0)
            wanted = next_of(list, total, &at, family);
        if (order >= 0)
            found = next_of(told->items.items, told->items.len, &told_at, family);
    }
    return true;
}

static bool part_agrees(struct carry_force *force, struct part *part, const struct carry *list,
                        size_t total, uint64_t now, bool *ret_torn)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry_answer rules = carry_kernel_ask(CARRY_RULES, part->family, 0, arena);
    struct carry_answer elements = carry_kernel_ask(CARRY_ELEMENTS, part->family, now, arena);
    bool agrees = agree(part->family, list, total, &elements, now + CLOSE_MS) &&
                  (rules.has_rule || elements.items.len == 0);
    *ret_torn = *ret_torn || !is_known(&rules) || !is_known(&elements);
    count(force, part, &rules);
    carry_answer_done(&rules);
    carry_answer_done(&elements);
    return agrees;
}

bool carry_force_agrees(struct carry_force *force, const struct carry *list, size_t total,
                        uint64_t now_ms, bool *ret_torn)
{
    bool agrees = true;
    *ret_torn = false;
    for (size_t i = 0; i < FAMILIES; i++) {
        struct part *part = &force->parts[i];
        agrees =
            (part->refusal || part_agrees(force, part, list, total, now_ms, ret_torn)) && agrees;
    }
    if (!agrees && !*ret_torn)
        forget(force);
    return agrees;
}
