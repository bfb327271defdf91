"""Two replicas: one leads, the other takes over when it ends, and no Service is touched for that.

The time of each take-over is printed and kept as a property of the test."""

import contextlib
import json
import re
import signal
import time
from datetime import datetime

import pytest

from lab import promises
from lab.api import ApiError, History
from lab.objects import pool
from lab.story import given, shown, waits, web
from lab.wait import wait_until

LEASE_S, RETRY_S = 3, 0.5  # as lab.controller sets them
MARGIN_S = 3  # for a busy machine: to list everything again, to plan, to write
LONG_LEASE = ("--leader-elect-lease-duration", "60s", "--leader-elect-renew-deadline", "40s")
EXISTING = [f"old-{i}" for i in range(20)]
LEADER, UPDATES = "stentor_controller_leader", "metallb_k8s_client_updates_total"


class Pair:
    """Two replicas, "left" and "right", and Services that they have served."""

    def __init__(self, box, controller, arguments):
        self.box = box
        self.replicas = [controller(*arguments, name=name) for name in ("left", "right")]
        self.leader = wait_until(self._leader, 10, self.describe, "one of the replicas leads")
        self.standby = next(one for one in self.replicas if one is not self.leader)
        box.kubectl.apply(pool("a", "192.0.2.0/27"), *[self.service(name) for name in EXISTING])
        wait_until(lambda: len(self.addresses()) == len(EXISTING), 20, self.describe)

    def _leader(self):
        """The replica that leads, None while none does or one is not ready."""
        roles = [one.role() for one in self.replicas]
        assert roles.count("leading") <= 1, roles
        return self.replicas[roles.index("leading")] if sorted(roles) == ["leading", "standing by"] else None

    def service(self, name):
        """A Service that takes any address."""
        made = web(name)
        made["metadata"]["namespace"] = self.box.namespace
        return made

    def serve(self, name):
        """Makes a Service and waits until it has an address."""
        self.box.api.create(self.service(name))
        path = self.box.service_path(name)
        wait_until(lambda: shown(self.box.api.get(path)).ips, LEASE_S + RETRY_S + MARGIN_S, self.describe,
                   f"{name} has an address")

    def addresses(self):
        """{Service: addresses} of those that have some."""
        services = self.box.api.items(f"/api/v1/namespaces/{self.box.namespace}/services")
        return {s["metadata"]["name"]: shown(s).ips for s in services if shown(s).ips}

    def lease(self):
        return self.box.api.get(f"/apis/coordination.k8s.io/v1/namespaces/{self.box.system}"
                                "/leases/stentor-controller")["spec"]

    def describe(self):
        return "\n".join(one.process.describe() for one in self.replicas)


@pytest.fixture
def pair(crds, controller):
    """pair(ARGUMENT, …) starts two replicas."""
    return lambda *arguments: Pair(crds, controller, arguments)


@contextlib.contextmanager
def untouched(pair):
    """What happens inside must not change one of the existing Services, judged by every state that
    the API server went through."""
    collection = f"/api/v1/namespaces/{pair.box.namespace}/services"
    before = {s["metadata"]["name"]: s["metadata"]["resourceVersion"] for s in pair.box.api.items(collection)}
    with History(pair.box.api, collection) as history:
        yield
        pair.serve("last")  # a leader plans everything at once: what it had to say before is said
        last = pair.box.api.get(pair.box.service_path("last"))["metadata"]["resourceVersion"]
        wait_until(lambda: history.reached(last), 10, what="the history is complete")
    touched = [obj["metadata"]["name"] for obj in history.versions() if obj["metadata"]["name"] in before]
    assert touched == []
    assert promises.given_twice(history) == []
    after = {s["metadata"]["name"]: s["metadata"]["resourceVersion"] for s in pair.box.api.items(collection)}
    assert {name: after.get(name) for name in before} == before


