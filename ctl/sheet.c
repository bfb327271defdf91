#include "ctl/sheet.h"

void sheet_begin(struct sheet *sheet, const char *head, struct arena *arena)
{
    struct str rest = str_from(head), title;
    *sheet = (struct sheet){.arena = arena};
    while (str_next(&rest, '|', &title)) {
        vec_push(&sheet->cells, arena_str(arena, title));
        sheet->columns++;
    }
    assert(sheet->columns <= SHEET_COLUMNS_MAX);
}

void sheet_put(struct sheet *sheet, struct str text)
{
    vec_push(&sheet->cells, text.len ? arena_str(sheet->arena, text) : STR("-"));
}

void sheet_put_list(struct sheet *sheet, const struct str_list *list)
{
    scoped_sbuf struct sbuf text = {0};
    for (size_t i = 0; i < list->count; i++) {
        sbuf_puts(&text, i ? "," : "");
        sbuf_put(&text, list->items[i]);
    }
    sheet_put(sheet, sbuf_str(&text));
}

void sheet_put_number(struct sheet *sheet, size_t number)
{
    sheet_put(sheet, arena_printf(sheet->arena, "%zu", number));
}

/* How many columns a text takes: one for each code point. */
static size_t width_of(struct str text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return width;
}

void sheet_end(struct sheet *sheet, struct sbuf *out)
{
    size_t widths[SHEET_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < sheet->cells.len; i++) {
        size_t width = width_of(sheet->cells.items[i]), column = i % sheet->columns;
        widths[column] = width > widths[column] ? width : widths[column];
    }
    for (size_t i = 0; i < sheet->cells.len; i++) {
        size_t column = i % sheet->columns;
        struct str cell = sheet->cells.items[i];
        sbuf_put(out, cell);
        if (column + 1 == sheet->columns)
            sbuf_putc(out, '\n');
        else
            sbuf_printf(out, "%*s", (int)(widths[column] - width_of(cell) + 2), "");
    }
    vec_done(&sheet->cells);
}
