#include "crd/addressconflict.h"

#include "crd/check.h"
#include "crd/name.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct addressconflict_spec, member)
static const struct field spec_fields[] = {
    {"address", FIELD_STR, AT(address), .flags = FIELD_REQUIRED},
    {"node", FIELD_STR, AT(node), .flags = FIELD_REQUIRED},
    {"interface", FIELD_STR, AT(interface), .flags = FIELD_REQUIRED},
    {"mac", FIELD_STR, AT(mac), .flags = FIELD_REQUIRED},
    {"seen", FIELD_TIME, AT(seen), .flags = FIELD_REQUIRED},
};
#undef AT
static const struct shape spec_shape =
    SHAPE(struct addressconflict_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct addressconflict, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct addressconflict),
    {"spec", FIELD_OBJECT, AT(spec), .flags = FIELD_REQUIRED, .nested = &spec_shape},
};
#undef AT
const struct shape addressconflict_shape = SHAPE(struct addressconflict, fields, SHAPE_STRICT);

/* As Linux has it: 1 to 15 bytes (IFNAMSIZ - 1), no '/', no white space. */
static bool is_interface(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '/' || name.ptr[i] <= ' ' || name.ptr[i] > '~')
            return false;
    }
    return name.len >= 1 && name.len <= 15;
}

void addressconflict_check(struct object *object)
{
    struct addressconflict *conflict = (struct addressconflict *)object;
    const struct addressconflict_spec *spec = &conflict->spec;
    if (diag_errors(&object->source->findings))
        return; /* what is missing need not be called malformed too */
    if (ip_parse(spec->address, &conflict->ip) < 0)
        check_fail(object, STR("spec.address"), "must be an IP address");
    if (!name_is_subdomain(spec->node))
        check_fail(object, STR("spec.node"), "must be the name of a node");
    if (!is_interface(spec->interface))
        check_fail(object, STR("spec.interface"), "must be the name of an interface");
    if (mac_parse(spec->mac, &conflict->mac) < 0)
        check_fail(object, STR("spec.mac"), "must be an Ethernet address");
}

struct str addressconflict_name(const struct ip *ip, struct arena *arena)
{
    struct ip_text text = ip_format(ip);
    size_t len = str_from(text.text).len;
    const char *head = text.text[0] == ':' ? "0" : "";
    const char *tail = text.text[len - 1] == ':' ? "0" : "";
    for (size_t i = 0; i < len; i++) {
        if (text.text[i] == ':')
            text.text[i] = '-';
    }
    return arena_printf(arena, "%s%s%s", head, text.text, tail);
}
