"""Races and sudden deaths: no address is ever given twice, and no valid address moves. Judged by
every state that the API server went through, not by how it ends."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import promises
from lab.api import ApiError, History
from lab.controller import Controller
from lab.faultproxy import Answer, Delay, FaultProxy, Hold
from lab.objects import pool
from lab.story import CONDITION, given, shown, waits, web
from lab.wait import wait_until

ROUNDS = 20
KILLS = 50
SERVICES = 500
SEED = 20240229
# So short that writes which a killed leader has sent are now and then carried out after the next one
# has made its plan.
SHORT_LEASE = ("--leader-elect-lease-duration", "1s", "--leader-elect-renew-deadline", "900ms",
               "--leader-elect-retry-period", "200ms", "--log-level", "info")
# Of the next leader, which must not lose the lead: another plan would begin with what is shown, as
# every plan does.
LONG_LEASE = ("--leader-elect-lease-duration", "60s", "--leader-elect-renew-deadline", "50s")
IPS = "metallb.io/loadBalancerIPs"


def in_namespace(box, service):
    service["metadata"]["namespace"] = box.namespace
    return service


@pytest.fixture
def history(crds):
    """The history of the test's Services."""
    with History(crds.api, f"/api/v1/namespaces/{crds.namespace}/services") as one:
        yield one


def is_complete(history, box):
    versions = [int(s["metadata"]["resourceVersion"])
                for s in box.api.items(f"/api/v1/namespaces/{box.namespace}/services")]
    return not versions or history.reached(max(versions))


def test_two_services_race_for_one_address(crds, controller, history):
    """Exactly one gets it, each time; the other is told who has it, and gets it afterwards."""
    controller()
    crds.api.apply(pool("a", "192.0.2.7/32"))
    wins = given("192.0.2.7", pool="a")
    with ThreadPoolExecutor(2) as threads:
        for i in range(ROUNDS):
            names = [f"left-{i}", f"right-{i}"]
            annotations = {IPS: "192.0.2.7"} if i % 2 else {}
            list(threads.map(crds.api.create, [
                in_namespace(crds, web(name, annotations=annotations)) for name in names]))
            winner, loser = wait_until(lambda names=names: decided(crds, names, wins), 15, what="one has won")
            reason = lost(crds, winner, loser) if i % 2 else waits(
                "PoolExhausted", "no available IPs: pool a has no free IPv4 address")
            wait_until(lambda: look(crds, loser) == reason, 15, lambda: look(crds, loser))
            crds.api.delete(crds.service_path(winner))
            wait_until(lambda: look(crds, loser) == wins, 15, lambda: look(crds, loser))
            crds.api.delete(crds.service_path(loser))
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []
    assert promises.assigned(history) == 2 * ROUNDS


def look(box, name):
    return shown(box.api.get(box.service_path(name)))


def decided(box, names, wins):
    """(winner, loser) once both have been decided for."""
    seen = {name: look(box, name) for name in names}
    winners = [name for name in names if seen[name] == wins]
    assert len(winners) < 2, seen
    if not winners or any(s.status is None for s in seen.values()):
        return None
    return winners[0], next(name for name in names if name != winners[0])


def lost(box, winner, loser):
    return waits("SharingKey", f"can't change sharing key for \"{box.namespace}/{loser}\", address also "
                 f"in use by {box.namespace}/{winner}")


def test_two_services_exchange_their_addresses(crds, controller, history):
    """Both ask for what the other has: no moment shows an address twice, and both get it."""
    controller()
    crds.api.apply(pool("a", "192.0.2.0/31"))
    names, ips = ("one", "two"), ("192.0.2.0", "192.0.2.1")
    with ThreadPoolExecutor(2) as threads:
        for i in range(ROUNDS):
            wishes = ips if i % 2 else ips[::-1]
            services = [in_namespace(crds, web(name, annotations={IPS: wish}))
                        for name, wish in zip(names, wishes)]
            list(threads.map(lambda s: crds.api.patch(crds.service_path(s["metadata"]["name"]), s)
                             if i else crds.api.create(s), services))
            wanted = [given(wish, pool="a") for wish in wishes]
            wait_until(lambda wanted=wanted: [look(crds, name) for name in names] == wanted, 15,
                       lambda: [look(crds, name) for name in names])
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []


