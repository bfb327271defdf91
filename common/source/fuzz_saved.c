/* Any bytes as a file of saved objects; once as they are, and once with the sum that they would
 * have, so that what stands behind the sum is reached. */
#include <assert.h>

#include "common/source/saved_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, struct object *owned)
{
    scoped_ptr(object) struct object *object = owned;
    assert(!object->refused && object->key.len);
    ++*(size_t *)ctx;
}

static void read_file(struct str file)
{
    size_t told = 0;
    if (saved_format_check(file) != SAVED_GOOD)
        return;
    struct saved_counts counts = saved_format_read(file, count, &told);
    assert(counts.objects == told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_sbuf struct sbuf file = {0};
    uint8_t sum[SAVED_SUM_SIZE];
    read_file((struct str){(const char *)data, size});
    saved_format_begin(&file);
    sbuf_put(&file, (struct str){(const char *)data, size});
    (void)crypto_generichash(sum, sizeof(sum), (const unsigned char *)file.ptr, file.len, NULL, 0);
    saved_format_end(&file, sum);
    read_file(sbuf_str(&file));
    return 0;
}
