#include "speaker/intern.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/vec.h"

enum { FEW = 64 };

struct entry {
    struct str name; /* behind it */
    bool marked;
};

void intern_done(struct intern *intern)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&intern->names, &cursor));)
        free(slot->value);
    map_done(&intern->names);
}

struct str intern_take(struct intern *intern, struct str name)
{
    struct entry *entry = map_get(&intern->names, name);
    if (!name.len)
        return (struct str){0};
    if (entry)
        return entry->name;
    entry = heap_alloc(sizeof(*entry) + name.len);
    char *text = (char *)(entry + 1);
    memcpy(text, name.ptr, name.len);
    *entry = (struct entry){.name = {.ptr = text, .len = name.len}};
    (void)map_put(&intern->names, entry->name, entry);
    return entry->name;
}

bool intern_is_full(const struct intern *intern)
{
    return map_count(&intern->names) > 2 * intern->swept_with + FEW;
}

void intern_mark(struct intern *intern, struct str name)
{
    struct entry *entry = map_get(&intern->names, name);
    if (entry)
        entry->marked = true;
}

void intern_sweep(struct intern *intern)
{
    VEC(struct entry *) gone = {0};
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&intern->names, &cursor));) {
        struct entry *entry = slot->value;
        if (!entry->marked)
            vec_push(&gone, entry);
        entry->marked = false;
    }
    for (size_t i = 0; i < gone.len; i++) {
        (void)map_remove(&intern->names, gone.items[i]->name);
        free(gone.items[i]);
    }
    vec_done(&gone);
    intern->swept_with = map_count(&intern->names);
}
