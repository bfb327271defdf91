#include "crd/secret.h"

#include <errno.h>
#include <sodium.h>

#include "common/base/err.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct secret, member)
static const struct field secret_fields[] = {
    OBJECT_ROWS(struct secret),
    {"type", FIELD_STR, AT(type)},
    {"data", FIELD_MAP, AT(data)},
    {"stringData", FIELD_MAP, AT(string_data)},
};
#undef AT
const struct shape secret_shape = SHAPE(struct secret, secret_fields, 0);

#define AT(member) offsetof(struct configmap, member)
static const struct field configmap_fields[] = {
    OBJECT_ROWS(struct configmap),
    {"data", FIELD_MAP, AT(data)},
};
#undef AT
const struct shape configmap_shape = SHAPE(struct configmap, configmap_fields, 0);

int secret_read(const struct secret *secret, struct str key, struct arena *arena, struct str *ret)
{
    bool present;
    struct str text = str_map_get(&secret->string_data, key, &present);
    if (present) {
        *ret = arena_str(arena, text);
        return 0;
    }
    text = str_map_get(&secret->data, key, &present);
    if (!present)
        return -ENOENT;
    unsigned char *bytes = arena_alloc(arena, text.len + 1);
    size_t len;
    if (sodium_base642bin(bytes, text.len, text.ptr, text.len, "\r\n", &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) < 0)
        return ERR_SYNTAX;
    *ret = (struct str){.ptr = (const char *)bytes, .len = len};
    return 0;
}
