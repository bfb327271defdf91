#include "common/json/yaml.h"

#include <string.h>
#include <yaml.h>

#include "common/base/map.h"
#include "common/base/utf8.h"
#include "common/json/yaml_scalar.h"

#define DEPTH_MAX 100
/* Nodes that aliases may add to one text: all its documents are held at once. */
#define ALIAS_NODES_MAX 100000
/* So many bytes of text count as one more node. */
#define NODE_BYTES 64
#define ANCHORS_MAX 10000

/* One chunk being read. */
struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    size_t line; /* of the chunk's first line, from 0 */
    struct map anchors;
    size_t *alias_nodes; /* of the whole text */
    struct str error;
    size_t error_line;
};

static json_t *read_node(struct reader *r, const yaml_event_t *event, size_t depth);

/* Notes the first error; always NULL. */
static json_t *fail(struct reader *r, size_t line, const char *phrase)
{
    if (!r->error.len) {
        r->error = arena_printf(r->arena, "%s", phrase);
        r->error_line = r->line + line + 1;
    }
    return NULL;
}

/* The parser's own complaint. */
static void fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (r->error.len)
        return;
    if (p->context && p->problem)
        r->error = arena_printf(r->arena, "%s %s", p->problem, p->context);
    else
        r->error = arena_printf(r->arena, "%s", p->problem ? p->problem : "cannot be read");
    r->error_line = r->line + p->problem_mark.line + 1;
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    fail_parser(r);
    return false;
}

/* Nodes of a tree, with long texts counted as several, and its depth; stops once there are more
 * than `budget` nodes. */
static size_t measure(const json_t *tree, size_t budget, size_t *depth)
{
    size_t nodes = 1 + json_string_length(tree) / NODE_BYTES, deepest = 0, below, i, key_len;
    const char *key;
    json_t *value;
    if (json_is_object(tree)) {
        json_object_keylen_foreach((json_t *)(uintptr_t)tree, key, key_len, value)
        {
            below = 0;
            nodes += key_len / NODE_BYTES;
            if (nodes <= budget)
                nodes += measure(value, budget - nodes, &below);
            deepest = below > deepest ? below : deepest;
        }
    } else if (json_is_array(tree)) {
        json_array_foreach(tree, i, value)
        {
            below = 0;
            if (nodes <= budget)
                nodes += measure(value, budget - nodes, &below);
            deepest = below > deepest ? below : deepest;
        }
    }
    *depth = deepest + 1;
    return nodes;
}

static json_t *read_alias(struct reader *r, const yaml_event_t *event, size_t depth)
{
    const char *name = (const char *)event->data.alias.anchor;
    size_t line = event->start_mark.line;
    json_t *target = map_get(&r->anchors, str_from(name));
    if (!target)
        return fail(r, line, "alias of an unknown anchor");
    size_t below = 0, *used = r->alias_nodes;
    if (*used < ALIAS_NODES_MAX)
        *used += measure(target, ALIAS_NODES_MAX - *used, &below);
    if (*used >= ALIAS_NODES_MAX)
        return fail(r, line, "aliases make the text too large");
    if (depth + below > DEPTH_MAX)
        return fail(r, line, "nested too deeply");
    return json_deep_copy(target);
}

static void anchor_set(struct reader *r, const yaml_char_t *anchor, json_t *value, size_t line)
{
    if (!anchor || !value)
        return;
    if (map_count(&r->anchors) >= ANCHORS_MAX) {
        (void)fail(r, line, "too many anchors");
        return;
    }
    json_decref(map_put(&r->anchors, arena_str(r->arena, str_from((const char *)anchor)),
                        json_incref(value)));
}

static json_t *read_scalar(struct reader *r, const yaml_event_t *event)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const char *tag = (const char *)event->data.scalar.tag, *phrase = NULL;
    size_t line = event->start_mark.line;
    if (memchr(text.ptr, '\0', text.len) || !utf8_valid(text))
        return fail(r, line, "text holds bytes that JSON text may not hold");
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool as_text = tag && (!strcmp(tag, YAML_STR_TAG) || !strcmp(tag, "!"));
    bool typed = tag && (!strcmp(tag, YAML_INT_TAG) || !strcmp(tag, YAML_FLOAT_TAG) ||
                         !strcmp(tag, YAML_BOOL_TAG) || !strcmp(tag, YAML_NULL_TAG));
    if (tag && !as_text && !typed)
        return fail(r, line, "tag is not supported");
    if (as_text || (!plain && !typed))
        return json_stringn(text.ptr, text.len);
    json_t *value = yaml_scalar(text, &phrase);
    return value ? value : fail(r, line, phrase);
}

static json_t *read_sequence(struct reader *r, size_t depth)
{
    json_t *array = json_array();
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            break;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        json_t *item = end ? NULL : read_node(r, &event, depth + 1);
        yaml_event_delete(&event);
        if (end)
            return array;
        if (!item)
            break;
        (void)json_array_append_new(array, item);
    }
    json_decref(array);
    return NULL;
}

/* "<<": the members of one mapping, or of a list of them, that are not there yet. */
static bool merge_into(json_t *object, const json_t *from)
{
    if (json_is_object(from))
        return json_object_update_missing(object, (json_t *)(uintptr_t)from) == 0;
    size_t i;
    json_t *item;
    if (!json_is_array(from))
        return false;
    json_array_foreach(from, i, item)
    {
        if (!json_is_object(item))
            return false;
        (void)json_object_update_missing(object, item);
    }
    return true;
}

