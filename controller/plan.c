/* How Services get their addresses.
 *
 * The plan holds an allocator and one entry per Service: the last version offered, and the record
 * that was decided for it. plan_run looks at what changed in two passes, so that nobody new takes
 * what somebody has:
 *
 *   0. make room: who shows an address that is only planned for another gets it back.
 *   1. hold: whoever has addresses (in its status, or by a decision that is still being written)
 *      keeps them if the rules allow. Otherwise they are given up, with a note.
 *   2. seek: whoever has none gets some. When anything was given up, all who wait try again.
 *
 * A record carries the sentence for the condition and the notes that become Events once the change
 * has been written; a decision that changes nothing on the object tells nobody. */
#include "controller/plan.h"

#include <string.h>

#include "common/base/map.h"
#include "common/base/vec.h"
#include "controller/decide.h"
#include "controller/notes.h"
#include "crd/service.h"

/* Most records hold a sentence and the name of a pool. */
enum { TEXTS_SIZE = 64 };

struct entry {
    struct plan_record record;
    struct arena *texts; /* of the record */
    bool offered;        /* to be decided by the next run */
    bool written_ahead;  /* the record is newer than the object */
    bool changed;        /* decided since plan_changes was last asked */
    char key[];
};

struct plan {
    struct arena *arena; /* of the options' texts */
    struct plan_options options;
    struct alloc *alloc;
    struct quarantine *quarantine; /* NULL: none was set yet */
    struct map entries;
    VEC(struct entry *) offered;
    VEC(struct entry *) changed;
    bool freed; /* something was given up since those who wait last tried */
};

/* One decision under way. */
struct turn {
    struct entry *entry;
    struct plan_record before; /* what the record said, once it has been emptied */
    struct decision d;
};

typedef VEC(struct turn) turn_list;

struct plan *plan_new(const struct plan_options *options)
{
    struct plan *plan = heap_alloc(sizeof(*plan));
    plan->arena = arena_new(0);
    plan->options = *options;
    plan->options.lb_class = arena_str(plan->arena, options->lb_class);
    plan->alloc = alloc_new(options->seed);
    plan->entries.seed = options->seed;
    return plan;
}

static void entry_free(struct entry *entry)
{
    (void)object_unref((struct object *)entry->record.object);
    (void)arena_free(entry->texts);
    free(entry);
}

struct plan *plan_free(struct plan *plan)
{
    if (!plan)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&plan->entries, &cursor));)
        entry_free(slot->value);
    map_done(&plan->entries);
    vec_done(&plan->offered);
    vec_done(&plan->changed);
    (void)alloc_free(plan->alloc);
    (void)quarantine_free(plan->quarantine);
    (void)arena_free(plan->arena);
    free(plan);
    return NULL;
}

static struct entry *entry_new(struct plan *plan, struct str key)
{
    struct entry *entry = heap_alloc(sizeof(*entry) + key.len + 1);
    memcpy(entry->key, key.ptr, key.len);
    entry->record.key = (struct str){.ptr = entry->key, .len = key.len};
    entry->texts = arena_new_steady(TEXTS_SIZE, TEXTS_SIZE);
    (void)map_put(&plan->entries, entry->record.key, entry);
    return entry;
}

static void mark_changed(struct plan *plan, struct entry *entry)
{
    if (entry->changed)
        return;
    entry->changed = true;
    vec_push(&plan->changed, entry);
}

static void offer(struct plan *plan, struct entry *entry)
{
    if (entry->offered)
        return;
    entry->offered = true;
    vec_push(&plan->offered, entry);
}

void plan_offer(struct plan *plan, const struct object *service, bool written_ahead)
{
    struct entry *entry = map_get(&plan->entries, service->key);
    if (!entry)
        entry = entry_new(plan, service->key);
    struct object *before = (struct object *)entry->record.object;
    entry->record.object = object_ref(service);
    (void)object_unref(before);
    entry->written_ahead = written_ahead;
    offer(plan, entry);
}

void plan_drop(struct plan *plan, struct str key)
{
    struct entry *entry = map_get(&plan->entries, key);
    if (!entry)
        return;
    plan->freed |= alloc_release(plan->alloc, entry->record.key);
    for (size_t i = 0; entry->offered && i < plan->offered.len; i++) {
        if (plan->offered.items[i] == entry)
            vec_drop(&plan->offered, i);
    }
    for (size_t i = 0; entry->changed && i < plan->changed.len; i++) {
        if (plan->changed.items[i] == entry)
            vec_drop(&plan->changed, i);
    }
    (void)map_remove(&plan->entries, key);
    entry_free(entry);
}

