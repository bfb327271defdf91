"""Each fault of the two proxies, as a plain client sees it."""

import contextlib
import http.client
import json
import socket
import socketserver
import ssl
import threading
import time

import pytest

from lab.api import ApiError
from lab.faultproxy import Answer, AtByte, Delay, EditEvents, LoseAnswer, LoseRequest
from lab.objects import service
from lab.relay import Relay
from lab.wait import wait_until


@pytest.fixture
def api(control_plane, fault_proxy):
    """A client whose requests all go through the fault proxy."""
    client = control_plane.api_as("admin", server=fault_proxy.url, ca_file=fault_proxy.ca_file)
    yield client
    client.close()


def test_without_rules_all_passes_and_is_noted(api, sandbox, fault_proxy):
    api.create(service("web", sandbox.namespace))
    api.patch(sandbox.service_path("web"), {"metadata": {"labels": {"a": "b"}}})
    assert api.get(sandbox.service_path("web"))["metadata"]["labels"] == {"a": "b"}
    assert api.get_or_none(sandbox.service_path("none")) is None
    collection = f"/api/v1/namespaces/{sandbox.namespace}/services"
    assert [(r.method, r.path, r.status) for r in fault_proxy.requests(path="/services")] == [
        ("POST", collection, 201), ("PATCH", f"{collection}/web", 200),
        ("GET", f"{collection}/web", 200), ("GET", f"{collection}/none", 404)]
    assert [r.method for r in fault_proxy.writes()] == ["POST", "PATCH"]
    assert json.loads(fault_proxy.writes()[1].body) == {"metadata": {"labels": {"a": "b"}}}


def test_quiet_is_told_from_noise(api, sandbox, fault_proxy):
    """"No writes since then" is what tests of an idle controller assert."""
    sandbox_web = service("web", sandbox.namespace)
    api.create(sandbox_web)
    quiet = time.monotonic()
    api.get(sandbox.service_path("web"))
    assert fault_proxy.writes(since=quiet) == []
    api.patch(sandbox.service_path("web"), {})
    assert len(fault_proxy.writes(since=quiet)) == 1


def test_kubectl_works_through_it(sandbox, fault_proxy):
    result = sandbox.kubectl("--kubeconfig", fault_proxy.kubeconfig("admin"), "get", "namespace",
                             sandbox.namespace, "-o", "name")
    assert result.stdout.strip() == f"namespace/{sandbox.namespace}"
    assert fault_proxy.requests(path=f"/namespaces/{sandbox.namespace}$")


def test_only_http_1_is_offered(fault_proxy):
    """A client that prefers HTTP/2 is told by ALPN to use HTTP/1.1."""
    context = ssl.create_default_context(cafile=fault_proxy.ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection((fault_proxy.address, fault_proxy.port)) as plain:
        with context.wrap_socket(plain, server_hostname=fault_proxy.address) as secure:
            assert secure.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("status, reason", [
    (409, "Conflict"), (410, "Expired"), (429, "TooManyRequests"), (500, "InternalError")])
def test_answers_in_the_api_servers_place(api, sandbox, fault_proxy, status, reason):
    """So often and no more; the API server does not get to see the request."""
    sandbox.service("web")
    path = sandbox.service_path("web")
    rule = fault_proxy.rule(Answer(status), method="PATCH", path="/services/web$", times=2)
    for _ in range(2):
        with pytest.raises(ApiError) as refusal:
            api.patch(path, {"metadata": {"labels": {"a": "b"}}})
        assert (refusal.value.status, refusal.value.reason) == (status, reason)
    assert "labels" not in api.get(path)["metadata"]
    assert rule.used == 2
    assert api.patch(path, {"metadata": {"labels": {"a": "b"}}})["metadata"]["labels"] == {"a": "b"}
    assert rule.used == 2


def test_429_says_when_to_come_back(api, fault_proxy):
    fault_proxy.rule(Answer(429, retry_after=7))
    status, headers, _ = api.raw("GET", "/version")
    assert (status, headers["Retry-After"]) == (429, "7")


def test_rule_matches_the_query(api, sandbox, fault_proxy):
    path = f"/api/v1/namespaces/{sandbox.namespace}/services"
    fault_proxy.rule(Answer(410), query="continue=", times=None)
    assert api.items(path) == []
    with pytest.raises(ApiError) as refusal:
        api.get(path + "?limit=1&continue=x")
    assert refusal.value.status == 410


def test_delay_holds_a_request_back(api, fault_proxy):
    fault_proxy.rule(Delay(0.3), path="/version")
    start = time.monotonic()
    api.get("/version")
    assert time.monotonic() - start >= 0.3


def test_lost_request_is_not_done_and_lost_answer_is(api, sandbox, fault_proxy):
    """The two look the same to the client: that is what they are for."""
    for action, name in ((LoseRequest(), "one"), (LoseAnswer(), "two")):
        fault_proxy.rule(action, method="POST")
        api.close()
        with pytest.raises(OSError):
            api.create(service(name, sandbox.namespace))
    assert [s["metadata"]["name"] for s in sandbox.kubectl.get("services")] == ["two"]


class Watch:
    """A watch through the proxy that collects the raw bytes of its stream."""

    def __init__(self, proxy, control_plane, path, version):
        tls = ssl.create_default_context(cafile=proxy.ca_file)
        self._connection = http.client.HTTPSConnection(proxy.address, proxy.port, context=tls)
        self._connection.request("GET", f"{path}?watch=1&resourceVersion={version}", headers={
            "Authorization": f"Bearer {control_plane.token('admin')}"})
        self._response = self._connection.getresponse()
        self.data = b""
        self.ending = None  # "end" or "cut" when it is over
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self):
        if self._connection.sock:
            with contextlib.suppress(OSError):  # the proxy may have ended it already
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()

    def events(self):
        return [json.loads(line) for line in self.data.split(b"\n")[:-1]]

    def _read(self):
        try:
            while piece := self._response.read1():
                self.data += piece
            self.ending = "end"
        except (OSError, http.client.HTTPException):
            self.ending = "cut"


