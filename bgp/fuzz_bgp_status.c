/* Replies to `show protocols all` and `show bfd sessions`, whatever they hold. */
#include <assert.h>

#include "bgp/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
    struct reply reply;
    reply_feed(reader, (struct str){.ptr = (const char *)data, .len = size});
    for (enum reply_event event;
         (event = reply_next(reader, &reply)) != REPLY_MORE && event != REPLY_BROKEN;) {
        if (event != REPLY_DONE)
            continue;
        struct status status = status_parse(&reply, arena);
        for (size_t i = 0; i < status.count; i++)
            assert(status.sessions[i].name.len > 0 && status.sessions[i].state < STATUS_STATES);
        struct status_bfd_list bfd = status_parse_bfd(&reply, arena);
        for (size_t i = 0; i < bfd.count; i++)
            assert(ip_is_set(&bfd.items[i].peer) && bfd.items[i].state < STATUS_BFD_STATES);
    }
    return 0;
}
