/* Published orders of nodes: what is taken for valid must be what the text says, written again. */
#include <assert.h>
#include <stdint.h>

#include "common/election/placement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Leading zeros of the epoch are the one thing that is not written again. */
static struct str without_zeros(struct str text)
{
    while (text.len > 1 && text.ptr[0] == '0' && text.ptr[1] != ' ')
        text = str_slice(text, 1, text.len);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.ptr = (const char *)data, .len = size};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct placement placement;
    enum placement_verdict verdict = placement_parse(text, arena, &placement);
    assert(verdict < PLACEMENT_VERDICTS);
    if (verdict != PLACEMENT_VALID)
        return 0;
    assert(placement.nodes.count >= 1 && placement.nodes.count <= PLACEMENT_NODES_MAX);
    assert(str_eq(placement_format(&placement, arena), without_zeros(text)));
    return 0;
}
