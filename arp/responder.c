#include "arp/responder.h"

#include <errno.h>
#include <pcap/pcap.h>

enum {
    SNAP_SIZE = 128,        /* more than a tagged ARP frame */
    RING_SIZE = 512 * 1024, /* room for a storm of requests while we are not scheduled */
    FRAMES_PER_TURN = 256,  /* then other sources have their turn */
};

struct responder {
    struct responder_config config;
    pcap_t *pcap;
    struct loop_fd *watch;
    struct responder_figures figures;
};

static void send_frame(struct responder *responder, const uint8_t frame[ARP_FRAME_SIZE],
                       uint64_t *sent)
{
    if (pcap_inject(responder->pcap, frame, ARP_FRAME_SIZE) == ARP_FRAME_SIZE)
        (*sent)++;
    else
        responder->figures.send_errors++;
}

static void frame_came(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
    struct responder *responder = (struct responder *)(void *)user;
    struct owned_address *address;
    uint8_t reply[ARP_FRAME_SIZE];
    enum arp_verdict verdict = arp_answer(frame, header->caplen, responder->config.owned,
                                          &responder->config.place, reply, &address);
    responder->figures.frames[verdict]++;
    if (verdict != ARP_ANSWERED)
        return;
    address->requests++;
    send_frame(responder, reply, &address->replies);
}

static void readable(void *ctx, unsigned events)
{
    struct responder *responder = ctx;
    (void)events;
    int result =
        pcap_dispatch(responder->pcap, FRAMES_PER_TURN, frame_came, (u_char *)(void *)responder);
    if (result >= 0)
        return; /* no frame after a wake-up is normal: the filter may have been changed since */
    responder->watch = loop_fd_cancel(responder->watch);
    responder->config.failed(responder->config.ctx, pcap_geterr(responder->pcap));
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

static int start_capture(pcap_t *pcap, struct arena *arena, struct str *ret_why)
{
    char why[PCAP_ERRBUF_SIZE];
    /* These fail only on a handle that is active already. */
    (void)pcap_set_snaplen(pcap, SNAP_SIZE);
    (void)pcap_set_buffer_size(pcap, RING_SIZE);
    (void)pcap_set_immediate_mode(pcap, 1);
    (void)pcap_set_promisc(pcap, 0);
    int status = pcap_activate(pcap);
    if (status < 0) {
        *ret_why = arena_printf(arena, "%s: %s", pcap_statustostr(status), pcap_geterr(pcap));
        return errno_of(status);
    }
    if (pcap_datalink(pcap) != DLT_EN10MB) {
        *ret_why = STR("the interface is no Ethernet");
        return -EPROTONOSUPPORT;
    }
    /* What we send ourselves need not wake us. */
    if (set_filter(pcap) < 0 || pcap_setdirection(pcap, PCAP_D_IN) < 0) {
        *ret_why = arena_str(arena, str_from(pcap_geterr(pcap)));
        return -EIO;
    }
    if (pcap_setnonblock(pcap, 1, why) < 0) {
        *ret_why = arena_str(arena, str_from(why));
        return -EIO;
    }
    return 0;
}

int responder_open(struct loop *loop, const struct responder_config *config, struct arena *arena,
                   struct responder **ret, struct str *ret_why)
{
    char why[PCAP_ERRBUF_SIZE];
    scoped_ptr(responder) struct responder *responder = heap_alloc(sizeof(*responder));
    responder->config = *config;
    responder->pcap = pcap_create(config->interface, why);
    if (!responder->pcap) {
        *ret_why = arena_str(arena, str_from(why));
        return -EIO;
    }
    int result = start_capture(responder->pcap, arena, ret_why);
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
    free(responder);
    return NULL;
}

void responder_announce(struct responder *responder, struct owned_address *address)
{
    static const enum arp_operation operations[] = {ARP_REQUEST, ARP_REPLY};
    uint8_t frame[ARP_FRAME_SIZE];
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        arp_packet_announce(&address->ip, &responder->config.place.mac, operations[i], frame);
        send_frame(responder, frame, &address->gratuitous);
    }
}

const struct responder_figures *responder_figures(const struct responder *responder)
{
    return &responder->figures;
}
