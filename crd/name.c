#include "crd/name.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

static bool is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool name_is_label(struct str s)
{
    if (s.len == 0 || s.len > 63 || !is_lower(s.ptr[0]) || !is_lower(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_lower(s.ptr[i]) && s.ptr[i] != '-')
            return false;
    return true;
}

bool name_is_subdomain(struct str s)
{
    if (s.len == 0 || s.len > 253)
        return false;
    /* A label of a subdomain may be longer than 63 bytes here, as the API server allows. */
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool edge = i == 0 || i + 1 == s.len || s.ptr[i - 1] == '.' || s.ptr[i + 1] == '.';
        if (!(is_lower(c) || (!edge && (c == '-' || c == '.'))))
            return false;
    }
    return true;
}

static bool is_qualified(struct str s)
{
    if (s.len == 0 || s.len > 63 || !is_alnum(s.ptr[0]) || !is_alnum(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_alnum(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

bool name_is_label_key(struct str s)
{
    struct str domain, name;
    if (!str_cut(s, '/', &domain, &name))
        return is_qualified(s);
    return name_is_subdomain(domain) && is_qualified(name);
}

bool name_is_label_value(struct str s)
{
    return s.len == 0 || is_qualified(s);
}

bool name_is_interface(struct str s)
{
    enum { INTERFACE_MAX = 15 }; /* IFNAMSIZ without its NUL */
    if (s.len == 0 || s.len > INTERFACE_MAX || str_eq(s, STR(".")) || str_eq(s, STR("..")))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_alnum(c) && c != '.' && c != '_' && c != '-' && c != ':' && c != '@')
            return false;
    }
    return true;
}
