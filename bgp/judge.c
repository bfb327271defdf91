#include "bgp/judge.h"

#include "common/election/holding.h"

/* --- what is common to all ------------------------------------------------------------------- */

static const struct node *find_node(const struct model_input *input)
{
    for (size_t i = 0; i < input->nodes.count; i++) {
        if (str_eq(input->nodes.items[i]->key, input->node))
            return (const struct node *)input->nodes.items[i];
    }
    return NULL;
}

bool judge_selects_node(const struct judge *judge, const struct list *selectors)
{
    static const struct str_map none;
    return selectors_match_or_none(selectors, judge->node ? &judge->node->object.labels : &none);
}

void judge_init(const struct model_input *input, struct arena *arena, struct judge *ret)
{
    const struct objects *all = &input->config->of[KIND_BGP_ADVERTISEMENT];
    const struct objects *pools = &input->config->of[KIND_IP_ADDRESS_POOL];
    *ret = (struct judge){
        .config = input->config,
        .node = find_node(input),
        .node_name = input->node,
        .ignore_excluded = input->ignore_excluded,
        .drained = input->drain == MODEL_DRAINED,
        .advertised = arena_array(arena, all->count, sizeof(*ret->advertised)),
    };
    for (size_t i = 0; i < all->count; i++) {
        const struct bgpadvertisement *ad = (const struct bgpadvertisement *)all->items[i];
        if (!judge_selects_node(ret, &ad->spec.node_selectors))
            continue;
        struct judge_advertised *one = &ret->advertised[ret->advertised_count++];
        *one = (struct judge_advertised){.object = ad,
                                         .pools = arena_array(arena, pools->count, sizeof(bool))};
        for (size_t j = 0; j < pools->count; j++)
            one->pools[j] = selector_has_pool(&ad->spec.ip_address_pools,
                                              &ad->spec.ip_address_pool_selectors, pools->items[j]);
    }
}

/* --- one Service ----------------------------------------------------------------------------- */

/* The advertisements that apply to a Service. */
struct selection {
    size_t *items; /* indices of `advertised` */
    size_t count;
};

/* Those of the pool that select the Service; REASON_NONE when there is one. */
static enum reason select_advertisements(const struct judge *judge, const struct service *service,
                                         size_t pool, struct arena *arena, struct selection *ret)
{
    bool of_pool = false;
    ret->items = arena_array(arena, judge->advertised_count, sizeof(size_t));
    for (size_t i = 0; i < judge->advertised_count; i++) {
        const struct judge_advertised *one = &judge->advertised[i];
        if (!one->pools[pool])
            continue;
        of_pool = true;
        if (selectors_match_or_none(&one->object->spec.service_selectors, &service->object.labels))
            ret->items[ret->count++] = i;
    }
    return ret->count ? REASON_NONE : of_pool ? REASON_NO_ADVERTISEMENT : REASON_NOT_OWNER;
}

static bool conflict(const struct judge *judge, const struct selection *selection,
                     const struct holding *holding)
{
    for (size_t i = 0; i < selection->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (routes_conflict(judge->advertised[selection->items[i]].object,
                                judge->advertised[selection->items[j]].object, holding->ips,
                                holding->ip_count))
                return true;
        }
    }
    return false;
}

static enum reason judge_node(const struct judge *judge)
{
    if (judge->node && judge->node->network_unavailable)
        return REASON_NETWORK_UNAVAILABLE;
    if (judge->node && judge->node->excluded && !judge->ignore_excluded)
        return REASON_NODE_EXCLUDED;
    return REASON_NONE;
}

static enum reason judge_endpoints(const struct judge *judge, const struct service *service,
                                   const struct serving *serving)
{
    struct serving_cursor cursor = {0};
    for (const struct endpoint *one; (one = serving_next(serving, service->object.key, &cursor));) {
        if (!service->is_local || str_eq(one->node_name, judge->node_name))
            return REASON_NONE;
    }
    return service->is_local ? REASON_NO_LOCAL_ENDPOINTS : REASON_NO_ENDPOINTS;
}

/* Adds a prefix to those of the Service, once. */
static void add_prefix(struct prefix *prefixes, size_t *count, const struct prefix *prefix)
{
    for (size_t i = 0; i < *count; i++) {
        if (prefix_eq(&prefixes[i], prefix))
            return;
    }
    prefixes[(*count)++] = *prefix;
}

/* How many endpoints on this node serve a Service. Only where each node serves by its own endpoints
 * do they say anything about the node. */
static unsigned count_endpoints(const struct judge *judge, const struct service *service,
                                const struct serving *serving)
{
    struct serving_cursor cursor = {0};
    unsigned count = 0;
    for (const struct endpoint *one;
         service->is_local && (one = serving_next(serving, service->object.key, &cursor));) {
        if (str_eq(one->node_name, judge->node_name))
            count += 1 + one->others;
    }
    return count;
}

/* endpoints: of the Service on this node. */
static void claim(const struct judge *judge, unsigned endpoints, const struct holding *holding,
                  const struct selection *selection, struct arena *arena,
                  struct model_service *result, judge_claims *claims)
{
    struct prefix *prefixes =
        arena_array(arena, holding->ip_count * selection->count, sizeof(*prefixes));
    for (size_t i = 0; i < holding->ip_count; i++) {
        for (size_t j = 0; j < selection->count; j++) {
            struct route_claim one = {.advertisement = selection->items[j]};
            const struct bgpadvertisement *ad = judge->advertised[one.advertisement].object;
            one.prefix = routes_prefix(ad, &holding->ips[i]);
            one.weight = ad->extra.weights ? endpoints : 0;
            vec_push(claims, one);
            result->claim_count++;
            add_prefix(prefixes, &result->prefix_count, &one.prefix);
        }
    }
    result->prefixes = prefixes;
}

/* The reason in the order in which MetalLB asks. */
void judge_service(const struct judge *judge, const struct service *service,
                   const struct serving *serving, struct arena *arena, struct model_service *ret,
                   judge_claims *claims)
{
    struct holding holding;
    struct selection selection = {0};
    enum reason reason =
        holding_read(service, &judge->config->of[KIND_IP_ADDRESS_POOL], arena, &holding);
    if (!reason)
        reason = select_advertisements(judge, service, holding.pool, arena, &selection);
    if (!reason && conflict(judge, &selection, &holding))
        reason = REASON_CONFLICTING_ADVERTISEMENTS;
    if (!reason)
        reason = judge_node(judge);
    if (!reason)
        reason = judge_endpoints(judge, service, serving);
    if (!reason && judge->drained)
        reason = REASON_NODE_DRAINED;
    *ret = (struct model_service){.key = arena_str(arena, service->object.key),
                                  .reason = reason,
                                  .ips = holding.ips,
                                  .ip_count = holding.ip_count};
    if (reason == REASON_NONE)
        claim(judge, count_endpoints(judge, service, serving), &holding, &selection, arena, ret,
              claims);
}
