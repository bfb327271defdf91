/* The carrier against a kernel of our own (carry_kernel.h, in its place here): kernels that cannot,
 * or not just now, others who change rules, and how often it is asked. The true kernel is in
 * test_open_connections.py. */
#include "speaker/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/sbuf.h"
#include "common/base/scope.h"
#include "speaker/carry_kernel.h"
#include "speaker/test_objects.h"
#include "speaker/test_scene.h"

enum { TURNS_MAX = 100 };

struct kernel {
    struct arena *arena;
    int refusal[2];           /* of IPv4 and IPv6: what each batch gets, always */
    int passing;              /* the same, once */
    unsigned batches[2];      /* that came */
    size_t size;              /* of the last one */
    struct carry_answer has;  /* what it tells; items borrowed */
    const struct carry *then; /* what it has, with the rule, once it has taken a batch; NULL: has */
    unsigned failing;         /* so many times, elements are asked for in vain … */
    int failure;              /* … with this outcome; 0: the answer is torn */
    unsigned packets_then;    /* of the rule, when that is over */
    unsigned routes;          /* asked for */
    int notices[2];           /* a pipe: readable when rules have changed */
    bool followed;
};

static struct kernel kernel;
static struct scene scenes[2]; /* the plan before, and the one that is made */

/* --- in the place of the kernel and the source ----------------------------------------------- */

int carry_kernel_put(struct str batch)
{
    enum { FAMILY_AT = 20 + 16 }; /* behind the first message, of the second one */
    size_t family = batch.ptr[FAMILY_AT] == 2 ? 0 : 1;
    int passing = kernel.passing;
    kernel.batches[family]++;
    kernel.size = batch.len;
    kernel.passing = 0;
    if (kernel.then && family == 0 && kernel.batches[0] > 1) { /* the first one is a trial */
        vec_clear(&kernel.has.items);
        vec_push(&kernel.has.items, *kernel.then);
        kernel.has.has_rule = true;
    }
    return passing ? passing : kernel.refusal[family];
}

struct carry_answer carry_kernel_ask(enum carry_topic topic, enum ip_family family, uint64_t now_ms,
                                     struct arena *arena)
{
    struct carry_answer answer = {.complete = true};
    (void)now_ms;
    (void)arena;
    if (family == IP_V4 && topic == CARRY_RULES) {
        answer.has_rule = kernel.has.has_rule;
        answer.packets = kernel.has.packets;
        answer.bytes = kernel.has.bytes;
    }
    if (topic == CARRY_ELEMENTS && kernel.failing) {
        if (--kernel.failing == 0)
            kernel.has.packets = kernel.packets_then;
        answer.torn = kernel.failure == 0;
        answer.error = kernel.failure;
        return answer;
    }
    for (size_t i = 0; topic == CARRY_ELEMENTS && i < kernel.has.items.len; i++) {
        if (kernel.has.items.items[i].ip.family == family)
            vec_push(&answer.items, kernel.has.items.items[i]);
    }
    return answer;
}

bool carry_kernel_is_near(const struct ip *ip)
{
    kernel.routes++;
    return ip->bytes[3] != 3; /* n3 is behind a router */
}

int carry_kernel_follow(void)
{
    TEST_ASSERT(!kernel.followed && pipe2(kernel.notices, O_NONBLOCK) == 0);
    kernel.followed = true;
    return kernel.notices[0];
}

void carry_kernel_drain(int fd)
{
    char bytes[16];
    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
}

const struct object *source_get(const struct source *source, enum kind_id kind,
                                struct str namespace, struct str name)
{
    (void)source;
    struct objects all = scene_list(&scenes[0], kind);
    for (size_t i = 0; i < all.count; i++) {
        if (str_eq(object_name(all.items[i]), name) &&
            str_eq(object_namespace(all.items[i]), namespace))
            return all.items[i];
    }
    return NULL;
}

/* --- a cluster, for node n1 ------------------------------------------------------------------ */

