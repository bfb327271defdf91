#include "common/base/sbuf.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"

static void grow(struct sbuf *b, size_t want)
{
    size_t cap = b->cap ? b->cap : 128;
    while (cap < want)
        cap *= 2;
    b->ptr = heap_resize(b->ptr, cap);
    b->cap = cap;
}

/* Texts of megabytes are made of short pieces: what is done for each of them is little. */
static inline void reserve(struct sbuf *b, size_t more)
{
    size_t want = b->len + more + 1;
    if (want > b->cap)
        grow(b, want);
}

void sbuf_put(struct sbuf *b, struct str text)
{
    reserve(b, text.len);
    if (text.len)
        memcpy(b->ptr + b->len, text.ptr, text.len);
    b->len += text.len;
    b->ptr[b->len] = '\0';
}

void sbuf_puts(struct sbuf *b, const char *text)
{
    sbuf_put(b, str_from(text));
}

void sbuf_putc(struct sbuf *b, char c)
{
    reserve(b, 1);
    b->ptr[b->len++] = c;
    b->ptr[b->len] = '\0';
}

void sbuf_vprintf(struct sbuf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    assert(len >= 0);
    reserve(b, (size_t)len);
    (void)vsnprintf(b->ptr + b->len, (size_t)len + 1, format, again);
    va_end(again);
    b->len += (size_t)len;
}

void sbuf_printf(struct sbuf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sbuf_vprintf(b, format, args);
    va_end(args);
}

void sbuf_u64(struct sbuf *b, uint64_t value)
{
    char digits[20], *at = digits + sizeof(digits);
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    sbuf_put(b, (struct str){.ptr = at, .len = (size_t)(digits + sizeof(digits) - at)});
}

void sbuf_i64(struct sbuf *b, int64_t value)
{
    if (value < 0)
        sbuf_putc(b, '-');
    sbuf_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_json_char(struct sbuf *b, unsigned char c)
{
    static const char escapes[] = {
        ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c < sizeof(escapes) && escapes[c]) {
        sbuf_putc(b, '\\');
        sbuf_putc(b, escapes[c]);
    } else if (c < 0x20) {
        sbuf_printf(b, "\\u%04x", c);
    } else {
        sbuf_putc(b, (char)c);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Are all eight bytes plain? For each byte, its top bit is set when the byte has it already, is
 * less than 0x20, or is a quote or a backslash (then it is 0 after the exclusive or, and less than
 * 1). A borrow into the next byte only comes from a byte that is found itself. */
static bool is_plain_word(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    uint64_t found = word | (word - ones * 0x20) | ((word ^ (ones * '"')) - ones) |
                     ((word ^ (ones * '\\')) - ones);
    return (found & (ones * 0x80)) == 0;
}

/* How much of the text stands in JSON as it is: nearly all that there ever is. */
static size_t plain_len(struct str text)
{
    size_t len = 0;
    while (text.len - len >= sizeof(uint64_t) && is_plain_word(text.ptr + len))
        len += sizeof(uint64_t);
    while (len < text.len && is_plain((unsigned char)text.ptr[len]))
        len++;
    return len;
}

/* One character that does not stand as it is, or the byte that begins none. */
static size_t put_json_special(struct sbuf *b, struct str text)
{
    size_t len = utf8_len(text);
    if (len == 1)
        put_json_char(b, (unsigned char)text.ptr[0]);
    else if (len > 1)
        sbuf_put(b, str_slice(text, 0, len));
    else
        sbuf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
    return len ? len : 1;
}

void sbuf_json(struct sbuf *b, struct str text)
{
    size_t len = plain_len(text);
    reserve(b, text.len + 2); /* enough for most; the rest makes room for itself */
    b->ptr[b->len++] = '"';
    while (len < text.len) {
        sbuf_put(b, str_slice(text, 0, len));
        text = str_slice(text, len, text.len);
        text = str_slice(text, put_json_special(b, text), text.len);
        len = plain_len(text);
    }
    reserve(b, len + 1);
    if (len)
        memcpy(b->ptr + b->len, text.ptr, len);
    b->len += len;
    b->ptr[b->len++] = '"';
    b->ptr[b->len] = '\0';
}

struct str sbuf_str(const struct sbuf *b)
{
    return (struct str){.ptr = b->ptr, .len = b->len};
}

const char *sbuf_cstr(const struct sbuf *b)
{
    return b->ptr ? b->ptr : "";
}

void sbuf_clear(struct sbuf *b)
{
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

void sbuf_done(struct sbuf *b)
{
    free(b->ptr);
    *b = (struct sbuf){0};
}

void sbuf_wipe(struct sbuf *b)
{
    if (b->len)
        sodium_memzero(b->ptr, b->len);
    sbuf_done(b);
}

struct str sbuf_move(struct sbuf *b, struct arena *arena)
{
    struct str copy = arena_str(arena, sbuf_str(b));
    sbuf_done(b);
    return copy;
}