@pytest.fixture
def three_events(sandbox):
    """A collection's path and version before three Services were made in it."""
    path = f"/api/v1/namespaces/{sandbox.namespace}/services"
    version = sandbox.api.get(path)["metadata"]["resourceVersion"]
    for name in ("a", "b", "c"):
        sandbox.service(name)
    return path, version


@pytest.fixture
def watch(fault_proxy, control_plane, three_events):
    opened = []

    def start():
        opened.append(Watch(fault_proxy, control_plane, *three_events))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def _names(events):
    return [event["object"]["metadata"]["name"] for event in events]


def _whole_stream(watch):
    """The bytes of the three events, undisturbed."""
    plain = watch()
    wait_until(lambda: plain.data.count(b"\n") == 3, 10, lambda: plain.data)
    assert _names(plain.events()) == ["a", "b", "c"]
    return plain.data


@pytest.mark.parametrize("then, seen", [("cut", "cut"), ("end", "end")])
def test_watch_ends_at_the_very_byte(watch, fault_proxy, then, seen):
    """At the start, within an event, on its newline, and after it."""
    whole = _whole_stream(watch)
    first = whole.index(b"\n")
    for offset in (0, 1, first - 1, first, first + 1, first + 2, len(whole) - 1):
        fault_proxy.rule(AtByte(offset, then), query="watch=1")
        one = watch()
        wait_until(lambda one=one: one.ending, 10, lambda one=one: one.data)
        assert one.data == whole[:offset]
        assert one.ending == seen


def test_watch_stalls_and_stays_open(watch, fault_proxy):
    """Nothing comes and nothing ends: only a time-out of the client's own notices."""
    whole = _whole_stream(watch)
    fault_proxy.rule(AtByte(10, "stall"), query="watch=1")
    one = watch()
    wait_until(lambda: one.data == whole[:10], 10)
    with pytest.raises(AssertionError):
        wait_until(lambda: one.ending or len(one.data) > 10, 0.3)


@pytest.mark.parametrize("action, expected", [
    (EditEvents.duplicate(1), ["a", "b", "b", "c"]),
    (EditEvents.drop(1), ["a", "c"]),
    (EditEvents.insert(0, {"type": "ADDED", "object": {"metadata": {"name": "x"}}}),
     ["x", "a", "b", "c"]),
], ids=["duplicate", "drop", "insert"])
def test_watch_events_are_edited(watch, fault_proxy, action, expected):
    fault_proxy.rule(action, query="watch=1")
    one = watch()
    wait_until(lambda: one.data.count(b"\n") == len(expected), 10, lambda: one.data)
    assert _names(one.events()) == expected


