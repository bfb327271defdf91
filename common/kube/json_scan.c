#include "common/kube/json_scan.h"

static bool in_object(const struct json_scan *scan)
{
    return scan->depth > 0 && scan->depth <= JSON_SCAN_DEPTH && scan->open[scan->depth - 1] == '{';
}

static enum scan_token broken(struct json_scan *scan)
{
    scan->broken = true;
    return SCAN_BROKEN;
}

static enum scan_token open_container(struct json_scan *scan, char c)
{
    if (scan->depth < JSON_SCAN_DEPTH)
        scan->open[scan->depth] = c;
    scan->depth++;
    scan->want_key = c == '{';
    if (scan->depth <= JSON_SCAN_KEYS)
        scan->keys[scan->depth - 1].len = 0;
    return SCAN_OPEN;
}

static enum scan_token close_container(struct json_scan *scan, char c)
{
    bool known = scan->depth > 0 && scan->depth <= JSON_SCAN_DEPTH;
    if (!scan->depth || (known && scan->open[scan->depth - 1] != (c == '}' ? '{' : '[')))
        return broken(scan);
    scan->depth--;
    scan->want_key = false;
    return SCAN_CLOSE;
}

static void open_string(struct json_scan *scan)
{
    scan->in_string = true;
    scan->escaped = false;
    scan->is_key = in_object(scan) && scan->want_key;
    if (!scan->is_key)
        scan->value_len = 0;
    else if (scan->depth <= JSON_SCAN_KEYS)
        scan->keys[scan->depth - 1].len = 0;
}

static void keep_byte(struct json_scan *scan, char c)
{
    if (!scan->is_key) {
        if (scan->value_len < JSON_SCAN_VALUE)
            scan->value[scan->value_len] = c;
        if (scan->value_len <= JSON_SCAN_VALUE)
            scan->value_len++;
    } else if (scan->depth <= JSON_SCAN_KEYS) {
        uint8_t *len = &scan->keys[scan->depth - 1].len;
        if (*len < JSON_SCAN_KEY)
            scan->keys[scan->depth - 1].text[*len] = c;
        if (*len <= JSON_SCAN_KEY)
            ++*len;
    }
}

static enum scan_token string_byte(struct json_scan *scan, char c)
{
    if (c == '"' && !scan->escaped) {
        scan->in_string = false;
        scan->want_key = false;
        return scan->is_key ? SCAN_NONE : SCAN_STRING;
    }
    scan->escaped = c == '\\' && !scan->escaped;
    keep_byte(scan, c);
    return SCAN_NONE;
}

enum scan_token json_scan_byte(struct json_scan *scan, char c)
{
    if (scan->broken)
        return SCAN_BROKEN;
    if (scan->in_string)
        return string_byte(scan, c);
    switch (c) {
    case '{':
    case '[':
        return open_container(scan, c);
    case '}':
    case ']':
        return close_container(scan, c);
    case '"':
        open_string(scan);
        return SCAN_NONE;
    case ',':
        scan->want_key = in_object(scan);
        return SCAN_NONE;
    default:
        return SCAN_NONE;
    }
}

struct str json_scan_value(const struct json_scan *scan)
{
    bool whole = scan->value_len <= JSON_SCAN_VALUE;
    return (struct str){scan->value, whole ? scan->value_len : 0};
}

bool json_scan_at(const struct json_scan *scan, size_t depth, struct str path)
{
    struct str part;
    size_t at = 0;
    while (str_next(&path, '.', &part)) {
        if (at == depth || at == JSON_SCAN_KEYS || scan->open[at] != '{')
            return false;
        uint8_t len = scan->keys[at].len;
        if (len > JSON_SCAN_KEY || !str_eq(part, (struct str){scan->keys[at].text, len}))
            return false;
        at++;
    }
    return at == depth;
}
