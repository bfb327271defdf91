"""The API server is away, its watches break at any byte, its answers are refusals: the controller
comes back to what should be, and meanwhile and afterwards nothing that was valid has changed."""

import contextlib
import json
import math
import os
import threading
import time

import pytest

from lab import promises
from lab.api import ApiError, History
from lab.controller import Controller
from lab.controlplane import ControlPlane
from lab.faultproxy import Action, Answer, Delay, EditEvents, Editor, LoseAnswer, LoseRequest
from lab.objects import ingress_addresses, pool, service
from lab.programs import REPOSITORY
from lab.story import given, shown
from lab.wait import stays, wait_until

OUTAGE_SECONDS = float(os.environ.get("STENTOR_OUTAGE_SECONDS", "60"))
SERVICES_WATCH = {"path": "^/api/v1/services$", "query": "watch="}
STATUS = {"method": "PATCH", "path": "/services/.*/status$"}


def path_of(namespace):
    return f"/api/v1/namespaces/{namespace}/services"


def look(box, name):
    return shown(box.api.get(box.service_path(name)))


def versions(api, namespace):
    """{name: resourceVersion} of the Services of a namespace."""
    return {s["metadata"]["name"]: s["metadata"]["resourceVersion"] for s in api.items(path_of(namespace))}


def check(history, api, namespace, gaps=0):
    """What the history must tell, whatever happened."""
    last = max((int(version) for version in versions(api, namespace).values()), default=0)
    wait_until(lambda: history.reached(last), 10, lambda: f"{last} {history.error} {history.events[-1:]}",
               "the history is complete")
    assert history.gaps <= gaps
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []


@pytest.fixture
def history(crds):
    with History(crds.api, path_of(crds.namespace)) as one:
        yield one


@pytest.fixture
def behind_proxy(crds, controller, fault_proxy):
    """A controller whose requests all go through the fault proxy, with a pool and a Service."""
    crds.api.apply(pool("a", "192.0.2.0/24"))
    one = controller(kubeconfig=fault_proxy.kubeconfig("controller"))
    crds.service("first")
    wait_until(lambda: look(crds, "first") == given("192.0.2.0", pool="a"), 15)
    return one


@pytest.fixture(scope="module")
def plane_to_stop(run):
    """A control plane that may be stopped."""
    plane = ControlPlane(run)
    plane.install_crds(REPOSITORY / "crd" / "schemas")
    yield plane
    plane.stop()


@pytest.fixture
def own_plane(plane_to_stop, evidence):
    """The same, with nothing in it."""
    evidence.add("control-plane.txt", plane_to_stop.describe)
    yield plane_to_stop
    api = plane_to_stop.api
    api.delete(path_of("default"))
    api.delete("/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools")


def allocations(api):
    return {s["metadata"]["name"]: tuple(ingress_addresses(s)) for s in api.items(path_of("default"))
            if s["spec"]["type"] == "LoadBalancer"}


def test_api_server_away_for_a_minute(own_plane, controller, record_property):
    """The controller lives on, answers from what it knows, does not hammer, and when the server is
    back goes on where it was."""
    api = own_plane.api
    api.create(pool("a", "192.0.2.0-192.0.2.39"))
    one = controller(kubeconfig=own_plane.kubeconfig("controller"))
    with History(api, path_of("default")) as history:
        for i in range(50):
            api.create(service(f"s{i:02}"))
        wait_until(lambda: sum(map(bool, allocations(api).values())) == 40, 30, what="forty have addresses")
        wait_until(lambda: all(shown(s).status for s in api.items(path_of("default"))
                               if s["spec"]["type"] == "LoadBalancer"), 30, what="all are decided for")
        before, had = allocations(api), versions(api, "default")
        own_plane.stop_apiserver()
        start = one.process.cpu_seconds()
        stays(lambda: one.process.alive and rest_allocations(one) == before
              and one.get("/healthz", one.health_port), OUTAGE_SECONDS, one.process.describe,
              "the controller answers from what it knows")
        record_property("cpu_seconds_in_outage", one.process.cpu_seconds() - start)
        assert one.process.cpu_seconds() - start < max(1, OUTAGE_SECONDS / 10)
        own_plane.restart_apiserver()
        back = time.monotonic()
        for i in range(5):
            api.delete(f"{path_of('default')}/s{i:02}")
            api.create(service(f"t{i:02}"))
        wait_until(lambda: sum(map(bool, allocations(api).values())) == 40, 60, one.process.describe,
                   "what became free is given again")
        print(f"after the outage it took {time.monotonic() - back:.2f} s")
        after = versions(api, "default")
        for name, ips in before.items():
            assert not ips or name not in after or after[name] == had[name]
        check(history, api, "default", gaps=1)


