/* Rules about BGP: what peers, advertisements and communities may say beside each other. */
#include <errno.h>

#include "common/base/err.h"
#include "crd/bfdprofile.h"
#include "crd/bgpadvertisement.h"
#include "crd/bgppeer.h"
#include "crd/ipaddresspool.h"
#include "crd/secret.h"
#include "crd/selector.h"
#include "crd/validate_rules.h"

/* Names of communities are shared by all objects. */
bool validate_community_object(struct validate_run *run, const struct object *object)
{
    const struct community *community = (const struct community *)object;
    const struct community_alias *aliases = community->communities.items;
    size_t count = community->communities.count;
    for (size_t i = 0; i < count; i++)
        if (map_get(&run->result->aliases, aliases[i].name))
            return validate_fail(
                run, object, arena_printf(run->arena, "spec.communities[%zu].name", i).ptr,
                "duplicate definition of community \"" STR_FMT "\"", STR_ARG(aliases[i].name));
    for (size_t i = 0; i < count; i++)
        (void)map_put(&run->result->aliases, aliases[i].name, (void *)&aliases[i].parsed);
    return true;
}

/* Peers: what they refer to, and whom they would collide with. */

static const struct secret *find_secret(const struct validate_run *run, const struct bgppeer *peer)
{
    const struct objects *secrets = &run->input->of[KIND_SECRET];
    for (size_t i = 0; i < secrets->count; i++) {
        const struct object *secret = secrets->items[i];
        if (str_eq(object_name(secret), peer->spec.password_secret.name) &&
            str_eq(object_namespace(secret), object_namespace(&peer->object)))
            return (const struct secret *)secret;
    }
    return NULL;
}

static bool secret_is_usable(struct validate_run *run, const struct bgppeer *peer)
{
    static const char field[] = "spec.passwordSecret";
    struct str name = peer->spec.password_secret.name;
    if (name.len == 0 || !run->input->has_secrets)
        return true;
    const struct secret *secret = find_secret(run, peer);
    if (!secret)
        return validate_fail(run, &peer->object, field,
                             "secret ref not found: there is no Secret \"" STR_FMT "\"",
                             STR_ARG(name));
    if (!str_eq(secret->type, STR("kubernetes.io/basic-auth")))
        return validate_fail(run, &peer->object, field,
                             "secret type mismatch on \"" STR_FMT
                             "\", type \"kubernetes.io/basic-auth\" is expected",
                             STR_ARG(name));
    struct str password;
    int r = secret_read(secret, STR("password"), run->arena, &password);
    if (r == -ENOENT)
        return validate_fail(run, &peer->object, field,
                             "password not specified in the secret \"" STR_FMT "\"", STR_ARG(name));
    if (r < 0)
        return validate_fail(run, &peer->object, field,
                             "password in the secret \"" STR_FMT "\" is no base64", STR_ARG(name));
    if (!bgppeer_password_is_usable(password))
        return validate_fail(run, &peer->object, field,
                             "password in the secret \"" STR_FMT "\" contains invalid characters: "
                             "must be 1 to 80 bytes of UTF-8 without control characters and "
                             "quotation marks",
                             STR_ARG(name));
    return true;
}

/* The same router: sessions with it would fight for one neighbour. */
static bool same_session(const struct bgppeer *a, const struct bgppeer *b)
{
    return ip_eq(&a->peer_address, &b->peer_address) &&
           str_eq(a->spec.interface, b->spec.interface) && str_eq(a->spec.vrf, b->spec.vrf);
}

/* A node that both select; as long as no node is known or selected, any may come. */
static bool share_node(const struct validate_run *run, const struct peer_facts *a,
                       const struct peer_facts *b)
{
    bool some_a = false, some_b = false;
    for (size_t i = 0; i < run->input->of[KIND_NODE].count; i++) {
        if (a->nodes[i] && b->nodes[i])
            return true;
        some_a = some_a || a->nodes[i];
        some_b = some_b || b->nodes[i];
    }
    return !some_a && !some_b;
}

