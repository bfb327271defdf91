#include "common/source/manifest.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/suggest.h"
#include "common/json/fields.h"
#include "common/json/yaml.h"

static struct str text_of(const json_t *value)
{
    return (struct str){.ptr = json_string_value(value), .len = json_string_length(value)};
}

/* An error that may hide an object. */
static void broken(struct manifest *manifest, struct str origin, const char *message)
{
    manifest->broken = true;
    diag_add(&manifest->findings, DIAG_ERROR, origin, STR(""), "%s", message);
}

static struct str group_of(struct str api_version)
{
    struct str group, version;
    return str_cut(api_version, '/', &group, &version) ? group : STR("");
}

/* Is the group one that only we define? */
static bool is_our_group(struct str group)
{
    for (size_t id = 0; id < KIND_COUNT; id++) {
        const struct kind *kind = kinds_get((enum kind_id)id);
        if (kind->config && str_eq(group, str_from(kind->group)))
            return true;
    }
    return false;
}

/* A kind that is none of ours: why, and whether that is likely a mistake. */
static void report_unknown(struct manifest *manifest, struct str origin, struct str api_version,
                           struct str name)
{
    struct str group = group_of(api_version), shown = str_slice(name, 0, 64);
    struct suggest near = {.typed = name};
    const struct kind *same = NULL;
    for (size_t id = 0; id < KIND_COUNT; id++) {
        const struct kind *kind = kinds_get((enum kind_id)id);
        if (str_eq(name, str_from(kind->name)))
            same = kind;
        suggest_try(&near, str_from(kind->name));
    }
    bool ours = is_our_group(group);
    scoped_sbuf struct sbuf what = {0};
    sbuf_puts(&what, "kind ");
    sbuf_json(&what, shown);
    sbuf_puts(&what, " of ");
    sbuf_json(&what, str_slice(api_version, 0, 64));
    if (same && (ours || str_eq(group, str_from(same->group))))
        sbuf_printf(&what, " is not served; did you mean \"" STR_FMT "\"?",
                    STR_ARG(kinds_api_version(same, manifest->arena)));
    else if (!same && near.best.len)
        sbuf_printf(&what, " is unknown; did you mean \"" STR_FMT "\"?", STR_ARG(near.best));
    else if (ours)
        sbuf_puts(&what, " is unknown");
    else
        sbuf_puts(&what, " is not used here");
    bool mistake = !str_ends_with(sbuf_str(&what), STR(" is not used here"));
    manifest->broken |= mistake;
    diag_add(&manifest->findings, mistake ? DIAG_ERROR : DIAG_NOTE, origin, STR("kind"), "%s",
             sbuf_cstr(&what));
}

/* metadata.namespace, "default" when a namespaced object has none; a wrong type is the decoder's
 * to report. */
static struct str default_namespace(const struct kind *kind, json_t *metadata)
{
    json_t *value = json_object_get(metadata, "namespace");
    if (!kind->namespaced)
        return STR("");
    if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value))) {
        value = json_string("default");
        (void)json_object_set_new(metadata, "namespace", value); /* a valid key */
    }
    return text_of(value);
}

static void add_object(struct manifest *manifest, const struct kind *kind, struct str origin,
                       json_t *tree)
{
    json_t *metadata = json_object_get(tree, "metadata");
    struct str name = text_of(json_object_get(metadata, "name"));
    if (!name.len) {
        manifest->broken = true;
        diag_add(&manifest->findings, DIAG_ERROR, origin, STR("metadata.name"), "is required");
        return;
    }
    if (kind->id == KIND_SERVICE)
        manifest_default_service(tree);
    struct manifest_object object = {
        .kind = kind,
        .namespace = arena_str(manifest->arena, default_namespace(kind, metadata)),
        .name = arena_str(manifest->arena, name),
        .origin = origin,
        .tree = json_incref(tree),
    };
    vec_push(&manifest->objects, object);
}

static void add_document(struct manifest *manifest, struct str origin, json_t *tree,
                         struct str list_version, struct str list_kind);

