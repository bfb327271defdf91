/* Between the files of the model, and for nobody else. */
#ifndef COMMON_SOURCE_DIR_MODEL_INTERNAL_H
#define COMMON_SOURCE_DIR_MODEL_INTERNAL_H

#include "common/base/map.h"
#include "common/source/dir_model.h"

/* There are tens of thousands of documents, and a JSON tree is ten times its text: each is kept as
 * compact text, in one allocation with what is known of it, and read again for the few times that
 * it is needed. */

/* One document of one file, taken out of its manifest so that it can outlive it. */
struct definition {
    struct definition *next; /* of its entry: by file, then place; the first counts */
    struct entry *entry;
    const struct file *file;
    size_t at; /* place in the file */
    struct str origin, json;
    char texts[];
};

struct file {
    struct arena *arena; /* of the name */
    struct str name;
    VEC(struct definition *) definitions;
    struct arena *findings_arena;
    struct diag_list findings;
    bool broken; /* not all of it could be read */
};

/* An object that is stored, and the signs of its labels there (label_filter.h). */
struct stored {
    uint64_t signs;
    struct entry *entry;
};

/* One object. Sits in the map as long as something defines or stores it, or as long as its going
 * has not been told. */
struct entry {
    const struct kind *kind;
    struct str path, key; /* path: in the status directory; key: a part of it */
    struct definition *definitions;
    char *stored;     /* JSON, heap; NULL: nothing */
    size_t stored_at; /* place in the model's list, when something is stored */
    bool stored_whole;
    bool touched;
    bool told;                /* and not told gone */
    uint64_t told_mark;       /* of what was told last: version and origin */
    struct sbuf stored_error; /* empty: none */
    char text[];
};

struct dir_model {
    struct map files;   /* name → struct file */
    struct map entries; /* path → struct entry */
    VEC(struct stored) stored;
    VEC(struct entry *) touched;
    uint64_t findings_version;
};

/* Do several documents define it? There is something to say about that. */
static inline bool entry_is_disputed(const struct entry *entry)
{
    return entry->definitions && entry->definitions->next;
}

/* Is there a file of it in the status directory, readable or not? */
static inline bool entry_is_stored(const struct entry *entry)
{
    return entry->stored || entry->stored_error.len;
}

#endif
