#include "bgp/routes.h"

#include <string.h>

#include "common/base/map.h"
#include "common/base/sbuf.h"

struct draft;

/* A prefix and the class that it is in. */
struct place {
    struct prefix prefix;
    unsigned weight;
    struct draft *draft;
};

/* A class while its members are being found. */
struct draft {
    size_t *advertisements; /* sorted */
    size_t count;
    struct route_class *class;
    size_t v4_count, v6_count;
    struct prefix *v4, *v6;
    unsigned *v4_weights, *v6_weights; /* NULL: not told */
};

struct run {
    const struct routes_input *input;
    struct arena *arena;
    struct diag_list *found;
    struct map drafts; /* bytes of `advertisements` → struct draft */
    VEC(struct draft *) list;
    const struct community_value **communities; /* of each advertisement */
};

/* Communities of one route: what fits into an UPDATE beside its other parts (RFC 4271 section 4.1:
 * 4096 octets). */
enum { COMMUNITY_BYTES_MAX = 3072 };

/* RFC 8326 section 3. */
static const struct community_value graceful_shutdown = {.parts = {65535, 0}};

/* --- claims ---------------------------------------------------------------------------------- */

struct prefix routes_prefix(const struct bgpadvertisement *ad, const struct ip *ip)
{
    int64_t len =
        ip->family == IP_V4 ? ad->spec.aggregation_length : ad->spec.aggregation_length_v6;
    return prefix_of(ip, (unsigned)len);
}

static bool share_peer(const struct str_list *a, const struct str_list *b)
{
    if (a->count == 0 || b->count == 0)
        return true; /* one of them goes to all */
    for (size_t i = 0; i < a->count; i++) {
        if (str_list_has(b, a->items[i]))
            return true;
    }
    return false;
}

bool routes_conflict(const struct bgpadvertisement *a, const struct bgpadvertisement *b,
                     const struct ip *ips, size_t ip_count)
{
    if (!bgpadvertisement_differs(a, b) || !share_peer(&a->spec.peers, &b->spec.peers))
        return false;
    for (size_t i = 0; i < ip_count; i++) {
        struct prefix one = routes_prefix(a, &ips[i]), two = routes_prefix(b, &ips[i]);
        if (prefix_eq(&one, &two))
            return true;
    }
    return false;
}

/* Orders as prefix_cmp does, as far as 64 bits go. */
static uint64_t rank_of(const struct prefix *prefix)
{
    const uint8_t *b = prefix->base.bytes;
    uint64_t high = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
    uint64_t low = (uint64_t)b[4] << 16 | (uint64_t)b[5] << 8 | b[6];
    bool v6 = prefix->base.family == IP_V6;
    return (uint64_t)v6 << 63 | high << 31 | (v6 ? low << 7 : prefix->len);
}

static int by_prefix(const void *a, const void *b)
{
    const struct route_claim *x = *(struct route_claim *const *)a;
    const struct route_claim *y = *(struct route_claim *const *)b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    int order = prefix_cmp(&x->prefix, &y->prefix);
    if (order)
        return order;
    return x->advertisement < y->advertisement ? -1 : x->advertisement > y->advertisement;
}

/* The claims in the order of their prefixes. */
static struct route_claim **in_order(struct route_claim *claims, size_t count, struct arena *arena)
{
    struct route_claim **sorted = arena_array(arena, count, sizeof(struct route_claim *));
    for (size_t i = 0; i < count; i++) {
        claims[i].rank = rank_of(&claims[i].prefix);
        sorted[i] = &claims[i];
    }
    if (count)
        qsort(sorted, count, sizeof(struct route_claim *), by_prefix);
    return sorted;
}

/* --- classes --------------------------------------------------------------------------------- */

/* A name that depends on the advertisements' names alone: a change of what they say changes no
 * class, a change of others neither. */
