#include "common/json/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest text that is still looked at as a number. */
#define NUMBER_MAX 64

enum word { WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_REFUSED };

/* YAML 1.1 types "null" and "bool" (without "y" and "n", which people use as names), and the
 * floats that JSON lacks. */
static const struct {
    struct str text;
    enum word word;
} words[] = {
    {STR_INIT(""), WORD_NULL},         {STR_INIT("~"), WORD_NULL},
    {STR_INIT("null"), WORD_NULL},     {STR_INIT("Null"), WORD_NULL},
    {STR_INIT("NULL"), WORD_NULL},     {STR_INIT("true"), WORD_TRUE},
    {STR_INIT("True"), WORD_TRUE},     {STR_INIT("TRUE"), WORD_TRUE},
    {STR_INIT("yes"), WORD_TRUE},      {STR_INIT("Yes"), WORD_TRUE},
    {STR_INIT("YES"), WORD_TRUE},      {STR_INIT("on"), WORD_TRUE},
    {STR_INIT("On"), WORD_TRUE},       {STR_INIT("ON"), WORD_TRUE},
    {STR_INIT("false"), WORD_FALSE},   {STR_INIT("False"), WORD_FALSE},
    {STR_INIT("FALSE"), WORD_FALSE},   {STR_INIT("no"), WORD_FALSE},
    {STR_INIT("No"), WORD_FALSE},      {STR_INIT("NO"), WORD_FALSE},
    {STR_INIT("off"), WORD_FALSE},     {STR_INIT("Off"), WORD_FALSE},
    {STR_INIT("OFF"), WORD_FALSE},     {STR_INIT(".inf"), WORD_REFUSED},
    {STR_INIT(".Inf"), WORD_REFUSED},  {STR_INIT(".INF"), WORD_REFUSED},
    {STR_INIT("+.inf"), WORD_REFUSED}, {STR_INIT("+.Inf"), WORD_REFUSED},
    {STR_INIT("-.inf"), WORD_REFUSED}, {STR_INIT("-.Inf"), WORD_REFUSED},
    {STR_INIT("-.INF"), WORD_REFUSED}, {STR_INIT(".nan"), WORD_REFUSED},
    {STR_INIT(".NaN"), WORD_REFUSED},  {STR_INIT(".NAN"), WORD_REFUSED},
};

static json_t *word_value(enum word word, const char **ret_error)
{
    switch (word) {
    case WORD_NULL:
        return json_null();
    case WORD_TRUE:
        return json_true();
    case WORD_FALSE:
        return json_false();
    case WORD_REFUSED:
        *ret_error = "a number that JSON cannot hold";
        return NULL;
    }
    return NULL;
}

/* The value of a digit, or 99. */
static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 99;
}

/* The base that a prefix announces; *at moves behind the prefix. */
static unsigned number_base(struct str text, size_t *at)
{
    static const struct {
        struct str prefix;
        unsigned base;
    } bases[] = {
        {STR_INIT("0x"), 16}, {STR_INIT("0X"), 16}, {STR_INIT("0o"), 8},
        {STR_INIT("0O"), 8},  {STR_INIT("0b"), 2},  {STR_INIT("0B"), 2},
    };
    struct str rest = str_slice(text, *at, text.len);
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (str_starts_with(rest, bases[i].prefix)) {
            *at += bases[i].prefix.len;
            return bases[i].base;
        }
    }
    if (rest.len > 1 && rest.ptr[0] == '0') {
        *at += 1;
        return 8;
    }
    return 10;
}

enum integer { INTEGER_NONE, INTEGER_OK, INTEGER_RANGE };

/* An integer in any of YAML 1.1's bases, with underscores already removed. */
static enum integer parse_integer(struct str text, json_int_t *ret)
{
    size_t at = 0;
    bool negative = false;
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
        negative = text.ptr[0] == '-';
        at = 1;
    }
    unsigned base = number_base(text, &at);
    if (at == text.len)
        return INTEGER_NONE;
    uint64_t value = 0;
    bool over = false;
    for (; at < text.len; at++) {
        unsigned d = digit(text.ptr[at]);
        if (d >= base)
            return INTEGER_NONE;
        over |= __builtin_mul_overflow(value, (uint64_t)base, &value);
        over |= __builtin_add_overflow(value, (uint64_t)d, &value);
    }
    if (over || value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return INTEGER_RANGE;
    *ret = (json_int_t)(negative ? 0 - value : value);
    return INTEGER_OK;
}

static size_t skip_digits(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(struct str text)
{
    size_t at = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    size_t whole = skip_digits(text, at) - at, fraction = 0;
    at += whole;
    if (at < text.len && text.ptr[at] == '.') {
        fraction = skip_digits(text, at + 1) - at - 1;
        at += 1 + fraction;
    }
    if (!whole && !fraction)
        return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
            at++;
        size_t end = skip_digits(text, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == text.len;
}

/* The number that text is, NULL when it is none (*ret_error set when it cannot be held). */
static json_t *parse_number(struct str text, const char **ret_error)
{
    char plain[NUMBER_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '_')
            plain[len++] = text.ptr[i];
    plain[len] = '\0';
    json_int_t integer;
    switch (parse_integer((struct str){plain, len}, &integer)) {
    case INTEGER_OK:
        return json_integer(integer);
    case INTEGER_RANGE:
        *ret_error = "an integer over 64 bits";
        return NULL;
    case INTEGER_NONE:
        break;
    }
    if (!is_float((struct str){plain, len}))
        return NULL;
    double value = strtod(plain, NULL);
    if (!isfinite(value)) {
        *ret_error = "a number that JSON cannot hold";
        return NULL;
    }
    return json_real(value);
}

json_t *yaml_scalar(struct str text, const char **ret_error)
{
    *ret_error = NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_eq(text, words[i].text))
            return word_value(words[i].word, ret_error);
    bool numeric = text.len <= NUMBER_MAX && strchr("+-.0123456789", text.ptr[0]);
    json_t *number = numeric ? parse_number(text, ret_error) : NULL;
    if (number || *ret_error)
        return number;
    return json_stringn(text.ptr, text.len);
}
