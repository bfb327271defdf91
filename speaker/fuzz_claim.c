/* Claims from another speaker: what is taken must be what the bytes say, written again. */
#include <assert.h>
#include <string.h>

#include "speaker/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct claim_list list;
    struct claim_message again;
    if (claim_parse(data, size, &list) < 0)
        return 0;
    assert(list.count >= 1 && list.count <= CLAIM_COUNT_MAX);
    claim_begin(&again, &list.header);
    for (size_t i = 0; i < list.count; i++) {
        bool added = claim_add(&again, &list.items[i]);
        assert(added);
    }
    assert(again.size == size && memcmp(again.bytes, data, size) == 0);
    return 0;
}