void plan_set_pools(struct plan *plan, struct pool_set *set)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str_list lost; /* each loses its claim when it is looked at again, with a note */
    alloc_set_pools(plan->alloc, set, scratch, &lost);
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&plan->entries, &cursor));)
        offer(plan, slot->value);
}

/* --- quarantine ------------------------------------------------------------------------------ */

/* Does the Service hold, ask for or show the address? */
static bool concerns(const struct plan *plan, const struct entry *entry, const struct ip *ip)
{
    const struct service *service = (const struct service *)entry->record.object;
    struct ip held[ALLOC_IPS];
    size_t count = alloc_get(plan->alloc, entry->record.key, held, NULL);
    bool found = service_shows(service, ip);
    for (size_t i = 0; i < count; i++)
        found |= ip_eq(&held[i], ip);
    for (size_t i = 0; i < service->request->count; i++)
        found |= ip_eq(&service->request->ips[i], ip);
    return found;
}

/* What one address's quarantine was and is; either may be NULL. */
static void compare_quarantine(struct plan *plan, const struct quarantine_entry *before,
                               const struct quarantine_entry *now)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    const struct ip *ip = before ? &before->ip : &now->ip;
    if (before && now && before->doubted == now->doubted &&
        str_eq(quarantine_sentence(before, scratch), quarantine_sentence(now, scratch)))
        return;
    alloc_quarantine(plan->alloc, ip, now != NULL);
    plan->freed |= !now;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&plan->entries, &cursor));) {
        if (concerns(plan, slot->value, ip))
            offer(plan, slot->value);
    }
}

void plan_set_quarantine(struct plan *plan, struct quarantine *quarantine)
{
    struct quarantine *old = plan->quarantine;
    size_t old_count, count;
    const struct quarantine_entry *before = quarantine_list(old, &old_count);
    const struct quarantine_entry *now = quarantine_list(quarantine, &count);
    plan->quarantine = quarantine;
    for (size_t i = 0; i < old_count; i++)
        compare_quarantine(plan, &before[i], quarantine_find(quarantine, &before[i].ip));
    for (size_t i = 0; i < count; i++) {
        if (!quarantine_find(old, &now[i].ip))
            compare_quarantine(plan, NULL, &now[i]);
    }
    (void)quarantine_free(old);
}

const struct quarantine *plan_quarantine(const struct plan *plan)
{
    return plan->quarantine;
}

/* --- running --------------------------------------------------------------------------------- */

static int compare_age(const void *a, const void *b)
{
    const struct object *x = ((const struct turn *)a)->entry->record.object;
    const struct object *y = ((const struct turn *)b)->entry->record.object;
    if (x->meta->created != y->meta->created)
        return x->meta->created < y->meta->created ? -1 : 1;
    return str_cmp(x->key, y->key);
}

static int rank(const struct turn *turn)
{
    const struct alloc_request *request = &turn->d.want.request;
    if (request->ip_count)
        return 0;
    return request->pool.len ? 1 : 2;
}

static int compare_seekers(const void *a, const void *b)
{
    int order = rank(a) - rank(b);
    return order ? order : compare_age(a, b);
}

static struct turn begin(struct plan *plan, struct entry *entry, struct arena *scratch)
{
    const struct service *service = (const struct service *)entry->record.object;
    return (struct turn){
        .entry = entry,
        .d = {.alloc = plan->alloc,
              .record = &entry->record,
              .texts = entry->texts,
              .scratch = scratch,
              .want = want_read(service, plan->options.lb_class, scratch),
              .quarantine = plan->quarantine,
              .written_ahead = entry->written_ahead},
    };
}

/* Empties a record for a new decision and returns what it said, texts in scratch. */
static struct plan_record empty_record(struct turn *turn)
{
    struct plan_record *record = &turn->entry->record;
    struct plan_record before = *record;
    before.notes = arena_array(turn->d.scratch, before.note_count, sizeof(*before.notes));
    for (size_t i = 0; i < before.note_count; i++) {
        before.notes[i] = record->notes[i];
        before.notes[i].message = arena_str(turn->d.scratch, record->notes[i].message);
    }
    arena_reset(turn->entry->texts);
    *record = (struct plan_record){.key = record->key, .object = record->object};
    return before;
}

