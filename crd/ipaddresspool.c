#include "crd/ipaddresspool.h"

#include "crd/check.h"
#include "crd/condition.h"
#include "crd/object_rows.h"
#include "crd/selector.h"

#define AT(member) offsetof(struct service_allocation, member)
static const struct field allocation_fields[] = {
    {"priority", FIELD_INT, AT(priority)},
    {"namespaces", FIELD_STR_LIST, AT(namespaces)},
    {"namespaceSelectors", FIELD_LIST, AT(namespace_selectors), .nested = &selector_shape},
    {"serviceSelectors", FIELD_LIST, AT(service_selectors), .nested = &selector_shape},
};
#undef AT
static const struct shape allocation_shape =
    SHAPE(struct service_allocation, allocation_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct ipaddresspool_spec, member)
static const struct field spec_fields[] = {
    {"addresses", FIELD_STR_LIST, AT(addresses), .flags = FIELD_REQUIRED},
    {"excludeAddresses", FIELD_STR_LIST, AT(exclude_addresses)},
    {"autoAssign", FIELD_BOOL, AT(auto_assign), .fallback = "true"},
    {"avoidBuggyIPs", FIELD_BOOL, AT(avoid_buggy_ips), .fallback = "false"},
    {"serviceAllocation", FIELD_POINTER, AT(service_allocation), .nested = &allocation_shape},
};
#undef AT
static const struct shape spec_shape = SHAPE(struct ipaddresspool_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct ipaddresspool_status, member)
static const struct field status_fields[] = {
    {"conditions", FIELD_LIST, AT(conditions), .nested = &condition_shape},
    {"assignedIPv4", FIELD_INT, AT(assigned_ipv4)},
    {"assignedIPv6", FIELD_INT, AT(assigned_ipv6)},
    {"availableIPv4", FIELD_INT, AT(available_ipv4), .present = AT(counted)},
    {"availableIPv6", FIELD_INT, AT(available_ipv6)},
};
#undef AT
static const struct shape status_shape = SHAPE(struct ipaddresspool_status, status_fields, 0);

#define AT(member) offsetof(struct ipaddresspool, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct ipaddresspool),
    {"spec", FIELD_OBJECT, AT(spec), .flags = FIELD_REQUIRED, .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(status), .nested = &status_shape},
};
#undef AT
const struct shape ipaddresspool_shape = SHAPE(struct ipaddresspool, fields, SHAPE_STRICT);

static void warn_outside(struct ipaddresspool *pool)
{
    const struct range *excludes = pool->excludes.items, *ranges = pool->ranges.items;
    for (size_t i = 0; i < pool->excludes.count; i++) {
        bool inside = false;
        for (size_t j = 0; j < pool->ranges.count && !inside; j++)
            inside = range_overlaps(&excludes[i], &ranges[j]);
        if (!inside)
            check_warn(&pool->object, check_field(&pool->object, "spec.excludeAddresses[%zu]", i),
                       "none of these addresses is in the pool");
    }
}

void ipaddresspool_check(struct object *object)
{
    struct ipaddresspool *pool = (struct ipaddresspool *)object;
    struct ipaddresspool_spec *spec = &pool->spec;
    if (spec->addresses.count == 0 && diag_errors(&object->source->findings) == 0)
        check_fail(object, STR("spec.addresses"), "pool has no prefixes defined");
    pool->ranges = check_ranges(object, &spec->addresses, "spec.addresses", false);
    pool->excludes = check_ranges(object, &spec->exclude_addresses, "spec.excludeAddresses", true);
    check_disjoint(object, &spec->addresses, &pool->ranges, "spec.addresses");
    if (diag_errors(&object->source->findings) == 0)
        warn_outside(pool);
    struct service_allocation *allocation = spec->service_allocation;
    if (!allocation)
        return;
    check_unique(object, &allocation->namespaces, "spec.serviceAllocation.namespaces",
                 "namespaces field");
    selectors_check(object, &allocation->namespace_selectors,
                    "serviceAllocation.namespaceSelectors");
    selectors_check(object, &allocation->service_selectors, "serviceAllocation.serviceSelectors");
}
