#include "crd/sentences.h"

#include <string.h>

#include "common/base/utf8.h"

/* What is said of those left out, with "…" and a separator, needs less than 64 bytes. */
enum { TEXT_MAX = SENTENCES_MAX - 64 };

/* The longest beginning of whole characters that is at most `max` bytes long. A byte that begins
 * none counts as one, as it does when the text is written. */
static struct str cut(struct str text, size_t max)
{
    size_t len = 0;
    for (size_t step; len < text.len; len += step) {
        step = utf8_len(str_slice(text, len, text.len));
        step = step ? step : 1;
        if (len + step > max)
            break;
    }
    return str_slice(text, 0, len);
}

void sentences_add(struct sentences *s, struct str sentence)
{
    if (s->text.len == 0) {
        struct str whole = cut(sentence, TEXT_MAX);
        sbuf_put(&s->text, whole);
        if (whole.len < sentence.len)
            sbuf_puts(&s->text, "…");
        return;
    }
    s->left_out += s->left_out || s->text.len + strlen(s->separator) + sentence.len > TEXT_MAX;
    if (s->left_out)
        return;
    sbuf_puts(&s->text, s->separator);
    sbuf_put(&s->text, sentence);
}

struct str sentences_move(struct sentences *s, struct arena *arena)
{
    if (s->left_out)
        sbuf_printf(&s->text, "%s… and %zu more", s->separator, s->left_out);
    return sbuf_move(&s->text, arena);
}