static struct str class_name(const struct routes_input *input, const size_t *advertisements,
                             size_t count, struct arena *arena)
{
    scoped_sbuf struct sbuf text = {0};
    for (size_t i = 0; i < count; i++) {
        sbuf_put(&text, input->advertisements[advertisements[i]]->object.key);
        sbuf_putc(&text, '\n');
    }
    return arena_printf(arena, "c_%016llx", (unsigned long long)map_hash(0, sbuf_str(&text)));
}

static struct str draft_name(const struct run *run, const struct draft *draft)
{
    return class_name(run->input, draft->advertisements, draft->count, run->arena);
}

static struct str draft_key(const size_t *advertisements, size_t count)
{
    return (struct str){.ptr = (const char *)advertisements, .len = count * sizeof(size_t)};
}

/* The draft for a set of advertisements, which is copied when it is new. */
static struct draft *find_draft(struct run *run, const size_t *advertisements, size_t count)
{
    struct draft *draft = map_get(&run->drafts, draft_key(advertisements, count));
    if (draft)
        return draft;
    draft = arena_alloc(run->arena, sizeof(*draft));
    draft->advertisements = arena_array(run->arena, count, sizeof(size_t));
    for (size_t i = 0; i < count; i++)
        draft->advertisements[i] = advertisements[i];
    draft->count = count;
    (void)map_put(&run->drafts, draft_key(draft->advertisements, count), draft);
    vec_push(&run->list, draft);
    return draft;
}

static int by_name(const void *a, const void *b)
{
    const struct route_class *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static struct route_class *class_named(const struct routes *routes, struct str name)
{
    struct route_class key = {.name = name};
    if (routes->class_count == 0)
        return NULL;
    return bsearch(&key, routes->classes, routes->class_count, sizeof(key), by_name);
}

struct route_class *routes_class(const struct routes *routes, const struct routes_input *input,
                                 const size_t *advertisements, size_t count)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    return class_named(routes, class_name(input, advertisements, count, scratch));
}

/* --- what a session gets --------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const struct community_value *x = a, *y = b;
    if (x->large != y->large)
        return x->large ? 1 : -1;
    for (size_t i = 0; i < 3; i++) {
        if (x->parts[i] != y->parts[i])
            return x->parts[i] < y->parts[i] ? -1 : 1;
    }
    return 0;
}

/* Sorts, and drops what is there twice. Returns how many stay. */
static size_t unite(struct community_value *values, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(values, count, sizeof(*values), by_value);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || by_value(&values[kept - 1], &values[i]) != 0)
            values[kept++] = values[i];
    }
    return kept;
}

static size_t community_bytes(const struct route_export *export)
{
    size_t bytes = 0;
    for (size_t i = 0; i < export->community_count; i++)
        bytes += export->communities[i].large ? 12 : 4;
    return bytes;
}

static bool reaches(const struct bgpadvertisement *ad, const struct session *session)
{
    return ad->spec.peers.count == 0 || str_list_has(&ad->spec.peers, session->peer);
}

static const struct community_value *communities_of(struct run *run, size_t index)
{
    const struct bgpadvertisement *ad = run->input->advertisements[index];
    const struct str_list *texts = &ad->spec.communities;
    if (run->communities[index])
        return run->communities[index];
    struct community_value *values = arena_array(run->arena, texts->count, sizeof(*values));
    for (size_t i = 0; i < texts->count; i++) {
        int result = validate_community(run->input->config, texts->items[i], &values[i]);
        assert(result == 0); /* an advertisement in force has only communities that are known */
    }
    run->communities[index] = values;
    return values;
}

/* The lower metric and the shorter path are preferred (RFC 4271 section 9.1.2.2). */
static void prefer(const struct bgpadvertisement_extra *extra, bool first, struct route_export *ret)
{
    if (extra->med >= 0 && (ret->med < 0 || extra->med < ret->med))
        ret->med = extra->med;
    if (first || extra->prepend < ret->prepend)
        ret->prepend = extra->prepend;
}

