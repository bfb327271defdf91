#include "crd/ipreservation.h"

#include "crd/check.h"
#include "crd/condition.h"
#include "crd/name.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct ipreservation_owner, member)
static const struct field owner_fields[] = {
    {"namespace", FIELD_STR, AT(namespace)},
    {"name", FIELD_STR, AT(name), .flags = FIELD_REQUIRED},
};
#undef AT
static const struct shape owner_shape =
    SHAPE(struct ipreservation_owner, owner_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct ipreservation_spec, member)
static const struct field spec_fields[] = {
    {"address", FIELD_STR, AT(address), .present = AT(has_address)},
    {"addresses", FIELD_STR_LIST, AT(addresses), .present = AT(has_addresses)},
    {"owner", FIELD_POINTER, AT(owner), .nested = &owner_shape},
    {"expiresAt", FIELD_TIME, AT(expires)},
};
#undef AT
static const struct shape spec_shape = SHAPE(struct ipreservation_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct ipreservation_status, member)
static const struct field status_fields[] = {
    {"assignedAddresses", FIELD_STR_LIST, AT(assigned_addresses)},
    {"conditions", FIELD_LIST, AT(conditions), .nested = &condition_shape},
};
#undef AT
static const struct shape status_shape = SHAPE(struct ipreservation_status, status_fields, 0);

#define AT(member) offsetof(struct ipreservation, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct ipreservation),
    {"spec", FIELD_OBJECT, AT(spec), .flags = FIELD_REQUIRED, .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(status), .nested = &status_shape},
};
#undef AT
const struct shape ipreservation_shape = SHAPE(struct ipreservation, fields, SHAPE_STRICT);

static void check_owner(struct ipreservation *reservation)
{
    struct object *object = &reservation->object;
    const struct ipreservation_owner *owner = reservation->spec.owner;
    reservation->owner_namespace = object_namespace(object);
    if (!owner)
        return;
    if (owner->namespace.len)
        reservation->owner_namespace = owner->namespace;
    reservation->owner_name = owner->name;
    /* Without a name the reservation would be anybody's of the namespace, which nobody said. */
    if (!name_is_subdomain(owner->name))
        check_fail(object, STR("spec.owner.name"), "must be the name of a Service");
    if (owner->namespace.len && !name_is_label(owner->namespace))
        check_fail(object, STR("spec.owner.namespace"), "must be the name of a namespace");
}

void ipreservation_check(struct object *object)
{
    struct ipreservation *reservation = (struct ipreservation *)object;
    struct ipreservation_spec *spec = &reservation->spec;
    if (spec->has_address == spec->has_addresses)
        check_fail(object, STR("spec"), "exactly one of address and addresses must be set");
    else if (spec->has_addresses && spec->addresses.count == 0)
        check_fail(object, STR("spec.addresses"), "must not be empty");
    if (spec->has_address) {
        struct range *range = arena_alloc(object->arena, sizeof(*range));
        bool ok = check_range(object, spec->address, STR("spec.address"), true, range);
        reservation->ranges = (struct list){.items = range, .count = ok ? 1 : 0};
    } else {
        reservation->ranges = check_ranges(object, &spec->addresses, "spec.addresses", true);
        check_disjoint(object, &spec->addresses, &reservation->ranges, "spec.addresses");
    }
    check_owner(reservation);
}

bool ipreservation_expired(const struct ipreservation *reservation, int64_t now)
{
    return reservation->spec.expires != 0 && now >= reservation->spec.expires;
}

bool ipreservation_admits(const struct ipreservation *reservation, struct str namespace,
                          struct str name)
{
    if (!str_eq(reservation->owner_namespace, namespace))
        return false;
    return reservation->owner_name.len == 0 || str_eq(reservation->owner_name, name);
}
