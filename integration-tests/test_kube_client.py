"""The Kubernetes client (common/kube and the source on it), driven by kube-probe.

Promises: what the source tells is what the API server holds, each change once, whatever
happens between the two; nothing is ever taken back because of an error; writes, leases and
Events behave as the API asks of them; no credential is used beyond its life."""

import base64
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.api import History
from lab.controlplane import ControlPlane, kubeconfig_object
from lab.faultproxy import Answer, AtByte, Delay, EditEvents, Hold, LoseAnswer
from lab.kubeprobe import KubeProbe
from lab.objects import pool, service
from lab.process import run_command
from lab.programs import REPOSITORY
from lab.relay import Relay
from lab.wait import wait_until


@pytest.fixture
def probe(run, evidence):
    """probe(ARGUMENT, …) starts a kube-probe; it must end well. See lab.kubeprobe."""
    started = []

    def start(*arguments, **options):
        one = KubeProbe(run, *arguments, **options)
        started.append(one)
        evidence.add_process(one)
        return one

    yield start
    for one in reversed(started):
        one.finish()


def config_map(name, namespace, data="x"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"d": data},
            "metadata": {"name": name, "namespace": namespace}}


class Maps:
    """ConfigMaps of one Kubernetes namespace: the smallest objects there are."""

    def __init__(self, api, namespace):
        self.api = api
        self.namespace = namespace
        self.follow = f"ConfigMap@{namespace}"
        self.path = f"/api/v1/namespaces/{namespace}/configmaps"

    def id(self, name):
        return f"ConfigMap/{self.namespace}/{name}"

    def create(self, name, data="x"):
        """Returns its resourceVersion, as the others do."""
        return _version(self.api.create(config_map(name, self.namespace, data)))

    def change(self, name, data):
        return _version(self.api.patch(f"{self.path}/{name}", {"data": {"d": data}}))

    def delete(self, name):
        self.api.delete(f"{self.path}/{name}")

    def all(self):
        """{"namespace/name": resourceVersion}, as the API server holds them."""
        return {f"{self.namespace}/{m['metadata']['name']}": _version(m)
                for m in self.api.items(self.path)}


@pytest.fixture
def maps(sandbox):
    return Maps(sandbox.api, sandbox.namespace)


def _version(obj):
    return obj["metadata"]["resourceVersion"]


def test_list_and_watch(probe, control_plane, maps):
    """Every change is told once, in order, with the versions that the server has."""
    first = maps.create("a")
    one = probe("--kubeconfig", control_plane.kubeconfig(), maps.follow).synced()
    second = maps.change("a", "y")
    third = maps.create("b")
    maps.delete("a")
    one.told(maps.id("a"), None)
    one.told(maps.id("b"), third)
    assert one.versions(maps.id("a")) == [first, second, None]
    assert one.versions(maps.id("b")) == [third]
    assert one.objects("ConfigMap") == maps.all()
    before = one.do("refresh")
    one.synced(after=before)
    assert one.versions(maps.id("b")) == [third], "an unchanged object was told again"


def test_only_the_followed_namespace(probe, control_plane, maps, sandbox):
    """Objects of other namespaces are neither told nor kept."""
    one = probe("--kubeconfig", control_plane.kubeconfig(), maps.follow).synced()
    other = sandbox.api.create(config_map("elsewhere", "default"))
    try:
        one.told(maps.id("a"), maps.create("a"))
        assert one.objects("ConfigMap") == maps.all()
    finally:
        sandbox.api.delete(sandbox.api.path_of(other))


def test_list_in_pages(probe, control_plane, fault_proxy, maps):
    """A long list comes in several pages, and all of it arrives."""
    with ThreadPoolExecutor(8) as pool_of_threads:
        list(pool_of_threads.map(maps.create, (f"m{i}" for i in range(600))))
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    assert one.objects("ConfigMap") == maps.all()
    pages = fault_proxy.requests("GET", "/configmaps$", "limit=250")
    assert len(pages) == 3 and sum("continue=" in p.query for p in pages) == 2


