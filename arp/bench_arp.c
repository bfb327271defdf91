/* Asks for addresses by ARP and measures the answers: one question at a time, or many at once.
 *
 * usage: bench_arp latency|rate INTERFACE MAC FIRST-ADDRESS COUNT SECONDS
 *
 * latency: the next question follows the answer to the last; prints the median and the 99th
 * percentile of the time between. rate: asks as fast as it can, whether answers come or not; prints
 * questions and answers per second. Both as one line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "arp/arp_packet.h"
#include "arp/ethernet.h"
#include "common/base/vec.h"

enum { BATCH = 64, LOST_AFTER_MS = 100 };

struct bench {
    int fd;
    struct mac mac;
    struct ip first, asker;
    uint64_t count, asked, answered;
    uint64_t end_ns;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void make_request(struct bench *bench, uint8_t frame[ARP_FRAME_SIZE])
{
    struct arp_packet packet = {.ethernet_to = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
                                .ethernet_from = bench->mac,
                                .operation = ARP_REQUEST,
                                .sender_mac = bench->mac,
                                .sender_ip = bench->asker};
    (void)ip_add(&bench->first, bench->asked % bench->count, &packet.target_ip);
    arp_packet_write(&packet, frame);
    bench->asked++;
}

/* Is the frame an answer to one of our questions? */
static bool is_answer(const struct bench *bench, const uint8_t *frame, size_t size)
{
    struct arp_packet packet;
    return arp_packet_parse(frame, size, &packet) == 0 && packet.operation == ARP_REPLY &&
           mac_eq(&packet.target_mac, &bench->mac) && ip_cmp(&packet.sender_ip, &bench->first) >= 0;
}

/* --- one at a time --------------------------------------------------------------------------- */

static bool wait_for_answer(struct bench *bench)
{
    struct pollfd wait = {.fd = bench->fd, .events = POLLIN};
    while (poll(&wait, 1, LOST_AFTER_MS) > 0) {
        uint8_t frame[128];
        ssize_t size = recv(bench->fd, frame, sizeof(frame), MSG_DONTWAIT);
        if (size > 0 && is_answer(bench, frame, (size_t)size))
            return true;
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void measure_latency(struct bench *bench)
{
    VEC(uint64_t) times = {0};
    for (uint64_t start; (start = now_ns()) < bench->end_ns;) {
        uint8_t frame[ARP_FRAME_SIZE];
        make_request(bench, frame);
        if (send(bench->fd, frame, sizeof(frame), 0) == sizeof(frame) && wait_for_answer(bench))
            vec_push(&times, now_ns() - start);
    }
    vec_sort(&times, by_number);
    if (times.len)
        (void)printf("{\"asked\": %llu, \"answered\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
                     (unsigned long long)bench->asked, times.len,
                     (double)times.items[times.len / 2] / 1e3,
                     (double)times.items[times.len * 99 / 100] / 1e3);
    vec_done(&times);
}

/* --- many at once ---------------------------------------------------------------------------- */

struct batch {
    uint8_t frames[BATCH][128];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
};

static void send_batch(struct bench *bench, struct batch *batch)
{
    for (size_t i = 0; i < BATCH; i++) {
        make_request(bench, batch->frames[i]);
        batch->parts[i] = (struct iovec){batch->frames[i], ARP_FRAME_SIZE};
        batch->messages[i].msg_hdr = (struct msghdr){.msg_iov = &batch->parts[i], .msg_iovlen = 1};
    }
    int sent = sendmmsg(bench->fd, batch->messages, BATCH, 0);
    bench->asked -= BATCH - (uint64_t)(sent < 0 ? 0 : sent);
}

static void receive_batch(struct bench *bench, struct batch *batch)
{
    for (size_t i = 0; i < BATCH; i++) {
        batch->parts[i] = (struct iovec){batch->frames[i], sizeof(batch->frames[i])};
        batch->messages[i].msg_hdr = (struct msghdr){.msg_iov = &batch->parts[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(bench->fd, batch->messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        bench->answered += is_answer(bench, batch->frames[i], batch->messages[i].msg_len);
}

static void measure_rate(struct bench *bench)
{
    static struct batch batch;
    uint64_t start = now_ns();
    while (now_ns() < bench->end_ns) {
        send_batch(bench, &batch);
        receive_batch(bench, &batch);
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    (void)printf("{\"asked_per_s\": %.0f, \"answered_per_s\": %.0f}\n",
                 (double)bench->asked / seconds, (double)bench->answered / seconds);
}

/* --- start ----------------------------------------------------------------------------------- */

static int open_socket(const char *interface)
{
    scoped_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERNET_ARP));
    const struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                        .sll_protocol = htons(ETHERNET_ARP),
                                        .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

int main(int argc, char **argv)
{
    struct bench bench = {.asker = ip_v4(192, 0, 2, 200)};
    uint64_t seconds;
    if (argc != 7 || mac_parse(str_from(argv[3]), &bench.mac) < 0 ||
        ip_parse(str_from(argv[4]), &bench.first) < 0 ||
        str_to_u64(str_from(argv[5]), 1000000, &bench.count) < 0 || !bench.count ||
        str_to_u64(str_from(argv[6]), 3600, &seconds) < 0)
        return 2;
    bench.fd = open_socket(argv[2]);
    if (bench.fd < 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[2], strerror(-bench.fd));
        return 1;
    }
    bench.end_ns = now_ns() + seconds * 1000000000;
    if (strcmp(argv[1], "latency") == 0)
        measure_latency(&bench);
    else
        measure_rate(&bench);
    (void)close(bench.fd);
    return 0;
}
