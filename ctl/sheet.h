/* Tables of text for people: columns as wide as their widest cell, two blanks between them. Pure.
 */
#ifndef CTL_SHEET_H
#define CTL_SHEET_H

#include "common/base/sbuf.h"
#include "common/base/vec.h"

enum { SHEET_COLUMNS_MAX = 8 };

struct sheet {
    struct arena *arena; /* of the cells */
    size_t columns;
    VEC(struct str) cells; /* row by row, the first is the head */
};

/* head: the titles, separated by '|'. */
void sheet_begin(struct sheet *sheet, const char *head, struct arena *arena);

/* The next cell; rows fill up from left to right. An empty one is shown as "-". Copied. */
void sheet_put(struct sheet *sheet, struct str text);
void sheet_put_list(struct sheet *sheet, const struct str_list *list);
void sheet_put_number(struct sheet *sheet, size_t number);

/* Appends the table, without blanks at the ends of lines, and frees what is not in the arena. */
void sheet_end(struct sheet *sheet, struct sbuf *out);

#endif