def test_page_token_expires(probe, fault_proxy, maps):
    """A list whose next page is gone starts over, and nothing is missing or told twice."""
    with ThreadPoolExecutor(8) as pool_of_threads:
        list(pool_of_threads.map(maps.create, (f"m{i}" for i in range(300))))
    rule = fault_proxy.rule(Answer(410), path="/configmaps$", query="continue=")
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    assert rule.used == 1
    assert one.objects("ConfigMap") == maps.all()
    assert all(len(one.versions(maps.id(f"m{i}"))) == 1 for i in range(300))


def test_watch_cut_at_every_byte(probe, fault_proxy, run, control_plane):
    """A watch that is cut at any byte of an event loses nothing and repeats nothing."""
    lanes = [Maps(control_plane.api_as("admin"), run.unique("cut")) for _ in range(8)]
    for lane in lanes:
        lane.api.create({"apiVersion": "v1", "kind": "Namespace",
                         "metadata": {"name": lane.namespace}})
        lane.wanted = [lane.create("m", "0")]
    raw = lanes[0].api.raw
    query = f"?watch=1&timeoutSeconds=1&resourceVersion={int(lanes[0].wanted[0]) - 1}"
    length = len(raw("GET", lanes[0].path + query)[2])
    probes = [probe("--kubeconfig", fault_proxy.kubeconfig("admin"), lane.follow).synced()
              for lane in lanes]
    for start in range(0, length + 2, len(lanes)):
        rules = [fault_proxy.rule(AtByte(start + i, "cut"), path=f"/{lane.namespace}/",
                                  query="watch=1") for i, lane in enumerate(lanes)]
        fault_proxy.cut_all()
        for lane, rule in zip(lanes, rules):
            wait_until(lambda rule=rule: rule.used, 20, fault_proxy.describe, "the watch is back")
            lane.wanted.append(lane.change("m", str(start + 10000)))
        for lane, one in zip(lanes, probes):
            one.told(lane.id("m"), lane.wanted[-1])
    for lane, one in zip(lanes, probes):
        assert one.versions(lane.id("m")) == lane.wanted
    for lane in lanes:
        lane.delete("m")


def test_watch_ends_in_good_form(probe, fault_proxy, maps):
    """A watch that the server ends, as it does every few minutes, goes on where it was."""
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    rule = fault_proxy.rule(AtByte(1, "end"), query="watch=1")
    fault_proxy.cut_all()
    wait_until(lambda: rule.used, 20, fault_proxy.describe, "the watch is back")
    versions = [maps.create("a")]
    one.told(maps.id("a"), versions[0])
    versions.append(maps.change("a", "y"))
    one.told(maps.id("a"), versions[1])
    assert one.versions(maps.id("a")) == versions
    assert one.counts()["lists"] == 1, "a list was made without need"


@pytest.mark.parametrize("fault", [
    pytest.param(lambda: Answer(410), id="answer"),
    pytest.param(lambda: EditEvents.expire(0), id="event"),
])
def test_expired_watch(probe, fault_proxy, maps, fault):
    """After 410 Gone a new list makes good what was missed, deletions included, and what did not
    change is not told again."""
    kept, gone, changed = (maps.create(name) for name in ("kept", "gone", "changed"))
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    wait_until(lambda: fault_proxy.requests(query="watch=1"), 20, what="the watch is there to be cut")
    fault_proxy.stop_accepting()
    fault_proxy.cut_all()
    maps.delete("gone")
    changed_again = maps.change("changed", "y")
    new = maps.create("new")
    rule = fault_proxy.rule(fault(), query="watch=1")
    fault_proxy.accept()
    one.told(maps.id("gone"), None)
    one.told(maps.id("new"), new)
    assert rule.used == 1
    assert one.versions(maps.id("gone")) == [gone, None]
    assert one.versions(maps.id("changed")) == [changed, changed_again]
    assert one.versions(maps.id("kept")) == [kept]
    last = maps.change("kept", "z")
    one.told(maps.id("kept"), last)


