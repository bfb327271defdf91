"""Manifests in a directory, live: what files say is in force as they come, change and go, and the
status directory says what was made of it."""

import json
import re
import shutil
import time

import pytest
import yaml

from lab.objects import pool
from lab.programs import REPOSITORY
from lab.story import given, shown, waits, web
from lab.wait import wait_until

SECONDS = 10
EXHAUSTED = waits("PoolExhausted", "no available IPs: pool a has no free IPv4 address")


class Site:
    """The two directories."""

    def __init__(self, path):
        self.manifests, self.status = path / "manifests", path / "status"
        self.manifests.mkdir()
        self.status.mkdir()
        self.arguments = ["--manifests", self.manifests, "--status", self.status]

    def write(self, name, *objects):
        """Writes a file in place, as an editor or a shell would."""
        (self.manifests / name).write_text(yaml.safe_dump_all(objects))

    def stored(self, path):
        """What is written for "services/default/web", {} for nothing."""
        file = self.status / f"{path}.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def shown(self, name):
        """What the Service shows of us now."""
        return shown({"metadata": {}} | self.stored(f"services/default/{name}"))

    def await_shown(self, **services):
        wait_until(lambda: {name: self.shown(name) for name in services} == services, SECONDS,
                   lambda: "\n".join(f"{n}: {self.shown(n)}, wanted {s}" for n, s in services.items()))

    def files(self):
        """{path: (time of its last change, content)} of all that is stored for objects."""
        return {str(file.relative_to(self.status)): (file.stat().st_mtime_ns, file.read_text())
                for file in self.status.rglob("*.json")}


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def an(name, **options):
    """A Service in the namespace default."""
    made = web(name, **options)
    made["metadata"]["namespace"] = "default"
    return made


def findings(one):
    return {(found["object"], found["field"], found["message"]) for found in one.rest("/api/v1/config")["findings"]}


def names(one):
    return [service["name"] for service in one.rest("/api/v1/services")["services"]]


def test_files_added_changed_and_removed(site, controller):
    """A Service waits, gets the address of one that is removed, and another when it asks for it."""
    site.write("pool.yaml", pool("a", "192.0.2.0/32"))
    site.write("one.yaml", an("one"))
    one = controller(*site.arguments)
    site.await_shown(one=given("192.0.2.0", pool="a"))
    site.write("two.yml", an("two"))
    (site.manifests / "three.json").write_text(json.dumps(an("three")))
    site.await_shown(two=EXHAUSTED, three=EXHAUSTED)
    (site.manifests / "one.yaml").unlink()
    site.await_shown(three=given("192.0.2.0", pool="a"))
    assert site.shown("two") == EXHAUSTED
    wait_until(lambda: names(one) == ["three", "two"], SECONDS)
    site.write("pool.yaml", pool("a", "192.0.2.0/31"))
    site.await_shown(two=given("192.0.2.1", pool="a"), three=given("192.0.2.0", pool="a"))
    site.write("pool.yaml", pool("a", "192.0.2.0/30"))
    site.write("two.yml", an("two", annotations={"metallb.io/loadBalancerIPs": "192.0.2.3"}))
    site.await_shown(two=given("192.0.2.3", pool="a"), three=given("192.0.2.0", pool="a"))


def test_files_moved_into_place_and_in_folders(site, controller):
    """Renaming is how editors save; hidden files and other endings are not read."""
    one = controller(*site.arguments)
    site.write(".pool.yaml.new", pool("hidden", "192.0.2.0/32"))
    site.write("notes.txt", pool("text", "198.51.100.0/32"))
    site.write("later", pool("a", "203.0.113.0/30"))
    (site.manifests / "deep" / "er").mkdir(parents=True)
    site.write("deep/er/web.yaml", an("web"))
    wait_until(lambda: site.shown("web").reason == "NoPool", SECONDS, one.process.describe)
    (site.manifests / "later").rename(site.manifests / "pool.yaml")
    site.await_shown(web=given("203.0.113.0", pool="a"))
    before = site.files()["services/default/web.json"]
    (site.manifests / "pool.yaml").rename(site.manifests / "renamed.yaml")
    (site.manifests / "deep").rename(site.manifests / "moved")
    site.write("fence.yaml", an("fence"))
    site.await_shown(fence=given("203.0.113.1", pool="a"))
    assert site.files()["services/default/web.json"] == before
    assert [row["name"] for row in one.rest("/api/v1/pools")["pools"]] == ["a"]


