"""What the Kubernetes client (common/kube and the source on it) follows, driven by kube-probe.

Promises: what the source tells is what the API server holds, each change once, whatever
happens between the two; nothing is ever taken back because of an error."""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.api import History
from lab.controlplane import ControlPlane
from lab.faultproxy import Answer, AtByte, EditEvents
from lab.maps import Maps, config_map, version_of
from lab.objects import pool, service
from lab.programs import REPOSITORY
from lab.wait import wait_until


def test_list_and_watch(kube_probe, control_plane, maps):
    """Every change is told once, in order, with the versions that the server has."""
    first = maps.create("a")
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), maps.follow).synced()
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


def test_only_the_followed_namespace(kube_probe, control_plane, maps, sandbox):
    """Objects of other namespaces are neither told nor kept."""
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), maps.follow).synced()
    other = sandbox.api.create(config_map("elsewhere", "default"))
    try:
        one.told(maps.id("a"), maps.create("a"))
        assert one.objects("ConfigMap") == maps.all()
    finally:
        sandbox.api.delete(sandbox.api.path_of(other))


def test_list_in_pages(kube_probe, control_plane, fault_proxy, maps):
    """A long list comes in several pages, and all of it arrives."""
    with ThreadPoolExecutor(8) as pool_of_threads:
        list(pool_of_threads.map(maps.create, (f"m{i}" for i in range(600))))
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    assert one.objects("ConfigMap") == maps.all()
    pages = fault_proxy.requests("GET", "/configmaps$", "limit=250")
    assert len(pages) == 3 and sum("continue=" in p.query for p in pages) == 2


def test_page_token_expires(kube_probe, fault_proxy, maps):
    """A list whose next page is gone starts over, and nothing is missing or told twice."""
    with ThreadPoolExecutor(8) as pool_of_threads:
        list(pool_of_threads.map(maps.create, (f"m{i}" for i in range(300))))
    rule = fault_proxy.rule(Answer(410), path="/configmaps$", query="continue=")
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    assert rule.used == 1
    assert one.objects("ConfigMap") == maps.all()
    assert all(len(one.versions(maps.id(f"m{i}"))) == 1 for i in range(300))


def test_watch_cut_at_every_byte(kube_probe, fault_proxy, run, control_plane):
    """A watch that is cut at any byte of an event loses nothing and repeats nothing."""
    lanes = [Maps(control_plane.api_as("admin"), run.unique("cut")) for _ in range(8)]
    for lane in lanes:
        lane.api.create({"apiVersion": "v1", "kind": "Namespace",
                         "metadata": {"name": lane.namespace}})
        lane.wanted = [lane.create("m", "0")]
    raw = lanes[0].api.raw
    query = f"?watch=1&timeoutSeconds=1&resourceVersion={int(lanes[0].wanted[0]) - 1}"
    length = len(raw("GET", lanes[0].path + query)[2])
    probes = [kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), lane.follow).synced()
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


def test_watch_ends_in_good_form(kube_probe, fault_proxy, maps):
    """A watch that the server ends, as it does every few minutes, goes on where it was."""
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
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
def test_expired_watch(kube_probe, fault_proxy, maps, fault):
    """After 410 Gone a new list makes good what was missed, deletions included, and what did not
    change is not told again."""
    kept, gone, changed = (maps.create(name) for name in ("kept", "gone", "changed"))
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
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


def test_events_doubled_and_spoiled(kube_probe, fault_proxy, maps):
    """An event that comes twice is told once; one that is no JSON is made good by a list."""
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
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
def test_random_faults(kube_probe, fault_proxy, maps, seed):
    """Under random changes and random faults each object's story is told in order, with versions
    that it really had, and in the end the cache is what the server holds."""
    chance = random.Random(seed)
    faults = (lambda: Answer(410), lambda: Answer(500), lambda: EditEvents.expire(chance.randrange(3)),
              lambda: EditEvents.duplicate(chance.randrange(3)),
              lambda: EditEvents.truncate(chance.randrange(3), chance.randrange(300)),
              lambda: AtByte(chance.randrange(2000), chance.choice(("cut", "end"))))
    there = set()
    with History(maps.api, maps.path) as history:
        one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
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
        last = version_of(maps.api.create(config_map("last", maps.namespace)))
        one.told(maps.id("last"), last)
        wait_until(lambda: history.reached(last), 20)
        assert one.counts()["watches"] > 5 and one.counts()["lists"] > 1, "hardly any fault was met"
    for name in (f"m{i}" for i in range(8)):
        had = iter([None if kind == "DELETED" else version_of(obj) for kind, obj in history.events
                    if kind != "BOOKMARK" and obj["metadata"]["name"] == name])
        assert all(version in had for version in one.versions(maps.id(name))), name


def test_object_over_the_limit(kube_probe, control_plane, maps):
    """An object that is too large is named and passed over; all others are served, and it is
    served too once it is small enough."""
    large = maps.create("large", "x" * 5000)
    small = maps.create("small")
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), "--object-max", "3000",
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


def test_service_larger_than_other_objects_may_be(kube_probe, control_plane, sandbox):
    """The API server writes "<" with six bytes: a Service that it stores is seen, however long its
    JSON."""
    large = service("large", sandbox.namespace, annotations={"example.org/blob": "<" * 250000})
    large["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "Pod", "name": "<" * 200000, "uid": "1"}]
    version = version_of(sandbox.api.create(large))
    assert len(sandbox.api.raw("GET", sandbox.service_path("large"))[2]) > 2 << 20
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), f"Service@{sandbox.namespace}").synced()
    key = f"{sandbox.namespace}/large"
    assert one.objects("Service") == {key: version}
    version = version_of(sandbox.api.patch(sandbox.service_path("large"), {"spec": {"sessionAffinity": "ClientIP"}}))
    one.told(f"Service/{key}", version)
    assert one.counts()["skipped"] == 0