#define AT(address) "addresses: [{type: InternalIP, address: " address "}]"
static const char cluster[] = NODE("n1", "", AT("198.51.100.1")) NODE("n2", "", AT("198.51.100.2"))
    NODE("n3", "", AT("198.51.100.3")) POOL("office", "", "addresses: [192.0.2.0/24]")
        L2("all", "");

static struct gossip_member members[3];

static void start(void)
{
    static struct meta_interface interface = {.ipv4 = true, .ipv6 = true};
    static const char *const names[] = {"n1", "n2", "n3"};
    interface.name = STR("eth0");
    kernel = (struct kernel){.arena = arena_new(0)};
    for (size_t i = 0; i < 3; i++)
        members[i] = (struct gossip_member){
            .name = str_from(names[i]),
            .self = i == 0,
            .state = GOSSIP_ALIVE,
            .meta = {.role = GOSSIP_SPEAKER, .interfaces = &interface, .count = 1}};
    for (size_t i = 0; i < 2; i++) {
        scene_init(&scenes[i]);
        scene_apply(&scenes[i], cluster);
        scenes[i].view.watches = true;
        scenes[i].view.members = members;
        scenes[i].view.member_count = 3;
    }
}

static void end(struct carrier *carrier, struct loop *loop)
{
    (void)carrier_close(carrier); /* which closes what it follows */
    if (kernel.followed)
        (void)close(kernel.notices[1]);
    (void)loop_free(loop);
    scene_done(&scenes[0]);
    scene_done(&scenes[1]);
    vec_done(&kernel.has.items);
    (void)arena_free(kernel.arena);
}

static void serve(size_t which, unsigned last, const char *order)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str yaml = arena_printf(
        arena,
        SERVED("s%u", ", annotations: {stentor.io/placement: \"%s\"}", "", "{ip: 192.0.2.%u}"),
        last, order, last, last, last);
    scene_apply(&scenes[which], arena_cstr(arena, yaml));
}

/* As many addresses come from n2, and from n3, to this node. */
static void move(struct carrier *carrier, unsigned from_second, unsigned from_third)
{
    for (unsigned i = 1; i <= from_second + from_third; i++) {
        serve(0, i, i <= from_second ? "1 n2 n1" : "1 n3 n1");
        serve(1, i, "2 n1 n2");
    }
    const struct plan *before = scene_plan(&scenes[0], "n1"), *after = scene_plan(&scenes[1], "n1");
    carrier_run(carrier, before, after, &scenes[1].view);
}

/* "4 of 2 addresses …": batches of IPv4 and of IPv6, addresses, failures, restored, error. */
static struct str say(struct carrier *carrier)
{
    struct carrier_figures f = carrier_figures(carrier);
    return arena_printf(kernel.arena,
                        "%s%s batches %u %u addresses %zu packets %u failures %u restored %u "
                        "error %d %s",
                        f.ipv4 ? "v4" : "", f.ipv6 ? "v6" : "", kernel.batches[0],
                        kernel.batches[1], f.addresses, (unsigned)f.packets, (unsigned)f.failures,
                        (unsigned)f.restored, f.error, f.why_not);
}

struct wait {
    struct loop *loop;
    struct carrier *carrier;
    const char *want;
};

static void look(void *ctx)
{
    const struct wait *wait = ctx;
    if (str_eq(say(wait->carrier), str_from(wait->want)))
        loop_stop(wait->loop);
}

static void give_up(void *ctx)
{
    const struct wait *wait = ctx;
    TEST_STR(say(wait->carrier), wait->want);
    loop_stop(wait->loop);
}

/* Until the carrier says so. */
static void wait_for(struct loop *loop, struct carrier *carrier, const char *want)
{
    enum { EACH_MS = 5, AT_MOST_MS = 60000 };
    struct wait wait = {.loop = loop, .carrier = carrier, .want = want};
    struct loop_timer *looking = loop_timer_start(loop, EACH_MS, EACH_MS, look, &wait);
    struct loop_timer *last = loop_timer_start(loop, AT_MOST_MS, 0, give_up, &wait);
    loop_run(loop);
    (void)loop_timer_cancel(looking);
    (void)loop_timer_cancel(last);
    TEST_STR(say(carrier), want);
}

