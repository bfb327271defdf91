#include "common/base/err.h"

#include <string.h>

const char *err_text(int err)
{
    switch (err) {
    case ERR_SYNTAX:
        return "syntax error";
    case ERR_TRUNCATED:
        return "input ends too early";
    case ERR_TOO_LARGE:
        return "larger than allowed";
    case ERR_FAMILY:
        return "IPv4 and IPv6 are mixed";
    case ERR_ORDER:
        return "start is behind end";
    case ERR_DUPLICATE:
        return "already there";
    case ERR_CONFLICT:
        return "changed meanwhile";
    case ERR_GONE:
        return "history no longer kept";
    case ERR_REMOTE:
        return "the other side reported an error";
    case ERR_PROTOCOL:
        return "the other side broke the protocol";
    case ERR_KEY_PAIR:
        return "no certificate with its private key";
    default: {
        const char *text = strerrordesc_np(err < 0 ? -err : err);
        return text ? text : "unknown error";
    }
    }
}
