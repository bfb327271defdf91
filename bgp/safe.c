#include "bgp/safe.h"

#include "common/base/map.h"
#include "common/base/sbuf.h"

enum {
    SYMBOL_MAX = 63, /* BIRD's SYM_MAX_LEN without its NUL */
    HEAD_MAX = 36,   /* of a name that is followed by its hash */
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool safe_is_symbol(struct str text)
{
    if (text.len == 0 || text.len > SYMBOL_MAX || text.ptr[0] < 'a' || text.ptr[0] > 'z' ||
        str_find(text, '_') == text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_word(text.ptr[i]) && text.ptr[i] != '_')
            return false;
    }
    return true;
}

bool safe_is_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ' || text.ptr[i] > '~' || text.ptr[i] == '"')
            return false;
    }
    return true;
}

struct str safe_protocol(struct str prefix, struct str name, struct arena *arena)
{
    struct sbuf out = {0};
    bool same = name.len <= HEAD_MAX;
    sbuf_put(&out, prefix);
    sbuf_putc(&out, '_');
    for (size_t i = 0; i < name.len && i < HEAD_MAX; i++) {
        same = same && is_word(name.ptr[i]);
        sbuf_putc(&out, is_word(name.ptr[i]) ? name.ptr[i] : '_');
    }
    if (!same)
        sbuf_printf(&out, "_%016llx", (unsigned long long)map_hash(0, name));
    return sbuf_move(&out, arena);
}