/* --- the tests ------------------------------------------------------------------------------- */

/* A kernel that cannot, or a speaker that may not: tried once, and all goes on without. */
static void test_kernels_that_cannot(void)
{
    static const struct {
        int v4, v6;
        const char *want, *moved;
    } cases[] = {
        {-EPERM, -EPERM,
         " batches 1 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the speaker has no CAP_NET_ADMIN",
         " batches 1 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the speaker has no CAP_NET_ADMIN"},
        {-EPROTONOSUPPORT, -EPROTONOSUPPORT,
         " batches 1 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has no nf_tables",
         " batches 1 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has no nf_tables"},
        {-ENOENT, -EOPNOTSUPP,
         " batches 1 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has not all of nf_tables: nft_dup or nft_ct is missing",
         " batches 1 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has not all of nf_tables: nft_dup or nft_ct is missing"},
        {0, -EOPNOTSUPP,
         "v4 batches 2 1 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has not all of nf_tables: nft_dup or nft_ct is missing",
         "v4 batches 3 1 addresses 2 packets 0 failures 0 restored 0 error 0 "
         "the kernel has not all of nf_tables: nft_dup or nft_ct is missing"},
        {-EOPNOTSUPP, 0,
         "v6 batches 1 2 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has not all of nf_tables: nft_dup or nft_ct is missing",
         "v6 batches 1 2 addresses 0 packets 0 failures 0 restored 0 error 0 "
         "the kernel has not all of nf_tables: nft_dup or nft_ct is missing"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        start();
        kernel.refusal[0] = cases[i].v4;
        kernel.refusal[1] = cases[i].v6;
        struct loop *loop = loop_new();
        struct carrier *carrier = carrier_open(loop, NULL);
        TEST_STR(say(carrier), cases[i].want);
        move(carrier, 2, 0);
        TEST_STR(say(carrier), cases[i].moved);
        end(carrier, loop);
    }
}

/* However many addresses come, it is asked for one route to each node, and takes them at once. */
static void test_asked_once_for_a_node(void)
{
    start();
    struct loop *loop = loop_new();
    struct carrier *carrier = carrier_open(loop, NULL);
    move(carrier, 100, 100);
    TEST_ASSERT(kernel.routes == 2);
    TEST_STR(say(carrier),
             "v4v6 batches 3 2 addresses 100 packets 0 failures 0 restored 0 error 0 ");
    TEST_ASSERT(kernel.followed);
    end(carrier, loop);
}

/* A batch that is not taken is tried again. */
static void test_refused(void)
{
    start();
    struct loop *loop = loop_new();
    struct carrier *carrier = carrier_open(loop, NULL);
    kernel.passing = -ENOBUFS;
    move(carrier, 1, 0);
    TEST_STR(say(carrier),
             "v4v6 batches 3 2 addresses 1 packets 0 failures 1 restored 0 error -105 ");
    wait_for(loop, carrier,
             "v4v6 batches 4 3 addresses 1 packets 0 failures 1 restored 0 error 0 ");
    end(carrier, loop);
}

/* More that come cost one change, not everything anew; but when the kernel has something else in
 * force than it should, it is put in force as a whole. */
static void test_changes(void)
{
    start();
    struct loop *loop = loop_new();
    struct carrier *carrier = carrier_open(loop, NULL);
    move(carrier, 1, 0);
    size_t whole = kernel.size;
    move(carrier, 2, 0);
    TEST_STR(say(carrier), "v4v6 batches 4 2 addresses 2 packets 0 failures 0 restored 0 error 0 ");
    TEST_ASSERT(kernel.size < whole);
    kernel.passing = -ENOENT;
    move(carrier, 3, 0);
    TEST_STR(say(carrier), "v4v6 batches 6 2 addresses 3 packets 0 failures 0 restored 0 error 0 ");
    TEST_ASSERT(kernel.size > whole);
    end(carrier, loop);
}

static struct carry kept(unsigned last, uint64_t for_ms)
{
    return (struct carry){.ip = ip_v4(192, 0, 2, (uint8_t)last),
                          .node = STR("n2"),
                          .to = ip_v4(198, 51, 100, 2),
                          .until_ms = loop_clock_ns() / 1000000 + for_ms};
}

/* The log goes there from now on; returns where it went before. */
static int divert_log(int to)
{
    int before = dup(STDERR_FILENO);
    TEST_ASSERT(before >= 0 && dup2(to, STDERR_FILENO) == STDERR_FILENO);
    return before;
}

/* The lines of that log, each from its level on. */
static struct str read_log(int fd)
{
    enum { LOG_MAX = 4096 };
    char *text = arena_alloc(kernel.arena, LOG_MAX);
    ssize_t got = pread(fd, text, LOG_MAX, 0);
    TEST_ASSERT(got >= 0 && got < LOG_MAX);
    struct str rest = {.ptr = text, .len = (size_t)got}, line, time;
    struct sbuf lines = {0};
    while (str_cut(rest, '\n', &line, &rest)) {
        TEST_ASSERT(str_cut(line, ' ', &time, &line));
        sbuf_printf(&lines, STR_FMT "\n", STR_ARG(line));
    }
    return sbuf_move(&lines, kernel.arena);
}

/* What was there is in force from the start, though others were changing rules just then, and
 * nothing is left when it is over, which is said however often somebody looks at the figures. */
static void test_taken_over(void)
{
    start();
    scoped_fd int log = memfd_create("log", MFD_CLOEXEC);
    scoped_fd int stderr_before = divert_log(log);
    struct loop *loop = loop_new();
    struct carry old = kept(7, 300), foreign = kept(8, 3600000);
    foreign.node = STR(""); /* by a speaker that did not say whose it is */
    vec_push(&kernel.has.items, old);
    vec_push(&kernel.has.items, foreign);
    kernel.then = &old;
    kernel.failing = 3;
    struct carrier *carrier = carrier_open(loop, NULL);
    size_t count;
    const struct carry *list = carrier_list(carrier, &count);
    TEST_ASSERT(count == 1 && ip_eq(&list[0].ip, &old.ip) && list[0].until_ms == old.until_ms);
    TEST_ASSERT(kernel.followed && kernel.batches[0] == 2);
    wait_for(loop, carrier,
             "v4v6 batches 3 2 addresses 0 packets 0 failures 0 restored 0 error 0 ");
    (void)close(divert_log(stderr_before));
    TEST_STR(read_log(log), "level=info program=stentor msg=\"connections carried to nodes that "
                            "had their addresses\" addresses=1\n"
                            "level=info program=stentor msg=\"open connections are kept when their "
                            "address moves as planned\" "
                            "ipv4=true ipv6=true takenOver=1 reason=\"\"\n"
                            "level=info program=stentor msg=\"connections carried to nodes that "
                            "had their addresses\" addresses=0\n");
    end(carrier, loop);
}

/* Others who change rules: nothing is done as long as ours are whole. What the rule has counted
 * before is not lost when another one takes its place. */
static void test_restored(void)
{
    start();
    struct loop *loop = loop_new();
    struct carrier *carrier = carrier_open(loop, NULL);
    move(carrier, 1, 0);
    size_t count;
    vec_push(&kernel.has.items, carrier_list(carrier, &count)[0]);
    kernel.has.has_rule = true;
    kernel.has.packets = 7;
    TEST_ASSERT(write(kernel.notices[1], "x", 1) == 1);
    wait_for(loop, carrier,
             "v4v6 batches 3 2 addresses 1 packets 7 failures 0 restored 0 error 0 ");
    kernel.has.has_rule = false;
    vec_clear(&kernel.has.items);
    TEST_ASSERT(write(kernel.notices[1], "x", 1) == 1);
    wait_for(loop, carrier,
             "v4v6 batches 4 3 addresses 1 packets 7 failures 0 restored 1 error 0 ");
    kernel.has.has_rule = true;
    kernel.has.packets = 2;
    TEST_STR(say(carrier), "v4v6 batches 4 3 addresses 1 packets 9 failures 0 restored 1 error 0 ");
    end(carrier, loop);
}

/* Rules that are gone before the notices of a batch are read: they are not missed among those. */
static void test_removed_at_once(void)
{
    start();
    struct loop *loop = loop_new();
    struct carrier *carrier = carrier_open(loop, NULL);
    move(carrier, 1, 0);
    size_t count;
    struct carry one = carrier_list(carrier, &count)[0];
    kernel.then = &one;
    wait_for(loop, carrier,
             "v4v6 batches 4 3 addresses 1 packets 0 failures 0 restored 1 error 0 ");
    end(carrier, loop);
}

/* Somebody removes them each time: that is said once. */
static void test_removed_each_time(void)
{
    start();
    scoped_fd int log = memfd_create("log", MFD_CLOEXEC);
    struct loop *loop = loop_new();
    struct carrier *carrier = carrier_open(loop, NULL);
    scoped_fd int stderr_before = divert_log(log);
    move(carrier, 1, 0);
    wait_for(loop, carrier,
             "v4v6 batches 6 5 addresses 1 packets 0 failures 0 restored 3 error 0 ");
    (void)close(divert_log(stderr_before));
    TEST_STR(read_log(log), "level=info program=stentor msg=\"connections carried to nodes that "
                            "had their addresses\" addresses=1\n"
                            "level=warn program=stentor msg=\"rules that carry connections were "
                            "removed by somebody else and are put back\" addresses=1\n");
    end(carrier, loop);
}

/* The kernel may have the end of one a little sooner or later than the book: nobody has removed it.
 */
static void test_ends_differ(void)
{
    static const struct {
        uint64_t ours_ms, kernel_ms;
    } cases[] = {{2300, 1000}, {1000, 2300}};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        start();
        struct loop *loop = loop_new();
        struct carry then = kept(7, cases[i].kernel_ms);
        vec_push(&kernel.has.items, kept(7, cases[i].ours_ms));
        kernel.then = &then;
        struct carrier *carrier = carrier_open(loop, NULL);
        wait_for(loop, carrier,
                 "v4v6 batches 3 2 addresses 0 packets 0 failures 0 restored 0 error 0 ");
        end(carrier, loop);
    }
}

