"""What the RFCs say about ARP and neighbour discovery, clause by clause, on the wire.

Each row sends frames to a responder and states every answer to them, and every claim that it hears
in them. A last question to an address of its own, in each protocol, ends the row: what was not
answered before that one never will be.
"""

from dataclasses import dataclass, field

import pytest
from scapy.layers import inet6 as ip6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from lab.layer2 import (ALL, ALL_NODES, ASKER, CLIENT_IP, CLIENT_IP6, FREE, FREE6, NOBODY, OTHER,
                        OURS, OURS6, OURS6_TOO, OURS_TOO, PROBED, PROBED6, SOURCE_LINK,
                        TARGET_LINK, Site, advertise, advertisement, arp, cut_message, group,
                        group_mac, ip, reply, solicit, tag)
from lab.wait import wait_until


@pytest.fixture(scope="module")
def site(run):
    one = Site(run)
    yield one
    one.close()


# --- clauses about what is received -------------------------------------------------------------


@dataclass
class Clause:
    """frames are sent; answers and claims (address, how), by ASKER, are all that come of them."""
    section: str
    says: str
    frames: list
    answers: list = field(default_factory=list)
    claims: list = field(default_factory=list)


RFC_826 = [
    Clause("reception", "a request for our address is answered to its sender alone",
           [arp()], [reply()]),
    Clause("reception", "also one that was sent to us alone, as neighbours do that check on us",
           lambda us: [arp(to=us)], [reply()]),
    Clause("reception", "the answer goes to the hardware address in the packet",
           [arp(source=OTHER)], [reply()]),
    Clause("reception", "answers about each address of ours",
           [arp(OURS_TOO), arp(OURS)], [reply(OURS_TOO), reply(OURS)]),
    Clause("reception", "what follows the packet is padding", [arp() / Raw(b"\xff" * 18)], [reply()]),
    Clause("reception", "another hardware type is not for us", [arp(hwtype=6)]),
    Clause("reception", "another protocol type is not for us", [arp(ptype=0x86dd)]),
    Clause("reception", "hardware addresses of another length", [arp(hwlen=8)]),
    Clause("reception", "protocol addresses of another length", [arp(plen=16)]),
    Clause("reception", "are we the target?", [arp("192.0.2.250")]),
    Clause("reception", "a reply is no request", [arp(operation=2)]),
    Clause("reception", "nor are other operations", [arp(operation=n) for n in (0, 3, 4, 8, 25)]),
    Clause("reception", "a packet cut short", [Raw(bytes(arp())[:41])]),
    Clause("reception", "a request to another station", [arp(to=OTHER)]),
    Clause("reception", "an answer goes to one station, not to a group",
           [arp(station=mac) for mac in (ALL, "01:00:5e:00:00:01", NOBODY)]),
    Clause("802.1Q", "frames of a VLAN are for that VLAN's interface", [tag(arp(), vlan=100)]),
    Clause("802.1Q 6.9.1", "VLAN 0 is no VLAN, but a priority", [tag(arp(), vlan=0, prio=5)],
           [reply()]),
]

RFC_5227 = [
    Clause("2.1.1", "a probe for our address is answered, to its sender alone (2.6)",
           [arp(sender="0.0.0.0")], [reply(sender="0.0.0.0")]),
    Clause("2.4", "a gratuitous request with our address is a conflict, and not answered",
           [arp(OURS, sender=OURS)], [], [(OURS, "announced")]),
    Clause("2.4", "so is a gratuitous reply", [arp(OURS, sender=OURS, operation=2)], [],
           [(OURS, "announced")]),
    Clause("2.4", "so is a reply to somebody", [arp(CLIENT_IP, sender=OURS, operation=2)], [],
           [(OURS, "answered")]),
    Clause("2.4", "so is a request from our address for another", [arp("192.0.2.250", sender=OURS)],
           [], [(OURS, "used")]),
    Clause("2.4", "a request from one of ours for another of ours is both",
           [arp(OURS, sender=OURS_TOO)], [reply(sender=OURS_TOO)], [(OURS_TOO, "used")]),
    Clause("2.4", "our own hardware address is no conflict",
           lambda us: [arp(OURS, sender=OURS, station=us)]),
    Clause("2.4", "nor is a conflict about other addresses ours",
           [arp("192.0.2.250", sender="192.0.2.250")]),
]

