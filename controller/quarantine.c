#include "controller/quarantine.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "crd/addressconflict.h"

/* What is known of one object. */
struct sighting {
    struct str id;
    struct quarantine_entry entry;
};

struct quarantine {
    struct arena *arena;
    struct sighting *sightings; /* of all objects, sorted by id: also of those that are over */
    size_t sighting_count;
    struct quarantine_entry *entries; /* in force, sorted by address */
    size_t count;
};

static int compare_sighting(const void *a, const void *b)
{
    return str_cmp(((const struct sighting *)a)->id, ((const struct sighting *)b)->id);
}

static const struct sighting *find_sighting(const struct quarantine *q, struct str id)
{
    struct sighting key = {.id = id};
    if (!q || q->sighting_count == 0)
        return NULL;
    return bsearch(&key, q->sightings, q->sighting_count, sizeof(key), compare_sighting);
}

/* What was known of the object, if it says the same still. */
static const struct sighting *known(const struct quarantine *before, struct str id, int64_t seen)
{
    const struct sighting *found = find_sighting(before, id);
    return found && found->entry.seen == seen ? found : NULL;
}

static void add_sighting(struct quarantine *q, const struct quarantine *before,
                         const struct object *object, int64_t now)
{
    const struct addressconflict *conflict = (const struct addressconflict *)object;
    int64_t seen = conflict->spec.seen;
    const struct sighting *old = known(before, object->id, seen);
    q->sightings[q->sighting_count++] = (struct sighting){
        .id = arena_str(q->arena, object->id),
        .entry =
            {
                .ip = conflict->ip,
                .mac = conflict->mac,
                .node = arena_str(q->arena, conflict->spec.node),
                .interface = arena_str(q->arena, conflict->spec.interface),
                .seen = seen,
                .until = old ? old->entry.until
                             : (seen < now ? seen : now) + ADDRESSCONFLICT_QUARANTINE_S,
            },
    };
}

static int compare_ip(const void *a, const void *b)
{
    return ip_cmp(&((const struct quarantine_entry *)a)->ip,
                  &((const struct quarantine_entry *)b)->ip);
}

/* By address; of two the one that lasts longer comes first. */
static int compare_entry(const void *a, const void *b)
{
    const struct quarantine_entry *x = a, *y = b;
    int order = compare_ip(a, b);
    if (order)
        return order;
    return x->until == y->until ? 0 : x->until > y->until ? -1 : 1;
}

static void enforce(struct quarantine *q, int64_t now)
{
    q->entries = arena_array(q->arena, q->sighting_count, sizeof(*q->entries));
    size_t count = 0;
    for (size_t i = 0; i < q->sighting_count; i++) {
        if (q->sightings[i].entry.until > now)
            q->entries[count++] = q->sightings[i].entry;
    }
    if (count)
        qsort(q->entries, count, sizeof(*q->entries), compare_entry);
    for (size_t i = 0; i < count; i++) {
        if (q->count == 0 || !ip_eq(&q->entries[q->count - 1].ip, &q->entries[i].ip))
            q->entries[q->count++] = q->entries[i];
    }
}

struct quarantine *quarantine_new(const struct quarantine *before,
                                  const struct object *const *conflicts, size_t count, int64_t now)
{
    struct quarantine *q = heap_alloc(sizeof(*q));
    *q = (struct quarantine){.arena = arena_new(0)};
    q->sightings = arena_array(q->arena, count, sizeof(*q->sightings));
    for (size_t i = 0; i < count; i++) {
        if (!conflicts[i]->refused)
            add_sighting(q, before, conflicts[i], now);
    }
    if (q->sighting_count)
        qsort(q->sightings, q->sighting_count, sizeof(*q->sightings), compare_sighting);
    enforce(q, now);
    return q;
}

struct quarantine *quarantine_free(struct quarantine *quarantine)
{
    if (!quarantine)
        return NULL;
    (void)arena_free(quarantine->arena);
    free(quarantine);
    return NULL;
}

const struct quarantine_entry *quarantine_find(const struct quarantine *quarantine,
                                               const struct ip *ip)
{
    struct quarantine_entry key = {.ip = *ip};
    if (!quarantine || quarantine->count == 0)
        return NULL;
    return bsearch(&key, quarantine->entries, quarantine->count, sizeof(key), compare_ip);
}

const struct quarantine_entry *quarantine_list(const struct quarantine *quarantine,
                                               size_t *ret_count)
{
    *ret_count = quarantine ? quarantine->count : 0;
    return quarantine ? quarantine->entries : NULL;
}

bool quarantine_is_over(const struct quarantine *quarantine, struct str id, int64_t now)
{
    const struct sighting *found = find_sighting(quarantine, id);
    return found && found->entry.until <= now;
}

int64_t quarantine_next_end(const struct quarantine *quarantine)
{
    int64_t next = 0;
    for (size_t i = 0; quarantine && i < quarantine->count; i++) {
        if (next == 0 || quarantine->entries[i].until < next)
            next = quarantine->entries[i].until;
    }
    return next;
}

struct str quarantine_sentence(const struct quarantine_entry *entry, struct arena *arena)
{
    return arena_printf(arena,
                        "%s is answered for by %s, seen by node " STR_FMT " on interface " STR_FMT,
                        ip_format(&entry->ip).text, mac_format(&entry->mac).text,
                        STR_ARG(entry->node), STR_ARG(entry->interface));
}
