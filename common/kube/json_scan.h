/* A streaming look at JSON text (RFC 8259), byte by byte and in constant memory: where containers
 * open and close, and the short strings near the top. It finds the items of a list and names an
 * object that is too large to keep; it does not validate, whoever keeps a text parses it. */
#ifndef COMMON_KUBE_JSON_SCAN_H
#define COMMON_KUBE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

enum {
    /* Deeper, which kind of bracket closes is not looked at. No depth is an error: an object's
     * managedFields are as deep as whoever wrote it wants, and one object must not hide the list
     * that it is in. */
    JSON_SCAN_DEPTH = 128,
    JSON_SCAN_KEYS = 4,    /* keys are known down to this depth */
    JSON_SCAN_KEY = 31,    /* longer keys equal no path */
    JSON_SCAN_VALUE = 256, /* longer strings are not reported */
};

enum scan_token {
    SCAN_NONE,   /* nothing ended with this byte */
    SCAN_OPEN,   /* '{' or '[': `depth` already counts it */
    SCAN_CLOSE,  /* '}' or ']': `depth` no longer counts it */
    SCAN_STRING, /* a string value ended, its raw text (escapes as written) is in json_scan_value */
    SCAN_BROKEN, /* not JSON; stays so */
};

struct json_scan {
    size_t depth;
    bool in_string, escaped, is_key, want_key, broken;
    char open[JSON_SCAN_DEPTH];
    struct {
        char text[JSON_SCAN_KEY];
        uint8_t len; /* JSON_SCAN_KEY + 1: too long */
    } keys[JSON_SCAN_KEYS];
    size_t value_len; /* JSON_SCAN_VALUE + 1: too long */
    char value[JSON_SCAN_VALUE];
};

/* A scan starts as {0}. Takes one byte. */
enum scan_token json_scan_byte(struct json_scan *scan, char c);

/* The string of SCAN_STRING. Borrowed until the next byte; empty when it was too long. */
struct str json_scan_value(const struct json_scan *scan);

/* Are we at the member `path` ("object.metadata.name"): the value that the last SCAN_STRING or
 * SCAN_CLOSE ended, or the container that SCAN_OPEN opened (then `depth` is one more)? `depth`
 * is the number of containers around the value. */
bool json_scan_at(const struct json_scan *scan, size_t depth, struct str path);

#endif
