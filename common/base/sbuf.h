/* A text under construction: grows as needed, always ends in NUL (not counted). */
#ifndef COMMON_BASE_SBUF_H
#define COMMON_BASE_SBUF_H

#include <stdarg.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"

struct sbuf {
    char *ptr; /* heap, owned */
    size_t len, cap;
};

void sbuf_put(struct sbuf *b, struct str text);
void sbuf_puts(struct sbuf *b, const char *text);
void sbuf_putc(struct sbuf *b, char c);
void sbuf_printf(struct sbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sbuf_vprintf(struct sbuf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
void sbuf_u64(struct sbuf *b, uint64_t value);
void sbuf_i64(struct sbuf *b, int64_t value);

/* text as a JSON string with its quotes (RFC 8259 section 7). Bytes that are not valid UTF-8
 * become U+FFFD, so that the result is always valid JSON. */
void sbuf_json(struct sbuf *b, struct str text);

/* What is there so far, borrowed until the next call on b. */
struct str sbuf_str(const struct sbuf *b);

/* The NUL-terminated text as a C string; "" when empty. Borrowed. */
const char *sbuf_cstr(const struct sbuf *b);

/* Empties the buffer but keeps its memory. */
void sbuf_clear(struct sbuf *b);

/* Frees the memory; the buffer is empty and usable again. */
void sbuf_done(struct sbuf *b);

/* The same of a secret text: overwritten first. What it left behind when it had to grow is not. */
void sbuf_wipe(struct sbuf *b);

#define scoped_sbuf __attribute__((cleanup(sbuf_done)))

/* A copy of the text in the arena; the buffer is freed. */
struct str sbuf_move(struct sbuf *b, struct arena *arena);

#endif
