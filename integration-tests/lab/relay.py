"""A TCP relay with faults. It moves bytes and knows nothing of TLS or HTTP, so that whatever
the two sides speak, HTTP/2 included, goes through untouched until a fault is asked for."""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
import threading

_CHUNK = 65536


class Loop:
    """An asyncio loop in a thread of its own. The proxies live there; tests call in."""

    def __init__(self, name):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, coroutine, seconds=30):
        """Runs the coroutine there and returns its result here."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(seconds)

    def close(self):
        async def cancel_all():
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.call(cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Listener:
    """What both proxies share: a port that can stop accepting, connections that can be cut."""

    def __init__(self, upstream, namespace=None, address="127.0.0.1", port=0, tls=None):
        """upstream: (host, port) to connect to, from the namespace we are in ourselves.
        namespace: the netns.Namespace to listen in, or None. tls: ssl.SSLContext, or None."""
        self.upstream = upstream
        self.address = address
        self._namespace = namespace
        self._tls = tls
        self._loop = Loop(type(self).__name__)
        self._writers = set()  # towards clients
        self._server = None
        self.port = port
        self.accept()

    @property
    def url(self):
        return f"https://{self.address}:{self.port}"

    @property
    def open_connections(self):
        """How many clients are connected now."""
        return len(self._writers)

    def stop_accepting(self):
        """Closes the listening socket: a new connection is refused, old ones go on."""
        self._loop.call(self._close_server())

    def accept(self):
        """Listens again, on the same port."""
        self._loop.call(self._open_server())

    def cut_all(self):
        """Resets every connection (TCP RST). Returns how many there were. One whose TLS handshake is
        not over is none yet, and lives on: who adds a rule and cuts waits for the rule to be used."""
        return self._loop.call(self._cut_all())

    def close(self):
        self._loop.call(self._close_server())
        self._loop.call(self._cut_all())
        self._loop.close()

    async def handle(self, reader, writer):
        """One client's connection, from its start to its end."""
        raise NotImplementedError

    async def _open_server(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, sock=self._bind(),
                                                      ssl=self._tls)

    async def _close_server(self):
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut_all(self):
        writers = list(self._writers)
        for writer in writers:
            reset(writer)
        return len(writers)

    def _bind(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        make = self._namespace.socket if self._namespace else socket.socket
        sock = make(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.address, self.port))
        self.port = sock.getsockname()[1]
        return sock

    async def _accepted(self, reader, writer):
        self._writers.add(writer)
        try:
            await self.handle(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):  # either side is gone: so are we
            pass
        except (ValueError, asyncio.LimitOverrunError) as error:  # not what we can read
            print(f"{type(self).__name__}: {error!r}", file=sys.stderr)
        finally:
            self._writers.discard(writer)
            reset(writer)


class Relay(Listener):
    """Passes bytes both ways. Its faults apply to all its connections, open and to come."""

    def __init__(self, *args, **options):
        self._delay = 0.0
        self._frozen = None  # an asyncio.Event while frozen
        self._budget = {"down": None, "up": None}
        self._upstream_writers = {}
        self.bytes = {"down": 0, "up": 0}
        super().__init__(*args, **options)

    def delay(self, seconds):
        """Holds every chunk of bytes back for that long, in each direction. 0 ends it."""
        self._delay = seconds

    def freeze(self):
        """Moves no more bytes but keeps the connections: a peer gone without a word."""
        self._loop.call(self._set_frozen(True))

    def thaw(self):
        """Ends freeze(); nothing was lost."""
        self._loop.call(self._set_frozen(False))

    def cut_after(self, count, direction="down"):
        """Resets the connection that carries the count-th byte from now, after that byte.
        direction: down, from the upstream to the client, or up. Happens once."""
        assert direction in self._budget, direction
        self._budget[direction] = count

    def half_close(self):
        """Sends FIN to every client and still reads from it (as an upstream that has ended its
        side). Returns how many clients there were."""
        return self._loop.call(self._half_close())

    async def handle(self, reader, writer):
        upstream_reader, upstream_writer = await asyncio.open_connection(*self.upstream)
        self._upstream_writers[writer] = upstream_writer
        try:
            await _both(self._pump(reader, upstream_writer, "up", (writer, upstream_writer)),
                        self._pump(upstream_reader, writer, "down", (writer, upstream_writer)))
        finally:
            del self._upstream_writers[writer]
            reset(upstream_writer)

    async def _pump(self, reader, writer, direction, ends):
        while chunk := await reader.read(_CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)
            while self._frozen is not None:
                await self._frozen.wait()
            chunk, last = self._spend(chunk, direction)
            self.bytes[direction] += len(chunk)
            writer.write(chunk)
            await writer.drain()
            if last:
                await flushed(writer)
                for end in ends:
                    reset(end)
                return
        if writer.can_write_eof():
            writer.write_eof()

    def _spend(self, chunk, direction):
        """What of the chunk may still go, and whether that is the end."""
        budget = self._budget[direction]
        if budget is None:
            return chunk, False
        if budget > len(chunk):
            self._budget[direction] = budget - len(chunk)
            return chunk, False
        self._budget[direction] = None
        return chunk[:budget], True

    async def _set_frozen(self, frozen):
        if frozen and self._frozen is None:
            self._frozen = asyncio.Event()
        elif not frozen and self._frozen is not None:
            event, self._frozen = self._frozen, None
            event.set()

    async def _half_close(self):
        writers = list(self._writers)
        for writer in writers:
            writer.write_eof()
        return len(writers)


def reset(writer):
    """Ends a connection at once; unread and unsent bytes are lost, and the peer learns it by
    RST, as when a machine or a middle box loses its state."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.transport.is_closing():
        # SO_LINGER with 0 seconds: close() sends RST instead of FIN (socket(7)).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def flushed(writer, seconds=5):
    """Waits until the peer's kernel has acknowledged every byte, so that a reset that follows
    takes none of them back."""
    sock = writer.get_extra_info("socket")
    end = asyncio.get_running_loop().time() + seconds
    while writer.transport.get_write_buffer_size() or _unacknowledged(sock):
        if asyncio.get_running_loop().time() > end:
            return
        await asyncio.sleep(0.001)


def _unacknowledged(sock):
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]


async def _both(*coroutines):
    """Runs them side by side; when one fails, ends the others."""
    tasks = [asyncio.ensure_future(c) for c in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