NONCE = ip6.ICMPv6NDOptUnknown(type=14, len=1, data=b"nonce!")
UNKNOWN = ip6.ICMPv6NDOptUnknown(type=254, len=2, data=b"\xff" * 14)

RFC_4861_NS = [
    Clause("7.2.4", "a solicitation to the group is answered to its source: Solicited, Override, "
           "link-layer address", [solicit()], [advertisement()]),
    Clause("7.2.4", "also one that was sent to us alone, as neighbours do that check on us (7.3)",
           lambda us: [solicit(destination=OURS6, to=us)], [advertisement()]),
    Clause("4.3", "one to us alone needs no link-layer address",
           lambda us: [solicit(destination=OURS6, to=us, options=None)], [advertisement()]),
    Clause("7.2.4", "nor do we, to answer one to the group", [solicit(options=None)],
           [advertisement()]),
    Clause("7.2.4", "without a source it is answered to all nodes, not Solicited",
           [solicit(source="::", options=None)],
           [advertisement(to=ALL_NODES, destination="ff02::1", flags="O")]),
    Clause("7.2.4", "for each address of ours", [solicit(OURS6_TOO), solicit(OURS6)],
           [advertisement(OURS6_TOO), advertisement(OURS6)]),
    Clause("7.2.4", "from a link-local address, too", [solicit(source="fe80::aa")],
           [advertisement(destination="fe80::aa")]),
    Clause("7.2.3", "the target is not ours", [solicit("2001:db8:0:1::99")]),
    Clause("7.1.1", "hop limit 255", [solicit(hop_limit=n) for n in (0, 1, 64, 254)]),
    Clause("7.1.1", "the checksum is valid", [solicit(cksum=n) for n in (0, 0xffff, 0xbad)]),
    Clause("7.1.1", "code 0", [solicit(code=1)]),
    Clause("7.1.1", "24 octets or more", [cut_message(solicit(), n) for n in (4, 8, 16, 23)]),
    Clause("7.1.1", "the target is no group", [ip(CLIENT_IP6, group(OURS6), group_mac(OURS6)) /
                                               ip6.ICMPv6ND_NS(tgt="ff02::1:ff00:f0")]),
    Clause("7.1.1", "no option of length 0", [solicit(options=Raw(b"\1\0" + b"\xaa" * 6)),
                                              solicit(options=SOURCE_LINK / Raw(b"\xfe\0" + b"\0" * 6))]),
    Clause("7.1.1", "without a source only to a solicited-node group",
           lambda us: [solicit(source="::", destination=OURS6, to=us, options=None),
                       solicit(source="::", destination="ff02::1", to=ALL_NODES, options=None)]),
    Clause("7.1.1", "without a source no link-layer address", [solicit(source="::")]),
    Clause("7.1.1", "what is reserved is ignored", [solicit(res=0xffffffff)], [advertisement()]),
    Clause("7.1.1", "unknown options are ignored", [solicit(options=UNKNOWN / SOURCE_LINK)],
           [advertisement()]),
    Clause("7.1.1", "known options that have no place there are ignored",
           [solicit(options=TARGET_LINK / SOURCE_LINK)], [advertisement()]),
    Clause("4.6", "options end with the packet",
           [solicit(options=Raw(b"\xfe\x08" + b"\0" * 6)), solicit(options=Raw(b"\1"))]),
    Clause("4.6.1", "a link-layer address has the length of this link's",
           [solicit(options=Raw(b"\1\2" + b"\xaa" * 14))]),
    Clause("4.3", "the destination is the target or its group",
           lambda us: [solicit(destination=OURS6_TOO, to=us),
                       solicit(destination=group(OURS6_TOO), to=group_mac(OURS6_TOO)),
                       solicit(destination="ff02::1", to=ALL_NODES)]),
    Clause("RFC 2464 7", "a group's frames go to that group's address",
           [solicit(to=ALL), solicit(to=group_mac(OURS6_TOO)), solicit(to=OTHER)]),
    Clause("RFC 6085", "or to one station's", lambda us: [solicit(to=us)], [advertisement()]),
    Clause("7.2.4", "an answer goes to one station, not to a group",
           [solicit(options=ip6.ICMPv6NDOptSrcLLAddr(lladdr=mac)) for mac in (ALL, ALL_NODES, NOBODY)]
           + [solicit(source="ff02::1")]),
    Clause("RFC 6980 5", "no fragments",
           [ip(CLIENT_IP6, group(OURS6), group_mac(OURS6)) / ip6.IPv6ExtHdrFragment() /
            ip6.ICMPv6ND_NS(tgt=OURS6) / SOURCE_LINK]),
    Clause("RFC 8200 4.3", "hop-by-hop options may come before",
           [ip(CLIENT_IP6, group(OURS6), group_mac(OURS6)) /
            ip6.IPv6ExtHdrHopByHop(options=[ip6.RouterAlert(value=0)]) /
            ip6.ICMPv6ND_NS(tgt=OURS6) / SOURCE_LINK], [advertisement()]),
    Clause("RFC 8200 4.2", "option headers may be all there is",
           [ip(CLIENT_IP6, group(OURS6), group_mac(OURS6), nh=0) / Raw(data) for data in
            (b"", bytes(4), bytes(8), bytes(16), b"\x3c\xff" + bytes(6), b"\x00\x00\x1e\xff" + bytes(4))]),
    Clause("RFC 8200 4.2", "an unknown option may forbid to go on",
           [ip(CLIENT_IP6, group(OURS6), group_mac(OURS6)) /
            ip6.IPv6ExtHdrDestOpt(options=[ip6.HBHOptUnknown(otype=0x9e, optdata=b"\0" * 4)]) /
            ip6.ICMPv6ND_NS(tgt=OURS6) / SOURCE_LINK]),
    Clause("802.1Q", "frames of a VLAN are for that VLAN's interface", [tag(solicit(), vlan=100)]),
    Clause("802.1Q 6.9.1", "VLAN 0 is no VLAN, but a priority", [tag(solicit(), vlan=0, prio=5)],
           [advertisement()]),
]

