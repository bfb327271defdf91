#include "crd/node.h"

#include "crd/annotations.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct node_address, member)
static const struct field address_fields[] = {
    {"type", FIELD_STR, AT(type)},
    {"address", FIELD_STR, AT(text)},
};
#undef AT
static const struct shape address_shape = SHAPE(struct node_address, address_fields, 0);

#define AT(member) offsetof(struct node_condition, member)
static const struct field condition_fields[] = {
    {"type", FIELD_STR, AT(type)},
    {"status", FIELD_STR, AT(status)},
};
#undef AT
static const struct shape node_condition_shape = SHAPE(struct node_condition, condition_fields, 0);

/* Spec and status fill the node itself. */
#define AT(member) offsetof(struct node, member)
static const struct field spec_fields[] = {
    {"unschedulable", FIELD_BOOL, AT(unschedulable)},
};
static const struct shape spec_shape = SHAPE(struct node, spec_fields, 0);

static const struct field status_fields[] = {
    {"addresses", FIELD_LIST, AT(addresses), .nested = &address_shape},
    {"conditions", FIELD_LIST, AT(conditions), .nested = &node_condition_shape},
};
static const struct shape status_shape = SHAPE(struct node, status_fields, 0);

static const struct field fields[] = {
    OBJECT_ROWS(struct node),
    {"spec", FIELD_OBJECT, 0, .nested = &spec_shape},
    {"status", FIELD_OBJECT, 0, .nested = &status_shape},
};
#undef AT
const struct shape node_shape = SHAPE(struct node, fields, 0);

static bool condition_holds(const struct node *node, struct str type)
{
    const struct node_condition *all = node->conditions.items;
    for (size_t i = 0; i < node->conditions.count; i++)
        if (str_eq(all[i].type, type))
            return str_eq(all[i].status, STR("True"));
    return false;
}

void node_check(struct object *object)
{
    struct node *node = (struct node *)object;
    node->ready = condition_holds(node, STR("Ready"));
    node->network_unavailable = condition_holds(node, STR("NetworkUnavailable"));
    (void)object_label(object, STR("node.kubernetes.io/exclude-from-external-load-balancers"),
                       &node->excluded);
    (void)annotations_read(object, ANNOTATION_DRAIN, &node->draining);
    struct node_address *addresses = node->addresses.items;
    for (size_t i = 0; i < node->addresses.count; i++)
        if (ip_parse(addresses[i].text, &addresses[i].ip) < 0)
            addresses[i].ip = (struct ip){0};
}
