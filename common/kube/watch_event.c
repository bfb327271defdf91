#include "common/kube/watch_event.h"

#include "common/base/err.h"
#include "common/base/names.h"
#include "common/kube/object_text.h"

static const char *const type_names[] = {
    [WATCH_ADDED] = "ADDED",       [WATCH_MODIFIED] = "MODIFIED", [WATCH_DELETED] = "DELETED",
    [WATCH_BOOKMARK] = "BOOKMARK", [WATCH_ERROR] = "ERROR",
};
static const struct names types = NAMES(type_names);

int watch_type_find(struct str name, enum watch_type *ret)
{
    size_t value;
    int found = names_find(&types, name, &value);
    if (found == 0)
        *ret = (enum watch_type)value;
    return found;
}

int watch_event_parse(struct str line, struct watch_event *ret)
{
    json_t *tree = object_text_load(line);
    if (!tree)
        return ERR_SYNTAX;
    struct watch_event event = {.tree = tree, .object = json_object_get(tree, "object")};
    const json_t *metadata = json_object_get(event.object, "metadata");
    struct str type = str_from(json_string_value(json_object_get(tree, "type")));
    event.resource_version =
        str_from(json_string_value(json_object_get(metadata, "resourceVersion")));
    bool good = watch_type_find(type, &event.type) == 0 && json_is_object(event.object) &&
                (event.type == WATCH_ERROR || event.resource_version.len);
    if (!good) {
        json_decref(tree);
        return ERR_PROTOCOL;
    }
    *ret = event;
    return 0;
}

void watch_event_done(struct watch_event *event)
{
    json_decref(event->tree);
    *event = (struct watch_event){0};
}
