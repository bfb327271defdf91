#include "common/kube/status.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/base/utf8.h"

enum { MESSAGE_MAX = 1024, BODY_MAX = 256 * 1024, RETRY_AFTER_MAX = 3600 };

static const struct {
    unsigned code;
    int result;
} results[] = {
    {401, -EACCES},  {403, -EPERM},        {404, -ENOENT}, {409, ERR_CONFLICT},
    {410, ERR_GONE}, {413, ERR_TOO_LARGE}, {429, -EAGAIN},
};

static int result_of(unsigned code)
{
    if (code >= 200 && code <= 299)
        return 0;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (results[i].code == code)
            return results[i].result;
    return code >= 500 && code <= 599 ? -EAGAIN : ERR_REMOTE;
}

/* At most `max` bytes of text in the arena, whole characters, control characters as blanks. */
static struct str clean(struct str text, size_t max, struct arena *arena)
{
    size_t len = 0;
    while (len < text.len) {
        size_t step = utf8_len(str_slice(text, len, text.len));
        step = step ? step : 1;
        if (len + step > max)
            break;
        len += step;
    }
    struct str copy = arena_str(arena, str_trim(str_slice(text, 0, len)));
    char *bytes = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f)
            bytes[i] = ' ';
    return copy;
}

struct status status_of(const json_t *object, struct arena *arena)
{
    json_int_t code = json_integer_value(json_object_get(object, "code"));
    /* A Status that is sent as an error is one, whatever it says. */
    struct status status = {.code = code >= 400 && code <= 599 ? (unsigned)code : 500};
    const json_t *retry = json_object_get(json_object_get(object, "details"), "retryAfterSeconds");
    json_int_t seconds = json_integer_value(retry);
    if (seconds > 0)
        status.retry_after_ms =
            (uint64_t)(seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) * 1000;
    status.result = result_of(status.code);
    status.reason =
        clean(str_from(json_string_value(json_object_get(object, "reason"))), MESSAGE_MAX, arena);
    status.message =
        clean(str_from(json_string_value(json_object_get(object, "message"))), MESSAGE_MAX, arena);
    if (!status.message.len)
        status.message = arena_printf(arena, "the server answered with code %u", status.code);
    return status;
}

struct status status_decode(unsigned code, struct str body, uint64_t retry_after,
                            struct arena *arena)
{
    struct status status = {.code = code, .result = result_of(code)};
    if (status.result == 0)
        return status;
    json_t *tree = body.len <= BODY_MAX ? json_loadb(body.ptr, body.len, 0, NULL) : NULL;
    if (str_eq(str_from(json_string_value(json_object_get(tree, "kind"))), STR("Status"))) {
        status = status_of(tree, arena);
        status.code = code; /* the header line counts */
        status.result = result_of(code);
    } else {
        struct str page = utf8_valid(body) ? clean(body, MESSAGE_MAX, arena) : (struct str){0};
        status.message = arena_printf(arena, "the server answered with code %u%s" STR_FMT, code,
                                      page.len ? ": " : "", STR_ARG(page));
    }
    json_decref(tree);
    if (retry_after)
        status.retry_after_ms = retry_after * 1000;
    return status;
}

uint64_t status_retry_after(struct str header)
{
    uint64_t seconds;
    if (str_to_u64(str_trim(header), UINT64_MAX, &seconds) != 0)
        return 0;
    return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}
