/* The body of a list response, taken apart while it arrives: each item by itself, and the list's
 * metadata. Bounded whatever the page's size: an item over the limit is not kept, but named. */
#ifndef COMMON_KUBE_LIST_PAGE_H
#define COMMON_KUBE_LIST_PAGE_H

#include "common/base/sbuf.h"
#include "common/kube/identity.h"

enum {
    LIST_PAGE_LIMIT = 2 * 1024 * 1024, /* bytes of one item */
    LIST_PAGE_METADATA = 16 * 1024,    /* bytes of the list's metadata */
};

enum list_page_result {
    LIST_PAGE_MORE,    /* all input is taken, the page goes on */
    LIST_PAGE_ITEM,    /* one whole item */
    LIST_PAGE_SKIPPED, /* an item over the limit ended; `skipped` names it */
    LIST_PAGE_END,     /* the page is complete: `resource_version` and `next` are set */
    LIST_PAGE_BROKEN,  /* not a list; stays so */
};

struct list_page {
    size_t limit;
    struct json_scan scan;
    struct sbuf text; /* of the item, or of the metadata */
    enum { PAGE_OUTSIDE, PAGE_ITEM, PAGE_METADATA } capture;
    bool skipping, ended, broken, has_metadata;
    struct identity skipped;
    struct sbuf resource_version; /* of the list; never empty at LIST_PAGE_END */
    struct sbuf next;             /* token for the next page; empty: this was the last */
};

void list_page_init(struct list_page *page, size_t limit);
void list_page_done(struct list_page *page);

/* Takes bytes from the front of *input, up to the end of one item or of the page. The item's text
 * is borrowed in ret_item until the next call. Call again while input is left. */
enum list_page_result list_page_next(struct list_page *page, struct str *input,
                                     struct str *ret_item);

#endif
