/* Results. A function that can fail returns int: 0 (or a positive meaning) on success, a negative
 * errno value or one of these on failure. */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

enum err {
    ERR_SYNTAX = -1000,    /* the text does not follow its grammar */
    ERR_TRUNCATED = -1001, /* input ends before it should */
    ERR_TOO_LARGE = -1002, /* over a limit of ours */
    ERR_FAMILY = -1003,    /* IPv4 and IPv6 mixed where they must not be */
    ERR_ORDER = -1004,     /* start behind end */
    ERR_DUPLICATE = -1005, /* already there */
    ERR_CONFLICT = -1006,  /* HTTP 409, or a resourceVersion that is no longer current */
    ERR_GONE = -1007,      /* HTTP 410: the requested history is no longer kept */
    ERR_REMOTE = -1008,    /* the other side answered with an error */
    ERR_PROTOCOL = -1009,  /* the other side broke the protocol */
    ERR_KEY_PAIR = -1010,  /* no certificate with its private key */
};

/* A lower-case phrase for any result of ours or any negative errno. Never NULL. */
const char *err_text(int err);

#endif
