#include "common/gossip/meta.h"

#include "common/base/err.h"
#include "common/base/names.h"

enum { HELD = 1, LEAVING = 2, TRUNCATED = 4, STARTING = 8, META_FLAGS = 15 };
enum { HAS_IPV4 = 1, HAS_IPV6 = 2, INTERFACE_FLAGS = 3 };

static const char *const role_names[] = {
    [GOSSIP_SPEAKER] = "speaker",
    [GOSSIP_OBSERVER] = "observer",
};
static const struct names roles = NAMES(role_names);

const char *gossip_role_name(enum gossip_role role)
{
    return names_of(&roles, role);
}

static bool is_name(struct str name)
{
    return name.len > 0 && name.len <= META_NAME_MAX;
}

void meta_encode(const struct member_meta *meta, struct wire *out)
{
    size_t count = 0;
    for (size_t i = 0; i < meta->count; i++)
        count += is_name(meta->interfaces[i].name);
    size_t fit = count < META_INTERFACES_MAX ? count : META_INTERFACES_MAX;
    bool truncated = meta->truncated || fit < meta->count;
    wire_put_u8(out, (uint8_t)meta->role);
    wire_put_u8(out, (uint8_t)((meta->held ? HELD : 0) | (meta->leaving ? LEAVING : 0) |
                               (truncated ? TRUNCATED : 0) | (meta->starting ? STARTING : 0)));
    wire_put_u8(out, (uint8_t)fit);
    for (size_t i = 0; i < meta->count && fit > 0; i++) {
        const struct meta_interface *one = &meta->interfaces[i];
        if (!is_name(one->name))
            continue;
        fit--;
        wire_put_u8(out, (uint8_t)one->name.len);
        wire_put_bytes(out, one->name.ptr, one->name.len);
        wire_put_mac(out, &one->mac);
        wire_put_u8(out, (uint8_t)((one->ipv4 ? HAS_IPV4 : 0) | (one->ipv6 ? HAS_IPV6 : 0)));
    }
}

static bool get_interface(struct wire *in, struct arena *arena, struct meta_interface *ret)
{
    uint8_t len = wire_get_u8(in);
    const uint8_t *name = wire_get_bytes(in, len);
    struct mac mac = wire_get_mac(in);
    uint8_t flags = wire_get_u8(in);
    if (!wire_ok(in) || len == 0 || len > META_NAME_MAX || flags & ~INTERFACE_FLAGS)
        return false;
    *ret = (struct meta_interface){
        .name = arena_str(arena, (struct str){.ptr = (const char *)name, .len = len}),
        .mac = mac,
        .ipv4 = flags & HAS_IPV4,
        .ipv6 = flags & HAS_IPV6,
    };
    return true;
}

int meta_decode(struct wire *in, struct arena *arena, struct member_meta *ret)
{
    uint8_t role = wire_get_u8(in), flags = wire_get_u8(in), count = wire_get_u8(in);
    if (!wire_ok(in) || role > GOSSIP_OBSERVER || flags & ~META_FLAGS ||
        count > META_INTERFACES_MAX)
        return ERR_SYNTAX;
    struct meta_interface *interfaces = arena_array(arena, count, sizeof(*interfaces));
    for (size_t i = 0; i < count; i++) {
        if (!get_interface(in, arena, &interfaces[i]))
            return ERR_SYNTAX;
    }
    if (wire_left(in))
        return ERR_SYNTAX;
    *ret = (struct member_meta){
        .role = (enum gossip_role)role,
        .held = flags & HELD,
        .leaving = flags & LEAVING,
        .truncated = flags & TRUNCATED,
        .starting = flags & STARTING,
        .interfaces = interfaces,
        .count = count,
    };
    return 0;
}

const struct meta_interface *meta_find(const struct member_meta *meta, struct str name)
{
    for (size_t i = 0; i < meta->count; i++) {
        if (str_eq(meta->interfaces[i].name, name))
            return &meta->interfaces[i];
    }
    return NULL;
}
