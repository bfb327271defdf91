#include "bench/probe_frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "arp/arp_packet.h"
#include "common/net/wire.h"

enum {
    ICMPV6 = 58,
    SOLICITATION = 135,
    ADVERTISEMENT = 136,
    HOP_LIMIT = 255, /* RFC 4861 section 7.1 */
    DESTINATION_AT = 14 + 24,
    ICMP_AT = 14 + 40,      /* behind the Ethernet and IPv6 headers */
    SOLICITATION_SIZE = 32, /* with one option that holds an Ethernet address */
    SOLICITED = 0x40,
    FRAME_MAX = 2048,
    BURST = 64,
};

struct asked {
    struct ip ip;
    struct probe_record *record;
    struct {
        bool is_open;
        size_t index;          /* in the record */
    } questions[PROBE_ASKERS]; /* the last one of each asker */
};

struct probe_frames {
    struct probe_frames_options options;
    struct probe_names *names;
    int arp_fd, ipv6_fd;
    struct loop_fd *arp_watch, *ipv6_watch;
    VEC(struct asked) asked;
    unsigned turn; /* whose turn it is to ask */
};

/* Neighbour advertisements alone: the rest of IPv6 does not wake us. */
static struct sock_filter only_advertisements[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMPV6, 0, 3),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ICMP_AT),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ADVERTISEMENT, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

static struct asked *find(struct probe_frames *frames, const struct ip *ip)
{
    for (size_t i = 0; i < frames->asked.len; i++) {
        if (ip_eq(&frames->asked.items[i].ip, ip))
            return &frames->asked.items[i];
    }
    return NULL;
}

/* mac says unasked that it has ip. */
static void heard(struct probe_frames *frames, const struct ip *ip, const struct mac *mac,
                  const char *what)
{
    struct asked *asked = find(frames, ip);
    if (asked)
        probe_record_note(asked->record, what,
                          probe_names_find(frames->names, str_from(mac_format(mac).text)),
                          loop_clock_ns());
}

static struct mac asker_mac(const struct probe_frames *frames, unsigned turn)
{
    struct mac mac = frames->options.from_mac;
    mac.bytes[4] = (uint8_t)(mac.bytes[4] + turn / PROBE_IPS);
    return mac;
}

/* mac says it to one of the askers. */
static void answered(struct probe_frames *frames, const struct ip *ip, const struct mac *mac,
                     const struct ip *asker, const struct mac *to)
{
    const struct ip *first =
        asker->family == IP_V4 ? &frames->options.from_ip : &frames->options.from_ip6;
    struct asked *asked = find(frames, ip);
    if (!asked || ip_cmp(asker, first) < 0 || ip_distance(first, asker) >= PROBE_IPS)
        return;
    unsigned block = (uint8_t)(to->bytes[4] - frames->options.from_mac.bytes[4]);
    unsigned turn = block * PROBE_IPS + (unsigned)ip_distance(first, asker);
    if (block >= PROBE_MACS)
        return;
    struct mac own = asker_mac(frames, turn);
    if (asked->questions[turn].is_open && mac_eq(to, &own))
        probe_record_answer(asked->record, asked->questions[turn].index,
                            probe_names_find(frames->names, str_from(mac_format(mac).text)),
                            loop_clock_ns());
}

static void take_arp(struct probe_frames *frames, const uint8_t *frame, size_t size)
{
    struct arp_packet packet;
    if (arp_packet_parse(frame, size, &packet) < 0)
        return;
    if (ip_eq(&packet.sender_ip, &packet.target_ip))
        heard(frames, &packet.sender_ip, &packet.sender_mac,
              packet.operation == ARP_REPLY ? "announced by reply" : "announced by request");
    else if (packet.operation == ARP_REPLY)
        answered(frames, &packet.sender_ip, &packet.sender_mac, &packet.target_ip,
                 &packet.ethernet_to);
}

static void take_advertisement(struct probe_frames *frames, const uint8_t *frame, size_t size)
{
    struct wire in = wire_reader(frame, size);
    struct mac to = wire_get_mac(&in), from = wire_get_mac(&in);
    wire_skip(&in, DESTINATION_AT - 12);
    struct ip asker = wire_get_ip(&in, IP_V6);
    wire_skip(&in, 4);
    uint32_t flags = wire_get_u8(&in);
    wire_skip(&in, 3);
    struct ip target = wire_get_ip(&in, IP_V6);
    if (!wire_ok(&in))
        return;
    if (!(flags & SOLICITED))
        heard(frames, &target, &from, "announced by advertisement");
    else
        answered(frames, &target, &from, &asker, &to);
}

static void drain(struct probe_frames *frames, int fd,
                  void (*take)(struct probe_frames *, const uint8_t *, size_t))
{
    uint8_t frame[FRAME_MAX];
    for (int i = 0; i < BURST; i++) {
        ssize_t size = recv(fd, frame, sizeof(frame), 0);
        if (size < 0)
            return; /* drained, or the interface is down for now */
        take(frames, frame, (size_t)size);
    }
}

static void arp_readable(void *ctx, unsigned events)
{
    struct probe_frames *frames = ctx;
    (void)events;
    drain(frames, frames->arp_fd, take_arp);
}

static void ipv6_readable(void *ctx, unsigned events)
{
    struct probe_frames *frames = ctx;
    (void)events;
    drain(frames, frames->ipv6_fd, take_advertisement);
}

