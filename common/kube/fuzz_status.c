/* Any bytes as the body of an answer; the first two choose the code, the third the header. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/utf8.h"
#include "common/kube/lease_state.h"
#include "common/kube/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    unsigned code = 100 + ((unsigned)data[0] << 8 | data[1]) % 500;
    struct str body = {(const char *)data + 3, size - 3};
    struct status status = status_decode(code, body, status_retry_after(body), arena);
    assert((status.result == 0) == (code >= 200 && code <= 299));
    assert(status.result == 0 || status.message.len);
    assert(utf8_valid(status.message) && status.message.len <= 2048);
    assert(status.retry_after_ms <= 3600 * 1000);
    json_t *tree = json_loadb(body.ptr, body.len, 0, NULL);
    struct lease_record record = lease_decode(tree, arena);
    (void)lease_body(&record, STR("ns"), STR("name"), arena);
    json_decref(tree);
    return 0;
}
