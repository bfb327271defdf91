"""A BGP speaker that only listens: for each prefix it notes when it was told what.

For figures: a real router answers when it is asked, this one knows the moment that a message came.
It takes sessions from anyone, by IPv4, and says nothing but what keeps them up."""

import socket
import struct
import threading
import time

_MARKER = b"\xff" * 16
_OPEN, _UPDATE, _NOTIFICATION, _KEEPALIVE = 1, 2, 3, 4


class BgpSink:
    """events: [(seconds, "+" or "-", "address/length")] in the order of their coming."""

    def __init__(self, namespace, address, asn, router_id="9.9.9.9", hold=90):
        self.asn, self.router_id, self.hold = asn, router_id, hold
        self.events, self.table = [], {}
        self.sessions = self.ended = 0
        self.changed = threading.Condition()
        self._listener = namespace.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, 179))
        self._listener.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def wait(self, condition, seconds=60):
        """Waits until condition() holds, which is asked after each message."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), "the sink waits in vain"

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _message(self, kind, body=b""):
        return _MARKER + struct.pack("!HB", 19 + len(body), kind) + body

    def _open(self):
        capabilities = b"".join(bytes([code, len(value)]) + value for code, value in (
            (1, b"\0\1\0\1"), (1, b"\0\2\0\1"), (65, struct.pack("!I", self.asn))))
        parameters = bytes([2, len(capabilities)]) + capabilities
        return struct.pack("!BHH4sB", 4, min(self.asn, 23456), self.hold, socket.inet_aton(self.router_id),
                           len(parameters)) + parameters

    def _serve(self, connection):
        with self.changed:
            self.sessions += 1
        connection.settimeout(self.hold / 3)
        buffer = b""
        try:
            while True:
                try:
                    data = connection.recv(1 << 20)
                except TimeoutError:
                    connection.sendall(self._message(_KEEPALIVE))
                    continue
                if not data:
                    return
                buffer = self._take(connection, buffer + data, time.time())
        except OSError:
            return
        finally:
            with self.changed:
                self.ended += 1
                self.changed.notify_all()

    def _take(self, connection, buffer, now):
        at = 0
        while len(buffer) - at >= 19:
            size, kind = struct.unpack_from("!HB", buffer, at + 16)
            if len(buffer) - at < size:
                break
            body = buffer[at + 19:at + size]
            at += size
            if kind == _OPEN:
                connection.sendall(self._message(_OPEN, self._open()) + self._message(_KEEPALIVE))
            elif kind == _KEEPALIVE:
                connection.sendall(self._message(_KEEPALIVE))
            elif kind == _UPDATE:
                self._update(body, now)
        return buffer[at:]

    def _update(self, body, now):
        length = struct.unpack_from("!H", body)[0]
        gone = _prefixes(body[2:2 + length], socket.AF_INET)
        attributes_length = struct.unpack_from("!H", body, 2 + length)[0]
        start = 4 + length
        attributes = body[start:start + attributes_length]
        came = _prefixes(body[start + attributes_length:], socket.AF_INET)
        told = {}
        while attributes:
            extended = attributes[0] & 0x10
            size = struct.unpack_from("!H" if extended else "!B", attributes, 2)[0]
            offset = 4 if extended else 3
            told[attributes[1]] = attributes[offset:offset + size]
            attributes = attributes[offset + size:]
        if 14 in told:  # RFC 4760
            came += _prefixes(told[14][5 + told[14][3]:], socket.AF_INET6)
        if 15 in told:
            gone += _prefixes(told[15][3:], socket.AF_INET6)
        with self.changed:
            for prefix in gone:
                self.table.pop(prefix, None)
                self.events.append((now, "-", prefix))
            for prefix in came:
                self.table[prefix] = told
                self.events.append((now, "+", prefix))
            self.changed.notify_all()


def _prefixes(data, family):
    width = 4 if family == socket.AF_INET else 16
    found, at = [], 0
    while at < len(data):
        length = data[at]
        size = (length + 7) // 8
        packed = data[at + 1:at + 1 + size] + b"\0" * (width - size)
        found.append(f"{socket.inet_ntop(family, packed)}/{length}")
        at += 1 + size
    return found
