/* JSON text to a tree: what jansson does not check, or checks by recursing first, is checked here
 * in one pass without recursion before jansson sees the text. */
#include <errno.h>

#include "common/base/utf8.h"
#include "common/json/fields.h"

struct scan {
    struct str text;
    size_t at, line, depth;
    struct sbuf rewritten; /* the text with its huge integers as reals; empty: none found */
    size_t copied;         /* how much of the text `rewritten` covers */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_string(struct scan *scan)
{
    for (scan->at++; scan->at < scan->text.len && scan->text.ptr[scan->at] != '"'; scan->at++) {
        if (scan->text.ptr[scan->at] == '\n')
            scan->line++;
        if (scan->text.ptr[scan->at] == '\\')
            scan->at++;
    }
    scan->at++;
}

/* The Kubernetes API (Go's encoding/json into any) reads an integer outside 64 bits as a float and
 * writes such floats below 1e21 as plain digits; jansson refuses them. ".0" makes them reals. */
static void scan_number(struct scan *scan)
{
    const struct str text = scan->text;
    size_t start = scan->at;
    bool negative = text.ptr[start] == '-';
    size_t end = start + negative;
    while (end < text.len && is_digit(text.ptr[end]))
        end++;
    scan->at = end;
    bool integer =
        end == text.len || (text.ptr[end] != '.' && text.ptr[end] != 'e' && text.ptr[end] != 'E');
    uint64_t value;
    if (!integer || str_to_u64(str_slice(text, start + negative, end),
                               (uint64_t)INT64_MAX + negative, &value) != -ERANGE)
        return;
    sbuf_put(&scan->rewritten, str_slice(text, scan->copied, end));
    sbuf_puts(&scan->rewritten, ".0");
    scan->copied = end;
}

/* False when the text nests too deeply; scan->line is then the line. */
static bool scan_text(struct scan *scan)
{
    while (scan->at < scan->text.len) {
        char c = scan->text.ptr[scan->at];
        if (c == '"') {
            skip_string(scan);
            continue;
        }
        if (c == '-' || is_digit(c)) {
            size_t before = scan->at;
            scan_number(scan);
            if (scan->at > before)
                continue;
        }
        if (c == '\n')
            scan->line++;
        if ((c == '{' || c == '[') && ++scan->depth > FIELDS_DEPTH_MAX)
            return false;
        if ((c == '}' || c == ']') && scan->depth > 0)
            scan->depth--;
        scan->at++;
    }
    return true;
}

/* The line of the first byte that is not UTF-8. */
static size_t broken_line(struct str text)
{
    size_t line = 1;
    for (size_t len; (len = utf8_len(text)) > 0; text = str_slice(text, len, text.len))
        line += text.ptr[0] == '\n';
    return line;
}

json_t *fields_parse(struct str text, struct arena *arena, struct str *ret_error)
{
    if (!utf8_valid(text)) {
        *ret_error = arena_printf(arena, "line %zu: is not UTF-8", broken_line(text));
        return NULL;
    }
    struct scan scan = {.text = text, .line = 1};
    if (!scan_text(&scan)) {
        sbuf_done(&scan.rewritten);
        *ret_error = arena_printf(arena, "line %zu: nests deeper than %d levels", scan.line,
                                  FIELDS_DEPTH_MAX);
        return NULL;
    }
    if (scan.rewritten.len) {
        sbuf_put(&scan.rewritten, str_slice(text, scan.copied, text.len));
        text = sbuf_str(&scan.rewritten);
    }
    json_error_t error;
    json_t *tree = json_loadb(text.len ? text.ptr : "", text.len,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    sbuf_done(&scan.rewritten);
    if (!tree)
        *ret_error =
            arena_printf(arena, "line %d: %s", error.line > 0 ? error.line : 1, error.text);
    return tree;
}