RFC_4861_NA = [
    Clause("7.2.5", "an advertisement is not answered; ours, from another station, is a conflict",
           [advertise()], [], [(OURS6, "announced")]),
    Clause("7.2.5", "without link-layer address its sender has the address",
           [advertise(options=None)], [], [(OURS6, "announced")]),
    Clause("7.2.5", "one that was asked for", lambda us: [advertise(destination=OURS6_TOO, to=us,
                                                                    solicited=1)],
           [], [(OURS6, "answered")]),
    Clause("7.2.3", "a solicitation from our address for another is a conflict as well",
           [solicit("2001:db8:0:1::99", source=OURS6)], [], [(OURS6, "used")]),
    Clause("7.2.3", "from one of ours for another of ours it is answered besides",
           [solicit(OURS6, source=OURS6_TOO)], [advertisement(destination=OURS6_TOO)],
           [(OURS6_TOO, "used")]),
    Clause("7.2.5", "about addresses of others it is nothing to us", [advertise("2001:db8:0:1::99")]),
    Clause("7.1.2", "hop limit 255", [advertise(hop_limit=n) for n in (0, 1, 64, 254)]),
    Clause("7.1.2", "the checksum is valid", [advertise(cksum=n) for n in (0, 0xffff, 0xbad)]),
    Clause("7.1.2", "code 0", [advertise(code=1)]),
    Clause("7.1.2", "24 octets or more", [cut_message(advertise(), n) for n in (4, 8, 16, 23)]),
    Clause("7.1.2", "the target is no group",
           [ip(OURS6, "ff02::1", ALL_NODES) / ip6.ICMPv6ND_NA(tgt="ff02::1:ff00:f0") / TARGET_LINK]),
    Clause("7.1.2", "to a group it is not Solicited", [advertise(solicited=1)]),
    Clause("7.1.2", "no option of length 0", [advertise(options=Raw(b"\2\0" + b"\xaa" * 6))]),
    Clause("7.1.2", "unknown options are ignored", [advertise(options=UNKNOWN / TARGET_LINK)], [],
           [(OURS6, "announced")]),
    Clause("7.1.2", "what is reserved is ignored", [advertise(res=0x1fffffff)], [],
           [(OURS6, "announced")]),
]

