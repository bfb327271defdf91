/* Addresses that somebody else answers for: who keeps them, who gets others, and what is said. */
#include "controller/test_cluster.h"
#include "crd/condition.h"

#define CONFLICT(address, name, seen)                                                            \
    "---\napiVersion: stentor.io/v1alpha1\nkind: AddressConflict\nmetadata: {name: " name        \
    ", namespace: metallb-system}\nspec: {address: \"" address "\", node: n1, interface: eth0, " \
    "mac: \"02:00:5e:10:00:01\", seen: \"" seen "\"}\n"

/* The clock of the cluster stands at 1970-01-12T13:46:40Z. */
#define NOW "1970-01-12T13:46:40Z"
#define ID "AddressConflict/metallb-system/"

/* What the condition of a Service says, or nothing. */
static struct str conflict_of(struct cluster *c, const char *name)
{
    const struct cluster_item *item =
        map_get(&c->items, arena_printf(c->arena, "Service/default/%s", name));
    const struct condition *condition =
        condition_find(&((const struct service *)item->object)->status.conditions,
                       STR(SERVICE_CONDITION_CONFLICT));
    if (!condition)
        return STR("");
    return arena_printf(c->arena, STR_FMT " " STR_FMT ": " STR_FMT, STR_ARG(condition->status),
                        STR_ARG(condition->reason), STR_ARG(condition->message));
}

static void test_moves_who_did_not_ask(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""));
    cluster_settle(&c);
    cluster_step(&c, CONFLICT("192.0.2.0", "192.0.2.0", NOW),
                 "default/web 192.0.2.1 p Allocated\n"
                 "! default/web AddressConflict: 192.0.2.0 is answered for by 02:00:5e:10:00:01, "
                 "seen by node n1 on interface eth0; a new one will be assigned\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    TEST_ASSERT(c.writes == 1);
    TEST_STR(conflict_of(&c, "web"), "");
    /* Nobody else gets it, and the end of the quarantine moves nobody back. */
    cluster_step(&c, SERVICE("new", "", ""),
                 "default/new 192.0.2.2 p Allocated\n"
                 "default/web 192.0.2.1 p Allocated\n"
                 "* default/new IPAllocated: Assigned IP [\"192.0.2.2\"]\n");
    c.now += 600;
    cluster_step(&c, SERVICE("later", "", ""),
                 "default/later 192.0.2.0 p Allocated\n"
                 "default/new 192.0.2.2 p Allocated\n"
                 "default/web 192.0.2.1 p Allocated\n"
                 "* default/later IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_who_asked_keeps_it(void)
{
    static const char sentence[] = "True AddressInUse: 192.0.2.2 is answered for by "
                                   "02:00:5e:10:00:01, seen by node n1 on interface eth0";
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/30]")
                          SERVICE("web", "", ", loadBalancerIP: 192.0.2.2"));
    cluster_settle(&c);
    cluster_step(&c, CONFLICT("192.0.2.2", "192.0.2.2", NOW),
                 "default/web 192.0.2.2 p Allocated\n"
                 "! default/web AddressConflict: 192.0.2.2 is answered for by 02:00:5e:10:00:01, "
                 "seen by node n1 on interface eth0\n");
    TEST_STR(conflict_of(&c, "web"), sentence);
    /* Seen again, and after a restart: nothing to write, nothing to tell. */
    cluster_step(&c, CONFLICT("192.0.2.2", "192.0.2.2", "1970-01-12T13:47:40Z"),
                 "default/web 192.0.2.2 p Allocated\n");
    TEST_ASSERT(c.writes == 0);
    cluster_restart(&c);
    cluster_step(&c, NULL, "default/web 192.0.2.2 p Allocated\n");
    TEST_ASSERT(c.writes == 0);
    /* Whoever asks for it now waits, and is told of the conflict too. */
    cluster_step(&c, SERVICE("two", "", ", loadBalancerIP: 192.0.2.2"),
                 "default/two - - Quarantined\n"
                 "default/web 192.0.2.2 p Allocated\n"
                 "! default/two AllocationFailed: Failed to allocate IP for \"default/two\": "
                 "[\"192.0.2.2\"] is in quarantine and not given to anybody for now\n"
                 "! default/two AddressConflict: 192.0.2.2 is answered for by 02:00:5e:10:00:01, "
                 "seen by node n1 on interface eth0\n");
    TEST_STR(conflict_of(&c, "two"), sentence);
    cluster_delete(&c, "Service/default/web");
    cluster_step(&c, NULL, "default/two - - Quarantined\n");
    /* The end, told to those who had the condition. */
    c.now += 600;
    cluster_step(&c, NULL,
                 "default/two 192.0.2.2 p Allocated\n"
                 "* default/two AddressConflictEnded: nobody else is known to answer for its "
                 "addresses any more\n"
                 "* default/two IPAllocated: Assigned IP [\"192.0.2.2\"]\n");
    TEST_STR(conflict_of(&c, "two"), "");
    cluster_done(&c);
}

