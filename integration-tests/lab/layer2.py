"""Frames as the RFCs know and forbid them, and a responder that meets them."""

import itertools
import logging

from .capture import Capture
from .network import Network
from .process import Process
from .responder import Responder
from .wait import wait_until

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.layers import inet6 as ip6  # noqa: E402
from scapy.layers.l2 import ARP, Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

OURS, OURS_TOO, PROBED, FREE = (f"192.0.2.{n}" for n in (240, 241, 242, 243))
OURS6, OURS6_TOO, PROBED6, FREE6 = (f"2001:db8:0:1::{n}" for n in ("f0", "f1", "f2", "f3"))
LAST, LAST6 = "192.0.2.254", "2001:db8:0:1::fe"  # the questions that end a row
SERVED = {OURS, OURS_TOO, PROBED, FREE, OURS6, OURS6_TOO, PROBED6, FREE6, LAST, LAST6}
CLIENT_IP, CLIENT_IP6 = "192.0.2.200", "2001:db8:0:1::200"

ASKER = "02:00:00:00:00:aa"  # a station behind the client's port
OTHER = "02:00:00:00:00:bb"
NOBODY = "00:00:00:00:00:00"
ALL = "ff:ff:ff:ff:ff:ff"
ALL_NODES = "33:33:00:00:00:01"

# RFC 4861 section 4.6.1: the options that carry a station's address.
SOURCE_LINK = ip6.ICMPv6NDOptSrcLLAddr(lladdr=ASKER)
TARGET_LINK = ip6.ICMPv6NDOptDstLLAddr(lladdr=ASKER)


def group(address):
    """RFC 4291 section 2.7.1, for addresses with up to three hexadecimal digits at the end."""
    return f"ff02::1:ff00:{address.rpartition(':')[2]}"


def group_mac(address):
    """RFC 2464 section 7, the same."""
    last = int(address.rpartition(":")[2], 16)
    return f"33:33:ff:00:{last >> 8:02x}:{last & 0xff:02x}"


# --- frames -------------------------------------------------------------------------------------


def arp(target=OURS, sender=CLIENT_IP, to=ALL, operation=1, station=ASKER, source=ASKER, **fields):
    return Ether(dst=to, src=source) / ARP(op=operation, hwsrc=station, psrc=sender, hwdst=NOBODY,
                                           pdst=target, **fields)


def ip(source, destination, to=None, hop_limit=255, **fields):
    return (Ether(src=ASKER, dst=to) /
            ip6.IPv6(src=source, dst=destination, hlim=hop_limit, **fields))


def solicit(target=OURS6, source=CLIENT_IP6, destination=None, to=None, options=SOURCE_LINK,
            hop_limit=255, **fields):
    destination = destination or group(target)
    frame = ip(source, destination, to or group_mac(destination), hop_limit)
    frame = frame / ip6.ICMPv6ND_NS(tgt=target, **fields)
    return frame if options is None else frame / options


def advertise(target=OURS6, destination="ff02::1", to=ALL_NODES, options=TARGET_LINK, hop_limit=255,
              solicited=0, override=1, **fields):
    frame = ip(target, destination, to, hop_limit)
    frame = frame / ip6.ICMPv6ND_NA(tgt=target, R=0, S=solicited, O=override, **fields)
    return frame if options is None else frame / options


def cut_message(frame, size):
    """The IPv6 packet with only that much of its message, and the checksum of that."""
    header = frame[ip6.IPv6].copy()
    message = bytearray(bytes(header.payload)[:size])
    message[2:4] = b"\0\0"
    header.remove_payload()
    message[2:4] = ip6.in6_chksum(58, header / Raw(bytes(message)), bytes(message)).to_bytes(2, "big")
    header.plen, header.nh = size, 58
    return Ether(src=frame.src, dst=frame.dst) / header / Raw(bytes(message))


