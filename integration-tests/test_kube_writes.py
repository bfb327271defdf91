"""What the Kubernetes client (common/kube and the source on it) writes, driven by kube-probe: objects,
Events, the Lease.

Promises: each write is answered once, by an outcome that has a name; Leases and Events behave as the
API asks of them."""

import time
from concurrent.futures import ThreadPoolExecutor

from lab.faultproxy import Answer, Delay, Hold, LoseAnswer
from lab.maps import version_of
from lab.objects import service
from lab.wait import wait_until


def test_writes(kube_probe, control_plane, crds):
    """Each verb does what it says, and each outcome has its name."""
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), f"Service@{crds.namespace}").synced()
    ns = crds.namespace
    result, line = one.write("create", "Service", ns, "", service("web", ns))
    assert result == "ok"
    one.told(f"Service/{ns}/web", line["version"])
    ingress = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    result, line = one.write("patch-status", "Service", ns, "web", {
        **ingress, "metadata": {"annotations": {"a": "b"}, "resourceVersion": line["version"]}})
    assert result == "ok"
    stored = crds.api.get(crds.service_path("web"))
    assert version_of(stored) == line["version"]
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


def test_many_writes_at_once(kube_probe, control_plane, relay, maps):
    """Hundreds of writes share one connection, each is answered once, and the watch beside them
    is never too slow for the API server."""
    names = [f"m{i}" for i in range(400)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(maps.create, names))
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(server=relay.url), maps.follow).synced()
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


def test_writes_turned_away(kube_probe, fault_proxy, maps):
    """429 is a pause and then the same write again; 409 and 500 are told as they are; after a lost
    answer the write is sent again, so with a precondition it meets itself."""
    maps.create("a")
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()

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
    version = version_of(maps.api.get(f"{maps.path}/a"))
    result, _ = one.write("patch", "ConfigMap", maps.namespace, "a",
                          {"metadata": {"resourceVersion": version}, "data": {"d": "last"}})
    assert rule.used == 1 and result == "changed meanwhile"
    assert maps.api.get(f"{maps.path}/a")["data"] == {"d": "last"}


def test_events(kube_probe, control_plane, sandbox):
    """An Event is there for kubectl; a repetition is counted in it, a return is a new one."""
    sandbox.service("web")
    ns = sandbox.namespace
    one = kube_probe("--kubeconfig", control_plane.kubeconfig(), f"Service@{ns}").synced()
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


def test_events_behind_writes(kube_probe, fault_proxy, maps):
    """While many writes are under way Events go one by one; else several are sent at once."""
    maps.create("a")
    one = kube_probe("--kubeconfig", fault_proxy.kubeconfig("admin"), maps.follow).synced()
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


def test_lease_passes_on(kube_probe, control_plane, sandbox):
    """One leads at a time; a leader that is killed is followed within the lease's time, one that
    resigns at once, one that was stopped knows that it leads no more."""
    settings = {"namespace": sandbox.system, "name": "probe", "lease": 3000, "renew": 2000, "retry": 500}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{sandbox.system}/leases/probe"
    members = []

    def join(name):
        one = kube_probe("--kubeconfig", control_plane.kubeconfig("controller"), "Node").synced()
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