static void test_waits_when_there_is_no_other(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/32]") SERVICE("web", "", ""));
    cluster_settle(&c);
    cluster_step(&c, CONFLICT("192.0.2.0", "192.0.2.0", NOW),
                 "default/web - - PoolExhausted\n"
                 "! default/web AddressConflict: 192.0.2.0 is answered for by 02:00:5e:10:00:01, "
                 "seen by node n1 on interface eth0; a new one will be assigned\n"
                 "! default/web AllocationFailed: Failed to allocate IP for \"default/web\": no "
                 "available IPs: pool p has no free IPv4 address (1 in quarantine)\n");
    cluster_restart(&c);
    cluster_step(&c, NULL, "default/web - - PoolExhausted\n");
    TEST_ASSERT(c.writes == 0);
    /* The object is deleted before its time: that ends it too. */
    cluster_delete(&c, ID "192.0.2.0");
    cluster_step(&c, NULL,
                 "default/web 192.0.2.0 p Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_sharing(void)
{
    /* Who did not ask leaves, who asked stays, nobody joins. */
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(
        &c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE(
                "asks", ", annotations: {metallb.io/allow-shared-ip: k}",
                ", loadBalancerIP: 192.0.2.0") "---\napiVersion: v1\nkind: Service\nmetadata: "
                                               "{name: joins, namespace: default, annotations: "
                                               "{metallb.io/allow-shared-ip: k}}\nspec: {type: "
                                               "LoadBalancer, clusterIP: 198.18.0.1, clusterIPs: "
                                               "[198.18.0.1], ports: [{port: 81}]}\n");
    cluster_settle(&c);
    TEST_STR(cluster_text(&c), "default/asks 192.0.2.0 p Allocated\n"
                               "default/joins 192.0.2.0 p Allocated\n"
                               "* default/asks IPAllocated: Assigned IP [\"192.0.2.0\"]\n"
                               "* default/joins IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_step(&c, CONFLICT("192.0.2.0", "192.0.2.0", NOW),
                 "default/asks 192.0.2.0 p Allocated\n"
                 "default/joins 192.0.2.1 p Allocated\n"
                 "! default/asks AddressConflict: 192.0.2.0 is answered for by 02:00:5e:10:00:01, "
                 "seen by node n1 on interface eth0\n"
                 "! default/joins AddressConflict: 192.0.2.0 is answered for by "
                 "02:00:5e:10:00:01, seen by node n1 on interface eth0; a new one will be "
                 "assigned\n"
                 "* default/joins IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_done(&c);
}

/* Only the address in quarantine goes. */
static void test_dual_stack(void)
{
    static const char *const policies[] = {"PreferDualStack", "RequireDualStack"};
    for (size_t i = 0; i < TEST_COUNT(policies); i++) {
        struct cluster c;
        cluster_init(&c, "");
        /* The IPv4 address it has is not the first free one any more. */
        cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/30, \"2001:db8::/127\"]") SERVICE(
                              "first", ", creationTimestamp: \"1970-01-01T00:00:00Z\"", ""));
        cluster_settle(&c);
        cluster_apply(&c, i ? DUAL("dual", "RequireDualStack") : DUAL("dual", "PreferDualStack"));
        cluster_settle(&c);
        cluster_delete(&c, "Service/default/first");
        cluster_step(&c, NULL, "default/dual 192.0.2.1,2001:db8:: p Allocated\n");
        cluster_step(&c, CONFLICT("2001:db8::", "2001-db8--0", NOW),
                     "default/dual 192.0.2.1,2001:db8::1 p Allocated\n"
                     "! default/dual AddressConflict: 2001:db8:: is answered for by "
                     "02:00:5e:10:00:01, seen by node n1 on interface eth0; a new one will be "
                     "assigned\n"
                     "* default/dual IPAllocated: Assigned additional IP \"2001:db8::1\"\n");
        cluster_apply(&c, CONFLICT("2001:db8::1", "2001-db8--1", NOW));
        cluster_settle(&c);
        /* With no other left, the one stays for who only prefers two. */
        const struct plan_record *record = plan_get(c.plan, STR("default/dual"));
        TEST_ASSERT(record->allocated == (i == 0) && record->ip_count == (i == 0 ? 1 : 0));
        TEST_STR(record->message,
                 i ? "no available IPs: pool p has no free IPv4 address and no free IPv6 address "
                     "(2 in quarantine)"
                   : "192.0.2.1 from pool \"p\"; no second address: no available IPs in pool p: "
                     "it has no free IPv6 address (2 in quarantine)");
        cluster_done(&c);
    }
}

