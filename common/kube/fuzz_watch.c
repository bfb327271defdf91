/* Any bytes as the body of a watch and of a list: no crash, memory stays within the limit, and the
 * same events and items come out wherever the bytes are cut. The first byte chooses the cuts. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kube/list_page.h"
#include "common/kube/watch_event.h"
#include "common/kube/watch_frame.h"

enum { LIMIT = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note_identity(struct sbuf *out, const struct identity *identity)
{
    const struct identity_text *texts[] = {&identity->type, &identity->kind, &identity->namespace,
                                           &identity->name, &identity->resource_version};
    sbuf_printf(out, "skipped %llu", (unsigned long long)identity->bytes);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sbuf_putc(out, ' ');
        sbuf_put(out, identity_str(texts[i]));
    }
    sbuf_putc(out, '\n');
}

static void run_watch(struct str body, size_t step, struct sbuf *out)
{
    struct watch_frame frame;
    watch_frame_init(&frame, LIMIT);
    for (size_t at = 0; at < body.len; at += step) {
        struct str input = str_slice(body, at, at + step), line;
        while (input.len) {
            enum watch_frame_result result = watch_frame_next(&frame, &input, &line);
            assert(frame.line.len <= LIMIT);
            if (result == WATCH_FRAME_SKIPPED)
                note_identity(out, &frame.skipped);
            if (result != WATCH_FRAME_EVENT)
                continue;
            struct watch_event event;
            int parsed = watch_event_parse(line, &event);
            sbuf_printf(out, "event %d ", parsed);
            sbuf_put(out, line);
            sbuf_putc(out, '\n');
            if (parsed == 0)
                watch_event_done(&event);
        }
    }
    watch_frame_done(&frame);
}

static void run_list(struct str body, size_t step, struct sbuf *out)
{
    struct list_page page;
    list_page_init(&page, LIMIT);
    enum list_page_result result = LIST_PAGE_MORE;
    for (size_t at = 0; at < body.len && result != LIST_PAGE_BROKEN; at += step) {
        struct str input = str_slice(body, at, at + step), item;
        while (input.len && result != LIST_PAGE_BROKEN) {
            result = list_page_next(&page, &input, &item);
            assert(page.text.len <= LIST_PAGE_METADATA);
            if (result != LIST_PAGE_MORE) /* where the pieces end must not show */
                sbuf_printf(out, "\n%d ", (int)result);
            if (result == LIST_PAGE_ITEM)
                sbuf_put(out, item);
            if (result == LIST_PAGE_SKIPPED)
                note_identity(out, &page.skipped);
        }
    }
    sbuf_put(out, sbuf_str(&page.resource_version));
    sbuf_put(out, sbuf_str(&page.next));
    list_page_done(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct str body = {(const char *)data + 1, size - 1};
    size_t step = (size_t)data[0] % 61 + 1;
    struct sbuf whole = {0}, pieces = {0};
    run_watch(body, body.len + 1, &whole);
    run_watch(body, step, &pieces);
    run_list(body, body.len + 1, &whole);
    run_list(body, step, &pieces);
    assert(str_eq(sbuf_str(&whole), sbuf_str(&pieces)));
    sbuf_done(&whole);
    sbuf_done(&pieces);
    return 0;
}