def rest_allocations(one):
    return {s["name"]: tuple(s["ips"]) for s in one.rest("/api/v1/services")["services"]}


class CutEverywhere(Action):
    """Ends each watch inside its second event: the first watch before that event's first byte, the
    next after one byte of it, and so on, until one has let the whole event pass. Mostly in good
    form, every 32nd by a reset."""

    def __init__(self):
        self.cuts = 0
        self.is_done = False

    def body_editor(self):
        return None if self.is_done else _CutEditor(self)


class _CutEditor(Editor):
    def __init__(self, action):
        self._action = action
        self._then = "end" if action.cuts % 32 else "cut"
        self._left = None  # of the second event, once the first has passed

    def feed(self, data):
        first = b""
        if self._left is None:
            end = data.find(b"\n") + 1
            if not end:
                return data
            first, data = data[:end], data[end:]
            self._left = self._action.cuts
        passed = data[:self._left]
        self._left -= len(passed)
        self._action.is_done |= b"\n" in passed
        if self._left == 0 or self._action.is_done:
            self._action.cuts += 1
            self.ending = self._then
        return first + passed


def test_watch_cut_at_every_byte_of_an_event(crds, behind_proxy, fault_proxy, history):
    """The stream of Services ends after each number of bytes of an event in turn. Every Service
    that is made meanwhile gets its address."""
    made = ["first"]
    stop = threading.Event()
    cut = CutEverywhere()
    fault_proxy.rule(cut, times=None, **SERVICES_WATCH)
    fault_proxy.cut_all()  # the watch that is open now knows of no rule
    # Each watch needs a whole event and one more: somebody changes a label, a few times ahead.
    toucher = threading.Thread(target=touch, args=(crds, "first", stop, lambda: cut.cuts + 4))
    toucher.start()
    try:
        while not cut.is_done:
            cuts = cut.cuts
            made.append(f"at-{cuts}")
            crds.service(made[-1])
            wait_until(lambda cuts=cuts: cut.is_done or cut.cuts > cuts + 100, 60,
                       [behind_proxy.process.describe, fault_proxy.describe], "the watch is cut on and on")
    finally:
        stop.set()
        toucher.join()
    print(f"cut at {cut.cuts} offsets")
    assert 500 < cut.cuts < 5000
    wait_until(lambda: all(look(crds, name).status == "True" for name in made), 30,
               [behind_proxy.process.describe, fault_proxy.describe])
    check(history, crds.api, crds.namespace)


def touch(box, name, stop, limit=lambda: math.inf):
    """Changes a label of the Service again and again, up to limit() times. Who wrote what of it is
    not kept, so that the event is short."""
    n = 0
    while not stop.wait(0.002 if n >= limit() else 0):
        if n >= limit():
            continue
        n += 1
        with contextlib.suppress(ApiError):  # a conflict with a write of ours, or deleted meanwhile
            box.api.patch(box.service_path(name), {"metadata": {"labels": {"n": f"{n:06}"},
                                                                "managedFields": [{}]}})


