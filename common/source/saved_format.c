#include "common/source/saved_format.h"

#include "common/base/names.h"
#include "common/net/wire.h"

enum { VERSION = 1, KIND_FOLLOWS = 0 };
#define END UINT32_C(0xffffffff)

static const struct str magic = STR_INIT("STENTOR\n");

static const char *const verdict_texts[] = {
    [SAVED_GOOD] = "good",
    [SAVED_OTHER_VERSION] = "written by another version of the program",
    [SAVED_NOT_OURS] = "not a file of saved objects",
    [SAVED_CUT] = "cut off or too long",
    [SAVED_BAD_SUM] = "damaged: its sum is wrong",
    [SAVED_BAD_RECORD] = "damaged: a record makes no sense",
};
static const struct names verdicts = NAMES(verdict_texts);
_Static_assert(sizeof(verdict_texts) / sizeof(verdict_texts[0]) == SAVED_VERDICTS, "a text each");

const char *saved_verdict_text(enum saved_verdict verdict)
{
    return names_of(&verdicts, verdict);
}

/* --- writing --------------------------------------------------------------------------------- */

static void put_u32(struct sbuf *out, uint32_t value)
{
    uint8_t bytes[4];
    struct wire wire = wire_writer(bytes, sizeof(bytes));
    wire_put_u32(&wire, value);
    sbuf_put(out, (struct str){(const char *)bytes, sizeof(bytes)});
}

static void put_short(struct sbuf *out, const char *text)
{
    struct str str = str_from(text); /* of the table of kinds: never 256 bytes long */
    sbuf_putc(out, (char)str.len);
    sbuf_put(out, str);
}

void saved_format_begin(struct sbuf *out)
{
    sbuf_put(out, magic);
    put_u32(out, VERSION);
}

void saved_format_kind(struct sbuf *out, const struct kind *kind)
{
    put_u32(out, KIND_FOLLOWS);
    put_short(out, kind->group);
    put_short(out, kind->version);
    put_short(out, kind->name);
}

bool saved_format_object(struct sbuf *out, const struct object *object)
{
    scoped_sbuf struct sbuf text = {0};
    object_encode(object, &text);
    if (text.len > SAVED_OBJECT_MAX)
        return false;
    put_u32(out, (uint32_t)text.len);
    sbuf_put(out, sbuf_str(&text));
    return true;
}

void saved_format_end(struct sbuf *out, const uint8_t sum[SAVED_SUM_SIZE])
{
    put_u32(out, END);
    sbuf_put(out, (struct str){(const char *)sum, SAVED_SUM_SIZE});
}

/* --- reading --------------------------------------------------------------------------------- */

static struct str get_text(struct wire *wire, size_t len)
{
    const uint8_t *bytes = wire_get_bytes(wire, len);
    return bytes ? (struct str){(const char *)bytes, len} : (struct str){0};
}

/* One record: an object's text, or a kind and no text. */
struct record {
    struct str group, version, kind, text;
};

/* False at the end, and when the record makes no sense (then the wire is not ok, or the end is not
 * where it should be). */
static bool next_record(struct wire *wire, struct record *ret)
{
    uint32_t length = wire_get_u32(wire);
    *ret = (struct record){0};
    if (!wire_ok(wire) || length == END)
        return false;
    if (length == KIND_FOLLOWS) {
        ret->group = get_text(wire, wire_get_u8(wire));
        ret->version = get_text(wire, wire_get_u8(wire));
        ret->kind = get_text(wire, wire_get_u8(wire));
    } else {
        ret->text = get_text(wire, length);
    }
    return wire_ok(wire);
}

enum saved_verdict saved_format_check(struct str file)
{
    size_t tail = 4 + SAVED_SUM_SIZE, head = magic.len + 4;
    uint8_t sum[SAVED_SUM_SIZE];
    if (!str_starts_with(file, magic))
        return SAVED_NOT_OURS;
    struct wire wire = wire_reader(file.ptr, file.len);
    wire_skip(&wire, magic.len);
    uint32_t version = wire_get_u32(&wire);
    if (!wire_ok(&wire) || file.len < head + tail)
        return SAVED_CUT;
    if (version != VERSION)
        return SAVED_OTHER_VERSION;
    size_t covered = file.len - tail;
    (void)crypto_generichash(sum, sizeof(sum), (const unsigned char *)file.ptr, covered, NULL, 0);
    if (!str_eq(str_slice(file, covered + 4, file.len),
                (struct str){(const char *)sum, sizeof(sum)}))
        return SAVED_BAD_SUM;
    struct record record;
    while (next_record(&wire, &record) && record.text.len <= SAVED_OBJECT_MAX)
        ;
    return wire_ok(&wire) && wire.at == covered + 4 ? SAVED_GOOD : SAVED_BAD_RECORD;
}

static const struct kind *find_kind(const struct record *record, struct arena *arena)
{
    struct str version = record->version;
    if (record->group.len)
        version = arena_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(record->group),
                               STR_ARG(record->version));
    return kinds_find(version, record->kind);
}

/* The object, or NULL when it cannot be used. */
static struct object *read_object(const struct kind *kind, struct str text)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str error;
    json_t *tree = fields_parse(text, arena, &error);
    if (!tree)
        return NULL;
    scoped_ptr(object) struct object *object = object_decode(kind, tree, STR(""));
    json_decref(tree);
    return object->refused ? NULL : take_ptr(object);
}

struct saved_counts saved_format_read(struct str file,
                                      void (*object)(void *ctx, struct object *object), void *ctx)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct saved_counts counts = {0};
    struct wire wire = wire_reader(file.ptr, file.len);
    const struct kind *kind = NULL;
    struct record record;
    wire_skip(&wire, magic.len + 4);
    while (next_record(&wire, &record)) {
        if (!record.text.len) {
            arena_reset(arena);
            kind = find_kind(&record, arena);
            continue;
        }
        struct object *read = kind ? read_object(kind, record.text) : NULL;
        counts.unknown += !kind;
        counts.refused += kind && !read;
        counts.objects += read != NULL;
        if (read)
            object(ctx, read);
    }
    return counts;
}