def told(record_property, what, since):
    """Records how long something took. Returns the seconds."""
    seconds = time.monotonic() - since
    record_property(what, round(seconds, 3))
    print(f"{what}: {seconds:.3f} s")
    return seconds


def seconds_of(timestamp):
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def test_exactly_one_leads(pair):
    """By its metric, by /readyz and by the Lease; the other writes nothing."""
    two = pair()
    assert [one.metrics()[LEADER] for one in (two.leader, two.standby)] == [1, 0]
    assert [one.role() for one in (two.leader, two.standby)] == ["leading", "standing by"]
    lease = two.lease()
    assert lease["holderIdentity"].startswith(f"{two.leader.process.name}_")
    assert lease["leaseDurationSeconds"] == LEASE_S
    assert two.leader.metrics()[UPDATES] >= len(EXISTING)
    assert two.standby.metrics()[UPDATES] == 0


def test_killed_leader_is_replaced_within_the_lease_time(pair, record_property):
    """After kill -9 the standby serves a new Service, and changes none that has its address."""
    two = pair()
    with untouched(two):
        two.leader.process.kill()
        start, renewed = time.monotonic(), two.lease()["renewTime"]
        two.serve("new")
        seconds = told(record_property, "killed, until a new Service has its address", start)
        assert two.standby.role() == "leading"
        assert two.standby.metrics()[LEADER] == 1
    assert seconds <= LEASE_S + RETRY_S + MARGIN_S
    # Nor too early: the dead leader might have been only slow.
    assert seconds_of(two.lease()["acquireTime"]) - seconds_of(renewed) >= LEASE_S


def test_leader_that_ends_in_order_hands_over_at_once(pair, record_property):
    """After SIGTERM nobody waits for the Lease to run out: it would take a minute here."""
    two = pair(*LONG_LEASE)
    with untouched(two):
        start = time.monotonic()
        assert two.leader.process.stop() == 0
        two.serve("new")
        seconds = told(record_property, "terminated, until a new Service has its address", start)
        assert two.standby.role() == "leading"
    assert seconds <= RETRY_S + MARGIN_S


def test_standby_that_ends_changes_nothing(pair):
    """The Lease stays with the leader, killed or in order."""
    two = pair()
    before = two.lease()
    with untouched(two):
        assert two.standby.process.stop() == 0
        two.serve("first")
        two.standby.process.start()
        two.standby.wait_ready()
        two.standby.process.kill()
        two.serve("second")
    after = two.lease()
    assert [after[k] for k in ("holderIdentity", "acquireTime", "leaseTransitions")] == [
        before[k] for k in ("holderIdentity", "acquireTime", "leaseTransitions")]


def test_standby_is_ready_and_answers(pair):
    """It shows what the leader wrote, and sends those who ask why to the leader."""
    two = pair()
    name = f"{two.box.namespace}/{EXISTING[0]}"
    assert two.standby.get("/healthz", two.standby.health_port).strip() == "ok"
    for path in ("/api/v1/services", "/api/v1/pools"):
        wait_until(lambda path=path: two.standby.rest(path) == two.leader.rest(path), 10,
                   lambda path=path: f"{two.standby.get(path)}\n{two.leader.get(path)}",
                   f"both say the same of {path}")
    assert len(two.standby.rest("/api/v1/services")["services"]) == len(EXISTING)
    assert two.standby.rest("/api/v1/config") == {"leader": False, "valid": True, "findings": []}
    assert two.leader.rest("/api/v1/config") == {"leader": True, "valid": True, "findings": []}
    status, _, body = two.standby.ask(f"/api/v1/explain/{name}")
    assert (status, json.loads(body)) == (503, {"error": "this replica stands by; ask the leader"})
    assert two.leader.rest(f"/api/v1/explain/{name}")["allocated"] is True


