"""A proxy in front of the API server that answers, delays, cuts and edits by rules.

It ends TLS with a certificate of its own and offers HTTP/1.1 alone, which a client that
prefers HTTP/2 accepts in ALPN (RFC 7301); so faults can be put at an exact byte of a watch
stream, or on an exact event. Faults below HTTP, with HTTP/2 left as it is, are Relay's.

    proxy = FaultProxy(run, control_plane)
    rule = proxy.rule(Answer(409), method="PATCH", path=r"/services/.*/status$", times=3)
    …
    assert rule.used == 3
    assert not proxy.requests(method="PATCH|PUT|POST|DELETE", since=quiet)

For each request the first rule that matches and is not used up applies, and no other.
"""

import asyncio
import json
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote

from .process import run_command
from .relay import Listener, flushed, reset

_HEAD_LIMIT = 1 << 20
WRITES = "POST|PUT|PATCH|DELETE"
_REASONS = {  # the API server's reason for each status, and the HTTP phrase
    400: ("BadRequest", "Bad Request"), 401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "Forbidden"), 404: ("NotFound", "Not Found"),
    409: ("Conflict", "Conflict"), 410: ("Expired", "Gone"),
    422: ("Invalid", "Unprocessable Entity"), 429: ("TooManyRequests", "Too Many Requests"),
    500: ("InternalError", "Internal Server Error"), 502: ("", "Bad Gateway"),
    503: ("ServiceUnavailable", "Service Unavailable"), 504: ("Timeout", "Gateway Timeout"),
}


class Action:
    """What a rule does. The defaults let the request pass unharmed."""

    answer = None  # (status, headers, body) to give instead of asking the API server
    wait = 0.0  # seconds to hold the request back
    held = None  # a threading.Event: hold it back until that is set
    drop_request = False  # cut before the request is passed on
    drop_answer = False  # cut after the API server has done what was asked

    def body_editor(self):
        """A fresh Editor for one response body, or None to leave it as it is."""
        return None


class Editor:
    """Sees one response body go by."""

    ending = None  # set to "cut", "end" or "stall" after the last bytes to pass

    def feed(self, data):
        """The bytes to send for these bytes that came."""
        raise NotImplementedError


class Answer(Action):
    """Answers with that status and a Status object as the API server would."""

    def __init__(self, status, retry_after=None, body=None):
        """retry_after: seconds for the header Retry-After. body: bytes instead of a Status."""
        reason, _ = _REASONS[status]
        if body is None:
            body = json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {},
                               "status": "Failure", "reason": reason, "code": status,
                               "message": f"the fault proxy says {reason}"}).encode()
        headers = {"Content-Type": "application/json"}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        self.answer = (status, headers, body)


class Delay(Action):
    """Passes the request on after that many seconds."""

    def __init__(self, seconds):
        self.wait = seconds


class Hold(Action):
    """Holds the request back until release(); it is then passed on, even if who sent it is gone."""

    def __init__(self):
        self.held = threading.Event()

    def release(self):
        self.held.set()


class LoseRequest(Action):
    """Cuts the connection instead of passing the request on: it was never done."""
    drop_request = True


class LoseAnswer(Action):
    """Passes the request on and cuts instead of passing the answer back: it was done, and the
    client cannot know."""
    drop_answer = True


class AtByte(Action):
    """Lets that many bytes of the response body pass, and then:
    cut    resets the connection,
    end    ends the body in good form, as a server does at a watch's time-out,
    stall  sends nothing more and keeps the connection."""

    def __init__(self, offset, then="cut"):
        assert then in ("cut", "end", "stall"), then
        self._offset = offset
        self._then = then

    def body_editor(self):
        return _ByteEditor(self._offset, self._then)


class EditEvents(Action):
    """Edits watch events. edit(index, line) gets each event's number, from 0, and its line of
    JSON with its newline; it returns the bytes to send instead. The ready ones:"""

    def __init__(self, edit):
        self._edit = edit

    def body_editor(self):
        return _EventEditor(self._edit)

    @classmethod
    def duplicate(cls, index):
        """Sends that event twice."""
        return cls(lambda i, line: line * 2 if i == index else line)

    @classmethod
    def drop(cls, index):
        """Leaves that event out."""
        return cls(lambda i, line: b"" if i == index else line)

    @classmethod
    def truncate(cls, index, keep):
        """Sends only the first bytes of that event, then its newline; the stream goes on."""
        return cls(lambda i, line: line[:keep] + b"\n" if i == index else line)

    @classmethod
    def insert(cls, index, event):
        """Sends an event of our own before that one. event: a dict, or the raw line."""
        raw = event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"
        return cls(lambda i, line: raw + line if i == index else line)

    @classmethod
    def expire(cls, index):
        """Puts "410 Gone" into the stream before that event, as a server that has compacted."""
        return cls.insert(index, {"type": "ERROR", "object": json.loads(Answer(410).answer[2])})