def test_half_written_file_is_not_seen(site, controller):
    """Not before its writer closes it, though what is there already would be a whole Service."""
    site.write("pool.yaml", pool("a", "192.0.2.0/30"))
    site.write("web.yaml", an("web", annotations={"metallb.io/loadBalancerIPs": "192.0.2.2"}))
    one = controller(*site.arguments)
    site.await_shown(web=given("192.0.2.2", pool="a"))
    text = yaml.safe_dump(an("web", annotations={"metallb.io/loadBalancerIPs": "192.0.2.3"}), sort_keys=False)
    with open(site.manifests / "web.yaml", "w", encoding="utf-8") as file:
        file.write(text[:text.index("spec:")])
        file.flush()
        site.write("fence.yaml", an("fence"))
        site.await_shown(fence=given("192.0.2.0", pool="a"))
        assert site.shown("web") == given("192.0.2.2", pool="a")
        assert findings(one) == set()
        file.write(text[text.index("spec:"):].rstrip("\n"))  # nor need its last line end
    site.await_shown(web=given("192.0.2.3", pool="a"))
    assert findings(one) == set()


def test_truncated_file_keeps_what_it_defined(site, controller):
    """A file cut off in its second document: the first counts, and the second stays as it was."""
    site.write("pool.yaml", pool("a", "192.0.2.0/30"))
    site.write("web.yaml", an("one"), an("two"))
    one = controller(*site.arguments)
    site.await_shown(one=given("192.0.2.0", pool="a"), two=given("192.0.2.1", pool="a"))
    before = site.files()["services/default/two.json"]
    whole = (site.manifests / "web.yaml").read_text()
    (site.manifests / "web.yaml").write_text(
        yaml.safe_dump(an("one", annotations={"metallb.io/loadBalancerIPs": "192.0.2.3"}))
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: two, names")
    site.await_shown(one=given("192.0.2.3", pool="a"))
    wait_until(lambda: {found[0].partition(":")[0] for found in findings(one)} == {"web.yaml"}, SECONDS,
               lambda: one.get("/api/v1/config"))
    assert site.files()["services/default/two.json"] == before
    (site.manifests / "web.yaml").write_text(whole)
    wait_until(lambda: findings(one) == set(), SECONDS, lambda: one.get("/api/v1/config"))
    assert site.shown("one") == given("192.0.2.3", pool="a")  # what it has is as good
    assert site.files()["services/default/two.json"] == before


BAD = """\
apiVersion: v1
kind: Service
metadata: {name: good}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
kind: [
---
apiVersion: v1
kind: Srvice
metadata: {name: misspelt}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: b, namespace: metallb-system}
spec: {addresses: [203.0.113.9-203.0.113.1]}
"""
BAD_FINDINGS = [
    ("bad.yaml:7", "", "did not find expected node content while parsing a flow node"),
    ("bad.yaml:8", "kind", 'kind "Srvice" of "v1" is unknown; did you mean "Service"?'),
    ("IPAddressPool/metallb-system/b", "spec.addresses[0]",
     'invalid IP range "203.0.113.9-203.0.113.1": start IP "203.0.113.9" is after the end IP "203.0.113.1"'),
]


def state(site):
    """The ConfigurationState's status, its times left out."""
    status = site.stored("configurationstates/metallb-system/controller").get("status", {})
    for condition in status.get("conditions", []):
        condition.pop("lastTransitionTime")
    return status


def test_bad_documents_beside_good_ones(site, controller):
    """Each is named by file and line, and the rest is in force."""
    site.write("pool.yaml", pool("a", "192.0.2.0/30"))
    (site.manifests / "bad.yaml").write_text(BAD)
    one = controller(*site.arguments)
    site.await_shown(good=given("192.0.2.0", pool="a"))
    told = one.rest("/api/v1/config")
    assert told == {"leader": True, "valid": False, "findings": [
        {"object": where, "field": field, "severity": "error", "message": message}
        for where, field, message in BAD_FINDINGS]}
    summary = "\n".join(sorted(f"{' '.join(filter(None, found[:2]))}: {found[2]}" for found in BAD_FINDINGS))
    condition = {"type": "poolReconcilerValid", "status": "False", "reason": "ConfigurationError",
                 "message": summary}
    wait_until(lambda: state(site) == {"conditions": [condition], "errorSummary": summary, "result": "Invalid"},
               SECONDS, lambda: state(site))
    site.write("bad.yaml", an("good"))
    condition = {"type": "poolReconcilerValid", "status": "True", "reason": "Reconciled", "message": ""}
    wait_until(lambda: state(site) == {"conditions": [condition], "errorSummary": "", "result": "Valid"},
               SECONDS, lambda: state(site))
    assert one.rest("/api/v1/config") == {"leader": True, "valid": True, "findings": []}
    assert site.shown("good") == given("192.0.2.0", pool="a")


def test_object_defined_twice(site, controller):
    """The first file by name counts, and both places are named; without it the other counts."""
    site.write("pool.yaml", pool("a", "192.0.2.0/30"))
    site.write("1.yaml", an("web", annotations={"metallb.io/loadBalancerIPs": "192.0.2.1"}))
    site.write("2.yaml", an("web", annotations={"metallb.io/loadBalancerIPs": "192.0.2.2"}))
    one = controller(*site.arguments)
    site.await_shown(web=given("192.0.2.1", pool="a"))
    (found,) = findings(one)
    assert "1.yaml:1" in str(found) and "2.yaml:1" in str(found)
    (site.manifests / "1.yaml").unlink()
    site.await_shown(web=given("192.0.2.2", pool="a"))
    wait_until(lambda: findings(one) == set(), SECONDS)


# --- what is written -------------------------------------------------------------------------

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WEB = """\
{
  "metadata": {
    "annotations": {
      "metallb.io/ip-allocated-from-pool": "office",
      "stentor.io/placement": "1 n1 n2"
    }
  },
  "status": {
    "conditions": [
      {
        "lastTransitionTime": "TIME",
        "message": "192.0.2.240 from pool \\"office\\"",
        "reason": "Allocated",
        "status": "True",
        "type": "stentor.io/Allocated"
      }
    ],
    "loadBalancer": {
      "ingress": [
        {
          "ip": "192.0.2.240"
        }
      ]
    }
  }
}"""
EVENTS = [
    {"type": "Warning", "object": "Service/default/legacy", "reason": "AllocationFailed", "action": "Allocate",
     "message": 'Failed to allocate IP for "default/legacy": ["198.51.100.77"] is not allowed in config'},
    {"type": "Normal", "object": "Service/default/mail", "reason": "IPAllocated", "action": "Allocate",
     "message": 'Assigned IP ["203.0.113.5"]'},
    {"type": "Normal", "object": "Service/default/web", "reason": "IPAllocated", "action": "Allocate",
     "message": 'Assigned IP ["192.0.2.240"]'},
]


def condition(kind, status, reason, message):
    return {"lastTransitionTime": "TIME", "type": kind, "status": status, "reason": reason, "message": message}


IN_FORCE = condition("Accepted", "True", "Accepted", "the object is in force")
STORED = {
    "services/default/web.json": json.loads(WEB),
    "services/default/mail.json": {
        "metadata": {"annotations": {"metallb.io/ip-allocated-from-pool": "by-request",
                                     "stentor.io/placement": "1 n2 n1"}},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}]}, "conditions": [condition(
            "stentor.io/Allocated", "True", "Allocated", '203.0.113.5 from pool "by-request"')]}},
    "services/default/legacy.json": {"status": {"conditions": [condition(
        "stentor.io/Allocated", "False", "NotInAnyPool", '["198.51.100.77"] is not allowed in config')]}},
    "ipaddresspools/metallb-system/office.json": {"status": {
        "assignedIPv4": 1, "assignedIPv6": 0, "availableIPv4": 9, "availableIPv6": 0, "conditions": [IN_FORCE]}},
    "ipaddresspools/metallb-system/by-request.json": {"status": {
        "assignedIPv4": 1, "assignedIPv6": 0, "availableIPv4": 15, "availableIPv6": 0, "conditions": [IN_FORCE]}},
    "l2advertisements/metallb-system/everything.json": {"status": {"conditions": [IN_FORCE]}},
    "configurationstates/metallb-system/controller.json": {
        "apiVersion": "metallb.io/v1beta1", "kind": "ConfigurationState",
        "metadata": {"name": "controller", "namespace": "metallb-system",
                     "labels": {"metallb.io/component-type": "controller"}},
        "status": {"conditions": [condition("poolReconcilerValid", "True", "Reconciled", "")],
                   "errorSummary": "", "result": "Valid"}},
}


