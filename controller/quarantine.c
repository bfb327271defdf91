#include "controller/quarantine.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "crd/addressconflict.h"

enum judgement {
    DOUBTED, /* the members are not known yet */
    COUNTS,
    REJECTED,
};

/* What is known of one object. */
struct sighting {
    struct str id;
    struct quarantine_entry entry;
    enum judgement judgement;
};

struct quarantine {
    struct arena *arena;
    struct sighting *sightings; /* of all objects, sorted by id: also of those that are over */
    size_t sighting_count;
    struct quarantine_entry *entries; /* in force, sorted by address */
    size_t count;
    size_t rejected; /* sightings that are not over */
    int64_t next_end;
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

static bool is_live_speaker(const struct gossip_member *member)
{
    return member->meta.role == GOSSIP_SPEAKER && gossip_is_alive(member->state);
}

/* Has any member, dead or alive, an interface with that address? */
static bool is_members(const struct quarantine_members *members, const struct mac *mac)
{
    for (size_t i = 0; i < members->count; i++) {
        const struct member_meta *meta = &members->items[i].meta;
        for (size_t j = 0; j < meta->count; j++) {
            if (mac_eq(&meta->interfaces[j].mac, mac))
                return true;
        }
    }
    return false;
}

/* old: what the same object said before, or NULL. Who dies has not said wrong things while he
 * lived: what was judged is judged. */
static enum judgement judge(const struct quarantine_members *members,
                            const struct addressconflict *conflict, const struct sighting *old)
{
    if (!members)
        return COUNTS;
    if (old && old->entry.seen == conflict->spec.seen && old->judgement != DOUBTED)
        return old->judgement;
    if (!members->settled)
        return DOUBTED;
    const struct gossip_member *member =
        gossip_find(members->items, members->count, conflict->spec.node);
    return member && is_live_speaker(member) ? COUNTS : REJECTED;
}

static struct quarantine_entry read_entry(const struct addressconflict *conflict,
                                          const struct sighting *old, int64_t now)
{
    int64_t seen = conflict->spec.seen;
    bool same = old && old->entry.seen == seen;
    return (struct quarantine_entry){
        .ip = conflict->ip,
        .mac = conflict->mac,
        .node = conflict->spec.node,
        .interface = conflict->spec.interface,
        .seen = seen,
        .until = same ? old->entry.until : (seen < now ? seen : now) + ADDRESSCONFLICT_QUARANTINE_S,
    };
}

static void add_sighting(struct quarantine *q, const struct quarantine *before,
                         const struct object *object, const struct quarantine_members *members,
                         int64_t now)
{
    const struct addressconflict *conflict = (const struct addressconflict *)object;
    const struct sighting *old = find_sighting(before, object_id(object));
    bool is_ours = members && is_members(members, &conflict->mac);
    struct sighting sighting = {.entry = read_entry(conflict, old, now),
                                .judgement = is_ours ? REJECTED : judge(members, conflict, old)};
    if (sighting.judgement != COUNTS && !is_ours && old && old->judgement == COUNTS)
        sighting = *old; /* said anew by who is not believed now; it lasts as long as it did */
    sighting.id = arena_str(q->arena, object_id(object));
    sighting.entry.node = arena_str(q->arena, sighting.entry.node);
    sighting.entry.interface = arena_str(q->arena, sighting.entry.interface);
    sighting.entry.doubted = sighting.judgement == DOUBTED;
    q->sightings[q->sighting_count++] = sighting;
}

static int compare_ip(const void *a, const void *b)
{
    return ip_cmp(&((const struct quarantine_entry *)a)->ip,
                  &((const struct quarantine_entry *)b)->ip);
}

/* By address; of two the one that is no doubt comes first, then the one that lasts longer. */
static int compare_entry(const void *a, const void *b)
{
    const struct quarantine_entry *x = a, *y = b;
    int order = compare_ip(a, b);
    if (order)
        return order;
    if (x->doubted != y->doubted)
        return x->doubted ? 1 : -1;
    return x->until == y->until ? 0 : x->until > y->until ? -1 : 1;
}

static void note_end(struct quarantine *q, int64_t until)
{
    if (q->next_end == 0 || until < q->next_end)
        q->next_end = until;
}

static void enforce(struct quarantine *q, int64_t now)
{
    q->entries = arena_array(q->arena, q->sighting_count, sizeof(*q->entries));
    size_t count = 0;
    for (size_t i = 0; i < q->sighting_count; i++) {
        const struct sighting *sighting = &q->sightings[i];
        if (sighting->entry.until <= now)
            continue;
        if (sighting->judgement != REJECTED) {
            q->entries[count++] = sighting->entry;
            continue;
        }
        q->rejected++;
        note_end(q, sighting->entry.until);
    }
    if (count)
        qsort(q->entries, count, sizeof(*q->entries), compare_entry);
    for (size_t i = 0; i < count; i++) {
        if (q->count == 0 || !ip_eq(&q->entries[q->count - 1].ip, &q->entries[i].ip))
            q->entries[q->count++] = q->entries[i];
    }
    for (size_t i = 0; i < q->count; i++)
        note_end(q, q->entries[i].until);
}

struct quarantine *quarantine_new(const struct quarantine *before,
                                  const struct object *const *conflicts, size_t count,
                                  const struct quarantine_members *members, int64_t now)
{
    struct quarantine *q = heap_alloc(sizeof(*q));
    *q = (struct quarantine){.arena = arena_new(0)};
    q->sightings = arena_array(q->arena, count, sizeof(*q->sightings));
    for (size_t i = 0; i < count; i++) {
        if (!conflicts[i]->refused)
            add_sighting(q, before, conflicts[i], members, now);
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
    return quarantine ? quarantine->next_end : 0;
}

size_t quarantine_rejected(const struct quarantine *quarantine)
{
    return quarantine ? quarantine->rejected : 0;
}

struct str quarantine_sentence(const struct quarantine_entry *entry, struct arena *arena)
{
    return arena_printf(arena,
                        "%s is answered for by %s, seen by node " STR_FMT " on interface " STR_FMT,
                        ip_format(&entry->ip).text, mac_format(&entry->mac).text,
                        STR_ARG(entry->node), STR_ARG(entry->interface));
}
