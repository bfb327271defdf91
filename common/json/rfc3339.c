#include "common/json/rfc3339.h"

#include <stdbool.h>

#include "common/base/err.h"

enum { DAY = 86400 };

#define SECONDS_FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define SECONDS_LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

struct date {
    unsigned year, month, day;
};

/* Days since 1970-01-01 of a date of the Gregorian calendar. Years begin in March, so that the
 * leap day is the last of its year; 400 years are 146097 days. */
static int64_t days_of(struct date date)
{
    int64_t year = (int64_t)date.year - (date.month <= 2);
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* The inverse, for days from year 1 on. */
static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    return (struct date){
        .year = (unsigned)(era * 400 + year + (month >= 10)),
        .month = (unsigned)(month < 10 ? month + 3 : month - 9),
        .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Cuts `count` digits from the front: false when there are not so many. */
static bool cut_number(struct str *rest, size_t count, unsigned *ret)
{
    uint64_t value;
    if (rest->len < count || str_to_u64(str_slice(*rest, 0, count), UINT32_MAX, &value) < 0)
        return false;
    *rest = str_slice(*rest, count, rest->len);
    *ret = (unsigned)value;
    return true;
}

static bool cut_char(struct str *rest, const char *any_of)
{
    if (!rest->len)
        return false;
    for (const char *c = any_of; *c; c++) {
        if (rest->ptr[0] != *c)
            continue;
        *rest = str_slice(*rest, 1, rest->len);
        return true;
    }
    return false;
}

/* time-secfrac of RFC 3339 section 5.6, optional; digits past the ninth are cut off. */
static bool cut_fraction(struct str *rest, int32_t *ret)
{
    int32_t value = 0, place = 100000000;
    if (cut_char(rest, ".")) {
        size_t len = 0;
        for (; len < rest->len && rest->ptr[len] >= '0' && rest->ptr[len] <= '9'; len++) {
            value += (rest->ptr[len] - '0') * place;
            place /= 10;
        }
        if (!len)
            return false;
        *rest = str_slice(*rest, len, rest->len);
    }
    *ret = value;
    return true;
}

/* time-offset of RFC 3339 section 5.6, to the end of the text. */
static bool read_offset(struct str rest, int64_t *ret)
{
    if (cut_char(&rest, "Zz")) {
        *ret = 0;
        return rest.len == 0;
    }
    int64_t sign = rest.len && rest.ptr[0] == '-' ? -1 : 1;
    unsigned hours, minutes;
    if (!cut_char(&rest, "+-") || !cut_number(&rest, 2, &hours) || !cut_char(&rest, ":") ||
        !cut_number(&rest, 2, &minutes) || rest.len || hours > 23 || minutes > 59)
        return false;
    *ret = sign * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
    return true;
}

int rfc3339_parse(struct str text, int64_t *ret_seconds, int32_t *ret_nanoseconds)
{
    struct date date;
    unsigned hour, minute, second;
    if (!cut_number(&text, 4, &date.year) || !cut_char(&text, "-") ||
        !cut_number(&text, 2, &date.month) || !cut_char(&text, "-") ||
        !cut_number(&text, 2, &date.day) || !cut_char(&text, "Tt") ||
        !cut_number(&text, 2, &hour) || !cut_char(&text, ":") || !cut_number(&text, 2, &minute) ||
        !cut_char(&text, ":") || !cut_number(&text, 2, &second))
        return ERR_SYNTAX;
    if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > days_in_month(date.year, date.month) || hour > 23 || minute > 59 || second > 60)
        return ERR_SYNTAX;
    int32_t nanoseconds;
    int64_t offset;
    if (!cut_fraction(&text, &nanoseconds) || !read_offset(text, &offset))
        return ERR_SYNTAX;
    *ret_seconds =
        days_of(date) * DAY + (int64_t)hour * 3600 + (int64_t)minute * 60 + second - offset;
    if (ret_nanoseconds)
        *ret_nanoseconds = nanoseconds;
    return 0;
}

void rfc3339_format(struct sbuf *out, int64_t seconds, int32_t nanoseconds, unsigned digits)
{
    if (seconds < SECONDS_FIRST)
        seconds = SECONDS_FIRST;
    if (seconds > SECONDS_LAST)
        seconds = SECONDS_LAST;
    /* From the year 0 of the March calendar on, so that the division never sees a negative. */
    int64_t days = (seconds - SECONDS_FIRST) / DAY + SECONDS_FIRST / DAY;
    unsigned of_day = (unsigned)((seconds - SECONDS_FIRST) % DAY);
    struct date date = date_of(days);
    sbuf_printf(out, "%04u-%02u-%02uT%02u:%02u:%02u", date.year, date.month, date.day,
                of_day / 3600, of_day / 60 % 60, of_day % 60);
    if (digits)
        sbuf_putc(out, '.');
    int32_t rest = nanoseconds;
    for (int32_t i = 0, place = 100000000; i < (int32_t)digits && place; i++, place /= 10) {
        sbuf_putc(out, (char)('0' + rest / place));
        rest %= place;
    }
    sbuf_putc(out, 'Z');
}
