#include "common/base/str.h"

#include <errno.h>
#include <string.h>

struct str str_from(const char *text)
{
    return (struct str){.ptr = text, .len = text ? strlen(text) : 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int str_cmp(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

int str_cmp_ptr(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

size_t str_find(struct str s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : s.len;
}

bool str_contains(struct str s, struct str needle)
{
    return needle.len == 0 || (s.len && memmem(s.ptr, s.len, needle.ptr, needle.len) != NULL);
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from >= to)
        return (struct str){.ptr = s.ptr, .len = 0};
    return (struct str){.ptr = s.ptr + from, .len = to - from};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    size_t from = 0;
    size_t to = s.len;
    while (from < to && is_blank(s.ptr[from]))
        from++;
    while (to > from && is_blank(s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

bool str_cut(struct str s, char sep, struct str *ret_head, struct str *ret_tail)
{
    size_t at = str_find(s, sep);
    bool found = at < s.len;
    *ret_head = str_slice(s, 0, at);
    *ret_tail = found ? str_slice(s, at + 1, s.len) : (struct str){0};
    return found;
}

bool str_next(struct str *rest, char sep, struct str *ret_part)
{
    if (rest->len == 0)
        return false;
    (void)str_cut(*rest, sep, ret_part, rest); /* no separator: the rest is the last part */
    return true;
}

int str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
    if (s.len == 0)
        return -EINVAL;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -EINVAL;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (value > (max - digit) / 10 || digit > max)
            return -ERANGE;
        value = value * 10 + digit;
    }
    *ret = value;
    return 0;
}

bool str_list_has(const struct str_list *list, struct str s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_eq(list->items[i], s))
            return true;
    }
    return false;
}
