#include "common/kube/object_text.h"

#include <string.h>

/* What is parsed: the text without the items of the list. */
struct pieces {
    struct str left[2];
};

/* Where a list that begins at `from` ends: the index of its bracket, or the length of the text. */
static size_t list_end(struct str text, size_t from)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = from; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if ((c == ']' || c == '}') && --depth == 0) {
            return i;
        }
    }
    return text.len;
}

/* A quotation mark inside of a string has a backslash before it: what follows a brace or a comma
 * and is written like this is a member's name and nothing else. */
static struct pieces cut(struct str text)
{
    static const struct str member = STR_INIT("\"managedFields\":[");
    const char *found = text.len ? memmem(text.ptr, text.len, member.ptr, member.len) : NULL;
    size_t at = found ? (size_t)(found - text.ptr) : 0;
    if (at == 0 || (text.ptr[at - 1] != '{' && text.ptr[at - 1] != ','))
        return (struct pieces){{text}};
    size_t first = at + member.len;
    return (struct pieces){
        {str_slice(text, 0, first), str_slice(text, list_end(text, first - 1), text.len)}};
}

/* json_load_callback_t */
static size_t read_pieces(void *buffer, size_t size, void *ctx)
{
    struct pieces *pieces = ctx;
    struct str *piece = &pieces->left[pieces->left[0].len == 0];
    size_t len = piece->len < size ? piece->len : size;
    if (len)
        memcpy(buffer, piece->ptr, len);
    *piece = str_slice(*piece, len, piece->len);
    return len;
}

json_t *object_text_load(struct str text)
{
    struct pieces pieces = cut(text);
    /* A text may hold U+0000 (RFC 8259 section 7), and whoever may write an annotation can put it
     * there: such an object must be seen like any other. */
    return json_load_callback(read_pieces, &pieces, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}
