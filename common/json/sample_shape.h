/* For the tests and the fuzzer: a shape with one field of every type. */
#ifndef COMMON_JSON_SAMPLE_SHAPE_H
#define COMMON_JSON_SAMPLE_SHAPE_H

#include "common/base/duration.h"
#include "common/json/fields.h"
#include "common/net/ip.h"

struct sample_port {
    struct str name;
    int64_t number;
    bool given;
};

struct sample {
    struct str text, either, raw;
    bool flag, flag_given;
    int64_t port, any, least, wait, when, defaulted;
    struct str_list words;
    struct list numbers; /* int64_t */
    struct str_map map;
    int color;
    struct ip ip;
    struct sample_port inner, *pointer;
    struct list ports; /* struct sample_port */
};

static const char *const sample_colors[] = {"none", "Red", "Green"};
static const struct names sample_color_names = NAMES(sample_colors);

#define AT(member) offsetof(struct sample_port, member)
static const struct field sample_port_fields[] = {
    {"name", FIELD_STR, AT(name), .flags = FIELD_REQUIRED},
    {"number", FIELD_INT, AT(number), .present = AT(given), .min = 1, .max = 65535},
};
#undef AT
static const struct shape sample_port_shape =
    SHAPE(struct sample_port, sample_port_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct sample, member)
static const struct field sample_fields[] = {
    {"text", FIELD_STR, AT(text)},
    {"flag", FIELD_BOOL, AT(flag), .present = AT(flag_given), .fallback = "true"},
    {"port", FIELD_INT, AT(port), .min = 1, .max = 16384},
    {"any", FIELD_INT, AT(any)},
    {"least", FIELD_INT, AT(least), .min = 3, .max = INT64_MAX},
    {"words", FIELD_STR_LIST, AT(words)},
    {"numbers", FIELD_INT_LIST, AT(numbers), .min = INT64_MIN, .max = 9},
    {"map", FIELD_MAP, AT(map)},
    {"color", FIELD_ENUM, AT(color), .names = &sample_color_names},
    {"wait", FIELD_DURATION, AT(wait), .min = DURATION_SECOND, .max = DURATION_HOUR},
    {"when", FIELD_TIME, AT(when)},
    {"ip", FIELD_IP, AT(ip)},
    {"either", FIELD_INT_OR_STR, AT(either)},
    {"inner", FIELD_OBJECT, AT(inner), .nested = &sample_port_shape},
    {"pointer", FIELD_POINTER, AT(pointer), .nested = &sample_port_shape},
    {"ports", FIELD_LIST, AT(ports), .nested = &sample_port_shape},
    {"raw", FIELD_RAW, AT(raw)},
    {"apiVersion", FIELD_SKIP, 0},
    {"defaulted", FIELD_INT, AT(defaulted), .fallback = "42"},
};
#undef AT
static const struct shape sample_shape = SHAPE(struct sample, sample_fields, SHAPE_STRICT);

#endif