static bool same_outcome(const struct plan_record *a, const struct plan_record *b)
{
    if (a->reason != b->reason || a->ip_count != b->ip_count)
        return false;
    for (size_t i = 0; i < a->ip_count; i++) {
        if (!ip_eq(&a->ips[i], &b->ips[i]))
            return false;
    }
    return true;
}

/* Ends a decision. When it came out as before, notes that were not told yet are kept: the version
 * that shows our write may arrive before the answer to it, after which they are told. */
static void finish(struct plan *plan, struct turn *turn, const struct plan_record *before)
{
    plan->freed |= turn->d.freed;
    mark_changed(plan, turn->entry);
    if (before->note_count && same_outcome(before, &turn->entry->record))
        notes_keep(&turn->entry->record, turn->entry->texts, before);
}

/* An object that cannot be read is not planned for: what was decided for its last good version
 * stays. Without one there is only the finding to show. */
static void refuse(struct entry *entry)
{
    struct plan_record *record = &entry->record;
    const struct diag *first =
        diag_first_error(&record->object->source->findings, object_id(record->object));
    if (record->reason && !record->foreign)
        return;
    record->foreign = true;
    record->reason = "InvalidObject";
    record->message = arena_str(entry->texts, first ? first->message : STR("it cannot be read"));
}

static void begin_holders(struct plan *plan, struct arena *scratch, turn_list *holders)
{
    for (size_t i = 0; i < plan->offered.len; i++) {
        struct entry *entry = plan->offered.items[i];
        if (entry->record.object->refused)
            refuse(entry);
        else
            vec_push(holders, begin(plan, entry, scratch));
    }
}

/* Is the address the Service's by more than the plan: does it show it, or will it by a write that
 * has begun? What an object that cannot be read shows is not known. */
static bool is_firm(const struct plan *plan, const struct entry *entry, const struct ip *ip)
{
    const struct object *object = entry->record.object;
    return object->refused || service_shows((const struct service *)object, ip) ||
           (plan->options.writes && plan->options.writes(plan->options.ctx, entry->record.key, ip));
}

/* May all of these give way to a Service, for the addresses that it shows? */
static bool may_give_way(const struct plan *plan, const struct str_list *keys,
                         const struct turn *turn)
{
    const struct service *service = (const struct service *)turn->entry->record.object;
    const struct service_ingress *ingress = service->status.ingress.items;
    for (size_t i = 0; i < keys->count; i++) {
        const struct entry *entry = map_get(&plan->entries, keys->items[i]);
        for (size_t j = 0; j < service->status.ingress.count; j++) {
            if (ip_is_set(&ingress[j].address) && is_firm(plan, entry, &ingress[j].address))
                return false;
        }
    }
    return keys->count > 0;
}

/* Those who give way are decided for anew in this run, after who they gave way to. */
static void make_room(struct plan *plan, struct arena *scratch, turn_list *holders)
{
    size_t count = holders->len;
    for (size_t i = 0; i < count; i++) {
        struct str_list keys = decide_blockers(&holders->items[i].d);
        if (!may_give_way(plan, &keys, &holders->items[i]))
            continue;
        for (size_t j = 0; j < keys.count; j++) {
            struct entry *entry = map_get(&plan->entries, keys.items[j]);
            struct turn turn = begin(plan, entry, scratch);
            decide_give_way(&turn.d);
            plan->freed |= turn.d.freed;
            if (!entry->offered)
                vec_push(holders, turn);
            entry->offered = true;
        }
    }
    vec_sort(holders, compare_age);
}

static void end_offers(struct plan *plan, turn_list *holders)
{
    for (size_t i = 0; i < plan->offered.len; i++)
        plan->offered.items[i]->offered = false;
    for (size_t i = 0; i < holders->len; i++)
        holders->items[i].entry->offered = false;
    vec_clear(&plan->offered);
}