/* What a session gets by the advertisements of a class. False when none of them is for it. */
static bool make_export(struct run *run, const struct draft *draft, size_t session,
                        struct route_export *ret)
{
    const struct bgpadvertisement **ads = run->input->advertisements;
    size_t total = 1, count = 0;
    for (size_t i = 0; i < draft->count; i++)
        total += ads[draft->advertisements[i]]->spec.communities.count;
    struct community_value *values = arena_array(run->arena, total, sizeof(*values));
    bool any = false;
    *ret = (struct route_export){
        .session = session, .local_pref = -1, .med = -1, .communities = values};
    for (size_t i = 0; i < draft->count; i++) {
        size_t index = draft->advertisements[i];
        if (!reaches(ads[index], &run->input->sessions[session]))
            continue;
        prefer(&ads[index]->extra, !any, ret);
        any = true;
        if (ads[index]->spec.local_pref > 0 && ads[index]->spec.local_pref > ret->local_pref)
            ret->local_pref = ads[index]->spec.local_pref;
        const struct community_value *own = communities_of(run, index);
        for (size_t j = 0; j < ads[index]->spec.communities.count; j++)
            values[count++] = own[j];
    }
    if (run->input->draining) {
        ret->local_pref = 0; /* RFC 8326 section 4.2 */
        values[count++] = graceful_shutdown;
    }
    if (run->input->sessions[session].internal)
        ret->prepend = 0; /* a peer of our AS would take it for a loop */
    ret->community_count = unite(values, count);
    return any;
}

static void tell_too_many(struct run *run, const struct draft *draft, const struct session *session)
{
    const struct bgpadvertisement *first = run->input->advertisements[draft->advertisements[0]];
    diag_add(run->found, DIAG_ERROR, object_id(&first->object), STR("spec.communities"),
             "not announced to peer " STR_FMT
             ": the communities of all advertisements of one prefix do not fit into a message",
             STR_ARG(session->peer));
}

static void make_exports(struct run *run, const struct draft *draft, struct route_class *class)
{
    struct route_export *exports =
        arena_array(run->arena, run->input->session_count, sizeof(*exports));
    for (size_t i = 0; i < run->input->session_count; i++) {
        struct route_export *export = &exports[class->export_count];
        if (!make_export(run, draft, i, export))
            continue;
        if (community_bytes(export) > COMMUNITY_BYTES_MAX)
            tell_too_many(run, draft, &run->input->sessions[i]);
        else
            class->export_count++;
    }
    class->exports = exports;
}

bool routes_export(struct routes *routes, const struct routes_input *input, struct arena *arena)
{
    struct diag_list found = {.arena = arena};
    struct run run = {.input = input, .arena = arena, .found = &found};
    run.communities = arena_array(arena, input->advertisement_count, sizeof(*run.communities));
    bool same = true;
    for (size_t i = 0; i < routes->class_count; i++) {
        struct route_class *class = &routes->classes[i];
        struct draft draft = {.count = class->advertisement_count};
        draft.advertisements = arena_array(arena, draft.count, sizeof(size_t));
        memcpy(draft.advertisements, class->advertisements, draft.count * sizeof(size_t));
        size_t before = class->export_count;
        class->export_count = 0;
        make_exports(&run, &draft, class);
        same = same && class->export_count == before;
    }
    diag_done(&found);
    return same;
}

/* --- all of it ------------------------------------------------------------------------------- */

static struct draft *find_alone(struct run *run, size_t advertisement)
{
    return find_draft(run, &advertisement, 1);
}

