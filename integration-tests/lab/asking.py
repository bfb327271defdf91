"""Who has an address? One question by ARP or neighbour discovery, and all that answer it.

The question comes from addresses that no host has, so that it changes no kernel's neighbour table.
For questions over a time use probe.py."""

import ipaddress
import socket
import struct
import threading
import time

from .capture import format_mac

_MAC = bytes.fromhex("02005e005302")
_FROM = {4: socket.inet_aton("192.0.2.202"), 6: socket.inet_pton(socket.AF_INET6, "2001:db8:0:1::202")}
_PROTOCOL = {4: 0x0806, 6: 0x86DD}
_SOL_PACKET, _ADD_MEMBERSHIP, _PROMISCUOUS = 263, 1, 1
_lock = threading.Lock()  # one asker: answers all go to one Ethernet address


def who_has(namespace, addresses, seconds=0.3, interface="eth0"):
    """{address: sorted MACs of all that answered}, asked from a namespace. Waits for that long,
    since another answer may come."""
    found = {address: set() for address in addresses}
    with _lock:
        for version in (4, 6):
            mine = [a for a in addresses if ipaddress.ip_address(a).version == version]
            if mine:
                _ask(namespace, interface, version, mine, seconds, found)
    return {address: sorted(macs) for address, macs in found.items()}


def _ask(namespace, interface, version, addresses, seconds, found):
    with namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_PROTOCOL[version])) as sock:
        sock.bind((interface, _PROTOCOL[version]))
        index = namespace.call(lambda: socket.if_nametoindex(interface))
        sock.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, struct.pack("iHH8s", index, _PROMISCUOUS, 0, b""))
        for address in addresses:
            sock.send(_request(address) if version == 4 else _solicitation(address))
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                frame = sock.recv(2048)
            except TimeoutError:
                break
            if frame[:6] == _MAC:
                address = _answered(frame, version)
                if address in found:
                    found[address].add(format_mac(frame[6:12]))


def _request(address):
    """RFC 826."""
    return (b"\xff" * 6 + _MAC + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
            + _MAC + _FROM[4] + bytes(6) + socket.inet_aton(address))


def _solicitation(address):
    """RFC 4861, 4.3: to the solicited-node group."""
    target = socket.inet_pton(socket.AF_INET6, address)
    group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
    body = target + b"\x01\x01" + _MAC
    pseudo = _FROM[6] + group + struct.pack("!IHBB", 8 + len(body), 0, 0, 58)
    checksum = _checksum(pseudo + struct.pack("!BBHI", 135, 0, 0, 0) + body)
    return (b"\x33\x33" + group[12:] + _MAC + struct.pack("!HIHBB", 0x86DD, 0x60000000, 8 + len(body), 58, 255)
            + _FROM[6] + group + struct.pack("!BBHI", 135, 0, checksum, 0) + body)


def _answered(frame, version):
    """The address that a frame to us answers for, None when it is no answer."""
    if version == 4:
        return socket.inet_ntoa(frame[28:32]) if frame[20:22] == b"\x00\x02" else None
    if len(frame) < 78 or frame[20] != 58 or frame[54] != 136:
        return None
    return socket.inet_ntop(socket.AF_INET6, frame[62:78])


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
