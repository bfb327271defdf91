#include "arp/arp_answer.h"

#include "common/base/names.h"

static const char *const verdict_names[] = {
    [ARP_ANSWERED] = "answered",           [ARP_MALFORMED] = "malformed",
    [ARP_NO_REQUEST] = "no_request",       [ARP_ANNOUNCEMENT] = "announcement",
    [ARP_BAD_SENDER] = "bad_sender",       [ARP_NOT_OURS] = "not_ours",
    [ARP_OTHER_STATION] = "other_station",
};
static const struct names verdicts = NAMES(verdict_names);

const char *arp_verdict_name(enum arp_verdict verdict)
{
    return names_of(&verdicts, verdict);
}

/* Can a frame be sent to this address and reach one station? */
static bool is_station(const struct mac *mac)
{
    static const struct mac none = {{0}};
    return !mac_is_multicast(mac) && !mac_eq(mac, &none);
}

static void write_reply(const struct arp_packet *request, const struct mac *mac,
                        uint8_t reply[ARP_FRAME_SIZE])
{
    const struct arp_packet packet = {
        .ethernet_to = request->sender_mac,
        .ethernet_from = *mac,
        .operation = ARP_REPLY,
        .sender_mac = *mac,
        .sender_ip = request->target_ip,
        .target_mac = request->sender_mac,
        .target_ip = request->sender_ip,
    };
    arp_packet_write(&packet, reply);
}

enum arp_verdict arp_answer(const void *frame, size_t size, const struct owned *owned,
                            const struct mac *mac, uint8_t reply[ARP_FRAME_SIZE],
                            struct owned_address **ret_address)
{
    struct arp_packet packet;
    if (arp_packet_parse(frame, size, &packet) < 0)
        return ARP_MALFORMED;
    if (packet.operation != ARP_REQUEST)
        return ARP_NO_REQUEST;
    if (ip_eq(&packet.sender_ip, &packet.target_ip))
        return ARP_ANNOUNCEMENT;
    struct owned_address *address = owned_get(owned, &packet.target_ip);
    if (!address)
        return ARP_NOT_OURS;
    if (!mac_is_broadcast(&packet.ethernet_to) && !mac_eq(&packet.ethernet_to, mac))
        return ARP_OTHER_STATION;
    if (!is_station(&packet.sender_mac))
        return ARP_BAD_SENDER;
    write_reply(&packet, mac, reply);
    if (ret_address)
        *ret_address = address;
    return ARP_ANSWERED;
}
