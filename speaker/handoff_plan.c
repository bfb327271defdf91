#include "speaker/handoff_plan.h"

#include "crd/annotations.h"
#include "crd/endpointslice.h"

/* --- who wants a route ----------------------------------------------------------------------- */

static int key_cmp(const void *key, const void *object)
{
    return str_cmp(*(const struct str *)key, (*(const struct object *const *)object)->key);
}

static const struct object *find_object(const struct objects *objects, struct str key)
{
    if (!objects->count)
        return NULL;
    const struct object *const *found =
        bsearch(&key, objects->items, objects->count, sizeof(*objects->items), key_cmp);
    return found ? *found : NULL;
}

bool handoff_is_asked(const struct object *service)
{
    return str_eq(annotations_read(service, ANNOTATION_HANDOFF, NULL), STR("local"));
}

static bool serves_here(const struct endpointslice *slice, struct str node)
{
    const struct endpoint *all = slice->endpoints.items;
    for (size_t i = 0; i < slice->endpoints.count; i++) {
        if (all[i].can_serve && str_eq(all[i].node_name, node))
            return true;
    }
    return false;
}

/* Keys of the Services that have an endpoint here which can serve, sorted; may repeat. */
static struct str_list served_here(const struct handoff_question *question, struct arena *arena)
{
    const struct objects *slices = &question->slices;
    struct str_list keys = {.items = arena_array(arena, slices->count, sizeof(struct str))};
    for (size_t i = 0; i < slices->count; i++) {
        const struct endpointslice *slice = (const struct endpointslice *)slices->items[i];
        if (!slice->object.refused && slice->service.len && serves_here(slice, question->node))
            keys.items[keys.count++] = slice->service;
    }
    if (keys.count)
        qsort(keys.items, keys.count, sizeof(struct str), str_cmp_ptr);
    return keys;
}

static bool has_key(const struct str_list *sorted, struct str key)
{
    return sorted->count &&
           bsearch(&key, sorted->items, sorted->count, sizeof(struct str), str_cmp_ptr);
}

/* Does a Service ask for the address to be handed off that is served here? *served is made when it
 * is needed first: most clusters hand nothing off, and have many slices. */
static bool is_wanted(const struct handoff_question *question, const struct basis_address *address,
                      struct arena *arena, struct str_list **served)
{
    for (size_t i = 0; i < address->service_count; i++) {
        struct str key = question->basis->services[address->services[i]].key;
        const struct object *service = find_object(&question->services, key);
        if (!service || !handoff_is_asked(service))
            continue;
        if (!*served) {
            *served = arena_alloc(arena, sizeof(**served));
            **served = served_here(question, arena);
        }
        if (has_key(*served, key))
            return true;
    }
    return false;
}

struct ip *handoff_wanted(const struct handoff_question *question, struct arena *arena,
                          size_t *ret_count)
{
    const struct basis *basis = question->basis;
    struct ip *ips = arena_array(arena, basis->address_count, sizeof(*ips));
    struct str_list *served = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < basis->address_count; i++) {
        const struct basis_address *address = &basis->addresses[i];
        if (is_wanted(question, address, arena, &served) &&
            question->answers(question->ctx, &address->ip))
            ips[(*ret_count)++] = address->ip;
    }
    return ips;
}

/* --- the book -------------------------------------------------------------------------------- */

static struct handoff_entry past_entry(const struct handoff_entry *entry, uint64_t now_ms,
                                       uint64_t overlap_ms)
{
    struct handoff_entry past = *entry;
    if (past.wanted)
        past.until_ms = now_ms + overlap_ms;
    past.wanted = false;
    return past;
}

void handoff_book_want(struct handoff_book *book, const struct ip *wanted, size_t count,
                       uint64_t now_ms, uint64_t overlap_ms)
{
    struct handoff_book merged = {0};
    size_t old = 0, fresh = 0;
    vec_reserve(&merged.entries, book->entries.len + count);
    while (old < book->entries.len || fresh < count) {
        struct handoff_entry *entry = old < book->entries.len ? &book->entries.items[old] : NULL;
        int order = !entry ? 1 : fresh == count ? -1 : ip_cmp(&entry->ip, &wanted[fresh]);
        if (order < 0)
            vec_push(&merged.entries, past_entry(entry, now_ms, overlap_ms));
        else if (order > 0)
            vec_push(&merged.entries,
                     ((struct handoff_entry){.ip = wanted[fresh], .wanted = true}));
        else
            vec_push(&merged.entries, *entry);
        if (order == 0)
            merged.entries.items[merged.entries.len - 1].wanted = true;
        old += order <= 0;
        fresh += order >= 0;
    }
    handoff_book_done(book);
    *book = merged;
}

struct handoff_entry *handoff_book_find(const struct handoff_book *book, const struct ip *ip)
{
    size_t from = 0, to = book->entries.len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = ip_cmp(&book->entries.items[middle].ip, ip);
        if (order == 0)
            return &book->entries.items[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

enum handoff_deed handoff_deed(const struct handoff_entry *entry, uint64_t now_ms)
{
    if (entry->wanted)
        return entry->present ? HANDOFF_NOTHING : HANDOFF_ADD;
    if (entry->ours)
        return now_ms < entry->until_ms ? HANDOFF_NOTHING : HANDOFF_REMOVE;
    return HANDOFF_FORGET;
}

void handoff_book_tidy(struct handoff_book *book, uint64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->entries.len; i++) {
        if (handoff_deed(&book->entries.items[i], now_ms) != HANDOFF_FORGET)
            book->entries.items[kept++] = book->entries.items[i];
    }
    book->entries.len = kept;
}

bool handoff_book_next(const struct handoff_book *book, uint64_t *ret_ms)
{
    bool any = false;
    for (size_t i = 0; i < book->entries.len; i++) {
        const struct handoff_entry *entry = &book->entries.items[i];
        if (entry->wanted || !entry->ours || (any && entry->until_ms >= *ret_ms))
            continue;
        *ret_ms = entry->until_ms;
        any = true;
    }
    return any;
}

void handoff_book_done(struct handoff_book *book)
{
    vec_done(&book->entries);
}
