#include "common/kube/identity.h"

#include <string.h>

#define OBJECT_PREFIX STR("object.")

static const struct {
    struct str path; /* as in a watch event */
    size_t offset;   /* of a struct identity_text */
} members[] = {
    {STR_INIT("type"), offsetof(struct identity, type)},
    {STR_INIT("object.kind"), offsetof(struct identity, kind)},
    {STR_INIT("object.metadata.namespace"), offsetof(struct identity, namespace)},
    {STR_INIT("object.metadata.name"), offsetof(struct identity, name)},
    {STR_INIT("object.metadata.resourceVersion"), offsetof(struct identity, resource_version)},
};

void identity_init(struct identity *identity, bool wrapped)
{
    *identity = (struct identity){.wrapped = wrapped};
}

/* A string ended: is it one that we look for? */
static void take_value(struct identity *identity)
{
    const struct json_scan *scan = &identity->scan;
    if (scan->depth > (identity->wrapped ? 3 : 2))
        return;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct str path = members[i].path;
        if (!identity->wrapped && str_starts_with(path, OBJECT_PREFIX))
            path = str_slice(path, OBJECT_PREFIX.len, path.len);
        if (!json_scan_at(scan, scan->depth, path))
            continue;
        struct identity_text *text = (void *)((char *)identity + members[i].offset);
        struct str value = json_scan_value(scan);
        memcpy(text->text, value.ptr, value.len);
        text->len = value.len;
        return;
    }
}

void identity_feed(struct identity *identity, struct str bytes)
{
    identity->bytes += bytes.len;
    for (size_t i = 0; i < bytes.len; i++)
        if (json_scan_byte(&identity->scan, bytes.ptr[i]) == SCAN_STRING)
            take_value(identity);
}