def test_managed_fields_of_any_depth(kube_probe, control_plane, sandbox):
    """Whoever writes an object may say what fields are managed, as deep as he wants: the object is
    seen, and so are all that are listed with it."""
    deep = service("deep", sandbox.namespace)
    deep["metadata"]["managedFields"] = [{
        "manager": "x", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": "FIELDS"}]
    text = json.dumps(deep).replace('"FIELDS"', '{"f:a":' * 300 + "{}" + "}" * 300)
    path = f"/api/v1/namespaces/{sandbox.namespace}/services"
    status, _, _ = sandbox.api.raw("POST", path, text.encode(), {"Content-Type": "application/json"})
    assert status == 201
    assert sandbox.api.raw("GET", sandbox.service_path("deep"))[2].count(b"{") > 300
    sandbox.service("other")
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), f"Service@{sandbox.namespace}").synced()
    assert sorted(one.objects("Service")) == [f"{sandbox.namespace}/{name}" for name in ("deep", "other")]


def test_kind_installed_later(kube_probe, run, evidence):
    """A kind that the server does not know holds nothing up, and is followed once it is there."""
    plane = ControlPlane(run)
    evidence.add_process(plane.apiserver)
    try:
        one = kube_probe("--kubeconfig", plane.kubeconfig(), "IPAddressPool", "Namespace").synced()
        one.wait_finding("IPAddressPool", "not installed")
        plane.install_crds(REPOSITORY / "crd" / "schemas")
        created = plane.api.create(pool("p", "192.0.2.0/24"))
        one.told("IPAddressPool/metallb-system/p", version_of(created), seconds=40)
        one.wait_finding("IPAddressPool", None)
    finally:
        plane.stop()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_api_server_outage(kube_probe, run, evidence, end):
    """While the API server is away nothing is forgotten; when it is back what changed is told,
    and nothing else. Killed, or stopped in good order (GOAWAY)."""
    plane = ControlPlane(run)
    evidence.add_process(plane.apiserver)
    try:
        maps = Maps(plane.api, "default")
        first = maps.create("a")
        one = kube_probe("--kubeconfig", plane.kubeconfig(), maps.follow).synced()
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
def test_lists_refused_at_first(kube_probe, fault_proxy, maps, answer):
    """A list that is refused is asked for again, and says so meanwhile."""
    version = maps.create("a")
    rule = fault_proxy.rule(Answer(answer, retry_after=1 if answer == 429 else None),
                            path="/configmaps$", times=2)
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow)
    one.wait_finding("ConfigMap", "the fault proxy says")
    one.synced()
    one.wait_finding("ConfigMap", None)
    assert rule.used == 2
    one.told(maps.id("a"), version)
    if answer == 429:
        first, second, *_ = fault_proxy.requests("GET", "/configmaps$", "limit=")
        assert second.seconds - first.seconds >= 1, "Retry-After was not honoured"


def test_what_may_not_be_read(kube_probe, fault_proxy, maps):
    """An optional kind holds nothing up, says so, and is followed once it may be."""
    rule = fault_proxy.rule(Answer(403), path="/configmaps$", times=None)
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow.replace("ConfigMap", "ConfigMap?"),
                "Namespace").synced()
    one.wait_finding("ConfigMap", "the fault proxy says")
    version = maps.create("a")
    rule.times = rule.used
    one.told(maps.id("a"), version, seconds=40)
    one.wait_finding("ConfigMap", None)


def test_connection_half_closed(kube_probe, control_plane, relay, maps):
    """A server that closes its side of the connection is connected to anew, over HTTP/2."""
    kubeconfig = control_plane.kubeconfig(server=relay.url)
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow).synced()
    wait_until(lambda: relay.open_connections == 2, 20, one.describe, "one for watches, one for the rest")
    for i in range(3):
        relay.half_close()
        one.told(maps.id(f"m{i}"), maps.create(f"m{i}"))
    assert one.objects("ConfigMap") == maps.all()


def test_connection_cut_within_http2(kube_probe, control_plane, relay, maps):
    """Cut at any place of an HTTP/2 connection, writes and watches go on on a new one."""
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(server=relay.url), maps.follow).synced()
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


def test_silent_connection_is_replaced(kube_probe, control_plane, relay, maps):
    """A connection on which nothing comes any more is noticed without help and replaced."""
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(server=relay.url), maps.follow).synced()
    wait_until(lambda: relay.open_connections == 2, 20, one.describe, "one for watches, one for the rest")
    relay.freeze()
    wait_until(lambda: relay.open_connections == 3, 60, one.describe, "a new connection is made")
    relay.thaw()
    one.told(maps.id("a"), maps.create("a"))


def test_nothing_while_nothing_changes(kube_probe, fault_proxy, maps):
    """A client at rest asks nothing: its watch stands, and that is all."""
    maps.create("a")
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
    one.told(maps.id("b"), maps.create("b"))
    quiet = time.monotonic()
    cpu = one.cpu_seconds()
    wait_until(lambda: time.monotonic() - quiet > 5, 10)
    assert not fault_proxy.requests(since=quiet)
    assert one.cpu_seconds() - cpu < 0.05