/* Gives each prefix its draft; returns the prefixes in their order. */
static struct place *gather(struct run *run, struct route_claim *const *claims, size_t count,
                            size_t *ret_count)
{
    size_t *set = arena_array(run->arena, run->input->advertisement_count, sizeof(size_t));
    struct place *places = arena_array(run->arena, count, sizeof(*places));
    for (size_t i = 0; i < count;) {
        const struct prefix *prefix = &claims[i]->prefix;
        size_t members = 0;
        unsigned weight = 0, most = 0; /* of one advertisement, of any */
        for (; i < count && prefix_eq(&claims[i]->prefix, prefix); i++) {
            if (members == 0 || set[members - 1] != claims[i]->advertisement) {
                set[members++] = claims[i]->advertisement;
                weight = 0;
            }
            weight += claims[i]->weight;
            most = weight > most ? weight : most;
        }
        struct draft *draft = find_draft(run, set, members);
        places[(*ret_count)++] = (struct place){.prefix = *prefix, .weight = most, .draft = draft};
        *(prefix->base.family == IP_V4 ? &draft->v4_count : &draft->v6_count) += 1;
    }
    return places;
}

static void make_weights(struct run *run, struct draft *draft, struct route_class *class)
{
    for (size_t i = 0; i < draft->count; i++)
        class->weighted |= run->input->advertisements[draft->advertisements[i]]->extra.weights;
    if (!class->weighted)
        return;
    class->v4_weights = draft->v4_weights =
        arena_array(run->arena, draft->v4_count, sizeof(unsigned));
    class->v6_weights = draft->v6_weights =
        arena_array(run->arena, draft->v6_count, sizeof(unsigned));
}

static void make_classes(struct run *run, struct routes *ret)
{
    ret->classes = arena_array(run->arena, run->list.len, sizeof(*ret->classes));
    for (size_t i = 0; i < run->list.len; i++) {
        struct draft *draft = run->list.items[i];
        draft->v4 = arena_array(run->arena, draft->v4_count, sizeof(struct prefix));
        draft->v6 = arena_array(run->arena, draft->v6_count, sizeof(struct prefix));
        struct route_class *class = &ret->classes[ret->class_count++];
        *class = (struct route_class){.name = draft_name(run, draft),
                                      .v4 = draft->v4,
                                      .v6 = draft->v6,
                                      .v4_room = draft->v4_count,
                                      .v6_room = draft->v6_count,
                                      .advertisements = draft->advertisements,
                                      .advertisement_count = draft->count};
        make_weights(run, draft, class);
        make_exports(run, draft, class);
    }
}

/* After the classes have been put in their order. */
static void find_classes(struct run *run, struct routes *ret)
{
    for (size_t i = 0; i < run->list.len; i++)
        run->list.items[i]->class = class_named(ret, draft_name(run, run->list.items[i]));
}

static void fill(const struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft *draft = places[i].draft;
        bool v4 = places[i].prefix.base.family == IP_V4;
        size_t at = v4 ? draft->class->v4_count++ : draft->class->v6_count++;
        (v4 ? draft->v4 : draft->v6)[at] = places[i].prefix;
        if (draft->v4_weights)
            (v4 ? draft->v4_weights : draft->v6_weights)[at] = places[i].weight;
    }
}

/* Both are in the order of prefixes. */
static void answer(struct route_claim *const *claims, size_t count, const struct place *places)
{
    for (size_t i = 0, place = 0; i < count; i++) {
        while (!prefix_eq(&places[place].prefix, &claims[i]->prefix))
            place++;
        claims[i]->class = places[place].draft->class;
    }
}

void routes_make(const struct routes_input *input, struct route_claim *claims, size_t count,
                 struct arena *arena, struct diag_list *found, struct routes *ret)
{
    struct run run = {.input = input, .arena = arena, .found = found};
    *ret = (struct routes){0};
    run.communities = arena_array(arena, input->advertisement_count, sizeof(*run.communities));
    for (size_t i = 0; i < input->advertisement_count; i++)
        (void)find_alone(&run, i);
    size_t place_count = 0;
    struct route_claim **sorted = in_order(claims, count, arena);
    struct place *places = gather(&run, sorted, count, &place_count);
    make_classes(&run, ret);
    if (ret->class_count)
        qsort(ret->classes, ret->class_count, sizeof(*ret->classes), by_name);
    find_classes(&run, ret);
    fill(places, place_count);
    answer(sorted, count, places);
    map_done(&run.drafts);
    vec_done(&run.list);
}