def copy_examples(site):
    shutil.copytree(REPOSITORY / "docs" / "examples", site.manifests, dirs_exist_ok=True)


def without_times(site):
    return {path: json.loads(TIME.sub("TIME", text)) for path, (_, text) in site.files().items()}


def test_status_files_of_the_examples(site, controller):
    """All of them, each whole, and nothing else in the directory."""
    copy_examples(site)
    controller(*site.arguments, name="me")
    wait_until(lambda: without_times(site) == STORED, SECONDS, lambda: without_times(site))
    assert TIME.sub("TIME", (site.status / "services/default/web.json").read_text()) == WEB
    assert (site.status / "leader.lock").read_text().startswith("me_")
    events = [json.loads(line) for line in (site.status / "events.jsonl").read_text().splitlines()]
    assert all(TIME.fullmatch(event.pop("time")) for event in events)
    assert events == EVENTS
    assert {str(f.relative_to(site.status)) for f in site.status.rglob("*") if f.is_file()} == {
        *STORED, "events.jsonl", "leader.lock", "write.lock"}


def test_restart_keeps_addresses_and_writes_nothing(site, controller):
    """Though the order of names would lead to others."""
    copy_examples(site)
    one = controller(*site.arguments)
    wait_until(lambda: without_times(site) == STORED, SECONDS, lambda: without_times(site))
    site.write("first.yaml", an("a-first"))
    site.await_shown(**{"a-first": given("192.0.2.241", pool="office")})
    wait_until(lambda: site.stored("ipaddresspools/metallb-system/office")["status"]["assignedIPv4"] == 2, SECONDS)
    assert one.process.stop() == 0
    before, events = site.files(), (site.status / "events.jsonl").read_text()
    one.process.start()
    one.wait_ready()
    wait_until(lambda: one.metrics()["stentor_controller_planned_services_total"] >= 4, SECONDS)
    site.write("fence.yaml", an("fence"))
    site.await_shown(fence=given("192.0.2.242", pool="office"))
    after = {path: file for path, file in site.files().items() if path in before}
    counters = "ipaddresspools/metallb-system/office.json"  # the fence counts
    assert {p: f for p, f in after.items() if p != counters} == {p: f for p, f in before.items() if p != counters}
    news = (site.status / "events.jsonl").read_text().removeprefix(events).splitlines()
    assert [json.loads(line)["object"] for line in news] == ["Service/default/fence"]


