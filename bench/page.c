#include "bench/page.h"

#include <string.h>

#include "common/base/scope.h"

const struct str page_request_next = STR_INIT("GET / HTTP/1.1\r\nHost: vip\r\n\r\n");
const struct str page_request_last =
    STR_INIT("GET / HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n");

/* The header that starts at what is not taken yet, its empty line included; false when it is not
 * whole. */
static bool find_header(const struct page_text *text, struct str *ret)
{
    struct str rest = {.ptr = text->bytes + text->taken, .len = text->len - text->taken};
    const char *end = rest.len ? memmem(rest.ptr, rest.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    *ret = str_slice(rest, 0, (size_t)(end - rest.ptr) + 4);
    return true;
}

bool page_request_take(struct page_text *text, bool *ret_last)
{
    struct str header;
    if (!find_header(text, &header))
        return false;
    text->taken += header.len;
    *ret_last = str_contains(header, STR("Connection: close")) ||
                str_contains(header, STR(" HTTP/1.0\r\n"));
    return true;
}

/* 0 without one: an answer of ours always has it. */
static size_t content_length(struct str header)
{
    const struct str name = STR("\r\nContent-Length: ");
    const char *at = memmem(header.ptr, header.len, name.ptr, name.len);
    size_t length = 0;
    if (!at)
        return 0;
    for (at += name.len; *at >= '0' && *at <= '9' && length < PAGE_TEXT_MAX; at++)
        length = length * 10 + (size_t)(*at - '0');
    return length;
}

bool page_answer_take(struct page_text *text, struct str *ret_body)
{
    struct str header;
    if (!find_header(text, &header))
        return false;
    size_t length = content_length(header);
    size_t body = text->taken + header.len;
    if (length > text->len - body)
        return false;
    *ret_body = str_trim((struct str){.ptr = text->bytes + body, .len = length});
    text->taken = body + length;
    return true;
}

void page_text_drop(struct page_text *text)
{
    text->len -= text->taken;
    memmove(text->bytes, text->bytes + text->taken, text->len);
    text->taken = 0;
}

void page_answer_write(struct sbuf *out, struct str body, bool last)
{
    sbuf_printf(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n",
                body.len);
    if (last)
        sbuf_puts(out, "Connection: close\r\n");
    sbuf_puts(out, "\r\n");
    sbuf_put(out, body);
}
