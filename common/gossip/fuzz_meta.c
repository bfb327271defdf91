/* What decodes as meta encodes to the same bytes. */
#include <assert.h>
#include <string.h>

#include "common/gossip/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct member_meta meta;
    struct wire in = wire_reader(data, size);
    if (meta_decode(&in, arena, &meta) < 0)
        return 0;
    uint8_t room[META_SIZE_MAX];
    struct wire out = wire_writer(room, sizeof(room));
    meta_encode(&meta, &out);
    assert(wire_ok(&out) && out.at == size && memcmp(room, data, size) == 0);
    return 0;
}