def test_address_is_not_shown_before_it_is_let_go(crds, controller, fault_proxy, history):
    """The write that takes the address away is slow: who is to have it next waits for that write."""
    controller(kubeconfig=fault_proxy.kubeconfig("controller"))
    crds.api.apply(pool("a", "192.0.2.0/32"), pool("b", "198.51.100.0/32"),
                       in_namespace(crds, web("one")))
    wait_until(lambda: look(crds, "one") == given("192.0.2.0", pool="a"), 15)
    crds.kubectl.apply(in_namespace(crds, web("two", annotations={IPS: "192.0.2.0"})))
    wait_until(lambda: look(crds, "two") == lost(crds, "one", "two"), 15)
    slow = fault_proxy.rule(Delay(1), method="PATCH", path="/services/one/status$")
    crds.kubectl.apply(in_namespace(crds, web("one", annotations={"metallb.io/address-pool": "b"})))
    wait_until(lambda: look(crds, "two") == given("192.0.2.0", pool="a"), 15)
    assert look(crds, "one") == given("198.51.100.0", pool="b")
    assert slow.used == 1
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.given_twice(history) == []


@pytest.fixture
def second_proxy(run, control_plane, evidence):
    """A fault proxy beside fault_proxy."""
    proxy = FaultProxy(run, control_plane)
    evidence.add("second-proxy.txt", proxy.describe)
    yield proxy
    proxy.close()


def test_last_write_of_a_killed_leader(crds, replicas, history, fault_proxy, second_proxy):
    """It is carried out when the next leader has planned the address for somebody else, and has not
    written that yet: who shows the address keeps it, the other looks for another."""
    last_write, first_write = Hold(), Hold()
    dies_while_giving(crds, replicas, fault_proxy, last_write)
    second_proxy.rule(first_write, method="PATCH|POST", path="/status$", times=None)
    leader = replicas("--writes-in-flight", "1", *LONG_LEASE, kubeconfig=second_proxy.kubeconfig("controller"))
    wait_until(lambda: planned(leader, crds) == {"asks": ["192.0.2.0"], "new": ["192.0.2.1"]}, 30)
    last_write.release()
    wait_until(lambda: planned(leader, crds) == {"asks": [], "new": ["192.0.2.0"]}, 15)
    first_write.release()
    wait_until(lambda: look(crds, "asks") == lost(crds, "new", "asks"), 15)
    assert look(crds, "new") == given("192.0.2.0", pool="a")
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []
    assert promises.assigned(history) == 1


def test_no_address_is_given_while_a_killed_leader_may_write(crds, replicas, history, fault_proxy, second_proxy):
    """Its last write is held back, and so is what the next leader says to the same Service. Nobody is
    given the address meanwhile, though it is asked for; then the late write is done, and is adopted."""
    last_write, first_write = Hold(), Hold()
    dies_while_giving(crds, replicas, fault_proxy, last_write)
    fence = second_proxy.rule(first_write, method="PATCH", path="/services/new/status$", times=None)
    leader = replicas(*LONG_LEASE, kubeconfig=second_proxy.kubeconfig("controller"))
    wait_until(lambda: fence.used == 1 and waits_for_leader(look(crds, "asks")), 30,
               lambda: look(crds, "asks"), "all but one have passed the fence")
    assert planned(leader, crds) == {"asks": ["192.0.2.0"], "new": ["192.0.2.1"]}
    last_write.release()
    wait_until(lambda: look(crds, "new") == given("192.0.2.0", pool="a"), 15)
    first_write.release()
    wait_until(lambda: look(crds, "asks") == lost(crds, "new", "asks"), 15, lambda: look(crds, "asks"))
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []
    assert promises.assigned(history) == 1


