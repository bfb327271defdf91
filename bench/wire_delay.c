/* A long wire for the lab: carries every frame between two interfaces of this network namespace,
 * each one late. (Kernels without netem cannot do that themselves.)
 *
 * usage: wire_delay INTERFACE INTERFACE DELAY_MS JITTER_MS
 *
 * Each frame waits for DELAY_MS and a random part of JITTER_MS; none overtakes another. Ends on
 * SIGTERM, or when an interface is gone. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/base/arena.h"
#include "common/base/vec.h"
#include "common/loop/loop.h"

enum { FRAME_MAX = 65536 + 64, WAITING_MAX = 8192, NS_PER_MS = 1000000 };

struct frame {
    uint64_t due_ns;
    size_t size;
    uint8_t *bytes; /* heap */
};

/* One direction: what comes in at one end and waits to go out at the other. */
struct direction {
    struct wire_delay *wire;
    int from, to; /* sockets */
    struct loop_fd *watch;
    struct loop_timer *timer;
    uint64_t last_due_ns;
    size_t head;
    VEC(struct frame) waiting; /* from head on */
};

struct wire_delay {
    struct loop *loop;
    uint64_t delay_ns, jitter_ns;
    struct direction directions[2];
};

static uint64_t random_below(uint64_t limit)
{
    uint64_t value = 0;
    if (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
        return 0; /* cannot be: the pool is ready long since */
    return limit ? value % limit : 0;
}

static void send_due(void *ctx);

static void wait_for_next(struct direction *direction)
{
    if (direction->timer || direction->head == direction->waiting.len)
        return;
    uint64_t now = loop_clock_ns(), due = direction->waiting.items[direction->head].due_ns;
    uint64_t delay_ms = due > now ? (due - now + NS_PER_MS - 1) / NS_PER_MS : 0;
    direction->timer = loop_timer_start(direction->wire->loop, delay_ms, 0, send_due, direction);
}

static void send_due(void *ctx)
{
    struct direction *direction = ctx;
    direction->timer = NULL;
    uint64_t now = loop_clock_ns();
    while (direction->head < direction->waiting.len &&
           direction->waiting.items[direction->head].due_ns <= now) {
        struct frame *frame = &direction->waiting.items[direction->head++];
        (void)send(direction->to, frame->bytes, frame->size, 0); /* a wire may lose a frame */
        free(frame->bytes);
    }
    if (direction->head == direction->waiting.len) {
        vec_clear(&direction->waiting);
        direction->head = 0;
    }
    wait_for_next(direction);
}

static void take(struct direction *direction, const uint8_t *bytes, size_t size)
{
    struct wire_delay *wire = direction->wire;
    uint64_t due = loop_clock_ns() + wire->delay_ns + random_below(wire->jitter_ns);
    if (direction->waiting.len == WAITING_MAX)
        return; /* a full buffer drops */
    due = due > direction->last_due_ns ? due : direction->last_due_ns;
    direction->last_due_ns = due;
    struct frame frame = {.due_ns = due, .size = size, .bytes = heap_alloc(size)};
    memcpy(frame.bytes, bytes, size);
    vec_push(&direction->waiting, frame);
}

static void readable(void *ctx, unsigned events)
{
    struct direction *direction = ctx;
    uint8_t bytes[FRAME_MAX];
    (void)events;
    for (;;) {
        ssize_t size = recv(direction->from, bytes, sizeof(bytes), 0);
        if (size < 0 && errno == ENODEV)
            loop_stop(direction->wire->loop);
        if (size < 0)
            break;
        take(direction, bytes, (size_t)size);
    }
    wait_for_next(direction);
}

/* Frames come with what the kernel knows about their checksums and segments, and go with it: within
 * a machine, checksums are not filled in. */
static int open_end(const char *interface)
{
    scoped_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    const int one = 1;
    struct packet_mreq promiscuous = {.mr_ifindex = address.sll_ifindex,
                                      .mr_type = PACKET_MR_PROMISC};
    if (fd < 0 || address.sll_ifindex == 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        (void)fprintf(stderr, "wire_delay: %s: %s\n", interface, strerror(errno));
        return -1;
    }
    return take_fd(&fd);
}

static void stop(void *ctx, int number)
{
    (void)number;
    loop_stop(ctx);
}

static void carry(struct wire_delay *wire)
{
    struct loop_signal *end = loop_signal_watch(wire->loop, SIGTERM, stop, wire->loop);
    for (size_t i = 0; i < 2; i++) {
        struct direction *direction = &wire->directions[i];
        direction->wire = wire;
        direction->watch =
            loop_fd_watch(wire->loop, direction->from, LOOP_READ, readable, direction);
    }
    (void)fprintf(stderr, "ready\n");
    loop_run(wire->loop);
    for (size_t i = 0; i < 2; i++) {
        struct direction *direction = &wire->directions[i];
        (void)loop_fd_cancel(direction->watch);
        (void)loop_timer_cancel(direction->timer);
        for (size_t k = direction->head; k < direction->waiting.len; k++)
            free(direction->waiting.items[k].bytes);
        vec_done(&direction->waiting);
    }
    (void)loop_signal_cancel(end);
}

int main(int argc, char **argv)
{
    uint64_t delay_ms, jitter_ms;
    if (argc != 5 || str_to_u64(str_from(argv[3]), 60000, &delay_ms) < 0 ||
        str_to_u64(str_from(argv[4]), 60000, &jitter_ms) < 0) {
        (void)fprintf(stderr, "usage: wire_delay INTERFACE INTERFACE DELAY_MS JITTER_MS\n");
        return 2;
    }
    scoped_fd int one = open_end(argv[1]);
    scoped_fd int other = open_end(argv[2]);
    if (one < 0 || other < 0)
        return 1;
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct wire_delay wire = {
        .loop = loop,
        .delay_ns = delay_ms * NS_PER_MS,
        .jitter_ns = jitter_ms * NS_PER_MS,
        .directions = {{.from = one, .to = other}, {.from = other, .to = one}}};
    carry(&wire);
    return 0;
}