EXPIRED = json.dumps({"type": "ERROR", "object": json.loads(Answer(410).answer[2])}).encode() + b"\n"
EVENTS = {
    "told_410": EditEvents.expire(0),
    "dropped_and_told_410": EditEvents(lambda i, line: EXPIRED if i == 0 else line),
    "answered_410": Answer(410),
    "answered_429": Answer(429, retry_after=1),
    "answered_500": Answer(500),
    "answered_with_words": Answer(500, body=b"<html>bad gateway</html>"),
    "truncated": EditEvents.truncate(0, 40),
    "duplicated": EditEvents.duplicate(0),
    "no_json": EditEvents.insert(0, b"}{\n"),
    "unknown_type": EditEvents.insert(0, {"type": "PERHAPS", "object": {"kind": "Service"}}),
    "error_of_no_known_kind": EditEvents.insert(0, {"type": "ERROR", "object": {"code": 500}}),
    "lost": LoseRequest(),
}


@pytest.mark.parametrize("action", EVENTS.values(), ids=EVENTS.keys())
def test_watch_goes_wrong(crds, behind_proxy, fault_proxy, history, action):
    """Whatever the watch of Services brings, what was missed is found: a Service that was deleted
    meanwhile is let go, and a new one is served."""
    rule = fault_proxy.rule(action, **SERVICES_WATCH)
    fault_proxy.cut_all()
    wait_until(lambda: rule.used, 15, fault_proxy.describe, "the watch has met the fault")
    crds.api.delete(crds.service_path("first"))
    wait_until(lambda: not rest_allocations(behind_proxy), 20,
               [behind_proxy.process.describe, fault_proxy.describe], "its deletion is known")
    crds.service("second")
    wait_until(lambda: look(crds, "second") == given("192.0.2.0", pool="a"), 20,
               [behind_proxy.process.describe, fault_proxy.describe])
    check(history, crds.api, crds.namespace)


WRITES = {
    "409": Answer(409), "429": Answer(429, retry_after=1), "429_without_a_time": Answer(429),
    "500": Answer(500), "503": Answer(503), "410": Answer(410),
    "no_json": Answer(500, body=b"\xff\xfe{"), "slow": Delay(0.3),
    "request_lost": LoseRequest(), "answer_lost": LoseAnswer(),
}


@pytest.mark.parametrize("action", WRITES.values(), ids=WRITES.keys())
def test_write_goes_wrong(crds, behind_proxy, fault_proxy, history, action):
    """A write that is refused, lost or of unknown fate is made again; the address stays the one
    that was decided, and is given once."""
    rule = fault_proxy.rule(action, **STATUS, times=3)
    crds.service("second")
    wait_until(lambda: look(crds, "second") == given("192.0.2.1", pool="a"), 20,
               [behind_proxy.process.describe, fault_proxy.describe])
    assert rule.used >= 1
    check(history, crds.api, crds.namespace)
    assert promises.assigned(history) == 1  # "first" was there before the history began


def test_real_conflicts(crds, behind_proxy, fault_proxy, history):
    """Somebody else changes the Service whenever we are about to write it."""
    crds.service("second")
    wait_until(lambda: look(crds, "second").status, 15)
    fault_proxy.rule(Delay(0.2), **STATUS, times=5)
    crds.api.delete(crds.service_path("second"))
    crds.service("second")
    done = threading.Event()
    meddler = threading.Thread(target=touch, args=(crds, "second", done))
    meddler.start()
    wait_until(lambda: any(r.status == 409 for r in fault_proxy.requests(**STATUS)), 15,
               fault_proxy.describe, "a write has met a conflict")
    done.set()
    meddler.join()
    wait_until(lambda: look(crds, "second") == given("192.0.2.1", pool="a"), 20, behind_proxy.process.describe)
    check(history, crds.api, crds.namespace)


def test_refused_for_lack_of_rights(crds, behind_proxy, fault_proxy, history):
    """A write that is forbidden holds up nobody else, and is made once it is allowed."""
    forbidden = fault_proxy.rule(Answer(403), method="PATCH", path="/services/poor/status$", times=None)
    crds.service("poor")
    wait_until(lambda: forbidden.used, 15)
    crds.service("rich")
    wait_until(lambda: look(crds, "rich") == given("192.0.2.2", pool="a"), 15, behind_proxy.process.describe)
    fault_proxy.clear_rules()
    wait_until(lambda: look(crds, "poor") == given("192.0.2.1", pool="a"), 45, behind_proxy.process.describe)
    check(history, crds.api, crds.namespace)