def test_late_write_of_a_killed_leader_is_adopted_by_who_hears_of_it_late(crds, replicas, history, fault_proxy,
                                                                         second_proxy):
    """The next leader knows from a refusal that the Service has changed, long before it sees the change.
    When it does, it plans anew before it writes."""
    last_write, first_write, watch = Hold(), Hold(), Hold()
    dies_while_giving(crds, replicas, fault_proxy, last_write)
    fence = second_proxy.rule(first_write, method="PATCH", path="/services/new/status$", times=None)
    second_proxy.rule(watch, method="GET", path="^/api/v1/services$", query="watch=", times=None)
    replicas(*LONG_LEASE, kubeconfig=second_proxy.kubeconfig("controller"))
    wait_until(lambda: fence.used == 1, 30, second_proxy.describe)
    last_write.release()
    wait_until(lambda: look(crds, "new") == given("192.0.2.0", pool="a"), 15)
    first_write.release()
    wait_until(lambda: 409 in [request.status for request in second_proxy.writes(path="/services/new/status$")], 15)
    watch.release()
    wait_until(lambda: look(crds, "asks") == lost(crds, "new", "asks"), 15, lambda: look(crds, "asks"))
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.moved(history) == [] and promises.given_twice(history) == []


@pytest.mark.parametrize("arguments", [LONG_LEASE, ("--no-leader-elect",)], ids=["elected", "not_elected"])
def test_late_write_of_a_killed_leader_is_refused(crds, replicas, history, fault_proxy, second_proxy, arguments):
    """Once the next leader has given addresses, what the former one sent cannot be done any more."""
    last_write = Hold()
    dies_while_giving(crds, replicas, fault_proxy, last_write)
    replicas(*arguments, kubeconfig=second_proxy.kubeconfig("controller"))
    wanted = {"asks": given("192.0.2.0", pool="a"), "new": given("192.0.2.1", pool="a")}
    wait_until(lambda: {name: look(crds, name) for name in wanted} == wanted, 30, what="both have addresses")
    # In any case the Service was changed first, by the fence, and then given its address.
    assert [request.status for request in second_proxy.writes(path="/services/new/status$")] == [200, 200]
    last_write.release()
    late = fault_proxy.writes(path="/services/new/status$")
    wait_until(lambda: [request.status for request in late] == [409], 15, fault_proxy.describe)
    assert {name: look(crds, name) for name in wanted} == wanted
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []


def test_leader_that_leads_again_waits_for_its_own_writes_alone(crds, replicas, history, fault_proxy):
    """It could not renew its lease for a while. What it had sent must not be done later; who merely
    waits for an address is left alone, since nobody else led meanwhile."""
    crds.api.apply(pool("a", "192.0.2.0/31"), in_namespace(crds, web("waits", annotations={IPS: "203.0.113.9"})))
    leader = replicas("--leader-elect-lease-duration", "5s", "--leader-elect-renew-deadline", "4s",
                      kubeconfig=fault_proxy.kubeconfig("controller"))
    refused = waits("NotInAnyPool", '["203.0.113.9"] is not allowed in config')
    wait_until(lambda: look(crds, "waits") == refused, 60, lambda: look(crds, "waits"))
    write = Hold()
    sent = fault_proxy.rule(write, method="PATCH", path="/services/new/status$")
    crds.api.create(in_namespace(crds, web("new")))
    wait_until(lambda: sent.used == 1, 60, leader.process.describe)
    before = version_of(crds, "waits")
    unreachable = fault_proxy.rule(Answer(503), path="/leases/", times=None)
    wait_until(lambda: unreachable.used and not leads(leader), 30, leader.process.describe)
    fault_proxy.clear_rules()
    wait_until(lambda: look(crds, "new") == given("192.0.2.0", pool="a"), 60, lambda: look(crds, "new"))
    write.release()
    late, *others = fault_proxy.writes(path="/services/new/status$")
    wait_until(lambda: late.status == 409, 15, fault_proxy.describe)
    assert [request.status for request in others] == [200, 200]  # the fence, and the address
    assert version_of(crds, "waits") == before
    wait_until(lambda: is_complete(history, crds), 10)
    assert promises.moved(history) == []


