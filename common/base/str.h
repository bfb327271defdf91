/* Text as pointer and length. Strings are borrowed unless a function says otherwise; they need
 * not end in NUL and may hold any byte. Nothing here allocates. */
#ifndef COMMON_BASE_STR_H
#define COMMON_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/* A list of borrowed strings, owned by whoever owns the array. */
struct str_list {
    struct str *items;
    size_t count;
};

/* A string literal as struct str; also usable in static initialisers as STR_INIT. */
#define STR(literal) ((struct str){.ptr = (literal), .len = sizeof(literal) - 1})
#define STR_INIT(literal)                            \
    {                                                \
        .ptr = (literal), .len = sizeof(literal) - 1 \
    }

/* For printf-like functions: printf("x=" STR_FMT, STR_ARG(s)). */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

/* Borrows a NUL-terminated string; NULL becomes the empty string. */
struct str str_from(const char *text);

/* Same bytes? */
bool str_eq(struct str a, struct str b);

/* Byte order, shorter first on a common prefix: <0, 0 or >0. */
int str_cmp(struct str a, struct str b);

/* For qsort over arrays of struct str. */
int str_cmp_ptr(const void *a, const void *b);

bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);

/* Index of the first byte c, or s.len when there is none. */
size_t str_find(struct str s, char c);

/* Does needle occur in s? The empty needle always does. */
bool str_contains(struct str s, struct str needle);

/* The bytes from..to (exclusive); both are cut to the length. */
struct str str_slice(struct str s, size_t from, size_t to);

/* s without ASCII blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/* Splits at the first sep. True when there was one: ret_head is before it, ret_tail after it.
 * False when there was none: ret_head is s, ret_tail is empty. */
bool str_cut(struct str s, char sep, struct str *ret_head, struct str *ret_tail);

/* Walks the parts of *rest between separators: sets ret_part and moves *rest behind it.
 * False when nothing is left. "a,,b" has three parts, "a," has one, "" has none. */
bool str_next(struct str *rest, char sep, struct str *ret_part);

/* Decimal digits only, no sign, no blanks, at most max.
 * 0, or -EINVAL for anything else, -ERANGE past max. */
int str_to_u64(struct str s, uint64_t max, uint64_t *ret) __attribute__((warn_unused_result));

/* Is s in the list? */
bool str_list_has(const struct str_list *list, struct str s);

#endif