def test_two_controllers_on_one_directory(site, controller, record_property):
    """One leads; when it is killed the other does, and changes nothing that was settled."""
    copy_examples(site)
    pair = [controller(*site.arguments, name=name) for name in ("left", "right")]
    leader = wait_until(lambda: next((one for one in pair if one.role() == "leading"), None), SECONDS)
    standby = next(one for one in pair if one is not leader)
    wait_until(lambda: without_times(site) == STORED, SECONDS, lambda: without_times(site))
    assert standby.role() == "standing by"
    assert (site.status / "leader.lock").read_text().startswith(f"{leader.process.name}_")
    wait_until(lambda: standby.rest("/api/v1/services") == leader.rest("/api/v1/services"), SECONDS)
    assert standby.metrics()["metallb_k8s_client_updates_total"] == 0
    before = site.files()["services/default/web.json"]
    leader.process.kill()
    start = time.monotonic()
    site.write("new.yaml", an("new"))
    site.await_shown(new=given("192.0.2.241", pool="office"))
    record_property("killed, until a new Service has its address", round(time.monotonic() - start, 3))
    print(f"killed, until a new Service has its address: {time.monotonic() - start:.3f} s")
    assert standby.role() == "leading"
    assert (site.status / "leader.lock").read_text().startswith(f"{standby.process.name}_")
    assert site.files()["services/default/web.json"] == before
    leader.process.start()
    leader.wait_ready()
    assert [leader.role(), standby.role()] == ["standing by", "leading"]
    wait_until(lambda: names(leader) == names(standby), SECONDS)