def version_of(box, name):
    return box.api.get(box.service_path(name))["metadata"]["resourceVersion"]


def dies_while_giving(box, replicas, proxy, last_write):
    """A leader is killed whose write, which gives 192.0.2.0 to "new", is on its way, and stays there.
    After that "asks" asks for this address: who comes next must plan otherwise."""
    box.api.apply(pool("a", "192.0.2.0/31"))
    sent = proxy.rule(last_write, method="PATCH", path="/services/new/status$")
    former = replicas(kubeconfig=proxy.kubeconfig("controller"))
    box.api.create(in_namespace(box, web("new")))
    wait_until(lambda: sent.used == 1, 60, former.process.describe)  # leads for more than a moment
    former.process.kill()
    box.api.create(in_namespace(box, web("asks", annotations={IPS: "192.0.2.0"})))


def waits_for_leader(service):
    """It has nothing, and says that a new leader makes sure of the former one's end."""
    return (service.ips, service.status, service.reason) == ((), "Unknown", "LeaderChanged")


def planned(replica, box):
    """{Service: addresses} that the replica has decided, if it leads."""
    found = _try(replica.rest, "/api/v1/services") or {"services": []}
    return {s["name"]: s["ips"] for s in found["services"] if s["namespace"] == box.namespace}


class Churn:
    """Changes Services without rest, from a few threads, by a seeded generator each. Each thread
    has Services of its own, so that it knows what it may change; they compete for addresses."""

    HOT = [f"192.0.2.{i}" for i in range(1, 17)]  # asked for by name, and not enough of them

    def __init__(self, box, count, threads=3):
        self.box = box
        self.error = None
        self.operations = 0
        self._stop = threading.Event()
        shares = [range(i, count, threads) for i in range(threads)]
        with ThreadPoolExecutor(threads) as pool_of_threads:
            list(pool_of_threads.map(self._create_all, shares))
        self._threads = [threading.Thread(target=self._run, args=(share, SEED + i))
                         for i, share in enumerate(shares)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.error:
            raise self.error

    def _create_all(self, share):
        rng = random.Random(share.start)
        for i in share:
            self._create(i, rng)

    def _create(self, i, rng):
        self.box.api.create(in_namespace(self.box, _random_service(f"s{i}", rng)))

    def _run(self, share, seed):
        rng = random.Random(seed)
        changes = (self._renew, self._renew, self._ask, self._ask, self._toggle)
        try:
            while not self._stop.is_set():
                rng.choice(changes)(rng.choice(share), rng)
                self.operations += 1
        except (ApiError, OSError) as error:
            self.error = error

    def _path(self, i):
        return self.box.service_path(f"s{i}")

    def _renew(self, i, rng):
        """Deletes it and makes another one of the same name."""
        self.box.api.delete(self._path(i))
        self._create(i, rng)

    def _ask(self, i, rng):
        """Asks for an address by name, or no longer does."""
        wish = rng.choice([None, *self.HOT])
        self.box.api.patch(self._path(i), {"metadata": {"annotations": {IPS: wish}}})

    def _toggle(self, i, rng):
        """Leaves the type LoadBalancer, and comes back the next time."""
        current = self.box.api.get(self._path(i))["spec"]["type"]
        other = ({"type": "ClusterIP", "allocateLoadBalancerNodePorts": None}
                 if current == "LoadBalancer" else
                 {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False})
        self.box.api.patch(self._path(i), {"spec": other})


def _random_service(name, rng):
    """Some ask for an address, some share, some want two addresses."""
    kind = rng.random()
    if kind < 0.1:
        return web(name, annotations={IPS: rng.choice(Churn.HOT)})
    if kind < 0.4:
        key = f"k{rng.randrange(20)}"
        return web(name, [f"TCP/{rng.randrange(80, 84)}"], annotations={"metallb.io/allow-shared-ip": key})
    if kind < 0.5:
        return web(name, ipFamilyPolicy="PreferDualStack")
    return web(name)


@pytest.fixture
def replicas(run, control_plane, evidence):
    """start(ARGUMENT…) starts a replica with a short lease. What still runs at the end must stop
    cleanly."""
    started = []

    def start(*arguments, kubeconfig=None):
        name = f"replica-{len(started)}"
        started.append(Controller(run, kubeconfig or control_plane.kubeconfig("controller"),
                                  (*SHORT_LEASE, *arguments), name=name))
        evidence.add_process(started[-1].process)
        return started[-1]

    yield start
    for one in started:
        one.finish()


def leads(replica):
    return replica.process.alive and "ok: leading" in replica.get("/readyz", replica.health_port)


def leader_of(pair):
    """The replica that leads, once one does. Where an API server is so busy that no lease of a second
    can be kept for long, that takes a while."""
    return wait_until(lambda: next((one for one in pair if _try(leads, one)), None), 120,
                      [one.process.describe for one in pair], "a replica leads")


def _try(function, *arguments):
    try:
        return function(*arguments)
    except OSError:
        return False


@pytest.mark.alone  # with leases of a second, which a server that is starved of processor time outlasts
def test_killed_at_random_under_churn(crds, replicas, history, evidence, record_property):
    """The leader is killed -9 fifty times while five hundred Services change: no address is given
    twice, none moves, and in the end everybody has what there is to have."""
    crds.api.apply(pool("a", "192.0.2.0/26", autoAssign=False),
                       pool("b", "198.51.100.0/24", "203.0.113.0/25", "2001:db8:1::/120"))
    rng = random.Random(SEED)
    pair = [replicas(), replicas()]
    churn = Churn(crds, SERVICES)
    leaders = set()
    try:
        for _ in range(KILLS):
            leader = leader_of(pair)
            leaders.add(leader.process.name)
            await_progress(history, rng.randrange(1, 200), pair)
            leader.process.kill()
            pair[pair.index(leader)] = replicas()
    finally:
        churn.stop()
    wait_until(lambda: is_settled(crds), 120, what="every Service is decided for")
    wait_until(lambda: is_complete(history, crds), 10)
    figures = {"kills": KILLS, "leaders": len(leaders), "operations": churn.operations,
               "events": len(history.events), "assignments": promises.assigned(history)}
    record_property("figures", figures)
    print(figures)
    assert promises.given_twice(history) == []
    assert promises.moved(history) == []
    assert len(leaders) == KILLS
    assert figures["assignments"] > SERVICES + KILLS


def await_progress(history, count, pair):
    """Waits until so many more changes have been seen: a moment that the seed chooses."""
    seen = len(history.events)
    wait_until(lambda: len(history.events) >= seen + count, 30,
               [one.process.describe for one in pair], f"{count} more changes")


def is_settled(box):
    """Does every Service show what it is to have: a decision where it wants one, nothing else?"""
    for obj in box.api.items(f"/api/v1/namespaces/{box.namespace}/services"):
        state = promises.State.of(obj)
        conditions = {c["type"]: c["status"] for c in obj["status"].get("conditions", [])}
        if not state.is_load_balancer:
            if state.ips or CONDITION in conditions:
                return False
        elif conditions.get(CONDITION) != ("True" if state.ips else "False"):
            return False
        elif state.ips and state.wants_other_than(state.ips):
            return False
    return True
