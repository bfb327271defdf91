#include "arp/ndp_packet.h"

#include <assert.h>
#include <string.h>

#include "arp/ethernet.h"
#include "common/base/err.h"
#include "common/net/wire.h"

enum {
    HEADER_SIZE = 24, /* ICMPv6 header, flags or reserved, target */
    VERSION_CLASS_FLOW = 6 << 28,
    HOP_LIMIT = 255,     /* has crossed no router */
    NEXT_HOP_BY_HOP = 0, /* RFC 8200 section 4 */
    NEXT_DESTINATION = 60,
    NEXT_ICMP = 58,
    OPTION_SOURCE_LINK = 1,
    OPTION_TARGET_LINK = 2,
    OPTION_UNIT = 8,
    FLAG_ROUTER = 0x80,
    FLAG_SOLICITED = 0x40,
    FLAG_OVERRIDE = 0x20,
};

const struct ip ndp_all_nodes = {.family = IP_V6, .bytes = {0xff, 0x02, [15] = 1}};
const struct ip ndp_unspecified = {.family = IP_V6};

/* RFC 4291 section 2.7.1: ff02::1:ff00:0/104. */
static const uint8_t solicited_prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

struct ip ndp_solicited_node(const struct ip *ip)
{
    struct ip group = *ip;
    memcpy(group.bytes, solicited_prefix, sizeof(solicited_prefix));
    return group;
}

bool ndp_is_multicast(const struct ip *ip)
{
    return ip->bytes[0] == 0xff;
}

