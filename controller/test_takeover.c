/* A former leader's last writes: it sent them just before its end, and they are carried out after
 * the new leader has listed everything and made its own plan. Who then shows an address keeps it.
 */
#include "controller/test_cluster.h"
#include "crd/annotations.h"

/* --- what a former leader has sent ----------------------------------------------------------- */

struct late {
    struct str id, version, body;
    struct ip ips[ALLOC_IPS];
    size_t ip_count;
};

/* The write that makes the Service show what the plan in force says; it is not carried out yet. */
static struct late late_of(struct cluster *c, const char *key)
{
    const struct plan_record *record = plan_get(c->plan, str_from(key));
    TEST_ASSERT(record != NULL);
    const struct service *service = (const struct service *)record->object;
    struct late late = {
        .id = arena_str(c->arena, object_id(&service->object)),
        .version = arena_str(c->arena, service->object.resource_version),
        .body = service_patch(record, NULL, service, c->now, c->arena),
        .ip_count = record->ip_count,
    };
    for (size_t i = 0; i < record->ip_count; i++)
        late.ips[i] = record->ips[i];
    return late;
}

/* It is carried out now, unless the object has changed since. */
static bool late_arrives(struct cluster *c, const struct late *late)
{
    struct cluster_item *item = map_get(&c->items, late->id);
    if (!item || late->body.len == 0 || !str_eq(item->object->resource_version, late->version))
        return false;
    cluster_patch(c, item, late->body);
    return true;
}

/* A new leader makes its plan, of which nothing is written yet. */
static void take_over(struct cluster *c, const char *yaml)
{
    cluster_restart(c);
    cluster_apply(c, yaml);
    cluster_configure(c);
    plan_run(c->plan);
    (void)plan_changes(c->plan, c->arena);
}

/* The former leader has planned for everything in `yaml`, and dies. */
static void lead(struct cluster *c, const char *yaml)
{
    cluster_init(c, "");
    take_over(c, yaml);
}

#define EARLY ", creationTimestamp: \"2026-01-01T00:00:00Z\""
#define LATE ", creationTimestamp: \"2026-01-02T00:00:00Z\""
#define SHARES(key) ", annotations: {metallb.io/allow-shared-ip: " key "}"

/* --- stories --------------------------------------------------------------------------------- */

static void test_shown_goes_before_planned(void)
{
    /* "old" comes later than "new" did, is older, and so gets the address that "new" shows soon. */
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE("new", LATE, ""));
    struct late late = late_of(&c, "default/new");
    take_over(&c, SERVICE("old", EARLY, ""));
    TEST_STR(cluster_text(&c), "default/new 192.0.2.1 p Allocated\n"
                               "default/old 192.0.2.0 p Allocated\n");
    TEST_ASSERT(late_arrives(&c, &late));
    cluster_step(&c, NULL,
                 "default/new 192.0.2.0 p Allocated\n"
                 "default/old 192.0.2.1 p Allocated\n"
                 "* default/old IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    TEST_ASSERT(c.writes == 1);
    cluster_step(&c, NULL,
                 "default/new 192.0.2.0 p Allocated\ndefault/old 192.0.2.1 p Allocated\n");
    TEST_ASSERT(c.writes == 0);
    cluster_done(&c);
}