def test_events_doubled_and_spoiled(probe, fault_proxy, maps):
    """An event that comes twice is told once; one that is no JSON is made good by a list."""
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    versions = []
    for action in (EditEvents.duplicate(0), EditEvents.truncate(0, 40)):
        rule = fault_proxy.rule(action, query="watch=1")
        fault_proxy.cut_all()
        wait_until(lambda rule=rule: rule.used, 20, fault_proxy.describe, "the watch is back")
        versions.append(maps.change("a", str(action)) if versions else maps.create("a"))
        one.told(maps.id("a"), versions[-1])
    last = maps.create("b")
    one.told(maps.id("b"), last)
    assert one.versions(maps.id("a")) == versions


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_faults(probe, fault_proxy, maps, seed):
    """Under random changes and random faults each object's story is told in order, with versions
    that it really had, and in the end the cache is what the server holds."""
    chance = random.Random(seed)
    faults = (lambda: Answer(410), lambda: Answer(500), lambda: EditEvents.expire(chance.randrange(3)),
              lambda: EditEvents.duplicate(chance.randrange(3)),
              lambda: EditEvents.truncate(chance.randrange(3), chance.randrange(300)),
              lambda: AtByte(chance.randrange(2000), chance.choice(("cut", "end"))))
    there = set()
    with History(maps.api, maps.path) as history:
        one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
        fault = None
        for i in range(400):
            name = f"m{chance.randrange(8)}"
            if name not in there:
                maps.create(name, str(i))
                there.add(name)
            elif chance.random() < 0.3:
                maps.delete(name)
                there.remove(name)
            else:
                maps.change(name, str(i))
            if chance.random() < 0.05:
                # Changes go on during a fault; the next one waits until this one was met. A count of
                # watches would not tell: one may be on its way that cut_all() cannot reach yet.
                wait_until(lambda: fault is None or fault.used, 90, [one.describe, fault_proxy.describe],
                           "the last fault was met")
                fault = fault_proxy.rule(chance.choice(faults)(), path="/configmaps", query="watch=1")
                fault_proxy.cut_all()
        fault_proxy.clear_rules()
        wait_until(lambda: one.objects("ConfigMap") == maps.all(), 40, one.describe,
                   "the cache holds what the server holds")
        last = _version(maps.api.create(config_map("last", maps.namespace)))
        one.told(maps.id("last"), last)
        wait_until(lambda: history.reached(last), 20)
        assert one.counts()["watches"] > 5 and one.counts()["lists"] > 1, "hardly any fault was met"
    for name in (f"m{i}" for i in range(8)):
        had = iter([None if kind == "DELETED" else _version(obj) for kind, obj in history.events
                    if kind != "BOOKMARK" and obj["metadata"]["name"] == name])
        assert all(version in had for version in one.versions(maps.id(name))), name


def test_object_over_the_limit(probe, control_plane, maps):
    """An object that is too large is named and passed over; all others are served, and it is
    served too once it is small enough."""
    large = maps.create("large", "x" * 5000)
    small = maps.create("small")
    one = probe("--kubeconfig", control_plane.kubeconfig(), "--object-max", "3000",
                maps.follow).synced()
    one.wait_finding(maps.id("large"), "larger than the limit")
    assert one.objects("ConfigMap") == {f"{maps.namespace}/small": small}
    one.told(maps.id("large"), maps.change("large", "y"))
    one.wait_finding(maps.id("large"), None)
    kept = maps.change("small", "y")
    one.told(maps.id("small"), kept)
    maps.change("small", "y" * 5000)
    one.wait_finding(maps.id("small"), "larger than the limit")
    assert one.objects("ConfigMap")[f"{maps.namespace}/small"] == kept, "the last good one stays"
    maps.delete("small")
    one.told(maps.id("small"), None)
    one.wait_finding(maps.id("small"), None)
    assert one.counts()["skipped"] == 2 and large not in one.versions(maps.id("large"))


