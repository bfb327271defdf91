/* Published orders of nodes: what is taken for valid must be what the text says, written again. */
#include <assert.h>

#include "common/base/sbuf.h"
#include "speaker/elect.h"

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
    struct elect_placement placement;
    enum elect_verdict verdict = elect_parse(text, arena, &placement);
    assert(verdict < ELECT_VERDICTS);
    if (verdict != ELECT_VALID)
        return 0;
    assert(placement.nodes.count >= 1 && placement.nodes.count <= ELECT_NODES_MAX);
    struct sbuf again = {0};
    sbuf_u64(&again, placement.epoch);
    for (size_t i = 0; i < placement.nodes.count; i++)
        sbuf_printf(&again, " " STR_FMT, STR_ARG(placement.nodes.items[i]));
    assert(str_eq(sbuf_move(&again, arena), without_zeros(text)));
    return 0;
}