RFC_4862 = [
    Clause("5.4.3", "who checks for duplicates of our address learns of us",
           [solicit(source="::", options=None)],
           [advertisement(to=ALL_NODES, destination="ff02::1", flags="O")]),
    Clause("RFC 7527 4.1", "also with a nonce", [solicit(source="::", options=NONCE)],
           [advertisement(to=ALL_NODES, destination="ff02::1", flags="O")]),
]

TABLES = {"RFC 826": RFC_826, "RFC 5227": RFC_5227, "RFC 4861 solicitations": RFC_4861_NS,
          "RFC 4861 advertisements": RFC_4861_NA, "RFC 4862": RFC_4862}


@pytest.mark.parametrize("clause", [
    pytest.param(clause, id=f"{table} {clause.section}: {clause.says}")
    for table, clauses in TABLES.items() for clause in clauses])
def test_received(site, clause):
    frames = clause.frames(site.us) if callable(clause.frames) else clause.frames
    answers, claims = site.exchange(*frames)
    assert answers == clause.answers
    assert claims == [(address, ASKER, how) for address, how in clause.claims]


# --- clauses about what is sent -----------------------------------------------------------------


def arp_sent(frame):
    one = frame[ARP]
    return (frame.dst, frame.src, one.op, one.hwsrc, one.psrc, one.hwdst, one.pdst)


def ndp_sent(frame):
    packet = frame[ip6.IPv6]
    assert ip6.in6_chksum(58, packet, bytes(packet.payload)) == 0, frame.show(dump=True)
    return (frame.dst, frame.src, packet.src, packet.dst, packet.hlim, bytes(packet.payload)[4:])


def sent(site, start, wanted, count):
    """The frames from the responder since `start` that are about an address: count of them."""
    def look():
        frames = [Ether(f.data) for f in site.capture.frames()[start:] if f.source == site.us]
        found = [f for f in frames if ARP in f and f[ARP].pdst == wanted or
                 ip6.ICMPv6ND_NS in f and f[ip6.ICMPv6ND_NS].tgt == wanted or
                 ip6.ICMPv6ND_NA in f and f[ip6.ICMPv6ND_NA].tgt == wanted]
        return found if len(found) >= count else None

    return wait_until(look, 20, site.describe)


def target_option(us):
    """RFC 4861 section 4.6.1."""
    return bytes([2, 1]) + bytes.fromhex(us.replace(":", ""))


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_probe_frames(site, mode):
    """RFC 5227 section 2.1.1: three requests from 0.0.0.0, the hardware address of the target
    SHOULD be zero; RFC 4862 section 5.4.2: solicitations from :: to the target's group, without
    option. Nobody answers: free."""
    start = len(site.capture.frames())
    assert site.responder.probe(FREE, mode) == "free"
    assert site.responder.probe(FREE6, mode) == "free"
    assert [arp_sent(f) for f in sent(site, start, FREE, 3)] == \
        3 * [(ALL, site.us, 1, site.us, "0.0.0.0", NOBODY, FREE)]
    count = {"fast": 3, "full": 1}[mode]  # DupAddrDetectTransmits is 1
    message = bytes(4) + ip6.inet_pton(10, FREE6)
    assert [ndp_sent(f) for f in sent(site, start, FREE6, count)] == \
        count * [(group_mac(FREE6), site.us, "::", group(FREE6), 255, message)]


def test_announcement_frames(site):
    """RFC 5227 section 3, and a reply for those who believe replies alone; RFC 4861 section 7.2.6:
    to all nodes, Override, not Solicited; section 7.2.4: not a router."""
    start = len(site.capture.frames())
    site.responder.tell("announce", OURS)
    site.responder.tell("announce", OURS6)
    assert [arp_sent(f) for f in sent(site, start, OURS, 2)] == \
        [(ALL, site.us, operation, site.us, OURS, ALL, OURS) for operation in (1, 2)]
    message = b"\x20\0\0\0" + ip6.inet_pton(10, OURS6) + target_option(site.us)
    assert [ndp_sent(f) for f in sent(site, start, OURS6, 1)] == \
        [(ALL_NODES, site.us, OURS6, "ff02::1", 255, message)]


