#include "bgp/paths.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/net/prefix.h"

enum { ANY_PORT = 179 };

static socklen_t to_sockaddr(const struct ip *ip, struct sockaddr_storage *ret)
{
    *ret = (struct sockaddr_storage){0};
    if (ip->family == IP_V4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(ANY_PORT)};
        for (size_t i = 0; i < 4; i++)
            ((uint8_t *)&v4->sin_addr)[i] = ip->bytes[i];
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(ANY_PORT)};
    for (size_t i = 0; i < 16; i++)
        v6->sin6_addr.s6_addr[i] = ip->bytes[i];
    return sizeof(*v6);
}

/* Unset when it is of another family. */
static struct ip from_sockaddr(const struct sockaddr *address)
{
    if (address && address->sa_family == AF_INET)
        return ip_from_bytes(IP_V4,
                             (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
    if (address && address->sa_family == AF_INET6)
        return ip_from_bytes(IP_V6, ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return (struct ip){0};
}

/* Asks the kernel's routes: nothing is sent. */
static struct ip source_towards(const struct ip *peer)
{
    struct sockaddr_storage address;
    socklen_t size = to_sockaddr(peer, &address);
    scoped_fd int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) < 0)
        return (struct ip){0};
    size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return (struct ip){0};
    return from_sockaddr((const struct sockaddr *)&address);
}

static unsigned mask_length(const struct ip *mask)
{
    unsigned len = 0;
    while (len < ip_bits(mask) && mask->bytes[len / 8] >> (7 - len % 8) & 1)
        len++;
    return len;
}

static bool is_on_link(const struct ifaddrs *addresses, const struct ip *peer)
{
    for (const struct ifaddrs *one = addresses; one; one = one->ifa_next) {
        struct ip ours = from_sockaddr(one->ifa_addr), mask = from_sockaddr(one->ifa_netmask);
        if (ours.family != peer->family || mask.family != peer->family)
            continue;
        struct prefix network = prefix_of(&ours, mask_length(&mask));
        if (prefix_contains(&network, peer))
            return true;
    }
    return false;
}

struct session_path *paths_find(const struct ip *peers, size_t count, struct arena *arena,
                                size_t *ret_count)
{
    struct ifaddrs *addresses = NULL;
    struct session_path *paths = arena_array(arena, count, sizeof(*paths));
    *ret_count = 0;
    if (getifaddrs(&addresses) < 0)
        addresses = NULL;
    for (size_t i = 0; i < count; i++) {
        struct ip source = source_towards(&peers[i]);
        if (ip_is_set(&source))
            paths[(*ret_count)++] = (struct session_path){
                .peer = peers[i], .source = source, .on_link = is_on_link(addresses, &peers[i])};
    }
    if (addresses)
        freeifaddrs(addresses);
    return paths;
}
