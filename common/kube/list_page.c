#include "common/kube/list_page.h"

#include <jansson.h>

/* Containers around an item ({"items": [ … ]}) and around the metadata. */
enum { ITEM_DEPTH = 2, METADATA_DEPTH = 1 };

void list_page_init(struct list_page *page, size_t limit)
{
    *page = (struct list_page){.limit = limit};
}

void list_page_done(struct list_page *page)
{
    sbuf_done(&page->text);
    sbuf_done(&page->resource_version);
    sbuf_done(&page->next);
}

static enum list_page_result page_broken(struct list_page *page)
{
    page->broken = true;
    return LIST_PAGE_BROKEN;
}

/* A container opened: does it start something that we keep? */
static void start_capture(struct list_page *page)
{
    const struct json_scan *scan = &page->scan;
    if (page->capture != PAGE_OUTSIDE)
        return;
    if (scan->depth == ITEM_DEPTH + 1 && scan->open[1] == '[' && scan->open[2] == '{' &&
        json_scan_at(scan, 1, STR("items"))) {
        page->capture = PAGE_ITEM;
    } else if (scan->depth == METADATA_DEPTH + 1 && scan->open[1] == '{' &&
               json_scan_at(scan, METADATA_DEPTH, STR("metadata"))) {
        page->capture = PAGE_METADATA;
    }
    page->skipping = false;
    if (page->capture != PAGE_OUTSIDE)
        sbuf_clear(&page->text);
}

/* Adds bytes to what is kept; gives an item up once it is over the limit. */
static void keep(struct list_page *page, struct str bytes)
{
    if (page->capture == PAGE_OUTSIDE)
        return;
    size_t limit = page->capture == PAGE_ITEM ? page->limit : LIST_PAGE_METADATA;
    if (!page->skipping && bytes.len > limit - page->text.len) {
        page->skipping = true;
        identity_init(&page->skipped, false);
        identity_feed(&page->skipped, sbuf_str(&page->text));
        sbuf_done(&page->text);
    }
    if (page->skipping)
        identity_feed(&page->skipped, bytes);
    else
        sbuf_put(&page->text, bytes);
}

static bool read_metadata(struct list_page *page)
{
    if (page->skipping)
        return false;
    json_t *tree = json_loadb(page->text.ptr, page->text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *version = json_string_value(json_object_get(tree, "resourceVersion"));
    const char *next = json_string_value(json_object_get(tree, "continue"));
    bool good = version && *version && !page->has_metadata;
    if (good) {
        sbuf_puts(&page->resource_version, version);
        sbuf_puts(&page->next, next ? next : "");
    }
    page->has_metadata = true;
    json_decref(tree);
    return good;
}

/* A container closed: did it end something? LIST_PAGE_MORE when not. */
static enum list_page_result end_capture(struct list_page *page)
{
    size_t depth = page->scan.depth;
    if (page->capture == PAGE_ITEM && depth == ITEM_DEPTH) {
        page->capture = PAGE_OUTSIDE;
        return page->skipping ? LIST_PAGE_SKIPPED : LIST_PAGE_ITEM;
    }
    if (page->capture == PAGE_METADATA && depth == METADATA_DEPTH) {
        page->capture = PAGE_OUTSIDE;
        return read_metadata(page) ? LIST_PAGE_MORE : page_broken(page);
    }
    if (depth > 0)
        return LIST_PAGE_MORE;
    page->ended = true;
    return page->resource_version.len ? LIST_PAGE_END : page_broken(page);
}

enum list_page_result list_page_next(struct list_page *page, struct str *input,
                                     struct str *ret_item)
{
    if (page->broken)
        return LIST_PAGE_BROKEN;
    size_t kept = 0; /* bytes of *input before this one are kept already */
    for (size_t i = 0; i < input->len; i++) {
        char c = input->ptr[i];
        enum scan_token token = json_scan_byte(&page->scan, c);
        bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (token == SCAN_BROKEN || (page->ended && !blank) ||
            (!page->scan.depth && !blank && c != '}'))
            return page_broken(page);
        if (token == SCAN_OPEN && page->capture == PAGE_OUTSIDE) {
            start_capture(page);
            kept = i;
        }
        if (token != SCAN_CLOSE)
            continue;
        keep(page, str_slice(*input, kept, i + 1));
        kept = i + 1;
        enum list_page_result result = end_capture(page);
        if (result == LIST_PAGE_MORE)
            continue;
        *input = str_slice(*input, i + 1, input->len);
        *ret_item = result == LIST_PAGE_ITEM ? sbuf_str(&page->text) : (struct str){0};
        return result;
    }
    keep(page, str_slice(*input, kept, input->len));
    *input = (struct str){0};
    return LIST_PAGE_MORE;
}
