#include "common/net/mac.h"

#include <stddef.h>
#include <string.h>

#include "common/base/err.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int mac_parse(struct str text, struct mac *ret)
{
    struct mac mac;
    if (text.len != 17 || (text.ptr[2] != ':' && text.ptr[2] != '-'))
        return ERR_SYNTAX;
    for (size_t i = 0; i < sizeof(mac.bytes); i++) {
        int high = hex_value(text.ptr[3 * i]);
        int low = hex_value(text.ptr[3 * i + 1]);
        if (high < 0 || low < 0 || (i < 5 && text.ptr[3 * i + 2] != text.ptr[2]))
            return ERR_SYNTAX;
        mac.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = mac;
    return 0;
}

struct mac_text mac_format(const struct mac *mac)
{
    static const char digits[] = "0123456789abcdef";
    struct mac_text ret;
    for (size_t i = 0; i < sizeof(mac->bytes); i++) {
        ret.text[3 * i] = digits[mac->bytes[i] >> 4];
        ret.text[3 * i + 1] = digits[mac->bytes[i] & 0xf];
        ret.text[3 * i + 2] = i < 5 ? ':' : '\0';
    }
    return ret;
}

bool mac_eq(const struct mac *a, const struct mac *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool mac_is_broadcast(const struct mac *mac)
{
    static const struct mac broadcast = {.bytes = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    return mac_eq(mac, &broadcast);
}

bool mac_is_multicast(const struct mac *mac)
{
    return mac->bytes[0] & 1;
}
