#include "speaker/carrier.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "crd/node.h"
#include "speaker/carry_batch.h"
#include "speaker/handoff_plan.h"

struct carrier {
    struct source *source;
    struct carry_book *book;
    const struct plan *plan; /* while one is taken */
    bool refused;            /* by the kernel: not tried again */
};

struct carrier *carrier_open(struct source *source)
{
    struct carrier *c = heap_alloc(sizeof(*c));
    *c = (struct carrier){.source = source, .book = carry_book_new()};
    return c;
}

struct carrier *carrier_close(struct carrier *c)
{
    if (c)
        (void)carry_book_free(c->book);
    free(c);
    return NULL;
}

/* --- netlink --------------------------------------------------------------------------------- */

/* Sends, and reads the first answer; both are carried out inside the system calls. The number of
 * bytes read, 0 when the kernel has nothing to say, or a negative errno. */
static ssize_t ask_kernel(int protocol, const void *bytes, size_t size, void *answer, size_t room)
{
    ssize_t got = -1;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), buffer = (int)size * 2;
    if (fd < 0)
        return -errno;
    /* May be refused when it is enough anyway. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
    if (send(fd, bytes, size, 0) == (ssize_t)size)
        got = recv(fd, answer, room, MSG_DONTWAIT);
    ssize_t result = got >= 0 ? got : errno == EAGAIN ? 0 : -errno;
    (void)close(fd);
    return result;
}

/* 0, or why the kernel does not take the batch. */
static int put_in_force(struct str batch)
{
    _Alignas(struct nlmsghdr) char answer[4096];
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    ssize_t got = ask_kernel(NETLINK_NETFILTER, batch.ptr, batch.len, answer, sizeof(answer));
    if (got <= 0)
        return (int)got;
    if (!nlmsg_ok(header, (int)got) || header->nlmsg_type != NLMSG_ERROR ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return -EIO;
    return ((const struct nlmsgerr *)nlmsg_data(header))->error;
}

/* Is there nobody between us and that address? By a router, a packet would come back here. */
static bool is_near(const struct ip *ip)
{
    struct request {
        struct nlmsghdr header;
        struct rtmsg route;
        struct nlattr to;
        uint8_t bytes[16];
    } request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = ip->family == IP_V4 ? AF_INET : AF_INET6,
                  .rtm_dst_len = (unsigned char)ip_bits(ip)},
        .to = {.nla_type = RTA_DST, .nla_len = (uint16_t)(sizeof(struct nlattr) + ip_bits(ip) / 8)},
    };
    _Alignas(struct nlmsghdr) char answer[4096];
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    struct nlattr *attributes[RTA_MAX + 1];
    size_t size = offsetof(struct request, bytes) + ip_bits(ip) / 8;
    for (size_t i = 0; i < ip_bits(ip) / 8; i++)
        request.bytes[i] = ip->bytes[i];
    request.header.nlmsg_len = (uint32_t)size;
    ssize_t got = ask_kernel(NETLINK_ROUTE, &request, size, answer, sizeof(answer));
    return got > 0 && nlmsg_ok(header, (int)got) && header->nlmsg_type == RTM_NEWROUTE &&
           nlmsg_parse(header, sizeof(struct rtmsg), attributes, RTA_MAX, NULL) >= 0 &&
           ((const struct rtmsg *)nlmsg_data(header))->rtm_type == RTN_UNICAST &&
           !attributes[RTA_GATEWAY] && !attributes[RTA_VIA] && !attributes[RTA_MULTIPATH];
}

/* --- what the book asks ---------------------------------------------------------------------- */

static struct ip address_of(void *ctx, struct str name, enum ip_family family)
{
    const struct carrier *c = ctx;
    const struct node *node = (const struct node *)source_get(c->source, KIND_NODE, STR(""), name);
    const struct node_address *addresses = node ? node->addresses.items : NULL;
    for (size_t i = 0; node && i < node->addresses.count; i++) {
        if (str_eq(addresses[i].type, STR("InternalIP")) && addresses[i].ip.family == family &&
            is_near(&addresses[i].ip))
            return addresses[i].ip;
    }
    return (struct ip){0};
}

/* A local process has the connections of an address that is handed to it: nothing outlives that. */
static bool may_carry(void *ctx, const struct ip *ip)
{
    const struct carrier *c = ctx;
    const struct basis *basis = c->plan->basis;
    const struct basis_address *address = basis_find(basis, ip);
    for (size_t i = 0; address && i < address->service_count; i++) {
        struct str namespace, name;
        (void)str_cut(basis->services[address->services[i]].key, '/', &namespace, &name);
        const struct object *service = source_get(c->source, KIND_SERVICE, namespace, name);
        if (service && handoff_is_asked(service))
            return false;
    }
    return address != NULL;
}

void carrier_run(struct carrier *c, const struct plan *before, const struct plan *plan,
                 const struct plan_view *view)
{
    enum { MS_NS = 1000000 };
    struct carry_input input = {.before = before,
                                .plan = plan,
                                .view = view,
                                .now_ms = loop_clock_ns() / MS_NS,
                                .address_of = address_of,
                                .may_carry = may_carry,
                                .ctx = c};
    if (c->refused || !view->watches)
        return;
    c->plan = plan;
    if (!carry_update(c->book, &input))
        return;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct carry *list = carry_list(c->book, &count);
    int result = put_in_force(carry_batch(list, count, input.now_ms, arena));
    if (result < 0) {
        c->refused = true;
        log_info("open connections end when their address moves here", kv_err(result));
        return;
    }
    log_info("connections carried to nodes that had their addresses", kv_uint("addresses", count));
}
