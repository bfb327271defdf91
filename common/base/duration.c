#include "common/base/duration.h"

#include <errno.h>
#include <stdbool.h>

#include "common/base/err.h"

/* Longer names first, so that "ms" is not taken for "m". */
static const struct unit {
    struct str name;
    int64_t size;
} units[] = {
    {STR_INIT("ns"), 1},
    {STR_INIT("us"), DURATION_MICROSECOND},
    {STR_INIT("\xc2\xb5s"), DURATION_MICROSECOND}, /* U+00B5 micro sign */
    {STR_INIT("\xce\xbcs"), DURATION_MICROSECOND}, /* U+03BC Greek mu */
    {STR_INIT("ms"), DURATION_MILLISECOND},
    {STR_INIT("s"), DURATION_SECOND},
    {STR_INIT("m"), DURATION_MINUTE},
    {STR_INIT("h"), DURATION_HOUR},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Cuts the digits from the front of *rest. */
static struct str cut_digits(struct str *rest)
{
    size_t len = 0;
    while (len < rest->len && is_digit(rest->ptr[len]))
        len++;
    struct str digits = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return digits;
}

static const struct unit *cut_unit(struct str *rest)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_starts_with(*rest, units[i].name))
            continue;
        *rest = str_slice(*rest, units[i].name.len, rest->len);
        return &units[i];
    }
    return NULL;
}

/* What a fraction of a unit is worth; digits past the nanosecond are cut off. */
static int64_t fraction(struct str digits, int64_t unit)
{
    __extension__ __int128 scaled = 0, scale = 1;
    for (size_t i = 0; i < digits.len && i < 18; i++) {
        scaled = scaled * 10 + (digits.ptr[i] - '0');
        scale *= 10;
    }
    return (int64_t)(scaled * unit / scale);
}

/* One number with its unit, added to *sum. */
static int add_part(struct str *rest, int64_t *sum)
{
    struct str whole = cut_digits(rest), part = {0};
    if (rest->len && rest->ptr[0] == '.') {
        *rest = str_slice(*rest, 1, rest->len);
        part = cut_digits(rest);
    }
    if (!whole.len && !part.len)
        return ERR_SYNTAX;
    const struct unit *unit = cut_unit(rest);
    if (!unit)
        return ERR_SYNTAX;
    uint64_t count = 0;
    if (whole.len && str_to_u64(whole, INT64_MAX, &count) < 0)
        return -ERANGE;
    int64_t value;
    if (__builtin_mul_overflow((int64_t)count, unit->size, &value) ||
        __builtin_add_overflow(value, fraction(part, unit->size), &value) ||
        __builtin_add_overflow(*sum, value, sum))
        return -ERANGE;
    return 0;
}

int duration_parse(struct str text, int64_t *ret)
{
    bool negative = text.len && text.ptr[0] == '-';
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
        text = str_slice(text, 1, text.len);
    if (!text.len)
        return ERR_SYNTAX;
    int64_t sum = 0;
    if (!str_eq(text, STR("0"))) {
        while (text.len) {
            int err = add_part(&text, &sum);
            if (err < 0)
                return err;
        }
    }
    *ret = negative ? -sum : sum;
    return 0;
}

/* value / unit with its fraction, without trailing zeros, and the unit's name. */
static void put_part(struct sbuf *out, uint64_t value, uint64_t unit, const char *name)
{
    sbuf_u64(out, value / unit);
    uint64_t rest = value % unit;
    if (rest)
        sbuf_putc(out, '.');
    for (uint64_t place = unit / 10; rest; place /= 10) {
        sbuf_putc(out, (char)('0' + rest / place));
        rest %= place;
    }
    sbuf_puts(out, name);
}

void duration_format(struct sbuf *out, int64_t nanoseconds)
{
    uint64_t left = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
    if (nanoseconds < 0)
        sbuf_putc(out, '-');
    if (!left) {
        sbuf_puts(out, "0s");
    } else if (left < DURATION_MICROSECOND) {
        put_part(out, left, 1, "ns");
    } else if (left < DURATION_MILLISECOND) {
        put_part(out, left, DURATION_MICROSECOND, "\xc2\xb5s");
    } else if (left < DURATION_SECOND) {
        put_part(out, left, DURATION_MILLISECOND, "ms");
    } else {
        if (left >= DURATION_HOUR)
            put_part(out, left / DURATION_HOUR, 1, "h");
        if (left >= DURATION_MINUTE)
            put_part(out, left % DURATION_HOUR / DURATION_MINUTE, 1, "m");
        put_part(out, left % DURATION_MINUTE, DURATION_SECOND, "s");
    }
}