bool validate_peer(struct validate_run *run, const struct object *object)
{
    const struct bgppeer *peer = (const struct bgppeer *)object;
    struct str profile = peer->spec.bfd_profile;
    if (profile.len && !map_get(&run->names[KIND_BFD_PROFILE], profile))
        return validate_fail(run, object, "spec.bfdProfile",
                             "peer " STR_FMT " referencing non existing bfd profile " STR_FMT,
                             STR_ARG(object_name(object)), STR_ARG(profile));
    if (!secret_is_usable(run, peer))
        return false;
    struct peer_facts facts = {.peer = peer,
                               .nodes = validate_nodes(run, &peer->spec.node_selectors)};
    for (size_t i = 0; i < run->peers.len; i++) {
        const struct peer_facts *other = &run->peers.items[i];
        if (same_session(peer, other->peer) && share_node(run, &facts, other))
            return validate_fail(run, object, "spec",
                                 "peer " STR_FMT " already exists: " STR_FMT
                                 " speaks with the same router from the same node",
                                 STR_ARG(object_name(object)),
                                 STR_ARG(object_id(&other->peer->object)));
    }
    vec_push(&run->peers, facts);
    return true;
}

/* Advertisements, against the pools they select and the others that select the same. */

static bool communities_are_known(struct validate_run *run,
                                  const struct bgpadvertisement *advertisement)
{
    const struct str_list *texts = &advertisement->spec.communities;
    for (size_t i = 0; i < texts->count; i++) {
        struct community_value value;
        if (validate_community(run->result, texts->items[i], &value) < 0)
            return validate_fail(run, &advertisement->object,
                                 arena_printf(run->arena, "spec.communities[%zu]", i).ptr,
                                 "invalid community format: \"" STR_FMT
                                 "\" is no community, and no Community "
                                 "object defines it",
                                 STR_ARG(texts->items[i]));
    }
    return true;
}

/* What is announced must not be larger than what the pool holds. */
static bool lengths_fit(struct validate_run *run, const struct bgpadvertisement *advertisement,
                        const struct pool_facts *facts)
{
    const struct range *ranges = facts->pool->ranges.items;
    for (size_t i = 0; i < facts->pool->ranges.count; i++) {
        bool v4 = ranges[i].first.family == IP_V4;
        int64_t length =
            v4 ? advertisement->spec.aggregation_length : advertisement->spec.aggregation_length_v6;
        if (length < (int64_t)facts->lengths[i])
            return validate_fail(
                run, &advertisement->object,
                v4 ? "spec.aggregationLength" : "spec.aggregationLengthV6",
                "invalid aggregation length %lld: prefix %u in this pool is more "
                "specific than the aggregation length for addresses " STR_FMT " of pool " STR_FMT,
                (long long)length, facts->lengths[i], STR_ARG(facts->pool->spec.addresses.items[i]),
                STR_ARG(object_name(&facts->pool->object)));
    }
    return true;
}

/* Do the two make different prefixes of everything in the pool? */
static bool lengths_differ(const struct bgpadvertisement_spec *a,
                           const struct bgpadvertisement_spec *b, const struct pool_facts *facts)
{
    bool v4 = a->aggregation_length != b->aggregation_length;
    bool v6 = a->aggregation_length_v6 != b->aggregation_length_v6;
    return (v4 || !facts->has_v4) && (v6 || !facts->has_v6);
}

static bool peers_differ(const struct str_list *a, const struct str_list *b)
{
    if (a->count == 0 || b->count == 0)
        return false; /* one of them goes to all */
    for (size_t i = 0; i < a->count; i++)
        if (str_list_has(b, a->items[i]))
            return false;
    return true;
}

static bool nodes_differ(const struct validate_run *run, const bool *a, const bool *b)
{
    for (size_t i = 0; i < run->input->of[KIND_NODE].count; i++)
        if (a[i] && b[i])
            return false;
    return true;
}

/* A pool of both from which they make some prefix alike, or NULL. */
static const struct pool_facts *shared_pool(const struct validate_run *run,
                                            const struct advertisement_facts *new,
                                            const struct advertisement_facts *old)
{
    for (size_t i = 0; i < run->pools.len; i++)
        if (new->pools[i] && old->pools[i] &&
            !lengths_differ(&new->advertisement->spec, &old->advertisement->spec,
                            &run->pools.items[i]))
            return &run->pools.items[i];
    return NULL;
}