def test_kind_installed_later(probe, run, evidence):
    """A kind that the server does not know holds nothing up, and is followed once it is there."""
    plane = ControlPlane(run)
    evidence.add_process(plane.apiserver)
    try:
        one = probe("--kubeconfig", plane.kubeconfig(), "IPAddressPool", "Namespace").synced()
        one.wait_finding("IPAddressPool", "not installed")
        plane.install_crds(REPOSITORY / "crd" / "schemas")
        created = plane.api.create(pool("p", "192.0.2.0/24"))
        one.told("IPAddressPool/metallb-system/p", _version(created), seconds=40)
        one.wait_finding("IPAddressPool", None)
    finally:
        plane.stop()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_api_server_outage(probe, run, evidence, end):
    """While the API server is away nothing is forgotten; when it is back what changed is told,
    and nothing else. Killed, or stopped in good order (GOAWAY)."""
    plane = ControlPlane(run)
    evidence.add_process(plane.apiserver)
    try:
        maps = Maps(plane.api, "default")
        first = maps.create("a")
        one = probe("--kubeconfig", plane.kubeconfig(), maps.follow).synced()
        held = one.objects("ConfigMap")
        assert held[f"default/a"] == first
        said = len(one.said)
        getattr(plane.apiserver, end)()
        one.wait_finding("ConfigMap", "cannot be followed")
        assert one.objects("ConfigMap") == held
        result, _ = one.write("patch", "ConfigMap", "default", "a", {"data": {"d": "z"}})
        assert result != "ok"
        plane.restart_apiserver()
        new = Maps(plane.api, "default").create("b")
        one.told("ConfigMap/default/b", new, seconds=30)
        one.wait_finding("ConfigMap", None)
        changed = [line["changed"] for line in one.said[said:] if "changed" in line]
        assert changed == ["ConfigMap/default/b"]
    finally:
        plane.stop()


@pytest.mark.parametrize("answer", [500, 429, 503, 403])
def test_lists_refused_at_first(probe, fault_proxy, maps, answer):
    """A list that is refused is asked for again, and says so meanwhile."""
    version = maps.create("a")
    rule = fault_proxy.rule(Answer(answer, retry_after=1 if answer == 429 else None),
                            path="/configmaps$", times=2)
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow)
    one.wait_finding("ConfigMap", "the fault proxy says")
    one.synced()
    one.wait_finding("ConfigMap", None)
    assert rule.used == 2
    one.told(maps.id("a"), version)
    if answer == 429:
        first, second, *_ = fault_proxy.requests("GET", "/configmaps$", "limit=")
        assert second.seconds - first.seconds >= 1, "Retry-After was not honoured"


def test_what_may_not_be_read(probe, fault_proxy, maps):
    """An optional kind holds nothing up, says so, and is followed once it may be."""
    rule = fault_proxy.rule(Answer(403), path="/configmaps$", times=None)
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow.replace("ConfigMap", "ConfigMap?"),
                "Namespace").synced()
    one.wait_finding("ConfigMap", "the fault proxy says")
    version = maps.create("a")
    rule.times = rule.used
    one.told(maps.id("a"), version, seconds=40)
    one.wait_finding("ConfigMap", None)


def test_connection_half_closed(probe, control_plane, relay, maps):
    """A server that closes its side of the connection is connected to anew, over HTTP/2."""
    kubeconfig = control_plane.kubeconfig(server=relay.url)
    one = probe("--kubeconfig", kubeconfig, maps.follow).synced()
    wait_until(lambda: relay.open_connections == 2, 20, one.describe, "one for watches, one for the rest")
    for i in range(3):
        relay.half_close()
        one.told(maps.id(f"m{i}"), maps.create(f"m{i}"))
    assert one.objects("ConfigMap") == maps.all()


def test_connection_cut_within_http2(probe, control_plane, relay, maps):
    """Cut at any place of an HTTP/2 connection, writes and watches go on on a new one."""
    one = probe("--kubeconfig", control_plane.kubeconfig(server=relay.url), maps.follow).synced()
    version = maps.create("a")
    one.told(maps.id("a"), version)
    for i, count in enumerate((1, 7, 9, 40, 100, 300, 700, 1500)):
        relay.cut_after(count)
        result, line = one.write("patch", "ConfigMap", maps.namespace, "a",
                                 {"data": {"d": f"x{i}"}})
        if result != "ok":  # cut while the answer was on its way: perhaps done, perhaps not
            result, line = one.write("patch", "ConfigMap", maps.namespace, "a",
                                     {"data": {"d": f"y{i}"}})
        assert result == "ok", line
        wait_until(lambda: one.objects("ConfigMap") == maps.all(), 20, one.describe,
                   "the cache holds what the server holds")


