/* Bytes of the control socket: the same replies come out whatever pieces they come in. */
#include <assert.h>

#include "bgp/reply.h"
#include "common/base/sbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(struct reply_reader *reader, struct sbuf *out)
{
    struct reply reply;
    unsigned version[3];
    for (enum reply_event event; (event = reply_next(reader, &reply)) != REPLY_MORE;) {
        sbuf_printf(out, "%d", event);
        if (event == REPLY_BROKEN)
            return;
        assert(reply.count > 0);
        (void)reply_version(&reply, version);
        for (size_t i = 0; i < reply.count; i++) {
            assert(reply.lines[i].code <= 9999 && reply.lines[i].text.len <= REPLY_LINE_MAX);
            sbuf_printf(out, "%u", reply.lines[i].code);
            sbuf_put(out, reply.lines[i].text);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {.ptr = (const char *)data, .len = size};
    scoped_ptr(reply_reader) struct reply_reader *whole = reply_reader_new();
    scoped_ptr(reply_reader) struct reply_reader *pieces = reply_reader_new();
    scoped_sbuf struct sbuf one = {0}, two = {0};
    reply_feed(whole, bytes);
    drain(whole, &one);
    for (size_t at = 0, step = 1; at < size; at += step, step = step % 7 + 1) {
        reply_feed(pieces, str_slice(bytes, at, at + step));
        scoped_sbuf struct sbuf more = {0};
        drain(pieces, &more);
        sbuf_put(&two, sbuf_str(&more));
        struct reply reply;
        if (reply_next(pieces, &reply) == REPLY_BROKEN)
            break;
    }
    assert(str_eq(sbuf_str(&one), sbuf_str(&two)));
    return 0;
}
