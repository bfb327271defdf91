#include "common/election/eligible.h"

#include "common/election/holding.h"
#include "common/election/serving.h"
#include "crd/annotations.h"
#include "crd/l2advertisement.h"
#include "crd/node.h"

/* The advertisements that select a pool. */
struct pool {
    size_t *advertisements;
    size_t count;
};

struct eligible {
    struct objects pool_objects, advertisements;
    struct str_list nodes;    /* names, sorted */
    struct nodeset available; /* nodes that may announce anything */
    struct nodeset *reach;    /* for each advertisement: the nodes that it names */
    int64_t **weights;        /* for each: how much it prefers each node; NULL: it prefers none */
    struct pool *pools;
    struct serving *serving;
};

static const struct l2advertisement *advertisement(const struct eligible *e, size_t index)
{
    return (const struct l2advertisement *)e->advertisements.items[index];
}

size_t eligible_advertisement_count(const struct eligible *e)
{
    return e->advertisements.count;
}

const struct l2advertisement *eligible_advertisement(const struct eligible *e, size_t index)
{
    return advertisement(e, index);
}

/* --- tables ---------------------------------------------------------------------------------- */

size_t eligible_node(const struct eligible *e, struct str name)
{
    size_t from = 0, to = e->nodes.count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(e->nodes.items[middle], name);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return e->nodes.count;
}

static void read_nodes(struct eligible *e, const struct eligible_input *input, struct arena *arena)
{
    const struct objects *nodes = &input->nodes;
    e->available = nodeset_new(nodes->count, arena);
    e->nodes.items = arena_array(arena, nodes->count, sizeof(struct str));
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node *node = (const struct node *)nodes->items[i];
        bool excluded = node->excluded && !input->ignore_excluded;
        e->nodes.items[e->nodes.count++] = arena_str(arena, node->object.key);
        if (!node->network_unavailable && !excluded)
            nodeset_add(&e->available, i);
    }
}

static struct nodeset find_reach(const struct l2advertisement *ad, const struct objects *nodes,
                                 struct arena *arena)
{
    struct nodeset set = nodeset_new(nodes->count, arena);
    for (size_t i = 0; i < nodes->count; i++) {
        if (selectors_match_or_none(&ad->spec.node_selectors, &nodes->items[i]->labels))
            nodeset_add(&set, i);
    }
    return set;
}

/* Nodes that the advertisement does not name get nothing from it. */
static int64_t *find_weights(const struct l2advertisement *ad, const struct nodeset *reach,
                             const struct objects *nodes, struct arena *arena)
{
    const struct list *preferred = &ad->spec.preferred_node_selectors;
    const struct preferred_node *all = preferred->items;
    if (preferred->count == 0)
        return NULL;
    int64_t *weights = arena_array(arena, nodes->count, sizeof(*weights));
    for (size_t node = nodeset_next(reach, 0); node != NODESET_END;
         node = nodeset_next(reach, node + 1)) {
        for (size_t i = 0; i < preferred->count; i++) {
            if (selector_matches(&all[i].preference, &nodes->items[node]->labels))
                weights[node] += all[i].weight;
        }
    }
    return weights;
}

static struct pool read_pool(const struct eligible *e, const struct object *object,
                             struct arena *arena)
{
    size_t count = e->advertisements.count;
    struct pool pool = {.advertisements = arena_array(arena, count, sizeof(size_t))};
    for (size_t i = 0; i < count; i++) {
        const struct l2advertisement_spec *spec = &advertisement(e, i)->spec;
        if (selector_has_pool(&spec->ip_address_pools, &spec->ip_address_pool_selectors, object))
            pool.advertisements[pool.count++] = i;
    }
    return pool;
}

struct eligible *eligible_new(const struct eligible_input *input, struct arena *arena)
{
    struct eligible *e = arena_alloc(arena, sizeof(*e));
    const struct objects *ads = &input->advertisements, *pools = &input->pools;
    e->pool_objects = *pools;
    e->advertisements = *ads;
    read_nodes(e, input, arena);
    e->reach = arena_array(arena, ads->count, sizeof(*e->reach));
    e->weights = arena_array(arena, ads->count, sizeof(*e->weights));
    for (size_t i = 0; i < ads->count; i++) {
        e->reach[i] = find_reach(advertisement(e, i), &input->nodes, arena);
        e->weights[i] = find_weights(advertisement(e, i), &e->reach[i], &input->nodes, arena);
    }
    e->pools = arena_array(arena, pools->count, sizeof(*e->pools));
    for (size_t i = 0; i < pools->count; i++)
        e->pools[i] = read_pool(e, pools->items[i], arena);
    e->serving = serving_new(&input->slices, input->seed, arena);
    return e;
}

/* --- endpoints ------------------------------------------------------------------------------- */

/* Can any endpoint serve? Adds the nodes of those that can to `nodes`; NULL: wherever they are. */
static bool find_serving(const struct eligible *e, struct str service, struct nodeset *nodes)
{
    struct serving_cursor cursor = {0};
    const struct endpoint *one = serving_next(e->serving, service, &cursor);
    bool any = one != NULL;
    for (; one && nodes; one = serving_next(e->serving, service, &cursor)) {
        size_t node = eligible_node(e, one->node_name);
        if (node < e->nodes.count)
            nodeset_add(nodes, node);
    }
    return any;
}