def test_silent_connection_is_replaced(probe, control_plane, relay, maps):
    """A connection on which nothing comes any more is noticed without help and replaced."""
    one = probe("--kubeconfig", control_plane.kubeconfig(server=relay.url), maps.follow).synced()
    wait_until(lambda: relay.open_connections == 2, 20, one.describe, "one for watches, one for the rest")
    relay.freeze()
    wait_until(lambda: relay.open_connections == 3, 60, one.describe, "a new connection is made")
    relay.thaw()
    one.told(maps.id("a"), maps.create("a"))


def test_writes(probe, control_plane, crds):
    """Each verb does what it says, and each outcome has its name."""
    one = probe("--kubeconfig", control_plane.kubeconfig(), f"Service@{crds.namespace}").synced()
    ns = crds.namespace
    result, line = one.write("create", "Service", ns, "", service("web", ns))
    assert result == "ok"
    one.told(f"Service/{ns}/web", line["version"])
    ingress = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    result, line = one.write("patch-status", "Service", ns, "web", {
        **ingress, "metadata": {"annotations": {"a": "b"}, "resourceVersion": line["version"]}})
    assert result == "ok"
    stored = crds.api.get(crds.service_path("web"))
    assert _version(stored) == line["version"]
    assert stored["metadata"]["annotations"] == {"a": "b"}
    assert stored["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.0.2.1"

    stale = {**ingress, "metadata": {"resourceVersion": "1"}}
    assert one.write("patch-status", "Service", ns, "web", stale)[0] == "changed meanwhile"
    assert one.write("patch", "Service", ns, "none", {})[0] == "No such file or directory"
    result, line = one.write("patch", "Service", ns, "web", {"spec": {"ports": "no"}})
    assert result == "the other side reported an error" and "ports" in line["message"]

    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}
    assert one.write("apply", "ConfigMap", ns, "c", applied)[0] == "ok"
    stored = crds.api.get(f"/api/v1/namespaces/{ns}/configmaps/c")
    assert stored["data"] == {"k": "v"}
    assert [m["manager"] for m in stored["metadata"]["managedFields"]] == ["kube-probe"]
    assert one.write("delete", "Service", ns, "web", None)[0] == "ok"
    one.told(f"Service/{ns}/web", None)


def test_many_writes_at_once(probe, control_plane, relay, maps):
    """Hundreds of writes share one connection, each is answered once, and the watch beside them
    is never too slow for the API server."""
    names = [f"m{i}" for i in range(400)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(maps.create, names))
    one = probe("--kubeconfig", control_plane.kubeconfig(server=relay.url), maps.follow).synced()
    before = len(one.said)
    for name in names:
        one.do("write", id=name, verb="patch", kind="ConfigMap", namespace=maps.namespace,
               name=name, body={"data": {"d": "y"}})
    wait_until(lambda: sum("wrote" in line for line in one.said[before:]) == len(names), 60,
               one.describe, "all writes are answered")
    wrote = {line["wrote"]: line for line in one.said[before:] if "wrote" in line}
    assert all(wrote[name]["result"] == "ok" for name in names)
    for name in names:
        one.told(maps.id(name), wrote[name]["version"])
    wait_until(lambda: relay.open_connections == 2, 20, one.describe, "one for watches, one for the rest")
    assert one.counts()["watches"] == 1


def test_writes_turned_away(probe, fault_proxy, maps):
    """429 is a pause and then the same write again; 409 and 500 are told as they are; after a lost
    answer the write is sent again, so with a precondition it meets itself."""
    maps.create("a")
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()

    def write():
        return one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "new"}})[0]

    pause = fault_proxy.rule(Answer(429, retry_after=1), method="PATCH", times=2)
    assert write() == "ok" and pause.used == 2
    first, second, third = fault_proxy.requests("PATCH")
    assert second.seconds - first.seconds >= 1 and third.seconds - second.seconds >= 1
    fault_proxy.rule(Answer(409), method="PATCH")
    assert write() == "changed meanwhile"
    fault_proxy.rule(Answer(500), method="PATCH")
    assert write() == "Resource temporarily unavailable"
    rule = fault_proxy.rule(LoseAnswer(), method="PATCH")
    version = _version(maps.api.get(f"{maps.path}/a"))
    result, _ = one.write("patch", "ConfigMap", maps.namespace, "a",
                          {"metadata": {"resourceVersion": version}, "data": {"d": "last"}})
    assert rule.used == 1 and result == "changed meanwhile"
    assert maps.api.get(f"{maps.path}/a")["data"] == {"d": "last"}