static void test_bad_request_takes_nothing_away(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""));
    cluster_settle(&c);
    cluster_apply(&c, SERVICE("web", ", annotations: {metallb.io/loadBalancerIPs: nonsense}", ""));
    cluster_apply(&c, CONFLICT("192.0.2.0", "192.0.2.0", NOW));
    cluster_settle(&c);
    TEST_ASSERT(plan_get(c.plan, STR("default/web"))->ip_count == 1);
    TEST_STR(conflict_of(&c, "web"),
             "True AddressInUse: 192.0.2.0 is answered for by 02:00:5e:10:00:01, seen by node n1 "
             "on interface eth0");
    cluster_done(&c);
}

static void test_leaving_the_type_ends_it(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/30]")
                          SERVICE("web", "", ", loadBalancerIP: 192.0.2.0")
                              CONFLICT("192.0.2.0", "192.0.2.0", NOW));
    cluster_settle(&c);
    TEST_ASSERT(conflict_of(&c, "web").len > 0);
    cluster_apply(&c, "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
                      "spec: {type: ClusterIP, clusterIP: 198.18.0.1, clusterIPs: "
                      "[198.18.0.1]}\n");
    cluster_step(&c, NULL, "default/web - - NotLoadBalancer\n");
    TEST_STR(conflict_of(&c, "web"), "");
    cluster_done(&c);
}

/* --- the quarantine itself ------------------------------------------------------------------- */

static struct quarantine *quarantine_among(const struct quarantine *before, const char *yaml,
                                           const struct quarantine_members *members, int64_t now)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct yaml_documents documents = yaml_parse(str_from(yaml), arena);
    const struct object **objects = arena_array(arena, documents.list.len, sizeof(*objects));
    for (size_t i = 0; i < documents.list.len; i++)
        objects[i] =
            object_decode(kinds_get(KIND_ADDRESS_CONFLICT), documents.list.items[i].tree, STR(""));
    struct quarantine *quarantine =
        quarantine_new(before, objects, documents.list.len, members, now);
    for (size_t i = 0; i < documents.list.len; i++)
        (void)object_unref((struct object *)objects[i]);
    yaml_done(&documents);
    return quarantine;
}

static struct quarantine *quarantine_of(const struct quarantine *before, const char *yaml,
                                        int64_t now)
{
    return quarantine_among(before, yaml, NULL, now);
}

/* "ADDRESS until END" for each, and when the first one ends. */
static struct str text_of(const struct quarantine *quarantine, struct arena *arena)
{
    struct sbuf text = {0};
    size_t count;
    const struct quarantine_entry *entries = quarantine_list(quarantine, &count);
    for (size_t i = 0; i < count; i++) {
        TEST_ASSERT(quarantine_find(quarantine, &entries[i].ip) == &entries[i]);
        sbuf_printf(&text, "%s%s until %lld, ", ip_format(&entries[i].ip).text,
                    entries[i].doubted ? "?" : "", (long long)entries[i].until);
    }
    if (quarantine_rejected(quarantine))
        sbuf_printf(&text, "%zu rejected, ", quarantine_rejected(quarantine));
    sbuf_printf(&text, "next %lld", (long long)quarantine_next_end(quarantine));
    return sbuf_move(&text, arena);
}

#define AT_100 "1970-01-01T00:01:40Z"
#define AT_160 "1970-01-01T00:02:40Z"