/* --- advertisements -------------------------------------------------------------------------- */

/* Those of the pool that select the Service. Returns false when the Service may share its address
 * and one of them picks Services: sharers could then be announced by different nodes. */
static bool select_advertisements(const struct eligible *e, const struct pool *pool,
                                  const struct service *service, struct arena *arena,
                                  struct candidacy *c)
{
    size_t *selected = arena_array(arena, pool->count, sizeof(*selected));
    bool may_share, picks = false;
    (void)annotations_read(&service->object, ANNOTATION_ALLOW_SHARED_IP, &may_share);
    for (size_t i = 0; i < pool->count; i++) {
        const struct list *selectors =
            &advertisement(e, pool->advertisements[i])->spec.service_selectors;
        if (!selectors_match_or_none(selectors, &service->object.labels))
            continue;
        selected[c->advertisement_count++] = pool->advertisements[i];
        picks = picks || selectors->count;
    }
    c->advertisements = selected;
    return !(may_share && picks);
}

/* The nodes that the advertisements name and that may announce. */
static void select_nodes(const struct eligible *e, struct candidacy *c)
{
    for (size_t i = 0; i < c->advertisement_count; i++)
        nodeset_unite(&c->nodes, &e->reach[c->advertisements[i]]);
    nodeset_intersect(&c->nodes, &e->available);
}

/* Of a Service whose addresses are all of that pool. */
static enum reason judge_pool(const struct eligible *e, const struct service *service, size_t pool,
                              struct arena *arena, struct candidacy *c)
{
    if (!select_advertisements(e, &e->pools[pool], service, arena, c))
        return REASON_SHARED_WITH_SELECTOR;
    c->stands = true;
    c->nodes = nodeset_new(e->nodes.count, arena);
    select_nodes(e, c);
    return REASON_NONE;
}

static enum reason judge(const struct eligible *e, const struct service *service,
                         struct arena *arena, struct candidacy *c)
{
    struct holding holding;
    enum reason reason = holding_read(service, &e->pool_objects, arena, &holding);
    c->ips = holding.ips;
    c->ip_count = (uint32_t)holding.ip_count;
    if (reason)
        return reason;
    struct nodeset serving = nodeset_new(service->is_local ? e->nodes.count : 0, arena);
    if (!find_serving(e, service->object.key, service->is_local ? &serving : NULL))
        return REASON_NOT_OWNER;
    reason = judge_pool(e, service, holding.pool, arena, c);
    if (reason == REASON_NONE && service->is_local)
        nodeset_intersect(&c->nodes, &serving);
    return reason;
}

void eligible_judge(const struct eligible *e, const struct service *service, struct arena *arena,
                    struct candidacy *ret)
{
    *ret = (struct candidacy){0};
    ret->reason = judge(e, service, arena, ret);
}

void eligible_judge_at(const struct eligible *e, const struct service *service,
                       const struct ip *ips, size_t count, struct arena *arena,
                       struct candidacy *ret)
{
    size_t pool = holding_pool(ips, count, &e->pool_objects);
    *ret = (struct candidacy){.ips = ips, .ip_count = (uint32_t)count};
    ret->reason = pool < e->pool_objects.count ? judge_pool(e, service, pool, arena, ret)
                                               : REASON_IP_NOT_ALLOWED;
}

/* --- preferences and interfaces -------------------------------------------------------------- */

int64_t *eligible_scores(const struct eligible *e, const struct candidacy *c, struct arena *arena)
{
    int64_t *scores = NULL;
    for (size_t i = 0; i < c->advertisement_count; i++) {
        const int64_t *weights = e->weights[c->advertisements[i]];
        if (weights && !scores)
            scores = arena_array(arena, e->nodes.count, sizeof(*scores));
        for (size_t node = 0; weights && node < e->nodes.count; node++)
            scores[node] += weights[node];
    }
    return scores;
}

bool eligible_names(const struct eligible *e, const struct candidacy *c, size_t node)
{
    for (size_t i = 0; node < e->nodes.count && i < c->advertisement_count; i++) {
        if (nodeset_has(&e->reach[c->advertisements[i]], node))
            return true;
    }
    return false;
}

static bool is_named(const struct eligible *e, const struct candidacy *c, size_t node,
                     struct str interface)
{
    for (size_t i = 0; i < c->advertisement_count; i++) {
        const struct str_list *names = &advertisement(e, c->advertisements[i])->spec.interfaces;
        if (nodeset_has(&e->reach[c->advertisements[i]], node) &&
            (names->count == 0 || str_list_has(names, interface)))
            return true;
    }
    return false;
}

struct str_list eligible_interfaces(const struct eligible *e, const struct candidacy *c,
                                    size_t node, const struct str_list *interfaces,
                                    struct arena *arena)
{
    struct str_list names = {.items = arena_array(arena, interfaces->count, sizeof(struct str))};
    for (size_t i = 0; node < e->nodes.count && i < interfaces->count; i++) {
        if (is_named(e, c, node, interfaces->items[i]))
            names.items[names.count++] = interfaces->items[i];
    }
    return names;
}

const struct nodeset *eligible_reach(const struct eligible *e, size_t index)
{
    return &e->reach[index];
}

const struct nodeset *eligible_available(const struct eligible *e)
{
    return &e->available;
}
