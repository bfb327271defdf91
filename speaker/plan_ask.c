/* What can be asked of a plan. */
#include <stdlib.h>

#include "common/base/names.h"
#include "speaker/plan.h"

static const char *const tier_names[] = {
    [PLAN_NORMAL] = "normal",
    [PLAN_HELD] = "held",
    [PLAN_LEAVING] = "leaving",
    [PLAN_NO_INTERFACE] = "noInterface",
};
static const struct names tiers = NAMES(tier_names);
_Static_assert(sizeof(tier_names) / sizeof(tier_names[0]) == PLAN_TIERS, "a name each");

const char *plan_tier_name(enum plan_tier tier)
{
    return names_of(&tiers, tier);
}

static struct plan_unit unit_at(const struct plan *plan, uint32_t index)
{
    const struct plan_choice *choice = &plan->units[index];
    return (struct plan_unit){.owner = choice->owner,
                              .tier = choice->tier,
                              .may_serve = choice->may_serve,
                              .epoch = plan->basis->units[index].epoch};
}

struct plan_service plan_service_at(const struct plan *plan, size_t index)
{
    const struct basis_service *from = &plan->basis->services[index];
    struct plan_service ret = {.key = from->key,
                               .reason = (enum reason)plan->services[index].reason,
                               .announced = plan->services[index].announced,
                               .ips = from->ips,
                               .ip_count = from->ip_count,
                               .placement = (enum placement_verdict)from->placement};
    if (from->unit == BASIS_NONE)
        return ret;
    struct plan_unit unit = unit_at(plan, from->unit);
    ret.owner = plan_owner(plan, &unit);
    ret.tier = (enum plan_tier)unit.tier;
    ret.epoch = unit.epoch;
    if (ret.reason)
        return ret;
    ret.interfaces = plan->lists[plan->terms[from->terms].interfaces];
    ret.all_interfaces = plan->terms[from->terms].all_interfaces;
    return ret;
}

bool plan_find(const struct plan *plan, struct str key, struct plan_service *ret)
{
    size_t from = 0, to = plan ? plan->basis->service_count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(plan->basis->services[middle].key, key);
        if (order == 0) {
            *ret = plan_service_at(plan, middle);
            return true;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

enum reason plan_reason(const struct plan_service *service)
{
    bool waits = service->reason == REASON_NONE && !service->announced;
    return waits ? REASON_NOT_ANSWERED : service->reason;
}

/* False: it is not announced from here. */
static bool address_at(const struct plan *plan, size_t index, struct plan_address *ret)
{
    const struct plan_place *place = &plan->addresses[index];
    if (!place->interfaces)
        return false;
    *ret = (struct plan_address){.ip = plan->basis->addresses[index].ip,
                                 .interfaces = plan->lists[place->interfaces],
                                 .announced = place->announced,
                                 .basis = &plan->basis->addresses[index]};
    return true;
}

bool plan_next_address(const struct plan *plan, size_t *cursor, struct plan_address *ret)
{
    while (*cursor < plan->basis->address_count) {
        if (address_at(plan, (*cursor)++, ret))
            return true;
    }
    return false;
}

bool plan_find_address(const struct plan *plan, const struct ip *ip, struct plan_address *ret)
{
    const struct basis_address *address = plan ? basis_find(plan->basis, ip) : NULL;
    return address && address_at(plan, (size_t)(address - plan->basis->addresses), ret);
}

bool plan_next_service(const struct plan *plan, const struct plan_address *address, size_t *cursor,
                       struct str *ret_key)
{
    while (*cursor < address->basis->service_count) {
        uint32_t service = address->basis->services[(*cursor)++];
        if (plan->services[service].reason)
            continue;
        *ret_key = plan->basis->services[service].key;
        return true;
    }
    return false;
}

bool plan_find_unit(const struct plan *plan, const struct ip *ip, struct plan_unit *ret)
{
    const struct basis_address *address = plan ? basis_find(plan->basis, ip) : NULL;
    if (!address)
        return false;
    *ret = unit_at(plan, plan->basis->services[address->services[0]].unit);
    return true;
}

struct str plan_owner(const struct plan *plan, const struct plan_unit *unit)
{
    const struct str_list *nodes = &plan->basis->nodes;
    return unit->owner < nodes->count ? nodes->items[unit->owner] : (struct str){0};
}

bool plan_is_live(const struct plan *plan, struct str node)
{
    const struct str_list *nodes = &plan->basis->nodes;
    const struct str *found =
        nodes->count ? bsearch(&node, nodes->items, nodes->count, sizeof(node), str_cmp_ptr) : NULL;
    return found && nodeset_has(&plan->live, (size_t)(found - nodes->items));
}