static void test_times(void)
{
    static const char two[] =
        CONFLICT("2001:db8::1", "b", AT_160) CONFLICT("192.0.2.1", "a", AT_100);
    static const struct {
        const char *yaml;
        int64_t first, now; /* when it is heard of, and when it is looked at */
        const char *want;
    } cases[] = {
        {two, 200, 200, "192.0.2.1 until 700, 2001:db8::1 until 760, next 700"},
        {two, 200, 699, "192.0.2.1 until 700, 2001:db8::1 until 760, next 700"},
        {two, 200, 700, "2001:db8::1 until 760, next 760"},
        {two, 200, 760, "next 0"},
        {two, 800, 800, "next 0"},
        /* A clock that is ahead: it counts from when it was heard of. */
        {two, 40, 600, "192.0.2.1 until 640, 2001:db8::1 until 640, next 640"},
        {two, 40, 640, "next 0"},
        /* Two about one address: the longer one counts. */
        {CONFLICT("192.0.2.1", "a", AT_160) CONFLICT("192.0.2.1", "b", AT_100), 200, 200,
         "192.0.2.1 until 760, next 760"},
        {CONFLICT("192.0.2.1", "a", AT_100) CONFLICT("192.0.2.1", "b", AT_160), 200, 700,
         "192.0.2.1 until 760, next 760"},
        /* What cannot be read is in no quarantine. */
        {CONFLICT("192.0.2.300", "a", AT_100), 200, 200, "next 0"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(quarantine) struct quarantine *first =
            quarantine_of(NULL, cases[i].yaml, cases[i].first);
        scoped_ptr(quarantine) struct quarantine *now =
            quarantine_of(first, cases[i].yaml, cases[i].now);
        TEST_STR(text_of(now, arena), cases[i].want);
    }
    struct ip ip = ip_v4(192, 0, 2, 1);
    TEST_ASSERT(quarantine_find(NULL, &ip) == NULL && quarantine_next_end(NULL) == 0);
}

/* n1 with that state and that interface, and n2, of which n1 knows nothing. */
static struct quarantine_members members_of(enum gossip_state state, const struct mac *mac,
                                            struct arena *arena)
{
    struct gossip_member *list = arena_array(arena, 2, sizeof(*list));
    struct meta_interface *interface = arena_alloc(arena, sizeof(*interface));
    *interface = (struct meta_interface){.name = STR("eth0"), .mac = *mac, .ipv4 = true};
    list[0] = (struct gossip_member){.name = STR("n1"), .state = state};
    list[1] = (struct gossip_member){
        .name = STR("n2"), .state = GOSSIP_DEAD, .meta = {.interfaces = interface, .count = 1}};
    return (struct quarantine_members){.settled = true, .items = list, .count = 2};
}

/* What counts is what a live speaker says of a station that is no member's. */
static void test_who_is_believed(void)
{
    static const struct mac ours = {{2, 0, 0, 0, 0, 2}}, strangers = {{2, 0, 0x5e, 0x10, 0, 1}};
    static const char early[] = CONFLICT("192.0.2.1", "a", AT_100),
                      late[] = CONFLICT("192.0.2.1", "a", AT_160);
    static const struct {
        struct {
            const char *yaml;
            enum gossip_state state;
            bool unsettled, members;
        } steps[2];
        const char *want[2];
    } cases[] = {
        {{{early, .state = GOSSIP_ALIVE}, {late, .state = GOSSIP_SUSPECT}},
         {"192.0.2.1 until 700, next 700", "192.0.2.1 until 760, next 760"}},
        /* by who is not heard: it is he that does not hear */
        {{{early, .state = GOSSIP_DEAD}, {early, .state = GOSSIP_ALIVE}},
         {"1 rejected, next 700", "1 rejected, next 700"}},
        {{{early, .state = GOSSIP_LEFT}, {late, .state = GOSSIP_ALIVE}},
         {"1 rejected, next 700", "192.0.2.1 until 760, next 760"}},
        /* who said it while he lived is believed, and is not believed once more */
        {{{early, .state = GOSSIP_ALIVE}, {early, .state = GOSSIP_DEAD}},
         {"192.0.2.1 until 700, next 700", "192.0.2.1 until 700, next 700"}},
        {{{early, .state = GOSSIP_ALIVE}, {late, .state = GOSSIP_DEAD}},
         {"192.0.2.1 until 700, next 700", "192.0.2.1 until 700, next 700"}},
        /* before the members are known */
        {{{early, .unsettled = true}, {early, .state = GOSSIP_ALIVE}},
         {"192.0.2.1? until 700, next 700", "192.0.2.1 until 700, next 700"}},
        {{{early, .unsettled = true}, {early, .state = GOSSIP_DEAD}},
         {"192.0.2.1? until 700, next 700", "1 rejected, next 700"}},
        {{{early, .state = GOSSIP_ALIVE}, {late, .unsettled = true}},
         {"192.0.2.1 until 700, next 700", "192.0.2.1 until 700, next 700"}},
        /* a member's station, whoever says what */
        {{{early, .members = true}, {late, .members = true}},
         {"1 rejected, next 700", "1 rejected, next 760"}},
        {{{early, .state = GOSSIP_ALIVE}, {early, .members = true}},
         {"192.0.2.1 until 700, next 700", "1 rejected, next 700"}},
        {{{early, .unsettled = true, .members = true}, {early, .state = GOSSIP_ALIVE}},
         {"1 rejected, next 700", "1 rejected, next 700"}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(quarantine) struct quarantine *last = NULL;
        for (size_t j = 0; j < 2; j++) {
            struct quarantine_members members = members_of(
                cases[i].steps[j].state, cases[i].steps[j].members ? &strangers : &ours, arena);
            members.settled = !cases[i].steps[j].unsettled;
            struct quarantine *now = quarantine_among(last, cases[i].steps[j].yaml, &members, 200);
            (void)quarantine_free(last);
            last = now;
            TEST_STR(text_of(last, arena), cases[i].want[j]);
        }
        TEST_ASSERT(quarantine_is_over(last, STR("AddressConflict/metallb-system/a"), 760));
    }
}

/* Nobody loses what he has while it is not known whether it counts; nobody gets it, either. */
static void test_doubt_moves_nobody(void)
{
    struct cluster c;
    cluster_init(&c, "");
    struct quarantine_members members = members_of(GOSSIP_ALIVE, &(struct mac){{2}}, c.arena);
    members.settled = false;
    c.members = &members;
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/31]") SERVICE("web", "", ""));
    cluster_settle(&c);
    cluster_step(&c,
                 CONFLICT("192.0.2.0", "192.0.2.0", NOW) CONFLICT("192.0.2.1", "192.0.2.1", NOW)
                     SERVICE("mail", "", ""),
                 "default/mail - - PoolExhausted\n"
                 "default/web 192.0.2.0 p Allocated\n"
                 "! default/mail AllocationFailed: Failed to allocate IP for \"default/mail\": no "
                 "available IPs: pool p has no free IPv4 address (1 in quarantine)\n");
    TEST_STR(conflict_of(&c, "web"), "");
    members.settled = true;
    ((struct gossip_member *)members.items)[0].state = GOSSIP_DEAD;
    cluster_step(&c, CONFLICT("192.0.2.1", "192.0.2.1", NOW),
                 "default/mail 192.0.2.1 p Allocated\n"
                 "default/web 192.0.2.0 p Allocated\n"
                 "* default/mail IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_done(&c);
}

/* To be deleted is what has ended, and nothing that is unknown or cannot be read. */
static void test_over(void)
{
    scoped_ptr(quarantine) struct quarantine *q = quarantine_of(
        NULL, CONFLICT("192.0.2.1", "a", AT_100) CONFLICT("192.0.2.300", "b", AT_100), 200);
    static const struct {
        const char *id;
        int64_t now;
        bool want;
    } cases[] = {
        {"AddressConflict/metallb-system/a", 699, false},
        {"AddressConflict/metallb-system/a", 700, true},
        {"AddressConflict/metallb-system/b", 700, false},
        {"AddressConflict/metallb-system/c", 700, false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(quarantine_is_over(q, str_from(cases[i].id), cases[i].now) == cases[i].want);
    TEST_ASSERT(!quarantine_is_over(NULL, STR("AddressConflict/metallb-system/a"), 700));
}

TEST_MAIN("controller/quarantine", TEST(test_times), TEST(test_over), TEST(test_who_is_believed),
          TEST(test_doubt_moves_nobody), TEST(test_moves_who_did_not_ask),
          TEST(test_who_asked_keeps_it), TEST(test_waits_when_there_is_no_other),
          TEST(test_sharing), TEST(test_dual_stack), TEST(test_bad_request_takes_nothing_away),
          TEST(test_leaving_the_type_ends_it))