def test_events(probe, control_plane, sandbox):
    """An Event is there for kubectl; a repetition is counted in it, a return is a new one."""
    sandbox.service("web")
    ns = sandbox.namespace
    one = probe("--kubeconfig", control_plane.kubeconfig(), f"Service@{ns}").synced()
    for message in ("first", "first", "second", "first"):
        one.do("event", kind="Service", namespace=ns, name="web", reason="IPAllocated",
               action="Allocate", message=message)
    wait_until(lambda: one.counts()["eventsSent"] == 4, 20, one.describe)
    events = sandbox.api.items(f"/apis/events.k8s.io/v1/namespaces/{ns}/events")
    found = sorted((e["note"], e.get("series", {}).get("count", 1)) for e in events)
    assert found == [("first", 1), ("first", 2), ("second", 1)]
    assert all(e["reportingController"] == "stentor.io/kube-probe" for e in events)
    described = sandbox.kubectl("describe", "service", "web").stdout
    assert "IPAllocated" in described and "(x2 over" in described


def test_events_behind_writes(probe, fault_proxy, maps):
    """While many writes are under way Events go one by one; else several are sent at once."""
    maps.create("a")
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    answered = 0.3

    def tell(names):
        for name in names:
            one.do("event", kind="ConfigMap", namespace=maps.namespace, name="a", reason="Told",
                   action="Tell", message=name)

    writes = Hold()
    fault_proxy.rule(writes, method="PATCH", path="configmaps", times=8)
    for number in range(8):
        one.do("write", id=f"w{number}", verb="patch", kind="ConfigMap", namespace=maps.namespace,
               name="a", body={"data": {"d": "new"}})
    wait_until(lambda: len(fault_proxy.requests("PATCH")) == 8, 20, one.describe)
    fault_proxy.rule(Delay(answered), method="POST", path="events", times=3)
    tell(["first", "second", "third"])
    wait_until(lambda: one.counts()["eventsSent"] == 3, 20, one.describe)
    sent = [request.seconds for request in fault_proxy.requests("POST", "events")]
    assert all(later - earlier >= answered for earlier, later in zip(sent, sent[1:])), sent

    writes.release()
    wait_until(lambda: sum("wrote" in line for line in one.said) == 8, 20, one.describe)
    events = Hold()
    fault_proxy.rule(events, method="POST", path="events", times=4)
    tell(["fourth", "fifth", "sixth", "seventh"])
    wait_until(lambda: len(fault_proxy.requests("POST", "events")) == 7, 20, one.describe)
    events.release()
    wait_until(lambda: one.counts()["eventsSent"] == 7, 20, one.describe)


def test_token_file_rotates(probe, control_plane, fault_proxy, maps, run):
    """A token is read again when its file changes, also between a refusal and a second try."""
    directory = run.make_directory("token")
    token = directory / "token"
    token.write_text("wrong\n")
    kubeconfig = _kubeconfig(directory, fault_proxy.url, fault_proxy.ca_file, {"tokenFile": "token"})
    one = probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "Unauthorized")
    token.write_text(control_plane.token("admin") + "\n")
    one.synced()
    maps.create("a")

    rule = fault_proxy.rule(Answer(401), method="PATCH", times=1)
    token.write_text(control_plane.token("controller"))  # may not, but is somebody else
    result, line = one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "y"}})
    assert rule.used == 1 and "system:serviceaccount:metallb-system:controller" in line["message"]
    assert result == "the other side reported an error"
    assert "Bearer" not in one.log() and control_plane.token("admin") not in one.log()