# --- clauses about probing ----------------------------------------------------------------------


@dataclass
class Meeting:
    """While the address is probed, the frames come; taken: ASKER has it then. Otherwise they change
    nothing, and the conflict with OTHER that comes next is the one that counts."""
    section: str
    says: str
    address: str
    frames: list
    taken: bool
    answers: list = field(default_factory=list)


MEETINGS = [
    Meeting("RFC 5227 2.1.1", "a reply from the address", PROBED,
            [arp("0.0.0.0", sender=PROBED, operation=2)], True),
    Meeting("RFC 5227 2.1.1", "a request from the address", PROBED,
            [arp("192.0.2.250", sender=PROBED)], True),
    Meeting("RFC 5227 2.1.1", "an announcement of the address", PROBED,
            [arp(PROBED, sender=PROBED)], True),
    Meeting("RFC 5227 2.1.1", "another station's probe for it", PROBED,
            [arp(PROBED, sender="0.0.0.0")], True),
    Meeting("RFC 5227 2.1.1", "our own probe, which comes back", PROBED,
            lambda us: [arp(PROBED, sender="0.0.0.0", station=us)], False),
    Meeting("RFC 5227 2.1.1", "somebody asks for the address, and is not answered", PROBED,
            [arp(PROBED)], False),
    Meeting("RFC 5227 2.1.1", "another address", PROBED,
            [arp("192.0.2.250", sender="192.0.2.250")], False),
    Meeting("RFC 4862 5.4.4", "an advertisement of the address", PROBED6, [advertise(PROBED6)], True),
    Meeting("RFC 4862 5.4.3", "another station's check for duplicates", PROBED6,
            [solicit(PROBED6, source="::", options=None)], True),
    Meeting("RFC 4862 5.4.3", "somebody asks for the address, and is not answered", PROBED6,
            [solicit(PROBED6)], False),
    Meeting("RFC 4862 5.4.3", "one that is not valid (RFC 4861 7.1.1)", PROBED6,
            [solicit(PROBED6, source="::", options=None, hop_limit=254)], False),
    Meeting("RFC 4862 5.4.4", "nor an advertisement that is not (RFC 4861 7.1.2)", PROBED6,
            [advertise(PROBED6, hop_limit=254), advertise(PROBED6, cksum=0xbad)], False),
    Meeting("RFC 4862 5.4.4", "another address", PROBED6, [advertise("2001:db8:0:1::99")], False),
]


CONFLICTS = {
    PROBED: arp("0.0.0.0", sender=PROBED, operation=2, station=OTHER),
    PROBED6: advertise(PROBED6, options=ip6.ICMPv6NDOptDstLLAddr(lladdr=OTHER)),
}


@pytest.mark.parametrize("meeting", [
    pytest.param(meeting, id=f"{meeting.section}: {meeting.says}") for meeting in MEETINGS])
def test_probing(site, meeting):
    start = len(site.capture.frames())
    frames = meeting.frames(site.us) if callable(meeting.frames) else meeting.frames
    frames = [*frames, CONFLICTS[meeting.address]]
    result = site.responder.probe(meeting.address, "full", lambda: site.send(*frames))
    assert result == (ASKER if meeting.taken else OTHER)
    site.exchange()
    assert [one for one in site.answers(start) if meeting.address in one] == []


def test_probing_joins_the_group(site):
    """RFC 4862 section 5.4.2: before the first solicitation; and leaves it afterwards."""
    def joined():
        groups = site.lan["n1"].namespace.ip_json("maddress", "show", "dev", "eth0")[0]["maddr"]
        return group(PROBED6) in [one.get("address") for one in groups]

    def meanwhile():
        seen.append(joined())
        site.send(CONFLICTS[PROBED6])

    seen = [joined()]
    assert site.responder.probe(PROBED6, "full", meanwhile) == OTHER
    seen.append(joined())
    assert seen == [False, True, False]
