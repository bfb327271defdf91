#include "bgp/reply.h"

#include "common/base/sbuf.h"
#include "common/base/vec.h"

enum { CODE_LEN = 4 };

struct reply_reader {
    struct sbuf input; /* not looked at yet from `at` on */
    size_t at;
    struct arena *arena; /* of the lines */
    VEC(struct reply_line) lines;
    size_t size;      /* of their texts */
    struct sbuf echo; /* the one given out last */
    struct reply_line echo_line;
    unsigned code;
    bool in_code, complete, broken; /* a code is known; the lines were given out */
};

struct reply_reader *reply_reader_new(void)
{
    struct reply_reader *reader = heap_alloc(sizeof(*reader));
    reader->arena = arena_new(0);
    return reader;
}

struct reply_reader *reply_reader_free(struct reply_reader *reader)
{
    if (!reader)
        return NULL;
    sbuf_done(&reader->input);
    sbuf_done(&reader->echo);
    vec_done(&reader->lines);
    (void)arena_free(reader->arena);
    free(reader);
    return NULL;
}

void reply_feed(struct reply_reader *reader, struct str bytes)
{
    if (reader->broken)
        return;
    if (reader->at > 0) {
        struct str rest = str_slice(sbuf_str(&reader->input), reader->at, reader->input.len);
        struct sbuf input = {0};
        sbuf_put(&input, rest);
        sbuf_done(&reader->input);
        reader->input = input;
        reader->at = 0;
    }
    sbuf_put(&reader->input, bytes);
}

/* The next whole line, without its end. */
static bool take_line(struct reply_reader *reader, struct str *ret)
{
    struct str rest = str_slice(sbuf_str(&reader->input), reader->at, reader->input.len);
    size_t len = str_find(rest, '\n');
    if (len > REPLY_LINE_MAX)
        reader->broken = true;
    if (len == rest.len || reader->broken)
        return false;
    reader->at += len + 1;
    if (len > 0 && rest.ptr[len - 1] == '\r')
        len--;
    *ret = str_slice(rest, 0, len);
    return true;
}

static bool parse_code(struct str line, unsigned *ret)
{
    uint64_t code;
    if (line.len <= CODE_LEN || (line.ptr[CODE_LEN] != ' ' && line.ptr[CODE_LEN] != '-') ||
        str_to_u64(str_slice(line, 0, CODE_LEN), 9999, &code) < 0)
        return false;
    *ret = (unsigned)code;
    return true;
}

static void add_line(struct reply_reader *reader, struct str text)
{
    struct reply_line line = {.code = reader->code, .text = arena_str(reader->arena, text)};
    reader->size += text.len;
    if (reader->size > REPLY_SIZE_MAX)
        reader->broken = true;
    vec_push(&reader->lines, line);
}

/* Adds a line to the reply; true when it is the last. */
static bool read_line(struct reply_reader *reader, struct str line)
{
    if (line.len > 0 && line.ptr[0] == ' ' && reader->in_code) {
        add_line(reader, str_slice(line, 1, line.len));
        return false;
    }
    if (!parse_code(line, &reader->code)) {
        reader->broken = true;
        return false;
    }
    reader->in_code = true;
    add_line(reader, str_slice(line, CODE_LEN + 1, line.len));
    return line.ptr[CODE_LEN] == ' ';
}

/* Forgets the reply that was given out. */
static void begin(struct reply_reader *reader)
{
    vec_clear(&reader->lines);
    arena_reset(reader->arena);
    reader->size = 0;
    reader->in_code = reader->complete = false;
}

static enum reply_event give(const struct reply_line *lines, size_t count, enum reply_event event,
                             struct reply *ret)
{
    *ret = (struct reply){.lines = lines, .count = count};
    return event;
}

enum reply_event reply_next(struct reply_reader *reader, struct reply *ret)
{
    if (reader->complete)
        begin(reader);
    for (struct str line; !reader->broken && take_line(reader, &line);) {
        if (line.len > 0 && line.ptr[0] == '+') {
            sbuf_clear(&reader->echo);
            sbuf_put(&reader->echo, str_slice(line, 1, line.len));
            reader->echo_line.text = sbuf_str(&reader->echo);
            return give(&reader->echo_line, 1, REPLY_ECHO, ret);
        }
        reader->complete = read_line(reader, line);
        if (reader->complete && !reader->broken)
            return give(reader->lines.items, reader->lines.len, REPLY_DONE, ret);
    }
    return reader->broken ? REPLY_BROKEN : REPLY_MORE;
}

const struct reply_line *reply_last(const struct reply *reply)
{
    return &reply->lines[reply->count - 1];
}

bool reply_is_error(const struct reply *reply)
{
    return reply_last(reply)->code >= 8000;
}

bool reply_version(const struct reply *reply, unsigned ret_version[3])
{
    struct str text = reply_last(reply)->text, word;
    if (reply_last(reply)->code != REPLY_GREETING || !str_cut(text, ' ', &word, &text) ||
        !str_eq(word, STR("BIRD")))
        return false;
    (void)str_cut(text, ' ', &word, &text);
    for (size_t i = 0; i < 3; i++) {
        struct str part;
        uint64_t number = 0;
        bool there = str_next(&word, '.', &part);
        if ((!there && i < 2) || (there && str_to_u64(part, UINT16_MAX, &number) < 0))
            return false;
        ret_version[i] = (unsigned)number;
    }
    return true;
}