/* A List of any kind: its items may leave out what the list says ("ServiceList" holds Services). */
static void add_items(struct manifest *manifest, struct str origin, json_t *items,
                      struct str api_version, struct str kind)
{
    struct str item_kind = str_slice(kind, 0, kind.len - STR("List").len);
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct str place = arena_printf(manifest->arena, STR_FMT " items[%zu]", STR_ARG(origin), i);
        add_document(manifest, place, json_array_get(items, i), api_version, item_kind);
    }
}

static void add_document(struct manifest *manifest, struct str origin, json_t *tree,
                         struct str list_version, struct str list_kind)
{
    if (!json_is_object(tree)) {
        broken(manifest, origin, "is no object");
        return;
    }
    struct str api_version = text_of(json_object_get(tree, "apiVersion"));
    struct str kind_name = text_of(json_object_get(tree, "kind"));
    if (!kind_name.len && !api_version.len) {
        api_version = list_version;
        kind_name = list_kind;
    }
    if (!kind_name.len || !api_version.len) {
        broken(manifest, origin, "is no object: apiVersion and kind are required");
        return;
    }
    json_t *items = json_object_get(tree, "items");
    if (str_ends_with(kind_name, STR("List")) && json_is_array(items)) {
        add_items(manifest, origin, items, api_version, kind_name);
        return;
    }
    const struct kind *kind = kinds_find(api_version, kind_name);
    if (kind)
        add_object(manifest, kind, origin, tree);
    else
        report_unknown(manifest, origin, api_version, kind_name);
}

static struct str place_of(struct manifest *manifest, struct str file, size_t line)
{
    return arena_printf(manifest->arena, STR_FMT ":%zu", STR_ARG(file), line);
}

/* "line 12: what" → the line and what. */
static size_t cut_line(struct str *message)
{
    struct str head, rest;
    uint64_t line = 1;
    if (str_starts_with(*message, STR("line ")) && str_cut(*message, ':', &head, &rest) &&
        str_to_u64(str_slice(head, 5, head.len), SIZE_MAX, &line) == 0)
        *message = str_trim(rest);
    return (size_t)line;
}

static void read_json(struct manifest *manifest, struct str file, struct str text)
{
    struct str message;
    json_t *tree = fields_parse(text, manifest->arena, &message);
    if (tree) {
        add_document(manifest, place_of(manifest, file, 1), tree, STR(""), STR(""));
    } else {
        size_t line = cut_line(&message);
        broken(manifest, place_of(manifest, file, line), arena_cstr(manifest->arena, message));
    }
    json_decref(tree);
}

static void read_yaml(struct manifest *manifest, struct str file, struct str text)
{
    struct yaml_documents documents = yaml_parse(text, manifest->arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        const struct yaml_document *document = &documents.list.items[i];
        if (document->tree)
            add_document(manifest, place_of(manifest, file, document->line), document->tree,
                         STR(""), STR(""));
        else
            broken(manifest, place_of(manifest, file, document->error_line),
                   arena_cstr(manifest->arena, document->error));
    }
    yaml_done(&documents);
}

struct manifest *manifest_parse(struct str file, struct str text)
{
    struct arena *arena = arena_new(0);
    struct manifest *manifest = arena_alloc(arena, sizeof(*manifest));
    manifest->arena = arena;
    manifest->findings.arena = arena;
    if (text.len > MANIFEST_SIZE_MAX)
        broken(manifest, place_of(manifest, file, 1), "is larger than 16 MiB");
    else if (str_ends_with(file, STR(".json")))
        read_json(manifest, file, text);
    else
        read_yaml(manifest, file, text);
    return manifest;
}

struct manifest *manifest_free(struct manifest *manifest)
{
    if (!manifest)
        return NULL;
    for (size_t i = 0; i < manifest->objects.len; i++)
        json_decref(manifest->objects.items[i].tree);
    vec_done(&manifest->objects);
    diag_done(&manifest->findings);
    (void)arena_free(manifest->arena);
    return NULL;
}

bool manifest_is_file(struct str name)
{
    if (!name.len || name.ptr[0] == '.' || name.ptr[0] == '#')
        return false;
    return str_ends_with(name, STR(".yaml")) || str_ends_with(name, STR(".yml")) ||
           str_ends_with(name, STR(".json"));
}