def tag(frame, **fields):
    inner = frame.copy()
    kind = inner.type if inner.type is not None else Ether(bytes(inner)).type
    return Ether(src=frame.src, dst=frame.dst) / Dot1Q(type=kind, **fields) / inner.payload


# --- answers, written out whole -----------------------------------------------------------------


def reply(address=OURS, to=ASKER, sender=CLIENT_IP):
    """RFC 826: to the asker alone; `us` stands for the responder's MAC."""
    return ("arp", to, "us", 2, "us", address, to, sender)


def advertisement(address=OURS6, to=ASKER, destination=CLIENT_IP6, flags="SO"):
    return ("ndp", to, "us", address, destination, 255, flags, address, "us")


def describe(data, us):
    """A frame that speaks for an address of the responder, written out; None for any other."""
    frame = Ether(data)

    def name(mac):
        return "us" if mac == us else mac

    if ARP in frame:
        one = frame[ARP]
        if one.psrc not in SERVED:
            return None
        return ("arp", frame.dst, name(frame.src), one.op, name(one.hwsrc), one.psrc, one.hwdst,
                one.pdst)
    if ip6.ICMPv6ND_NA not in frame or frame[ip6.ICMPv6ND_NA].tgt not in SERVED:
        return None
    packet, one = frame[ip6.IPv6], frame[ip6.ICMPv6ND_NA]
    flags = "".join(letter for letter in "RSO" if getattr(one, letter))
    checked = ip6.in6_chksum(58, packet, bytes(packet.payload)) == 0
    assert checked, frame.show(dump=True)
    link = one[ip6.ICMPv6NDOptDstLLAddr].lladdr if ip6.ICMPv6NDOptDstLLAddr in one else None
    return ("ndp", frame.dst, name(frame.src), packet.src, packet.dst, packet.hlim, flags, one.tgt,
            name(link))


# --- the site -----------------------------------------------------------------------------------


class Site:
    """A responder on n1, and a port at the client from which any frame is sent."""

    def __init__(self, run):
        self.lan = Network(run, 1)
        self.processes = []
        self.client = self.lan.client.namespace
        self.us = self.lan["n1"].namespace.mac()

        def start(arguments, **options):
            self.processes.append(Process(run, arguments, **options))
            return self.processes[-1]

        self.responder = Responder(run, start, self.lan["n1"], OURS, OURS_TOO, OURS6, OURS6_TOO,
                                   LAST, LAST6)
        self.capture = Capture(self.client, "eth0", incoming_only=True)
        self._port = self.client.socket(17, 3)  # AF_PACKET, SOCK_RAW
        self._port.bind(("eth0", 0))
        self._askers = itertools.count(1)

    def close(self):
        self._port.close()
        self.capture.stop()
        for process in self.processes:
            process.stop()
        self.lan.delete()

    def send(self, *frames):
        for frame in frames:
            self._port.send(bytes(frame))

    def answers(self, start=0, to=None):
        """What the responder has said since; what the node's kernel says of itself is left out.
        to: only what went to that MAC."""
        frames = self.capture.frames()[start:]
        return [text for f in frames if f.source == self.us and to in (None, f.destination) and
                (text := describe(f.data, self.us))]

    def exchange(self, *frames):
        """Sends the frames. Returns (answers to them, claims heard in them)."""
        start, heard = len(self.capture.frames()), len(self.responder.heard())
        asker = f"02:00:00:00:ff:{next(self._askers) % 256:02x}"
        last = {reply(LAST, asker), advertisement(LAST6, asker)}
        self.send(*frames, arp(LAST, station=asker, source=asker),
                  solicit(LAST6, options=ip6.ICMPv6NDOptSrcLLAddr(lladdr=asker)))
        wait_until(lambda: last <= set(self.answers(start)), 20, self.describe)
        answers = [one for one in self.answers(start) if one not in last]
        return answers, self.responder.heard()[heard:]

    def describe(self):
        return "\n".join([self.capture.describe(), self.processes[0].describe()])
