/* The little HTTP/1.1 (RFC 9112) that the page server and the probing client speak. */
#ifndef BENCH_PAGE_H
#define BENCH_PAGE_H

#include <stdbool.h>

#include "common/base/sbuf.h"
#include "common/base/str.h"

enum { PAGE_TEXT_MAX = 16384 };

/* Bytes that came over a connection; `taken` of them are dealt with. */
struct page_text {
    char bytes[PAGE_TEXT_MAX];
    size_t len, taken;
};

/* A request that lets the connection stay, and one that ends it. */
extern const struct str page_request_next, page_request_last;

/* Takes the first whole request: true, and whether the connection ends after its answer. */
bool page_request_take(struct page_text *text, bool *ret_last);
/* Takes the first whole answer: true, and its body (borrowed) without the line end. */
bool page_answer_take(struct page_text *text, struct str *ret_body);
/* Forgets what was taken. */
void page_text_drop(struct page_text *text);

void page_answer_write(struct sbuf *out, struct str body, bool last);

#endif