def test_restarted_replica_does_not_take_the_lease_back(pair):
    """It comes back under its old name and stands by, while the new leader renews."""
    two = pair()
    with untouched(two):
        assert two.leader.process.stop() == 0
        wait_until(lambda: two.standby.role() == "leading", 10, two.describe)
        before = two.lease()
        two.leader.process.start()
        two.leader.wait_ready()
        times = set()

        def renewed_often():
            times.add(two.lease()["renewTime"])
            assert_roles(two)
            return len(times) > 2 * LEASE_S / RETRY_S  # twice the lease time

        wait_until(renewed_often, 6 * LEASE_S, two.describe, "the leader renews", tolerate=())
    assert two.lease()["holderIdentity"] == before["holderIdentity"]
    assert two.lease()["leaseTransitions"] == before["leaseTransitions"]


def assert_roles(two):
    assert [two.standby.role(), two.leader.role()] == ["leading", "standing by"]


def test_leader_that_was_frozen_stands_by_when_it_wakes(pair, record_property):
    """While it slept another one led, and gave the address that it still believes to be free."""
    two = pair()
    with untouched(two):
        two.leader.process.send(signal.SIGSTOP)
        start = time.monotonic()
        two.serve("new")
        told(record_property, "frozen, until a new Service has its address", start)
        two.box.api.create(two.service("newer"))
        two.leader.process.send(signal.SIGCONT)
        wait_until(lambda: two.leader.role() == "standing by", 10, two.describe)
        assert two.leader.metrics()[LEADER] == 0
        assert two.standby.role() == "leading"
    assert len(set(two.addresses().values())) == len(EXISTING) + 3


def test_new_leader_takes_over_what_changed_meanwhile(pair):
    """An address becomes free while nobody leads: the new leader gives it to the Service that waits
    for it, and moves nothing else."""
    two = pair()
    box, ips = two.box, two.addresses()
    wish = web("wish", annotations={"metallb.io/loadBalancerIPs": ips["old-3"][0]})
    wish["metadata"]["namespace"] = box.namespace
    box.kubectl.apply(wish)
    refusal = waits("SharingKey", f"can't change sharing key for \"{box.namespace}/wish\", address also "
                    f"in use by {box.namespace}/old-3")
    wait_until(lambda: shown(box.api.get(box.service_path("wish"))) == refusal, 15, two.describe)
    two.leader.process.kill()
    box.api.delete(box.service_path("old-3"))
    expected = given(*ips["old-3"], pool="a")
    wait_until(lambda: shown(box.api.get(box.service_path("wish"))) == expected,
               LEASE_S + RETRY_S + MARGIN_S, two.describe)
    assert two.addresses() == {n: i for n, i in ips.items() if n != "old-3"} | {"wish": ips["old-3"]}


def test_writes_end_with_the_lease(crds, controller, fault_proxy):
    """A leader that dies may have writes under way. The server is told with each of them to give it up
    before another may lead, so that nobody's address is written after the heir has read them all."""
    one = controller(kubeconfig=fault_proxy.kubeconfig("controller"))
    wait_until(lambda: one.role() == "leading", 20, one.process.describe)
    crds.kubectl.apply(pool("a", "192.0.2.0/27"))
    made = web("web")
    made["metadata"]["namespace"] = crds.namespace
    crds.api.create(made)
    path = crds.service_path("web")
    wait_until(lambda: shown(crds.api.get(path)).ips, 20, one.process.describe)
    limits = [re.search(r"\btimeout=(\d+)ms$", request.query) for request in fault_proxy.writes(path=path)]
    assert limits and all(limit and 0 < int(limit[1]) <= LEASE_S * 1000 for limit in limits)


def test_server_gives_up_a_write_in_time(crds):
    """What the test above relies on."""
    made = web("web")
    made["metadata"]["namespace"] = crds.namespace
    crds.api.create(made)
    path = crds.service_path("web")
    with pytest.raises(ApiError) as error:
        crds.api.patch(f"{path}?timeout=1ns", {"metadata": {"labels": {"late": "yes"}}})
    assert error.value.status == 504
    assert "late" not in crds.api.get(path)["metadata"].get("labels", {})
