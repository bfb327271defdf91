"""Frames seen on an interface: what is measured on the wire counts."""

import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

from .wait import wait_until

_ETH_P_ALL = 0x0003
_ETH_P_ARP = 0x0806
_SOL_PACKET = 263
_PACKET_IGNORE_OUTGOING = 23
_SNAP_BYTES = 65535


@dataclass(frozen=True)
class Frame:
    """seconds: when the kernel handed it to us, as time.time()."""
    seconds: float
    data: bytes

    @property
    def destination(self):
        return format_mac(self.data[0:6])

    @property
    def source(self):
        return format_mac(self.data[6:12])

    @property
    def ethertype(self):
        return int.from_bytes(self.data[12:14], "big")

    @property
    def arp(self):
        """The ARP packet that it carries (RFC 826, IPv4 over Ethernet), or None."""
        if self.ethertype != _ETH_P_ARP or len(self.data) < 42:
            return None
        operation, *fields = struct.unpack_from("!H6s4s6s4s", self.data, 20)
        return Arp(operation, format_mac(fields[0]), socket.inet_ntoa(fields[1]),
                   format_mac(fields[2]), socket.inet_ntoa(fields[3]))

    def __str__(self):
        what = self.arp or f"ethertype {self.ethertype:#06x}, {len(self.data)} bytes"
        return f"{self.seconds:.6f} {self.source} > {self.destination} {what}"


@dataclass(frozen=True)
class Arp:
    """operation: 1 request, 2 reply. A gratuitous one has sender_ip == target_ip."""
    operation: int
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str


class Capture:
    """Records every frame from when the constructor returns until stop()."""

    def __init__(self, namespace, interface, incoming_only=False):
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(_ETH_P_ALL))
        if incoming_only:
            self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind((interface, _ETH_P_ALL))
        self._where = f"{namespace.name}/{interface}"
        self._frames = []
        self._stop = socket.socketpair()
        self._thread = threading.Thread(target=self._record, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def frames(self, wanted=None):
        """The frames so far for which wanted(frame) is true."""
        return [frame for frame in list(self._frames) if wanted is None or wanted(frame)]

    def wait_for(self, wanted, seconds, what="a frame the test wants"):
        """Waits for a frame for which wanted(frame) is true; returns the first."""
        return wait_until(lambda: self.frames(wanted), seconds, self.describe,
                          f"{self._where} carries {what}")[0]

    def stop(self):
        if self._thread.is_alive():
            self._stop[1].send(b"x")
            self._thread.join()
            self._socket.close()

    def describe(self):
        """A line for each of the last frames."""
        frames = self.frames()
        lines = [f"--- {len(frames)} frames on {self._where}, the last of them:"]
        return "\n".join(lines + [str(frame) for frame in frames[-30:]])

    def save(self, path):
        """Writes a pcap file (draft-ietf-opsawg-pcap, link type Ethernet)."""
        with open(path, "wb") as out:
            out.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAP_BYTES, 1))
            for frame in self.frames():
                whole, fraction = divmod(frame.seconds, 1)
                size = len(frame.data)
                out.write(struct.pack("=IIII", int(whole), int(fraction * 1e6), size, size))
                out.write(frame.data)

    def _record(self):
        while True:
            readable, _, _ = select.select([self._socket, self._stop[0]], [], [])
            if self._stop[0] in readable:
                return
            try:
                data = self._socket.recv(_SNAP_BYTES)
            except OSError:  # the interface went away
                return
            self._frames.append(Frame(time.time(), data))


def format_mac(octets):
    return ":".join(f"{octet:02x}" for octet in octets)
