/* For tests, not installed: sends frames as fast as the kernel takes them, until SIGTERM.
 *
 * usage: arp-flood INTERFACE FILE
 *
 * FILE is a pcap file, whose frames are sent over and over. At the end the number of frames sent is
 * written to standard error. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/vec.h"

enum { BATCH = 64 };

typedef VEC(struct iovec) frame_list;

static volatile sig_atomic_t is_over;

static void end(int number)
{
    (void)number;
    is_over = 1;
}

static void keep(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
    frame_list *frames = (frame_list *)(void *)user;
    struct iovec copy = {heap_alloc(header->caplen), header->caplen};
    memcpy(copy.iov_base, frame, header->caplen);
    vec_push(frames, copy);
}

static bool load(const char *path, frame_list *frames)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *file = pcap_open_offline(path, why);
    if (!file)
        return false;
    int result = pcap_loop(file, -1, keep, (u_char *)(void *)frames);
    pcap_close(file);
    return result == 0 && frames->len;
}

static int open_socket(const char *interface)
{
    const struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                        .sll_ifindex = (int)if_nametoindex(interface)};
    scoped_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return take_fd(&fd);
}

static void flood(int fd, const frame_list *frames)
{
    struct mmsghdr messages[BATCH] = {0};
    unsigned long long sent = 0;
    size_t next = 0;
    while (!is_over) {
        for (size_t i = 0; i < BATCH; i++) {
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &frames->items[next], .msg_iovlen = 1};
            next = (next + 1) % frames->len;
        }
        int count = sendmmsg(fd, messages, BATCH, 0);
        sent += (unsigned)(count < 0 ? 0 : count);
    }
    (void)fprintf(stderr, "sent %llu\n", sent);
}

int main(int argc, char **argv)
{
    frame_list frames = {0};
    if (argc != 3 || !load(argv[2], &frames))
        return 2;
    scoped_fd int fd = open_socket(argv[1]);
    if (fd < 0)
        return 1;
    (void)signal(SIGTERM, end);
    (void)fprintf(stderr, "ready\n");
    flood(fd, &frames);
    for (size_t i = 0; i < frames.len; i++)
        free(frames.items[i].iov_base);
    vec_done(&frames);
    return 0;
}