/* First everyone claims what he has; only then is anything added to it. */
static void run_holders(struct plan *plan, struct arena *scratch, turn_list *seekers)
{
    turn_list holders = {0};
    begin_holders(plan, scratch, &holders);
    make_room(plan, scratch, &holders);
    end_offers(plan, &holders);
    enum decide_step *next = arena_array(scratch, holders.len, sizeof(*next));
    for (size_t i = 0; i < holders.len; i++) {
        struct turn *turn = &holders.items[i];
        turn->before = empty_record(turn);
        next[i] = decide_hold(&turn->d);
        plan->freed |= turn->d.freed;
    }
    for (size_t i = 0; i < holders.len; i++) {
        struct turn *turn = &holders.items[i];
        bool seeks = next[i] == DECIDE_SEEK;
        if (next[i] == DECIDE_COMPLETE)
            seeks = decide_complete(&turn->d) == DECIDE_SEEK;
        plan->freed |= turn->d.freed;
        if (seeks)
            vec_push(seekers, *turn);
        else
            finish(plan, turn, &turn->before);
    }
    vec_done(&holders);
}

/* All who wait try again, in one pass with those who are new. */
static void add_waiting(struct plan *plan, struct arena *scratch, turn_list *seekers)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&plan->entries, &cursor));) {
        struct entry *entry = slot->value;
        if (entry->record.waiting && !entry->record.object->refused)
            vec_push(seekers, begin(plan, entry, scratch));
    }
}

static void run_seekers(struct plan *plan, turn_list *seekers)
{
    vec_sort(seekers, compare_seekers);
    for (size_t i = 0; i < seekers->len; i++) {
        struct turn *turn = &seekers->items[i];
        bool waited = turn->entry->record.waiting;
        if (waited) { /* the others' records were emptied by the first pass */
            turn->before = empty_record(turn);
            decide_note_deprecated(&turn->d);
        }
        decide_seek(&turn->d);
        if (waited && turn->entry->record.reason == turn->before.reason)
            turn->entry->record.note_count = 0; /* this refusal was told before */
        finish(plan, turn, &turn->before);
    }
}

void plan_run(struct plan *plan)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(16 * 1024);
    turn_list seekers = {0};
    run_holders(plan, scratch, &seekers);
    if (plan->freed)
        add_waiting(plan, scratch, &seekers);
    plan->freed = false;
    run_seekers(plan, &seekers);
    vec_done(&seekers);
}

/* --- reading --------------------------------------------------------------------------------- */

struct str_list plan_changes(struct plan *plan, struct arena *arena)
{
    struct str_list keys = {.items = arena_array(arena, plan->changed.len, sizeof(struct str))};
    for (size_t i = 0; i < plan->changed.len; i++) {
        struct entry *entry = plan->changed.items[i];
        entry->changed = false;
        keys.items[keys.count++] = arena_str(arena, entry->record.key);
    }
    vec_clear(&plan->changed);
    if (keys.count)
        qsort(keys.items, keys.count, sizeof(struct str), str_cmp_ptr);
    return keys;
}

bool plan_is_due(const struct plan *plan, struct str key)
{
    const struct entry *entry = map_get(&plan->entries, key);
    return entry && entry->offered;
}

const struct plan_record *plan_get(const struct plan *plan, struct str key)
{
    const struct entry *entry = map_get(&plan->entries, key);
    return entry ? &entry->record : NULL;
}

const struct plan_record **plan_list(const struct plan *plan, struct arena *arena,
                                     size_t *ret_count)
{
    struct map_entry *sorted = map_sorted(&plan->entries, arena, ret_count);
    const struct plan_record **records = arena_array(arena, *ret_count, sizeof(*records));
    for (size_t i = 0; i < *ret_count; i++)
        records[i] = &((const struct entry *)sorted[i].value)->record;
    return records;
}

const struct plan_record *plan_next(const struct plan *plan, size_t *cursor)
{
    const struct map_entry *slot = map_next(&plan->entries, cursor);
    return slot ? &((const struct entry *)slot->value)->record : NULL;
}

void plan_forget_notes(struct plan *plan, struct str key)
{
    struct entry *entry = map_get(&plan->entries, key);
    if (!entry || !entry->record.notes)
        return;
    /* The sentence and the pool move to a small arena; the notes go with the old one. */
    struct plan_record *record = &entry->record;
    struct arena *texts = arena_new_steady(TEXTS_SIZE, TEXTS_SIZE);
    record->message = arena_str(texts, record->message);
    record->pool = arena_str(texts, record->pool);
    record->conflict = arena_str(texts, record->conflict);
    record->notes = NULL;
    record->note_count = 0;
    (void)arena_free(entry->texts);
    entry->texts = texts;
}

const struct alloc *plan_alloc(const struct plan *plan)
{
    return plan->alloc;
}