class _ByteEditor(Editor):
    def __init__(self, offset, then):
        self._left = offset
        self._then = then
        self.ending = then if offset == 0 else None

    def feed(self, data):
        passed = data[:self._left]
        self._left -= len(passed)
        if self._left == 0:
            self.ending = self._then
        return passed


class _EventEditor(Editor):
    def __init__(self, edit):
        self._edit = edit
        self._partial = b""
        self._index = 0

    def feed(self, data):
        *lines, self._partial = (self._partial + data).split(b"\n")
        out = []
        for line in lines:
            out.append(self._edit(self._index, line + b"\n"))
            self._index += 1
        return b"".join(out)


@dataclass
class Rule:
    """A fault and which requests it befalls. method, path and query are regular expressions:
    method matches whole, the others anywhere. query is looked for in the decoded query.
    times: how often it may apply, None for ever. used: how often it has."""
    action: Action
    method: str = ".*"
    path: str = ""
    query: str = ""
    times: int | None = 1
    used: int = 0

    def matches(self, request):
        return (re.fullmatch(self.method, request.method)
                and re.search(self.path, request.path) and re.search(self.query, request.query))


@dataclass
class Request:
    """One request seen. path and query are decoded, target is both as they came. seconds:
    time.monotonic() when its head had come. status: what the client was answered, None for
    not (yet). rule: what befell it, or None."""
    method: str
    path: str
    query: str
    target: str
    headers: list
    body: bytes = b""
    seconds: float = field(default_factory=time.monotonic)
    status: int | None = None
    rule: Rule | None = None

    def __str__(self):
        fault = f"  [{type(self.rule.action).__name__}]" if self.rule else ""
        query = f"?{self.query}" if self.query else ""
        return f"{self.seconds:.3f} {self.method} {self.path}{query} -> {self.status}{fault}"


class FaultProxy(Listener):
    """One proxy for one control plane, with a port of its own on 127.0.0.1 or, with a
    namespace, on that address there."""

    def __init__(self, run, control_plane, namespace=None, address="127.0.0.1", port=0):
        directory = run.make_directory("faultproxy")
        self.ca_file = _make_certificate(directory, address)
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_tls.load_cert_chain(self.ca_file, directory / "key.pem")
        server_tls.set_alpn_protocols(["http/1.1"])
        self._client_tls = ssl.create_default_context(cafile=control_plane.ca_file)
        self._client_tls.set_alpn_protocols(["http/1.1"])
        self._control_plane = control_plane
        self._lock = threading.Lock()
        self._rules = []
        self._requests = []
        super().__init__((control_plane.address, control_plane.port), namespace, address, port,
                         server_tls)

    def kubeconfig(self, user):
        """A kubeconfig that leads through this proxy."""
        return self._control_plane.kubeconfig(user, server=self.url, ca_file=self.ca_file)

    def rule(self, action, **match):
        """Adds a rule after those there are. match: see Rule. Returns it."""
        rule = Rule(action, **match)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear_rules(self):
        with self._lock:
            self._rules.clear()

    def requests(self, method=".*", path="", query="", since=0.0):
        """The requests seen that match, oldest first. since: a time.monotonic()."""
        pattern = Rule(Action(), method, path, query)
        with self._lock:
            return [r for r in self._requests if r.seconds >= since and pattern.matches(r)]

    def writes(self, since=0.0, path=""):
        """The requests that change something."""
        return self.requests(method=WRITES, path=path, since=since)

    def describe(self):
        """The last requests, a line each."""
        lines = [str(request) for request in self.requests()[-200:]]
        return "\n".join(["--- requests through the fault proxy:", *lines])

    async def handle(self, reader, writer):
        upstream = None
        try:
            while request := await _read_request(reader, writer):
                rule = self._note(request)
                action = rule.action if rule else Action()
                await asyncio.sleep(action.wait)
                while action.held and not action.held.is_set():
                    await asyncio.sleep(0.01)
                if action.drop_request:
                    return
                if action.answer:
                    await _send_answer(writer, request, *action.answer)
                    continue
                if upstream is None:
                    upstream = await asyncio.open_connection(
                        *self.upstream, ssl=self._client_tls, limit=_HEAD_LIMIT)
                then = await _exchange(request, action, upstream, reader, writer)
                if then != "next":  # the rest of the upstream's answer is of no use
                    reset(upstream[1])
                    upstream = None
                if then == "close":
                    return
        finally:
            if upstream:
                reset(upstream[1])

    def _note(self, request):
        with self._lock:
            self._requests.append(request)
            for rule in self._rules:
                if (rule.times is None or rule.used < rule.times) and rule.matches(request):
                    rule.used += 1
                    request.rule = rule
                    return rule
        return None


