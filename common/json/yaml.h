/* YAML text to JSON trees, for manifests and kubeconfigs.
 *
 * The text may hold several documents. Each is read by itself: a broken one is reported with its
 * line and does not hide the others (documents are separated at "---" lines, where YAML 1.1
 * section 9 forbids content, so this is no guess). Plain scalars get the types that kubectl gives
 * them (YAML 1.1: "on" and "yes" are true, 0x10 is 16, 010 is 8); timestamps stay text. Keys
 * become text. Duplicate keys, tags other than the core ones, NUL in text, numbers that JSON
 * cannot hold, and nesting over 100 levels are errors. Aliases and merge keys ("<<") are expanded
 * up to a budget of nodes for the whole text, so that a small text cannot become a huge tree. */
#ifndef COMMON_JSON_YAML_H
#define COMMON_JSON_YAML_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/base/vec.h"

struct yaml_document {
    json_t *tree;      /* NULL when the document is broken */
    size_t line;       /* where its content starts, from 1 */
    struct str error;  /* what is wrong, a phrase; empty when nothing is */
    size_t error_line; /* from 1 */
};

struct yaml_documents {
    VEC(struct yaml_document) list; /* in the order of the text; empty documents are left out */
};

/* Reads all documents of a text. The texts of errors are in the arena; the rest is freed with
 * yaml_done. */
struct yaml_documents yaml_parse(struct str text, struct arena *arena);

/* Frees the trees (take one by setting `tree` to NULL, or by json_incref) and the list. */
void yaml_done(struct yaml_documents *documents);

#endif