/* Bound to one protocol, a socket hears nothing that this host itself sends. */
static int open_socket(const char *interface, uint16_t protocol, const struct sock_fprog *filter)
{
    scoped_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(protocol),
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || address.sll_ifindex == 0)
        return -errno;
    if (filter && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) < 0)
        return -errno;
    /* Answers go to an Ethernet address that is not the interface's. */
    struct packet_mreq promiscuous = {.mr_ifindex = address.sll_ifindex,
                                      .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

struct probe_frames *probe_frames_open(struct loop *loop,
                                       const struct probe_frames_options *options,
                                       struct probe_names *names, int *ret_error)
{
    const struct sock_fprog filter = {
        .len = sizeof(only_advertisements) / sizeof(only_advertisements[0]),
        .filter = only_advertisements,
    };
    scoped_fd int arp = open_socket(options->interface, ETH_P_ARP, NULL);
    scoped_fd int ipv6 = open_socket(options->interface, ETH_P_IPV6, &filter);
    if (arp < 0 || ipv6 < 0) {
        *ret_error = arp < 0 ? arp : ipv6;
        return NULL;
    }
    struct probe_frames *frames = heap_resize(NULL, sizeof(*frames));
    *frames = (struct probe_frames){
        .options = *options, .names = names, .arp_fd = take_fd(&arp), .ipv6_fd = take_fd(&ipv6)};
    frames->arp_watch = loop_fd_watch(loop, frames->arp_fd, LOOP_READ, arp_readable, frames);
    frames->ipv6_watch = loop_fd_watch(loop, frames->ipv6_fd, LOOP_READ, ipv6_readable, frames);
    return frames;
}

struct probe_frames *probe_frames_close(struct probe_frames *frames)
{
    if (!frames)
        return NULL;
    (void)loop_fd_cancel(frames->arp_watch);
    (void)loop_fd_cancel(frames->ipv6_watch);
    (void)close(frames->arp_fd);
    (void)close(frames->ipv6_fd);
    vec_done(&frames->asked);
    free(frames);
    return NULL;
}

void probe_frames_add(struct probe_frames *frames, const struct ip *ip, struct probe_record *record)
{
    struct asked asked = {.ip = *ip, .record = record};
    vec_push(&frames->asked, asked);
}

/* What cannot be sent, since the interface is down, gets no answer: that is recorded anyway. */
static void ask_arp(const struct probe_frames *frames, const struct ip *ip, const struct ip *asker,
                    const struct mac *from)
{
    uint8_t frame[ARP_FRAME_SIZE];
    struct arp_packet request = {
        .ethernet_to = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
        .ethernet_from = *from,
        .operation = ARP_REQUEST,
        .sender_mac = *from,
        .sender_ip = *asker,
        .target_ip = *ip,
    };
    arp_packet_write(&request, frame);
    (void)send(frames->arp_fd, frame, sizeof(frame), 0);
}

/* To the solicited-node group of the address (RFC 4291 section 2.7.1). */
static void ask_neighbour(const struct probe_frames *frames, const struct ip *ip,
                          const struct ip *asker, const struct mac *from)
{
    const uint8_t *low = &ip->bytes[13];
    struct mac group = {{0x33, 0x33, 0xff, low[0], low[1], low[2]}};
    struct ip to = {.family = IP_V6, .bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};
    memcpy(&to.bytes[13], low, 3);
    uint8_t frame[ICMP_AT + SOLICITATION_SIZE];
    struct wire out = wire_writer(frame, sizeof(frame));
    wire_put_mac(&out, &group);
    wire_put_mac(&out, from);
    wire_put_u16(&out, ETH_P_IPV6);
    wire_put_u32(&out, 0x60000000);
    wire_put_u16(&out, SOLICITATION_SIZE);
    wire_put_u8(&out, ICMPV6);
    wire_put_u8(&out, HOP_LIMIT);
    wire_put_ip(&out, asker);
    wire_put_ip(&out, &to);
    wire_put_u8(&out, SOLICITATION);
    wire_put_zero(&out, 7); /* code, checksum for now, reserved */
    wire_put_ip(&out, ip);
    wire_put_u8(&out, 1); /* source link-layer address, one unit of eight octets */
    wire_put_u8(&out, 1);
    wire_put_mac(&out, from);
    /* The pseudo-header of RFC 8200 section 8.1. */
    uint32_t sum = wire_checksum_add(SOLICITATION_SIZE + ICMPV6, &frame[22], 32);
    sum = wire_checksum_add(sum, &frame[ICMP_AT], SOLICITATION_SIZE);
    wire_patch_u16(&out, ICMP_AT + 2, wire_checksum_end(sum));
    (void)send(frames->ipv6_fd, frame, sizeof(frame), 0);
}

void probe_frames_ask(struct probe_frames *frames)
{
    unsigned turn = frames->turn;
    struct ip asker = {0}, asker6 = {0};
    frames->turn = (turn + 1) % PROBE_ASKERS;
    if (!ip_add(&frames->options.from_ip, turn % PROBE_IPS, &asker) ||
        !ip_add(&frames->options.from_ip6, turn % PROBE_IPS, &asker6))
        return; /* at the end of the address space */
    struct mac mac = asker_mac(frames, turn);
    for (size_t i = 0; i < frames->asked.len; i++) {
        struct asked *asked = &frames->asked.items[i];
        asked->questions[turn].index = probe_record_ask(asked->record, loop_clock_ns());
        asked->questions[turn].is_open = true;
        if (asked->ip.family == IP_V4)
            ask_arp(frames, &asked->ip, &asker, &mac);
        else
            ask_neighbour(frames, &asked->ip, &asker6, &mac);
    }
}
