"""One ICMP echo request and its answer (RFC 792, RFC 4443), with no program needed for it."""

import os
import socket
import struct
import time

_KINDS = {  # family: (protocol, type of request, type of reply, bytes before the message)
    socket.AF_INET: (socket.IPPROTO_ICMP, 8, 0, 20),
    socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128, 129, 0),
}


def ping(namespace, address, seconds=1):
    """The round-trip time in seconds of one echo from the namespace to the address, None when
    no answer came within that time, or there is no way there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol, request_type, reply_type, offset = _KINDS[family]
    token = os.urandom(12)
    with namespace.socket(family, socket.SOCK_RAW, protocol) as sock:
        start = time.monotonic()
        try:
            sock.sendto(_echo(request_type, token, family), (address, 0))
            while (left := start + seconds - time.monotonic()) > 0:
                sock.settimeout(left)
                message = sock.recv(2048)[offset:]
                if message[:1] == bytes([reply_type]) and message[8:] == token:
                    return time.monotonic() - start
        except OSError:  # time-out, or no route, or the neighbour does not answer
            pass
    return None


def _echo(kind, payload, family):
    header = struct.pack("!BBHHH", kind, 0, 0, 1, 1)
    # For IPv6 the kernel fills in the checksum (RFC 3542, 3.1).
    checksum = _checksum(header + payload) if family == socket.AF_INET else 0
    return struct.pack("!BBHHH", kind, 0, checksum, 1, 1) + payload


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
