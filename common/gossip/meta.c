#include "common/gossip/meta.h"

#include "common/base/err.h"
#include "common/base/names.h"

enum { HELD = 1, LEAVING = 2, TRUNCATED = 4, STARTING = 8, META_FLAGS = 15 };
enum { HAS_IPV4 = 1, HAS_IPV6 = 2, FAMILY_BITS = 2 };

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

/* --- encoding -------------------------------------------------------------------------------- */

/* role u8 · flags u8 · number of addresses u8 · addresses · number of interfaces u8 · interfaces
 *
 * and each interface: length u8 · name · (index of its address << 2 | families) u8. The addresses
 * stand in the order in which the interfaces have them first. */

struct selection {
    struct mac macs[META_MACS_MAX]; /* of those that are chosen, in no order */
    size_t mac_count, count, size;
};

static size_t find_mac(const struct mac *macs, size_t count, const struct mac *mac)
{
    size_t i = 0;
    while (i < count && !mac_eq(&macs[i], mac))
        i++;
    return i;
}

/* Takes the interface if there is room for it. */
static bool choose(struct selection *selection, const struct meta_interface *one)
{
    size_t mac = find_mac(selection->macs, selection->mac_count, &one->mac);
    bool fresh = mac == selection->mac_count;
    size_t size = selection->size + 2 + one->name.len + (fresh ? sizeof(one->mac.bytes) : 0);
    if (!is_name(one->name) || mac == META_MACS_MAX || selection->count == META_INTERFACES_MAX ||
        size > META_SIZE_MAX)
        return false;
    if (fresh)
        selection->macs[selection->mac_count++] = one->mac;
    selection->size = size;
    selection->count++;
    return true;
}

/* Which interfaces are told: at most META_INTERFACES_MAX, by index, in order. */
static size_t select_interfaces(const struct member_meta *meta, bool chosen[], struct arena *arena,
                                size_t ret[META_INTERFACES_MAX])
{
    struct selection *selection = arena_alloc(arena, sizeof(*selection));
    size_t count = 0;
    selection->size = 4;
    for (int named = 1; named >= 0; named--) {
        for (size_t i = 0; i < meta->count; i++) {
            if (meta->interfaces[i].named == named)
                chosen[i] = choose(selection, &meta->interfaces[i]);
        }
    }
    for (size_t i = 0; i < meta->count; i++) {
        if (chosen[i])
            ret[count++] = i;
    }
    return count;
}

void meta_encode(const struct member_meta *meta, struct wire *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t told[META_INTERFACES_MAX], mac_count = 0, index[META_INTERFACES_MAX];
    struct mac macs[META_MACS_MAX];
    bool *chosen = arena_array(arena, meta->count, sizeof(*chosen));
    size_t count = select_interfaces(meta, chosen, arena, told);
    bool truncated = meta->truncated || count < meta->count;
    for (size_t i = 0; i < count; i++) {
        const struct mac *mac = &meta->interfaces[told[i]].mac;
        index[i] = find_mac(macs, mac_count, mac);
        if (index[i] == mac_count)
            macs[mac_count++] = *mac;
    }
    wire_put_u8(out, (uint8_t)meta->role);
    wire_put_u8(out, (uint8_t)((meta->held ? HELD : 0) | (meta->leaving ? LEAVING : 0) |
                               (truncated ? TRUNCATED : 0) | (meta->starting ? STARTING : 0)));
    wire_put_u8(out, (uint8_t)mac_count);
    for (size_t i = 0; i < mac_count; i++)
        wire_put_mac(out, &macs[i]);
    wire_put_u8(out, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct meta_interface *one = &meta->interfaces[told[i]];
        wire_put_u8(out, (uint8_t)one->name.len);
        wire_put_bytes(out, one->name.ptr, one->name.len);
        wire_put_u8(out, (uint8_t)(index[i] << FAMILY_BITS | (one->ipv4 ? HAS_IPV4 : 0) |
                                   (one->ipv6 ? HAS_IPV6 : 0)));
    }
}

/* --- decoding -------------------------------------------------------------------------------- */

/* The addresses of a member, and how many of them interfaces have had so far. */
struct addresses {
    struct mac macs[META_MACS_MAX];
    size_t count, used;
};

static bool get_addresses(struct wire *in, struct addresses *ret)
{
    *ret = (struct addresses){.count = wire_get_u8(in)};
    if (ret->count > META_MACS_MAX)
        return false;
    for (size_t i = 0; i < ret->count; i++) {
        ret->macs[i] = wire_get_mac(in);
        if (find_mac(ret->macs, i, &ret->macs[i]) != i)
            return false;
    }
    return wire_ok(in);
}

static bool get_interface(struct wire *in, struct addresses *addresses, struct arena *arena,
                          struct meta_interface *ret)
{
    uint8_t len = wire_get_u8(in);
    const uint8_t *name = wire_get_bytes(in, len);
    uint8_t rest = wire_get_u8(in);
    size_t mac = rest >> FAMILY_BITS;
    if (!wire_ok(in) || len == 0 || len > META_NAME_MAX || mac >= addresses->count ||
        mac > addresses->used)
        return false;
    addresses->used += mac == addresses->used;
    *ret = (struct meta_interface){
        .name = arena_str(arena, (struct str){.ptr = (const char *)name, .len = len}),
        .mac = addresses->macs[mac],
        .ipv4 = rest & HAS_IPV4,
        .ipv6 = rest & HAS_IPV6,
    };
    return true;
}

int meta_decode(struct wire *in, struct arena *arena, struct member_meta *ret)
{
    struct addresses addresses;
    size_t size = wire_left(in);
    uint8_t role = wire_get_u8(in), flags = wire_get_u8(in);
    if (!wire_ok(in) || size > META_SIZE_MAX || role > GOSSIP_OBSERVER || flags & ~META_FLAGS ||
        !get_addresses(in, &addresses))
        return ERR_SYNTAX;
    uint8_t count = wire_get_u8(in);
    if (!wire_ok(in))
        return ERR_SYNTAX;
    struct meta_interface *interfaces = arena_array(arena, count, sizeof(*interfaces));
    for (size_t i = 0; i < count; i++) {
        if (!get_interface(in, &addresses, arena, &interfaces[i]))
            return ERR_SYNTAX;
    }
    if (wire_left(in) || addresses.used != addresses.count)
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

struct member_meta meta_copy(const struct member_meta *meta, struct arena *arena)
{
    struct member_meta copy = *meta;
    struct meta_interface *interfaces = arena_array(arena, meta->count, sizeof(*interfaces));
    for (size_t i = 0; i < meta->count; i++) {
        interfaces[i] = meta->interfaces[i];
        interfaces[i].name = arena_str(arena, meta->interfaces[i].name);
    }
    copy.interfaces = interfaces;
    return copy;
}

const struct meta_interface *meta_find(const struct member_meta *meta, struct str name)
{
    for (size_t i = 0; i < meta->count; i++) {
        if (str_eq(meta->interfaces[i].name, name))
            return &meta->interfaces[i];
    }
    return NULL;
}
