#include "arp/responder.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>

#include "common/base/arena.h"

enum {
    SNAP_SIZE = 128,        /* more than a tagged ARP frame */
    RING_SIZE = 512 * 1024, /* room for a storm of requests while we are not scheduled */
    FRAMES_PER_TURN = 256,  /* then other sources have their turn */
};

struct responder {
    struct mac mac;
    struct owned *owned;
    pcap_t *pcap;
    struct loop_fd *watch;
    void (*failed)(void *ctx, int error);
    void *ctx;
    char name[IF_NAMESIZE];
    struct responder_figures figures;
};

/* 0 or a negative errno. */
static int send_frame(struct responder *responder, const uint8_t frame[ARP_FRAME_SIZE])
{
    errno = EIO;
    if (pcap_inject(responder->pcap, frame, ARP_FRAME_SIZE) == ARP_FRAME_SIZE)
        return 0;
    responder->figures.send_errors++;
    return -errno;
}

static void frame_came(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
    struct responder *responder = (struct responder *)(void *)user;
    struct responder_figures *figures = &responder->figures;
    struct owned_address *address;
    uint8_t reply[ARP_FRAME_SIZE];
    enum arp_verdict verdict =
        arp_answer(frame, header->caplen, responder->owned, &responder->mac, reply, &address);
    figures->verdicts[verdict]++;
    if (verdict != ARP_ANSWERED) {
        figures->dropped++;
        return;
    }
    figures->received++;
    address->received++;
    if (send_frame(responder, reply) == 0) {
        figures->answered++;
        address->answered++;
    }
}

/* Why no more frames come. libpcap goes on by itself over an interface that is down. */
static int cause(const struct responder *responder)
{
    return if_nametoindex(responder->name) ? -EIO : -ENODEV;
}

static void readable(void *ctx, unsigned events)
{
    struct responder *responder = ctx;
    (void)events;
    int result =
        pcap_dispatch(responder->pcap, FRAMES_PER_TURN, frame_came, (u_char *)(void *)responder);
    if (result >= 0)
        return; /* a wake-up without a frame is normal */
    responder->watch = loop_fd_cancel(responder->watch);
    responder->failed(responder->ctx, cause(responder));
}

static int errno_of(int status)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return -EPERM;
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return -ENODEV;
    case PCAP_ERROR_IFACE_NOT_UP:
        return -ENETDOWN;
    default:
        return -EIO;
    }
}

static int set_filter(pcap_t *pcap)
{
    struct bpf_program program;
    if (pcap_compile(pcap, &program, "arp", 1, PCAP_NETMASK_UNKNOWN) < 0)
        return -EIO;
    int result = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return result < 0 ? -EIO : 0;
}

static int start_capture(pcap_t *pcap)
{
    char why[PCAP_ERRBUF_SIZE];
    /* These fail only on a handle that is active already. */
    (void)pcap_set_snaplen(pcap, SNAP_SIZE);
    (void)pcap_set_buffer_size(pcap, RING_SIZE);
    (void)pcap_set_immediate_mode(pcap, 1);
    (void)pcap_set_promisc(pcap, 0);
    int status = pcap_activate(pcap);
    if (status < 0)
        return errno_of(status);
    if (pcap_datalink(pcap) != DLT_EN10MB)
        return -EPROTONOSUPPORT;
    /* What we send ourselves need not wake us. */
    if (set_filter(pcap) < 0 || pcap_setdirection(pcap, PCAP_D_IN) < 0 ||
        pcap_setnonblock(pcap, 1, why) < 0)
        return -EIO;
    return 0;
}

int responder_open(struct loop *loop, const struct responder_interface *interface,
                   void (*failed)(void *ctx, int error), void *ctx, struct responder **ret)
{
    char why[PCAP_ERRBUF_SIZE];
    scoped_ptr(responder) struct responder *responder = heap_alloc(sizeof(*responder));
    if (interface->name.len >= sizeof(responder->name))
        return -ENODEV;
    for (size_t i = 0; i < interface->name.len; i++)
        responder->name[i] = interface->name.ptr[i];
    responder->mac = interface->mac;
    responder->owned = owned_new();
    responder->failed = failed;
    responder->ctx = ctx;
    responder->pcap = pcap_create(responder->name, why);
    if (!responder->pcap)
        return -EIO;
    int result = start_capture(responder->pcap);
    if (result < 0)
        return result;
    responder->watch = loop_fd_watch(loop, pcap_get_selectable_fd(responder->pcap), LOOP_READ,
                                     readable, responder);
    *ret = take_ptr(responder);
    return 0;
}

struct responder *responder_close(struct responder *responder)
{
    if (!responder)
        return NULL;
    (void)loop_fd_cancel(responder->watch);
    if (responder->pcap)
        pcap_close(responder->pcap);
    (void)owned_free(responder->owned);
    free(responder);
    return NULL;
}

void responder_own(struct responder *responder, const struct ip *ip)
{
    assert(ip->family == IP_V4);
    owned_add(responder->owned, ip);
}

void responder_disown(struct responder *responder, const struct ip *ip)
{
    owned_remove(responder->owned, ip);
}

int responder_announce(struct responder *responder, const struct ip *ip)
{
    static const enum arp_operation operations[] = {ARP_REQUEST, ARP_REPLY};
    struct owned_address *address = owned_get(responder->owned, ip);
    int result = 0;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        uint8_t frame[ARP_FRAME_SIZE];
        arp_packet_announce(ip, &responder->mac, operations[i], frame);
        int sent = send_frame(responder, frame);
        if (sent < 0) {
            result = sent;
            continue;
        }
        responder->figures.announced++;
        if (address)
            address->announced++;
    }
    return result;
}

struct responder_figures responder_figures(const struct responder *responder)
{
    return responder->figures;
}

const struct owned_address *responder_get(const struct responder *responder, const struct ip *ip)
{
    return owned_get(responder->owned, ip);
}

const struct owned_address *responder_next(const struct responder *responder, size_t *cursor)
{
    return owned_next(responder->owned, cursor);
}