def test_watch_event_is_truncated_and_the_next_is_whole(watch, fault_proxy):
    first, second, third, _ = _whole_stream(watch).split(b"\n")
    fault_proxy.rule(EditEvents.truncate(1, 20), query="watch=1")
    one = watch()
    wait_until(lambda: one.data.count(b"\n") == 3, 10)
    assert one.data.split(b"\n") == [first, second[:20], third, b""]


def test_watch_is_told_that_its_version_expired(watch, fault_proxy):
    fault_proxy.rule(EditEvents.expire(1), query="watch=1")
    one = watch()
    wait_until(lambda: one.data.count(b"\n") == 4, 10)
    event = one.events()[1]
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


def test_watch_goes_with_its_client(watch, fault_proxy):
    """A client that leaves a quiet watch leaves no connection behind in the proxy."""
    one = watch()
    wait_until(lambda: one.data.count(b"\n") == 3, 10)
    one.close()
    wait_until(lambda: fault_proxy.open_connections == 0, 10)


def test_cut_all_resets_open_connections(watch, fault_proxy):
    one = watch()
    wait_until(lambda: one.data.count(b"\n") == 3, 10)
    assert fault_proxy.cut_all() == 1
    wait_until(lambda: one.ending, 10)
    assert one.ending == "cut"


def test_stop_accepting_refuses_new_connections_and_keeps_old(api, control_plane, fault_proxy):
    api.get("/version")
    fault_proxy.stop_accepting()
    assert api.get("/version")
    other = control_plane.api_as("admin", server=fault_proxy.url, ca_file=fault_proxy.ca_file)
    with pytest.raises(ConnectionRefusedError):
        other.get("/version")
    fault_proxy.accept()
    assert other.get("/version")
    other.close()


class _Echo(socketserver.BaseRequestHandler):
    """Sends back what comes; on "bye" it closes."""

    def handle(self):
        with contextlib.suppress(ConnectionResetError):
            while data := self.request.recv(65536):
                self.request.sendall(data)
                if data.endswith(b"bye"):
                    return


@pytest.fixture
def echo():
    """A relay in front of an echo server, and a connected socket through it."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        relay = Relay(server.server_address)
        with socket.create_connection((relay.address, relay.port), 5) as client:
            yield relay, client
        relay.close()
        server.shutdown()


def _echoed(client, data):
    client.sendall(data)
    return _receive(client, len(data))


def _receive(client, count):
    data = b""
    while len(data) < count and (piece := client.recv(count - len(data))):
        data += piece
    return data


def test_relay_leaves_http_2_and_tls_alone(relay, control_plane):
    """What is agreed end to end is between client and API server."""
    context = ssl.create_default_context(cafile=control_plane.ca_file)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((relay.address, relay.port)) as plain:
        with context.wrap_socket(plain, server_hostname=relay.address) as secure:
            assert secure.selected_alpn_protocol() == "h2"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_relay_cuts_after_the_very_byte(echo, direction):
    relay, client = echo
    assert _echoed(client, b"before") == b"before"
    already = relay.bytes[direction]
    relay.cut_after(1000, direction)
    client.sendall(b"x" * 5000)
    received = b""
    with pytest.raises(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    assert relay.bytes[direction] - already == 1000
    assert len(received) == 1000 if direction == "down" else len(received) <= 1000


def test_relay_delays_both_directions(echo):
    relay, client = echo
    relay.delay(0.1)
    start = time.monotonic()
    assert _echoed(client, b"slow") == b"slow"
    assert time.monotonic() - start >= 0.2
    relay.delay(0)


def test_relay_freezes_and_thaws_without_loss(echo):
    relay, client = echo
    relay.freeze()
    client.sendall(b"patience")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    relay.thaw()
    client.settimeout(5)
    assert _receive(client, 8) == b"patience"


def test_relay_half_closes(echo):
    """The client reads the end of the stream, and what it still writes arrives."""
    relay, client = echo
    assert _echoed(client, b"hello") == b"hello"
    assert relay.half_close() == 1
    assert client.recv(1) == b""
    client.sendall(b"last words")
    wait_until(lambda: relay.bytes["up"] == len(b"hello" + b"last words"), 5)


def test_relay_passes_the_end_on(echo):
    _, client = echo
    assert _echoed(client, b"bye") == b"bye"
    assert client.recv(1) == b""
