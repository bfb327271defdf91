/* Who an object is, found in its JSON text without keeping the text: for objects over the size
 * limit, which must be named all the same. */
#ifndef COMMON_KUBE_IDENTITY_H
#define COMMON_KUBE_IDENTITY_H

#include "common/kube/json_scan.h"

/* A bounded text in place; empty when it was not found or too long. */
struct identity_text {
    char text[JSON_SCAN_VALUE];
    size_t len;
};

struct identity {
    struct json_scan scan;
    bool wrapped; /* the text is a watch event: the object is its member "object" */
    uint64_t bytes;
    struct identity_text type; /* of the watch event: "ADDED", … */
    struct identity_text kind, namespace, name, resource_version;
};

/* Starts over. */
void identity_init(struct identity *identity, bool wrapped);

/* Looks at the next bytes of the text. */
void identity_feed(struct identity *identity, struct str bytes);

static inline struct str identity_str(const struct identity_text *text)
{
    return (struct str){text->text, text->len};
}

#endif