def ours(fault_proxy, since):
    """Writes of ours but for the Lease's renewals."""
    return [r for r in fault_proxy.writes(since=since) if "/leases/" not in r.path]


def test_nothing_is_written_while_nothing_changes(crds, behind_proxy, controller, fault_proxy):
    """Neither by a controller that has settled, nor by the next one at its start."""
    for i in range(20):
        crds.service(f"s{i}")
    wait_until(lambda: len(rest_allocations(behind_proxy)) == 21
               and crds.kubectl.get("ipaddresspool", "a", crds.system)["status"].get("assignedIPv4") == 21,
               20, behind_proxy.process.describe, "all is settled")
    wait_until(lambda: not fault_proxy.requests(since=time.monotonic() - 1, path="/services|/ipaddresspools"), 15)
    quiet = time.monotonic()
    stays(lambda: not ours(fault_proxy, quiet), 5, fault_proxy.describe, "nothing is written")
    assert {r.path.rsplit("/", 2)[1] for r in fault_proxy.requests(since=quiet)} <= {"leases"}
    behind_proxy.finish()
    before, again = versions(crds.api, crds.namespace), time.monotonic()
    controller(kubeconfig=fault_proxy.kubeconfig("controller"))
    stays(lambda: not ours(fault_proxy, again), 3,
          lambda: [(str(r), r.body) for r in ours(fault_proxy, again)], "nothing is written after a start")
    assert versions(crds.api, crds.namespace) == before


def test_frozen_connection(crds, controller, relay, control_plane, history):
    """Nothing comes and nothing breaks, on HTTP/2 as it is: the controller stops leading before its
    lease ends, and leads again when the way is free."""
    crds.api.apply(pool("a", "192.0.2.0/24"))
    one = controller(kubeconfig=control_plane.kubeconfig("controller", server=relay.url))
    crds.service("first")
    wait_until(lambda: look(crds, "first") == given("192.0.2.0", pool="a"), 15)
    relay.freeze()
    wait_until(lambda: one.metrics()["stentor_controller_leader"] == 0, 15, one.process.describe)
    crds.service("second")
    relay.thaw()
    wait_until(lambda: look(crds, "second") == given("192.0.2.1", pool="a"), 30, one.process.describe)
    check(history, crds.api, crds.namespace)


def test_server_closes_its_side(crds, controller, relay, control_plane, history):
    """The API server ends all connections in good form, as at its own restart: the controller
    comes back by itself."""
    crds.api.apply(pool("a", "192.0.2.0/24"))
    one = controller(kubeconfig=control_plane.kubeconfig("controller", server=relay.url))
    for i in range(3):
        assert relay.half_close() > 0
        crds.service(f"s{i}")
        wait_until(lambda i=i: look(crds, f"s{i}") == given(f"192.0.2.{i}", pool="a"), 20, one.process.describe)
    check(history, crds.api, crds.namespace)


def test_rights_come_late(own_plane, run, evidence):
    """Started before it may read anything, the controller says so and serves as soon as it may."""
    api = own_plane.api
    binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/metallb-system:controller"
    kept = api.get(binding)
    api.delete(binding)
    one = Controller(run, own_plane.kubeconfig("controller"))
    evidence.add_process(one.process)
    api.create(pool("a", "192.0.2.0/24"))
    api.create(service("web"))
    one.process.wait_log("(?i)forbidden", 20)
    assert not one.is_ready()
    with pytest.raises(ApiError):
        own_plane.api_as("controller").items("/api/v1/services")
    api.create({k: v for k, v in kept.items() if k != "metadata"}
               | {"metadata": {"name": "metallb-system:controller"}})
    wait_until(lambda: allocations(api) == {"web": ("192.0.2.0",)}, 60, one.process.describe)
    one.finish()