/* One prefix cannot be announced with two local preferences, or two of what annotations add. With
 * serviceSelectors only the Services can tell, so that is left to the speaker. */
static bool preferences_agree(struct validate_run *run, const struct advertisement_facts *new,
                              const struct advertisement_facts *old)
{
    const struct bgpadvertisement_spec *a = &new->advertisement->spec;
    const struct bgpadvertisement_spec *b = &old->advertisement->spec;
    const char *field = bgpadvertisement_differs(new->advertisement, old->advertisement);
    if (!field || a->service_selectors.count || b->service_selectors.count)
        return true;
    if (peers_differ(&a->peers, &b->peers) || nodes_differ(run, new->nodes, old->nodes))
        return true;
    const struct pool_facts *pool = shared_pool(run, new, old);
    if (!pool)
        return true;
    if (a->local_pref != b->local_pref)
        return validate_fail(run, &new->advertisement->object, field,
                             "invalid local preference %lld: local preference %lld was already "
                             "set for the same type of BGP update by " STR_FMT " for pool " STR_FMT,
                             (long long)a->local_pref, (long long)b->local_pref,
                             STR_ARG(object_id(&old->advertisement->object)),
                             STR_ARG(object_name(&pool->pool->object)));
    return validate_fail(
        run, &new->advertisement->object, field,
        "differs from that of " STR_FMT ", which announces the same prefixes of pool " STR_FMT
        " to the same peers",
        STR_ARG(object_id(&old->advertisement->object)), STR_ARG(object_name(&pool->pool->object)));
}

/* No routing daemon sends BFD echo packets for IPv6. */
static bool echo_is_possible(struct validate_run *run, const struct bgpadvertisement *advertisement,
                             const struct pool_facts *facts)
{
    if (!facts->has_v6)
        return true;
    const struct str_list *wanted = &advertisement->spec.peers;
    for (size_t i = 0; i < run->peers.len; i++) {
        const struct bgppeer *peer = run->peers.items[i].peer;
        struct str name = object_name(&peer->object);
        const struct bfdprofile *profile =
            map_get(&run->names[KIND_BFD_PROFILE], peer->spec.bfd_profile);
        bool reached = wanted->count == 0 || str_list_has(wanted, name);
        if (reached && profile && profile->spec.echo_mode)
            return validate_fail(run, &advertisement->object, "spec.peers",
                                 "pool " STR_FMT " has bgpadvertisement " STR_FMT
                                 " which references peer " STR_FMT
                                 " which has bfd echo enabled, which is not possible with IPv6",
                                 STR_ARG(object_name(&facts->pool->object)),
                                 STR_ARG(object_name(&advertisement->object)), STR_ARG(name));
    }
    return true;
}

static bool fits_pools(struct validate_run *run, struct advertisement_facts *facts)
{
    const struct bgpadvertisement *advertisement = facts->advertisement;
    const struct bgpadvertisement_spec *spec = &advertisement->spec;
    for (size_t i = 0; i < run->pools.len; i++) {
        const struct pool_facts *pool = &run->pools.items[i];
        facts->pools[i] = selector_has_pool(&spec->ip_address_pools,
                                            &spec->ip_address_pool_selectors, &pool->pool->object);
        if (facts->pools[i] &&
            (!lengths_fit(run, advertisement, pool) || !echo_is_possible(run, advertisement, pool)))
            return false;
    }
    return true;
}

bool validate_bgpadvertisement(struct validate_run *run, const struct object *object)
{
    const struct bgpadvertisement *advertisement = (const struct bgpadvertisement *)object;
    struct advertisement_facts facts = {
        .advertisement = advertisement,
        .nodes = validate_nodes(run, &advertisement->spec.node_selectors),
        .pools = arena_array(run->arena, run->pools.len, sizeof(bool))};
    if (!communities_are_known(run, advertisement) || !fits_pools(run, &facts))
        return false;
    for (size_t i = 0; i < run->advertisements.len; i++)
        if (!preferences_agree(run, &facts, &run->advertisements.items[i]))
            return false;
    vec_push(&run->advertisements, facts);
    return true;
}