def test_exec_plugin(probe, control_plane, fault_proxy, maps, run):
    """A credential program is run once, and again when its token expires or is refused; one that
    fails is told and tried again."""
    directory = run.make_directory("exec")
    program = directory / "login"
    program.write_text("""#!/bin/sh
echo run >> "$COUNT"
test -e "$(dirname "$0")/token" || exit 3
cat <<END
{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
 "status": {"token": "$(cat "$(dirname "$0")/token")"}}
END
""")
    program.chmod(0o755)
    runs = directory / "count"
    kubeconfig = _kubeconfig(directory, fault_proxy.url, fault_proxy.ca_file, {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./login",
        "env": [{"name": "COUNT", "value": str(runs)}], "interactiveMode": "Never"}})
    one = probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "there are no credentials")
    (directory / "token").write_text(control_plane.token("admin"))
    one.synced(seconds=30)
    count = runs.read_text().count("run")
    maps.create("a")
    assert one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "y"}})[0] == "ok"
    assert runs.read_text().count("run") == count, "run again without need"
    wait_until(lambda: _seconds_since(fault_proxy) > 1.2, 5)  # a token this fresh is not doubted
    fault_proxy.rule(Answer(401), method="PATCH", times=1)
    assert one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "z"}})[0] == "ok"
    assert runs.read_text().count("run") == count + 1
    assert control_plane.token("admin") not in one.log()


def test_exec_plugin_expiry(probe, control_plane, maps, run):
    """A token that is about to expire is replaced before it does."""
    directory = run.make_directory("exec")
    program = directory / "login"
    program.write_text("""#!/bin/sh
echo run >> "$(dirname "$0")/count"
cat <<END
{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1",
 "status": {"token": "TOKEN", "expirationTimestamp": "$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)"}}
END
""".replace("TOKEN", control_plane.token("admin")))
    program.chmod(0o755)
    kubeconfig = _kubeconfig(directory, control_plane.url, control_plane.ca_file, {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(program)}})
    one = probe("--kubeconfig", kubeconfig, maps.follow).synced()
    maps.create("a")

    def renewed():
        assert one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {}})[0] == "ok"
        return (directory / "count").read_text().count("run") >= 2
    wait_until(renewed, 15, one.describe, "the program is run again before the expiry")


def test_client_certificate(probe, run, evidence, control_plane, maps):
    """A certificate instead of a token: a server that does not know its issuer says who it is not."""
    directory = run.make_directory("cert")
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=me",
                 "-keyout", directory / "key.pem", "-out", directory / "cert.pem"])
    kubeconfig = _kubeconfig(directory, control_plane.url, control_plane.ca_file, {
        "client-certificate": "cert.pem",
        "client-key-data": base64.b64encode((directory / "key.pem").read_bytes()).decode()})
    one = probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "system:anonymous")


def test_in_cluster(probe, control_plane, maps, run):
    """A pod finds its way by environment and service account files alone."""
    directory = run.make_directory("serviceaccount")
    (directory / "token").write_text(control_plane.token("admin"))
    (directory / "namespace").write_text(maps.namespace)
    (directory / "ca.crt").write_bytes(control_plane.ca_file.read_bytes())
    environment = {"KUBERNETES_SERVICE_HOST": control_plane.address,
                   "KUBERNETES_SERVICE_PORT": control_plane.port}
    version = maps.create("a")
    one = probe("--in-cluster", directory, maps.follow, env=environment).synced()
    one.told(maps.id("a"), version)


def test_authority_file_rotates(probe, control_plane, fault_proxy, maps, run):
    """A new authority in the file is used for the next connection."""
    directory = run.make_directory("ca")
    authority = directory / "ca.crt"
    authority.write_bytes(control_plane.ca_file.read_bytes())  # not the proxy's
    kubeconfig = _kubeconfig(directory, fault_proxy.url, None, {"token": control_plane.token("admin")},
                             {"certificate-authority": "ca.crt"})
    one = probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "certificate")
    authority.write_bytes(fault_proxy.ca_file.read_bytes())
    one.synced()