struct mac ndp_group_mac(const struct ip *group)
{
    const uint8_t *b = group->bytes;
    return (struct mac){{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

/* --- reading --------------------------------------------------------------------------------- */

static int outcome(const struct wire *in, bool good)
{
    if (!wire_ok(in))
        return ERR_TRUNCATED;
    return good ? 0 : ERR_PROTOCOL;
}

/* The next size bytes on their own; nothing when they are not there. */
static struct wire sub_reader(struct wire *in, size_t size)
{
    const uint8_t *bytes = wire_get_bytes(in, size);
    return wire_reader(bytes, bytes ? size : 0);
}

/* Walks a header of options of RFC 8200 section 4.2. Those with one of the two highest bits set
 * forbid to go on when they are not understood, and we understand none. */
static bool skip_options(struct wire *in, uint8_t *next)
{
    *next = wire_get_u8(in);
    size_t size = (size_t)wire_get_u8(in) * 8 + 6;
    struct wire options = sub_reader(in, size);
    while (wire_left(&options)) {
        uint8_t type = wire_get_u8(&options);
        if (type >> 6)
            return false;
        if (type) /* 0 is a single byte of padding */
            wire_skip(&options, wire_get_u8(&options));
    }
    return wire_ok(in) && wire_ok(&options);
}

/* The IPv6 header and the rare ones behind it, up to ICMPv6, which `in` is then cut to. Fragments
 * are refused (RFC 6980 section 5). */
static int parse_ip(struct wire *in, struct ndp_packet *packet)
{
    uint32_t version = wire_get_u32(in) >> 28;
    uint16_t size = wire_get_u16(in);
    uint8_t next = wire_get_u8(in);
    uint8_t hop_limit = wire_get_u8(in);
    packet->source = wire_get_ip(in, IP_V6);
    packet->destination = wire_get_ip(in, IP_V6);
    const uint8_t *payload = wire_get_bytes(in, size);
    if (!payload || version != 6 || hop_limit != HOP_LIMIT)
        return outcome(in, false);
    *in = wire_reader(payload, size);
    bool good = true;
    while (good && (next == NEXT_HOP_BY_HOP || next == NEXT_DESTINATION))
        good = skip_options(in, &next);
    return outcome(in, good && next == NEXT_ICMP);
}

/* RFC 8200 section 8.1: over a pseudo-header and the message. Zero when the message holds it. */
static uint16_t checksum(const struct ip *source, const struct ip *destination, const void *message,
                         size_t size)
{
    const uint8_t tail[8] = {[2] = (uint8_t)(size >> 8), [3] = (uint8_t)size, [7] = NEXT_ICMP};
    uint32_t sum = wire_checksum_add(0, source->bytes, sizeof(source->bytes));
    sum = wire_checksum_add(sum, destination->bytes, sizeof(destination->bytes));
    sum = wire_checksum_add(sum, tail, sizeof(tail));
    return wire_checksum_end(wire_checksum_add(sum, message, size));
}

/* RFC 4861 section 4.6; the first of several counts. An option of length zero, or a link-layer
 * address of another kind of link, spoils the packet. */
static bool parse_options(struct wire *in, struct ndp_packet *packet)
{
    uint8_t wanted = packet->type == NDP_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK;
    while (wire_left(in)) {
        uint8_t type = wire_get_u8(in);
        size_t size = (size_t)wire_get_u8(in) * OPTION_UNIT;
        if (size < 2)
            return false;
        struct wire option = sub_reader(in, size - 2);
        if (type != wanted || packet->has_link || !wire_ok(in))
            continue;
        if (size != OPTION_UNIT)
            return false;
        packet->link = wire_get_mac(&option);
        packet->has_link = true;
    }
    return true;
}

/* What RFC 4861 section 7.1.1 wants of a solicitation, and 7.1.2 of an advertisement. */
static bool fits_together(const struct ndp_packet *packet)
{
    if (packet->type == NDP_ADVERTISEMENT)
        return !(packet->solicited && ndp_is_multicast(&packet->destination));
    if (!ip_eq(&packet->source, &ndp_unspecified))
        return true;
    return !packet->has_link &&
           memcmp(packet->destination.bytes, solicited_prefix, sizeof(solicited_prefix)) == 0;
}

static int parse_message(struct wire *in, struct ndp_packet *packet)
{
    uint16_t sum =
        checksum(&packet->source, &packet->destination, in->data + in->at, wire_left(in));
    uint8_t type = wire_get_u8(in);
    uint8_t code = wire_get_u8(in);
    wire_skip(in, 2);
    uint8_t flags = wire_get_u8(in);
    wire_skip(in, 3);
    packet->target = wire_get_ip(in, IP_V6);
    if (!wire_ok(in) || (type != NDP_SOLICITATION && type != NDP_ADVERTISEMENT) || code != 0 ||
        sum != 0 || ndp_is_multicast(&packet->target))
        return outcome(in, false);
    packet->type = (enum ndp_type)type;
    if (type == NDP_ADVERTISEMENT) { /* reserved in a solicitation: ignored by the receiver */
        packet->router = flags & FLAG_ROUTER;
        packet->solicited = flags & FLAG_SOLICITED;
        packet->override = flags & FLAG_OVERRIDE;
    }
    bool good = parse_options(in, packet);
    return outcome(in, good && fits_together(packet));
}

int ndp_packet_parse(const void *frame, size_t size, struct ndp_packet *ret)
{
    struct wire in = wire_reader(frame, size);
    struct ndp_packet packet = {0};
    uint16_t ethertype = ethernet_get(&in, &packet.ethernet_to, &packet.ethernet_from);
    if (!wire_ok(&in) || ethertype != ETHERNET_IPV6)
        return outcome(&in, false);
    int result = parse_ip(&in, &packet);
    if (result == 0)
        result = parse_message(&in, &packet);
    if (result == 0)
        *ret = packet;
    return result;
}

/* --- writing --------------------------------------------------------------------------------- */

size_t ndp_packet_write(const struct ndp_packet *packet, uint8_t frame[NDP_SIZE_FULL])
{
    size_t size = packet->has_link ? NDP_SIZE_FULL : NDP_SIZE_BARE;
    size_t message_size = packet->has_link ? HEADER_SIZE + OPTION_UNIT : HEADER_SIZE;
    struct wire out = wire_writer(frame, size);
    ethernet_put(&out, &packet->ethernet_to, &packet->ethernet_from, ETHERNET_IPV6);
    wire_put_u32(&out, VERSION_CLASS_FLOW);
    wire_put_u16(&out, (uint16_t)message_size);
    wire_put_u8(&out, NEXT_ICMP);
    wire_put_u8(&out, HOP_LIMIT);
    wire_put_ip(&out, &packet->source);
    wire_put_ip(&out, &packet->destination);
    size_t message = out.at;
    wire_put_u8(&out, (uint8_t)packet->type);
    wire_put_zero(&out, 3); /* code, and the checksum for now */
    wire_put_u8(&out, (uint8_t)((packet->router ? FLAG_ROUTER : 0) |
                                (packet->solicited ? FLAG_SOLICITED : 0) |
                                (packet->override ? FLAG_OVERRIDE : 0)));
    wire_put_zero(&out, 3);
    wire_put_ip(&out, &packet->target);
    if (packet->has_link) {
        wire_put_u8(&out,
                    packet->type == NDP_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK);
        wire_put_u8(&out, 1);
        wire_put_mac(&out, &packet->link);
    }
    assert(wire_ok(&out) && wire_left(&out) == 0);
    wire_patch_u16(&out, message + 2,
                   checksum(&packet->source, &packet->destination, frame + message, message_size));
    return size;
}

struct ndp_packet ndp_packet_announce(const struct ip *ip, const struct mac *mac)
{
    return (struct ndp_packet){
        .ethernet_to = ndp_group_mac(&ndp_all_nodes),
        .ethernet_from = *mac,
        .source = *ip,
        .destination = ndp_all_nodes,
        .target = *ip,
        .type = NDP_ADVERTISEMENT,
        .override = true, /* what neighbours know of the address is to be replaced */
        .has_link = true,
        .link = *mac,
    };
}

struct ndp_packet ndp_packet_probe(const struct ip *ip, const struct mac *mac)
{
    struct ip group = ndp_solicited_node(ip);
    return (struct ndp_packet){
        .ethernet_to = ndp_group_mac(&group),
        .ethernet_from = *mac,
        .source = ndp_unspecified,
        .destination = group,
        .target = *ip,
        .type = NDP_SOLICITATION,
    };
}
