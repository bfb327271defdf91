#include "arp/capture.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include "common/base/arena.h"

enum {
    RING_SIZE = 256 * 1024, /* room for a storm of requests while we are not scheduled */
    FRAMES_PER_TURN = 256,  /* then other sources have their turn */
    LOOK_MS = 100,          /* between two looks whether the interface is still there */
    LOOKS = 20,
};

struct capture {
    pcap_t *pcap;
    struct loop *loop;
    struct loop_fd *watch;
    struct loop_timer *look; /* NULL: there is no reason to */
    unsigned looks, index;   /* left; of the interface */
    const struct capture_calls *calls;
    void *ctx;
};

static void frame_came(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
    struct capture *capture = (struct capture *)(void *)user;
    capture->calls->frame(capture->ctx, frame, header->caplen);
}

static bool is_there(const struct capture *capture)
{
    char name[IF_NAMESIZE];
    return if_indextoname(capture->index, name) != NULL;
}

/* No more frames come. libpcap goes on by itself over an interface that is down. */
static void fail(struct capture *capture)
{
    capture_stop(capture);
    capture->calls->failed(capture->ctx, is_there(capture) ? -EIO : -ENODEV);
}

static void look(void *ctx)
{
    struct capture *capture = ctx;
    if (!is_there(capture))
        fail(capture);
    else if (--capture->looks == 0)
        capture->look = loop_timer_cancel(capture->look);
}

/* The kernel says once that an interface is down, and nothing more when it then goes away. */
static void look_whether_it_goes(struct capture *capture)
{
    capture->looks = LOOKS;
    if (!capture->look)
        capture->look = loop_timer_start(capture->loop, LOOK_MS, LOOK_MS, look, capture);
}

static void readable(void *ctx, unsigned events)
{
    struct capture *capture = ctx;
    (void)events;
    capture->calls->turn(capture->ctx);
    int result =
        pcap_dispatch(capture->pcap, FRAMES_PER_TURN, frame_came, (u_char *)(void *)capture);
    if (result < 0)
        fail(capture);
    else if (result == 0)
        look_whether_it_goes(capture);
}

bool capture_catch_up(struct capture *capture)
{
    if (!capture->watch)
        return true;
    capture->calls->turn(capture->ctx);
    if (pcap_dispatch(capture->pcap, FRAMES_PER_TURN, frame_came, (u_char *)(void *)capture) >= 0)
        return true;
    fail(capture);
    return false;
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

/* Not by pcap_setfilter(): that one keeps everything back for a moment, and reads what has come
 * already. The kernel changes from the one program to the other at once. */
static int attach(pcap_t *pcap, const struct sock_filter *program, size_t count)
{
    const struct sock_fprog argument = {.len = (unsigned short)count,
                                        .filter = (struct sock_filter *)(uintptr_t)program};
    return setsockopt(pcap_fileno(pcap), SOL_SOCKET, SO_ATTACH_FILTER, &argument,
                      sizeof(argument)) == 0
               ? 0
               : -errno;
}

int capture_filter(struct capture *capture, const struct sock_filter *program, size_t count)
{
    return attach(capture->pcap, program, count);
}

void capture_unfilter(struct capture *capture)
{
    int unused = 0;
    /* Fails only when there is no filter. */
    (void)setsockopt(pcap_fileno(capture->pcap), SOL_SOCKET, SO_DETACH_FILTER, &unused,
                     sizeof(unused));
}

static int start(pcap_t *pcap, enum ethernet_type protocol, size_t snap)
{
    static const struct sock_filter nothing[] = {{.code = BPF_RET | BPF_K}};
    char why[PCAP_ERRBUF_SIZE];
    /* These fail only on a handle that is active already. */
    (void)pcap_set_protocol_linux(pcap, (int)protocol);
    (void)pcap_set_snaplen(pcap, (int)snap);
    (void)pcap_set_buffer_size(pcap, RING_SIZE);
    (void)pcap_set_immediate_mode(pcap, 1);
    (void)pcap_set_promisc(pcap, 0);
    int status = pcap_activate(pcap);
    if (status < 0)
        return errno_of(status);
    if (pcap_datalink(pcap) != DLT_EN10MB)
        return -EPROTONOSUPPORT;
    if (attach(pcap, nothing, 1) < 0 || pcap_setdirection(pcap, PCAP_D_IN) < 0 ||
        pcap_setnonblock(pcap, 1, why) < 0)
        return -EIO;
    return 0;
}

int capture_open(struct loop *loop, const char *name, enum ethernet_type protocol, size_t snap,
                 const struct capture_calls *calls, void *ctx, struct capture **ret)
{
    char why[PCAP_ERRBUF_SIZE];
    scoped_ptr(capture) struct capture *capture = heap_alloc(sizeof(*capture));
    *capture =
        (struct capture){.loop = loop, .calls = calls, .ctx = ctx, .index = if_nametoindex(name)};
    capture->pcap = pcap_create(name, why);
    if (!capture->pcap)
        return -EIO;
    int result = start(capture->pcap, protocol, snap);
    if (result < 0)
        return result;
    capture->watch =
        loop_fd_watch(loop, pcap_get_selectable_fd(capture->pcap), LOOP_READ, readable, capture);
    *ret = take_ptr(capture);
    return 0;
}

void capture_stop(struct capture *capture)
{
    capture->watch = loop_fd_cancel(capture->watch);
    capture->look = loop_timer_cancel(capture->look);
}

struct capture *capture_close(struct capture *capture)
{
    if (!capture)
        return NULL;
    capture_stop(capture);
    if (capture->pcap)
        pcap_close(capture->pcap);
    free(capture);
    return NULL;
}

int capture_send(struct capture *capture, const uint8_t *frame, size_t size)
{
    errno = EIO;
    return pcap_inject(capture->pcap, frame, size) == (int)size ? 0 : -errno;
}

uint64_t capture_lost(struct capture *capture)
{
    struct pcap_stat counts;
    return pcap_stats(capture->pcap, &counts) == 0 ? counts.ps_drop : 0;
}
