/* Lines of BIRD's log, whatever they hold. */
#include <assert.h>

#include "bgp/logline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct logline *line)
{
    assert(line->class < LOGLINE_CLASSES && line->text.len <= LOGLINE_TEXT_MAX);
    assert(!line->state_changed || line->protocol.len);
    (void)logline_level(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {.ptr = (const char *)data, .len = size};
    for (struct str line; str_next(&rest, '\n', &line);) {
        struct logline one = logline_parse(line), echo = logline_parse_echo(line);
        look(&one);
        look(&echo);
    }
    return 0;
}