def test_wrong_authority_is_refused(probe, control_plane, fault_proxy, maps):
    """Nothing is said to a server that our authority has not signed, unless told so."""
    kubeconfig = control_plane.kubeconfig(server=fault_proxy.url)  # its CA is the API server's
    one = probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "certificate")
    assert not fault_proxy.requests() and not one.objects("ConfigMap")
    text = json.loads(kubeconfig.read_text())
    text["clusters"][0]["cluster"] = {"server": fault_proxy.url, "insecure-skip-tls-verify": True}
    kubeconfig.write_text(json.dumps(text))
    probe("--kubeconfig", kubeconfig, maps.follow).synced()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_server_name(probe, control_plane, maps, run, address):
    """tls-server-name is verified instead of the address, and only it."""
    directory = run.make_directory("name")
    relay = Relay((control_plane.address, control_plane.port), address=address)
    server = f"https://[{address}]:{relay.port}" if ":" in address else relay.url
    for name, good in (("kubernetes.default.svc", True), ("example.net", False)):
        kubeconfig = _kubeconfig(directory, server, control_plane.ca_file,
                                 {"token": control_plane.token("admin")}, {"tls-server-name": name})
        one = probe("--kubeconfig", kubeconfig, maps.follow)
        if good:
            one.synced()
        else:
            one.wait_finding("ConfigMap", "example.net")
    relay.close()


def test_lease_passes_on(probe, control_plane, sandbox):
    """One leads at a time; a leader that is killed is followed within the lease's time, one that
    resigns at once, one that was stopped knows that it leads no more."""
    settings = {"namespace": sandbox.system, "name": "probe", "lease": 3000, "renew": 2000, "retry": 500}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{sandbox.system}/leases/probe"
    members = []

    def join(name):
        one = probe("--kubeconfig", control_plane.kubeconfig("controller"), "Node").synced()
        one.do("elect", identity=name, **settings)
        members.append(one)
        return one

    def leads(one, seconds):
        one.wait_said(lambda line: line.get("leader"), seconds, what="it leads")

    def spec():
        return sandbox.api.get(path)["spec"]

    first = join("first")
    leads(first, 5)
    second = join("second")
    assert spec()["holderIdentity"] == "first" and spec()["leaseTransitions"] == 0
    start = time.monotonic()
    first.kill()
    leads(second, 3 + 0.5 + 3)
    assert time.monotonic() - start >= 0.9, "taken before it can have run out"
    assert spec()["holderIdentity"] == "second" and spec()["leaseTransitions"] == 1

    third = join("third")
    before = second.do("resign")
    second.wait_said(lambda line: line.get("resigned"), 5, before)
    leads(third, 5)
    assert [line["leader"] for line in second.said if "leader" in line] == [True, False]
    assert spec()["leaseTransitions"] == 2

    fourth = join("fourth")
    third.send(19)  # SIGSTOP: it cannot renew, nor know that it does not lead
    leads(fourth, 3 + 0.5 + 3)
    third.send(18)  # SIGCONT
    third.wait_said(lambda line: line.get("leader") is False, 5, what="it leads no more")
    assert spec()["holderIdentity"] == "fourth"


def test_nothing_while_nothing_changes(probe, fault_proxy, maps):
    """A client at rest asks nothing: its watch stands, and that is all."""
    maps.create("a")
    one = probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    one.told(maps.id("b"), maps.create("b"))
    quiet = time.monotonic()
    cpu = one.cpu_seconds()
    wait_until(lambda: time.monotonic() - quiet > 5, 10)
    assert not fault_proxy.requests(since=quiet)
    assert one.cpu_seconds() - cpu < 0.05


def _seconds_since(proxy):
    return time.monotonic() - proxy.requests()[-1].seconds


def _kubeconfig(directory, server, ca_file, user, cluster=None):
    """Writes a kubeconfig with that user and those further fields of the cluster."""
    content = kubeconfig_object(server, ca_file.read_bytes() if ca_file else b"", "", "default")
    content["users"][0]["user"] = user
    if not ca_file:
        del content["clusters"][0]["cluster"]["certificate-authority-data"]
    content["clusters"][0]["cluster"].update(cluster or {})
    path = directory / "kubeconfig"
    path.write_text(json.dumps(content))
    return path