async def _exchange(request, action, upstream, reader, writer):
    """Passes one request on and its answer back. Returns "next" when both connections may serve
    another request, "reopen" when only the client's may, else "close"."""
    up_reader, up_writer = upstream
    up_writer.write(_format_request(request))
    await up_writer.drain()
    status_line, headers = await _read_head(up_reader)
    if action.drop_answer:
        await _drain(_body(up_reader, request, status_line, headers), reader)
        return "close"
    request.status = int(status_line.split()[1])
    editor = action.body_editor()
    body = _body(up_reader, request, status_line, headers)
    if body is None:
        writer.write(_format_head(status_line, headers))
        await writer.drain()
        return "next"
    # The length may change on the way and a watch has none: always chunked (RFC 9112, 7.1).
    headers = [(n, v) for n, v in headers if n.lower() not in ("content-length", "transfer-encoding")]
    writer.write(_format_head(status_line, headers + [("Transfer-Encoding", "chunked")]))
    return await _pass_body(body, editor, reader, writer)


async def _pass_body(body, editor, reader, writer):
    """Passes a body on in chunks until it ends, the editor says so or the client is gone."""
    ending = editor.ending if editor else None
    pieces = body.__aiter__()
    while ending is None:
        piece = await _unless_gone(pieces.__anext__(), reader)
        if piece is None:
            break
        if editor:
            piece = editor.feed(piece)
            ending = editor.ending
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
    if ending == "stall":
        await writer.drain()
        await _until_gone(reader)
        return "close"
    if ending == "cut":
        await flushed(writer)
        return "close"
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return "reopen" if ending == "end" else "next"


async def _unless_gone(awaitable, reader):
    """The next piece of a body, None at its end. Fails when the client is gone: a watch on a
    quiet collection would otherwise stay open at the API server."""
    piece = asyncio.ensure_future(awaitable)
    gone = asyncio.ensure_future(_until_gone(reader))
    try:
        await asyncio.wait([piece, gone], return_when=asyncio.FIRST_COMPLETED)
        if not piece.done():
            raise ConnectionError("the client is gone")
        return piece.result()
    except StopAsyncIteration:
        return None
    finally:
        for task in (piece, gone):
            task.cancel()
        await asyncio.gather(piece, gone, return_exceptions=True)


async def _until_gone(reader):
    """Returns when the client has closed. It sends nothing meanwhile: one that pipelines
    would just be read later."""
    while not reader.at_eof() and reader.exception() is None:
        await asyncio.sleep(0.05)


async def _drain(body, reader):
    if body is not None:
        async for _ in body:
            if reader.at_eof():
                return


async def _read_request(reader, writer):
    """A whole request, or None when the client closed between two."""
    try:
        line, headers = await _read_head(reader)
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = line.split(" ", 2)
    path, _, query = target.partition("?")
    if any(name.lower() == "expect" for name, _ in headers):  # RFC 9110, 10.1.1
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        headers = [(n, v) for n, v in headers if n.lower() != "expect"]
    request = Request(method, unquote(path), unquote(query), target, headers)
    request.body = b"".join([piece async for piece in _framed(reader, headers)])
    return request


async def _read_head(reader):
    """A start line and the headers after it, as a list of (name, value)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head[:-4].split("\r\n")
    pairs = (header.partition(":") for header in rest)
    return line, [(name, value.strip()) for name, _, value in pairs]


def _body(reader, request, status_line, headers):
    """The pieces of a response's body, or None for a response that has none (RFC 9112, 6.3)."""
    status = int(status_line.split()[1])
    if request.method == "HEAD" or status in (204, 304) or status < 200:
        return None
    return _framed(reader, headers)


async def _framed(reader, headers):
    """The pieces of a body, as its headers frame it: chunked or of known length."""
    fields = {name.lower(): value for name, value in headers}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        while (await reader.readline()).strip():  # trailers
            pass
        return
    left = int(fields.get("content-length", 0))
    while left:
        piece = await reader.read(min(left, 65536))
        if not piece:
            raise ConnectionError("the body ended before its length")
        left -= len(piece)
        yield piece


def _format_request(request):
    headers = [(n, v) for n, v in request.headers
               if n.lower() not in ("transfer-encoding", "content-length")]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(request.body))))
    return _format_head(f"{request.method} {request.target} HTTP/1.1", headers) + request.body


def _format_head(line, headers):
    return "\r\n".join([line, *(f"{n}: {v}" for n, v in headers), "", ""]).encode("latin-1")


async def _send_answer(writer, request, status, headers, body):
    request.status = status
    pairs = [*headers.items(), ("Content-Length", str(len(body)))]
    writer.write(_format_head(f"HTTP/1.1 {status} {_REASONS[status][1]}", pairs) + body)
    await writer.drain()


def _make_certificate(directory, address):
    """A self-signed certificate for that address, which serves as its own CA."""
    path = directory / "cert.pem"
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                 "/CN=stentor fault proxy", "-addext", f"subjectAltName=IP:{address}",
                 "-keyout", directory / "key.pem", "-out", path])
    return path