static void test_who_gives_way_may_have_to_wait(void)
{
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/32]") SERVICE("new", LATE, ""));
    struct late late = late_of(&c, "default/new");
    take_over(&c, SERVICE("old", EARLY, ""));
    TEST_STR(cluster_text(&c),
             "default/new - - PoolExhausted\ndefault/old 192.0.2.0 p Allocated\n");
    TEST_ASSERT(late_arrives(&c, &late));
    cluster_step(&c, NULL,
                 "default/new 192.0.2.0 p Allocated\n"
                 "default/old - - PoolExhausted\n"
                 "! default/old AllocationFailed: Failed to allocate IP for \"default/old\": no "
                 "available IPs: pool p has no free IPv4 address\n");
    cluster_delete(&c, "Service/default/new");
    cluster_step(&c, NULL,
                 "default/old 192.0.2.0 p Allocated\n"
                 "* default/old IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_a_write_under_way_is_firm(void)
{
    /* It cannot be called back; of two who show one address one has to go in any case. */
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE("new", LATE, ""));
    struct late late = late_of(&c, "default/new");
    take_over(&c, SERVICE("old", EARLY, ""));
    c.writing = STR("default/old");
    TEST_ASSERT(late_arrives(&c, &late));
    cluster_step(&c, NULL,
                 "default/new 192.0.2.1 p Allocated\n"
                 "default/old 192.0.2.0 p Allocated\n"
                 "* default/new IPAllocated: Assigned IP [\"192.0.2.1\"]\n"
                 "* default/old IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_asked_for_by_name(void)
{
    /* What one asks for another shows: the one waits, as if it had come later. */
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE("new", LATE, ""));
    struct late late = late_of(&c, "default/new");
    take_over(&c, SERVICE("asks", EARLY, ", loadBalancerIP: 192.0.2.0"));
    TEST_STR(cluster_text(&c),
             "default/asks 192.0.2.0 p Allocated\ndefault/new 192.0.2.1 p Allocated\n");
    TEST_ASSERT(late_arrives(&c, &late));
    cluster_step(&c, NULL,
                 "default/asks - - SharingKey\n"
                 "default/new 192.0.2.0 p Allocated\n"
                 "! default/asks AllocationFailed: Failed to allocate IP for \"default/asks\": "
                 "can't change sharing key for \"default/asks\", address also in use by "
                 "default/new\n");
    cluster_done(&c);
}

static void test_only_who_is_in_the_way_gives_way(void)
{
    /* "port" has the port of "new", "other" has not and may stay. */
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE("new", LATE SHARES("k"), ""));
    struct late late = late_of(&c, "default/new");
    take_over(&c,
              SERVICE("port", EARLY SHARES("k"),
                      "") "---\napiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: "
                          "default" EARLY SHARES(
                              "k") "}\nspec: {type: LoadBalancer, clusterIP: "
                                   "198.18.0.1, clusterIPs: [198.18.0.1], ports: [{port: 81}]}\n");
    TEST_STR(cluster_text(&c), "default/new 192.0.2.1 p Allocated\n"
                               "default/other 192.0.2.0 p Allocated\n"
                               "default/port 192.0.2.0 p Allocated\n");
    TEST_ASSERT(late_arrives(&c, &late));
    cluster_step(&c, NULL,
                 "default/new 192.0.2.0 p Allocated\n"
                 "default/other 192.0.2.0 p Allocated\n"
                 "default/port 192.0.2.1 p Allocated\n"
                 "* default/other IPAllocated: Assigned IP [\"192.0.2.0\"]\n"
                 "* default/port IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_done(&c);
}

static void test_nobody_gives_way_in_vain(void)
{
    /* Without "plan" the address would still be that of "show", who has another key. */
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE("show", EARLY SHARES("k"), ""));
    cluster_settle(&c);
    cluster_apply(&c, "---\napiVersion: v1\nkind: Service\nmetadata: {name: plan, namespace: "
                      "default" LATE SHARES(
                          "k") "}\nspec: {type: LoadBalancer, clusterIP: "
                               "198.18.0.1, clusterIPs: [198.18.0.1], ports: [{port: 81}]}\n");
    plan_run(c.plan);
    cluster_step(&c,
                 SERVICE("x", LATE, "") "status: {loadBalancer: {ingress: [{ip: 192.0.2.0}]}}\n",
                 "default/plan 192.0.2.0 p Allocated\n"
                 "default/show 192.0.2.0 p Allocated\n"
                 "default/x 192.0.2.1 p Allocated\n"
                 "* default/plan IPAllocated: Assigned IP [\"192.0.2.0\"]\n"
                 "* default/x ClearAssignment: current IP [\"192.0.2.0\"] is not allowed by the "
                 "configuration, a new one will be assigned: can't change sharing key for "
                 "\"default/x\", address also in use by default/plan,default/show\n"
                 "* default/x IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_done(&c);
}

static void test_second_address_gives_way(void)
{
    /* "dual" keeps the address that it shows, and gets another one for the one it was to have. */
    struct cluster c;
    lead(&c, POOL("p", "addresses: [192.0.2.0/31, \"2001:db8::/127\"]")
                 SERVICE("new", LATE, ", ipFamilies: [IPv6]"));
    cluster_apply(
        &c, "---\napiVersion: v1\nkind: Service\nmetadata: {name: new, namespace: default" LATE
            "}\nspec: {type: LoadBalancer, clusterIP: \"2001:db8:fd::2\", clusterIPs: "
            "[\"2001:db8:fd::2\"], ports: [{port: 80}]}\n");
    plan_run(c.plan);
    struct late late = late_of(&c, "default/new");
    take_over(&c, DUAL("dual",
                       "PreferDualStack") "status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}\n");
    TEST_STR(cluster_text(&c), "default/dual 192.0.2.1,2001:db8:: p Allocated\n"
                               "default/new 2001:db8::1 p Allocated\n");
    TEST_ASSERT(late_arrives(&c, &late));
    cluster_step(&c, NULL,
                 "default/dual 192.0.2.1,2001:db8::1 p Allocated\n"
                 "default/new 2001:db8:: p Allocated\n"
                 "* default/dual IPAllocated: Assigned additional IP \"2001:db8::1\"\n");
    cluster_done(&c);
}

/* --- random ---------------------------------------------------------------------------------- */

enum { SEQUENCES = 100, ROUNDS = 12, SERVICES = 12 };

struct play {
    struct cluster c;
    uint64_t random;
    bool touched[SERVICES]; /* by the user, since it was written last: it may move */
};

static unsigned pick(struct play *play, unsigned below)
{
    play->random ^= play->random << 13; /* xorshift64 */
    play->random ^= play->random >> 7;
    play->random ^= play->random << 17;
    return (unsigned)(play->random >> 33) % below;
}

static const struct service *service_of(struct play *play, unsigned i)
{
    const struct cluster_item *item =
        map_get(&play->c.items, arena_printf(play->c.arena, "Service/default/s%u", i));
    return item ? (const struct service *)item->object : NULL;
}

/* A Service of some sort: plain, with a wish, sharing, or with two addresses. */
static void user_applies(struct play *play, unsigned i)
{
    static const char form[] =
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u, namespace: default, "
        "creationTimestamp: \"2026-01-%02uT00:00:00Z\"%s}\nspec: {type: LoadBalancer, clusterIP: "
        "198.18.0.1, clusterIPs: [198.18.0.1%s, ports: [{port: %u}]%s}\n";
    unsigned sort = pick(play, 6), day = 1 + (i * 7) % 28, port = 80 + i % 4;
    const char *meta = "", *dual = "]", *more = "";
    if (sort == 0)
        more = arena_printf(play->c.arena, ", loadBalancerIP: 192.0.2.%u", pick(play, 4)).ptr;
    if (sort == 1 || sort == 2)
        meta = sort == 1 ? SHARES("k") : SHARES("l");
    if (sort == 3) {
        dual = ", \"2001:db8:fd::1\"]";
        more = ", ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv4, IPv6]";
    }
    cluster_apply(&play->c, arena_printf(play->c.arena, form, i, day, meta, dual, port, more).ptr);
    play->touched[i] = true;
}

static void user_acts(struct play *play)
{
    unsigned i = pick(play, SERVICES);
    if (service_of(play, i) && pick(play, 2)) {
        cluster_delete(&play->c, arena_printf(play->c.arena, "Service/default/s%u", i).ptr);
        play->touched[i] = true;
    } else {
        user_applies(play, i);
    }
}

static bool share(const struct service *a, const struct service *b)
{
    struct str key = annotations_read(&a->object, ANNOTATION_ALLOW_SHARED_IP, NULL);
    const struct service_port *x = a->spec->ports.items, *y = b->spec->ports.items;
    return key.len && x->port != y->port &&
           str_eq(key, annotations_read(&b->object, ANNOTATION_ALLOW_SHARED_IP, NULL));
}

/* Does somebody show one of the addresses who may not share it with the Service? */
static bool is_shown_by_another(struct play *play, const struct service *self, const struct ip *ips,
                                size_t count)
{
    for (unsigned i = 0; i < SERVICES; i++) {
        const struct service *other = service_of(play, i);
        for (size_t j = 0; other && other != self && j < count; j++) {
            if (service_shows(other, &ips[j]) && !share(self, other))
                return true;
        }
    }
    return false;
}

/* The Service shows what its user wants: from now on it is not to move. */
static void settled(struct play *play, struct str key)
{
    for (unsigned i = 0; i < SERVICES; i++) {
        const struct service *service = service_of(play, i);
        if (service && str_eq(service->object.key, key))
            play->touched[i] = false;
    }
}

/* What the leader has planned is written, sent, or lost with it. */
static size_t leader_dies(struct play *play, struct late sent[SERVICES])
{
    size_t count = 0;
    cluster_configure(&play->c);
    plan_run(play->c.plan);
    struct str_list keys = plan_changes(play->c.plan, play->c.arena);
    for (size_t i = 0; i < keys.count; i++) {
        unsigned fate = pick(play, 3);
        if (fate == 0 || !plan_get(play->c.plan, keys.items[i]))
            continue;
        struct late late = late_of(&play->c, keys.items[i].ptr);
        const struct cluster_item *item = map_get(&play->c.items, late.id);
        const struct service *service = (const struct service *)item->object;
        if (is_shown_by_another(play, service, late.ips, late.ip_count))
            continue; /* it waits until the other one is seen without it */
        if (fate == 2) {
            sent[count++] = late;
            continue;
        }
        cluster_write(&play->c, keys.items[i]);
        settled(play, keys.items[i]);
    }
    return count;
}

/* The addresses that a Service shows and is to keep. Two show one address when a user has just
 * taken a sharing key away: one of them must move. */
static struct late kept_of(struct play *play, unsigned i)
{
    const struct service *service = service_of(play, i);
    struct late kept = {0};
    if (!service || play->touched[i])
        return kept;
    const struct service_ingress *ingress = service->status.ingress.items;
    for (size_t j = 0; j < service->status.ingress.count; j++)
        kept.ips[kept.ip_count++] = ingress[j].address;
    if (is_shown_by_another(play, service, kept.ips, kept.ip_count))
        kept.ip_count = 0;
    return kept;
}

/* The new leader has planned; then the last writes of the former arrive. Nobody whom the user left
 * alone moves, whatever was planned. */
static void round_of(struct play *play)
{
    struct late sent[SERVICES], kept[SERVICES];
    for (unsigned i = 0; i < 4; i++)
        user_acts(play);
    size_t count = leader_dies(play, sent);
    take_over(&play->c, "");
    user_acts(play);
    plan_run(play->c.plan);
    for (size_t i = 0; i < count; i++) {
        const struct cluster_item *item = map_get(&play->c.items, sent[i].id);
        const struct service *service = item ? (const struct service *)item->object : NULL;
        if (service && !is_shown_by_another(play, service, sent[i].ips, sent[i].ip_count) &&
            late_arrives(&play->c, &sent[i]))
            settled(play, item->object->key);
    }
    for (unsigned i = 0; i < SERVICES; i++)
        kept[i] = kept_of(play, i);
    cluster_settle(&play->c);
    for (unsigned i = 0; i < SERVICES; i++) {
        for (size_t j = 0; j < kept[i].ip_count; j++)
            TEST_ASSERT(service_shows(service_of(play, i), &kept[i].ips[j]));
    }
    memset(play->touched, 0, sizeof(play->touched));
}

/* Records and objects say the same, and no two show what they may not share. */
static void check_end(struct play *play)
{
    for (unsigned i = 0; i < SERVICES; i++) {
        const struct service *service = service_of(play, i);
        if (!service)
            continue;
        const struct plan_record *record = plan_get(play->c.plan, service->object.key);
        TEST_ASSERT(record->ip_count == service->status.ingress.count);
        TEST_ASSERT(!is_shown_by_another(play, service, record->ips, record->ip_count));
    }
}

static void test_sequences(void)
{
    for (uint64_t s = 0; s < SEQUENCES; s++) {
        struct play play = {.random = (s + 1) * UINT64_C(0x9e3779b97f4a7c15)};
        cluster_init(&play.c, "");
        cluster_apply(&play.c, POOL("a", "addresses: [192.0.2.0/30], autoAssign: false")
                                   POOL("b", "addresses: [198.51.100.0/29, \"2001:db8::/126\"]"));
        for (unsigned i = 0; i < ROUNDS; i++) {
            round_of(&play);
            check_end(&play);
        }
        cluster_done(&play.c);
    }
}

TEST_MAIN("controller/plan: takeover", TEST(test_shown_goes_before_planned),
          TEST(test_who_gives_way_may_have_to_wait), TEST(test_a_write_under_way_is_firm),
          TEST(test_asked_for_by_name), TEST(test_only_who_is_in_the_way_gives_way),
          TEST(test_nobody_gives_way_in_vain), TEST(test_second_address_gives_way),
          TEST(test_sequences))