/* Reads the value of one key into the object. */
static bool read_member(struct reader *r, json_t *object, json_t **merge,
                        const yaml_event_t *key_event, size_t depth)
{
    size_t line = key_event->start_mark.line;
    if (key_event->type != YAML_SCALAR_EVENT) {
        (void)fail(r, line, "key is not text");
        return false;
    }
    struct str key = {(const char *)key_event->data.scalar.value, key_event->data.scalar.length};
    bool plain = key_event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool merging = plain && str_eq(key, STR("<<"));
    if (memchr(key.ptr, '\0', key.len) || !utf8_valid(key)) {
        (void)fail(r, line, "text holds bytes that JSON text may not hold");
        return false;
    }
    if (merging ? *merge != NULL : json_object_getn(object, key.ptr, key.len) != NULL) {
        (void)fail(r, line, "key is given twice");
        return false;
    }
    yaml_event_t event;
    if (!next_event(r, &event))
        return false;
    json_t *value = read_node(r, &event, depth + 1);
    yaml_event_delete(&event);
    if (!value)
        return false;
    if (merging)
        *merge = value;
    else
        (void)json_object_setn_new(object, key.ptr, key.len, value);
    return true;
}

static json_t *read_mapping(struct reader *r, size_t depth)
{
    json_t *object = json_object(), *merge = NULL;
    bool good = true, end = false;
    while (good && !end) {
        yaml_event_t event;
        if (!next_event(r, &event)) {
            good = false;
            break;
        }
        end = event.type == YAML_MAPPING_END_EVENT;
        if (!end)
            good = read_member(r, object, &merge, &event, depth);
        if (end && merge && !merge_into(object, merge)) {
            (void)fail(r, event.start_mark.line, "merge key does not name a mapping");
            good = false;
        }
        yaml_event_delete(&event);
    }
    json_decref(merge);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

/* The value that starts with this event, NULL after an error. */
static json_t *read_node(struct reader *r, const yaml_event_t *event, size_t depth)
{
    size_t line = event->start_mark.line;
    if (depth > DEPTH_MAX)
        return fail(r, line, "nested too deeply");
    json_t *value = NULL;
    const yaml_char_t *anchor = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return read_alias(r, event, depth);
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        value = read_scalar(r, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        value = read_sequence(r, depth);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        value = read_mapping(r, depth);
        break;
    default:
        return fail(r, line, "unexpected content");
    }
    anchor_set(r, anchor, value, line);
    return value;
}

static void anchors_clear(struct reader *r)
{
    size_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&r->anchors, &cursor));)
        json_decref(entry->value);
    map_done(&r->anchors);
}

/* Adds the document that starts with this DOCUMENT_START event; false when reading must end. */
static bool read_document(struct reader *r, struct yaml_documents *documents)
{
    yaml_event_t event;
    if (!next_event(r, &event))
        return false;
    struct yaml_document document = {.line = r->line + event.start_mark.line + 1};
    bool empty = event.type == YAML_SCALAR_EVENT && event.data.scalar.length == 0 &&
                 event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    document.tree = read_node(r, &event, 1);
    yaml_event_delete(&event);
    anchors_clear(r);
    if (!document.tree)
        return false;
    if (r->error.len) { /* read, but an anchor was refused */
        json_decref(document.tree);
        return false;
    }
    if (empty)
        json_decref(document.tree);
    else
        vec_push(&documents->list, document);
    return true;
}

/* Reads one chunk of the text: usually one document, several when "..." separates them. */
static void read_chunk(struct str chunk, size_t line, size_t *alias_nodes, struct arena *arena,
                       struct yaml_documents *documents)
{
    struct reader r = {.arena = arena, .line = line, .alias_nodes = alias_nodes};
    if (!yaml_parser_initialize(&r.parser)) {
        (void)fail(&r, 0, "out of memory");
    } else {
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)chunk.ptr, chunk.len);
    }
    for (bool more = !r.error.len; more;) {
        yaml_event_t event;
        if (!next_event(&r, &event))
            break;
        more = event.type != YAML_STREAM_END_EVENT;
        bool document = event.type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&event);
        if (document && !read_document(&r, documents))
            break;
    }
    yaml_parser_delete(&r.parser);
    if (r.error.len) {
        struct yaml_document broken = {
            .line = line + 1, .error = r.error, .error_line = r.error_line};
        vec_push(&documents->list, broken);
    }
}

/* Does a line start a new document ("---" and then a blank or nothing)? */
static bool is_marker(struct str line)
{
    return str_starts_with(line, STR("---")) &&
           (line.len == 3 || line.ptr[3] == ' ' || line.ptr[3] == '\t' || line.ptr[3] == '\r');
}

/* A line that says nothing of its own: blank, a comment, or a directive for the marker below. */
static bool is_preamble(struct str line)
{
    struct str trimmed = str_trim(line);
    return !trimmed.len || trimmed.ptr[0] == '#' || line.ptr[0] == '%';
}

struct yaml_documents yaml_parse(struct str text, struct arena *arena)
{
    struct yaml_documents documents = {0};
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len);
    struct str rest = text, line;
    size_t start = 0, start_line = 0, number = 0, alias_nodes = 0;
    bool content = false;
    while (str_next(&rest, '\n', &line)) {
        size_t at = (size_t)(line.ptr - text.ptr);
        if (is_marker(line) && content) {
            read_chunk(str_slice(text, start, at), start_line, &alias_nodes, arena, &documents);
            start = at;
            start_line = number;
        }
        content |= !is_preamble(line);
        number++;
    }
    if (content)
        read_chunk(str_slice(text, start, text.len), start_line, &alias_nodes, arena, &documents);
    return documents;
}

void yaml_done(struct yaml_documents *documents)
{
    for (size_t i = 0; i < documents->list.len; i++)
        json_decref(documents->list.items[i].tree);
    vec_done(&documents->list);
}
