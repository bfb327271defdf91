/* The log: one line per event on standard error, logfmt or JSON.
 *
 *     log_info("address announced", kv_str("service", key), kv_int("epoch", epoch));
 *
 * The message is a constant lower-case phrase; facts are typed fields, at least one. Only shells
 * log, and whoever handles an error logs it, once. Secrets have no formatter. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_NONE };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum kv_type { KV_END, KV_STR, KV_INT, KV_UINT, KV_BOOL, KV_SECONDS, KV_TEXT };

struct kv {
    const char *key; /* lower case, constant */
    enum kv_type type;
    union {
        struct str str;
        int64_t num;
        uint64_t unum;
        bool flag;
        double seconds;
        char text[48]; /* small values formatted in place, such as addresses */
    };
};

static inline struct kv kv_str(const char *key, struct str value)
{
    return (struct kv){.key = key, .type = KV_STR, .str = value};
}
static inline struct kv kv_cstr(const char *key, const char *value)
{
    return (struct kv){.key = key, .type = KV_STR, .str = str_from(value)};
}
static inline struct kv kv_int(const char *key, int64_t value)
{
    return (struct kv){.key = key, .type = KV_INT, .num = value};
}
static inline struct kv kv_uint(const char *key, uint64_t value)
{
    return (struct kv){.key = key, .type = KV_UINT, .unum = value};
}
static inline struct kv kv_bool(const char *key, bool value)
{
    return (struct kv){.key = key, .type = KV_BOOL, .flag = value};
}
/* A duration in seconds, printed with six decimals. */
static inline struct kv kv_seconds(const char *key, double value)
{
    return (struct kv){.key = key, .type = KV_SECONDS, .seconds = value};
}
/* error="…" from a result (err.h). */
struct kv kv_err(int err);

/* Sets level, format and the program's name, once, at start. Before that: info, logfmt. */
void log_init(const char *program, enum log_level level, enum log_format format);

/* "all" and "debug" are debug, then info, warn, error, none: 0 or -EINVAL. */
int log_parse_level(struct str name, enum log_level *ret) __attribute__((warn_unused_result));
/* "logfmt" or "json": 0 or -EINVAL. */
int log_parse_format(struct str name, enum log_format *ret) __attribute__((warn_unused_result));

/* Would a line of this level be written? */
bool log_enabled(enum log_level level);

/* Use the macros. fields ends with an entry of type KV_END. */
void log_write(enum log_level level, const char *message, const struct kv *fields);

#define log_at(level, message, ...)                                                            \
    do {                                                                                       \
        if (log_enabled(level))                                                                \
            log_write((level), (message), (const struct kv[]){__VA_ARGS__, {.type = KV_END}}); \
    } while (0)
#define log_debug(message, ...) log_at(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...) log_at(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_warn(message, ...) log_at(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define log_error(message, ...) log_at(LOG_LEVEL_ERROR, message, __VA_ARGS__)

#endif