/* Whoever cannot ask does not know that something is gone. */
static void test_asked_in_vain(void)
{
    static const struct {
        int failure;
        unsigned times, packets_then;
        const char *want;
    } cases[] = {
        {-EMFILE, 3, 9, "v4v6 batches 3 2 addresses 1 packets 9 failures 0 restored 0 error 0 "},
        {-ENOBUFS, 3, 9, "v4v6 batches 3 2 addresses 1 packets 9 failures 0 restored 0 error 0 "},
        {0, 3, 9, "v4v6 batches 3 2 addresses 1 packets 9 failures 0 restored 0 error 0 "},
        {-ENOENT, 1, 0, "v4v6 batches 4 3 addresses 1 packets 0 failures 0 restored 1 error 0 "},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        start();
        struct loop *loop = loop_new();
        struct carrier *carrier = carrier_open(loop, NULL);
        move(carrier, 1, 0);
        size_t count;
        vec_push(&kernel.has.items, carrier_list(carrier, &count)[0]);
        kernel.has.has_rule = true;
        kernel.failing = cases[i].times;
        kernel.failure = cases[i].failure;
        kernel.packets_then = cases[i].packets_then;
        wait_for(loop, carrier, cases[i].want);
        end(carrier, loop);
    }
}

TEST_MAIN("speaker/carrier", TEST(test_kernels_that_cannot), TEST(test_asked_once_for_a_node),
          TEST(test_refused), TEST(test_changes), TEST(test_taken_over), TEST(test_restored),
          TEST(test_removed_at_once), TEST(test_removed_each_time), TEST(test_ends_differ),
          TEST(test_asked_in_vain))
