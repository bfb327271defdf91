"""Which node answers: the order that the controller publishes on each Service, on a real API server,
and what becomes of it on the wire."""

import base64
import hashlib
import json
import re
from collections import Counter
from datetime import datetime

import pytest
import yaml

from lab import objects
from lab.api import History
from lab.daemon import program
from lab.process import run_command
from lab.programs import REPOSITORY
from lab.wait import stays, wait_until

NODES = [f"n{i}" for i in range(1, 6)]
VIPS, SHARE = 23, 5  # ceil(23 / 5)
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
PLACEMENT = "stentor.io/placement"
UPDATES = "metallb_k8s_client_updates_total"
PLANNED = "stentor_controller_planned_services_total"
SECONDS = 30
ADVERTISEMENT = {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
                 "metadata": {"name": "all", "namespace": "metallb-system"}, "spec": {}}


def by_hash(address, nodes=tuple(NODES)):
    """The order in which MetalLB's speakers would answer for it."""
    return sorted(nodes, key=lambda node: hashlib.sha256(f"{node}#{address}".encode()).digest())


def order_of(service):
    """(epoch, nodes) as published; (0, []) when nothing is."""
    found = re.fullmatch(r"(\d+)((?: [\w.-]+)+)", service["metadata"].get("annotations", {}).get(PLACEMENT, ""))
    return (int(found[1]), found[2].split()) if found else (0, [])


class Site:
    """Five nodes, a pool for 30 addresses, an advertisement of all of it."""

    def __init__(self, box):
        self.box = box
        for name in NODES:
            box.node(name)
        box.api.create(objects.pool("office", "192.0.2.0/27"))
        box.api.create(ADVERTISEMENT)

    @property
    def collection(self):
        return f"/api/v1/namespaces/{self.box.namespace}/services"

    def make(self, count, first=1, **options):
        for i in range(first, first + count):
            self.box.service(f"s{i:02}", **options)

    def services(self):
        return {one["metadata"]["name"]: one for one in self.box.api.items(self.collection)}

    def orders(self):
        """{Service: nodes as published, the owner first}"""
        return {name: order_of(one)[1] for name, one in self.services().items()}

    def owners(self):
        return {name: nodes[0] for name, nodes in self.orders().items() if nodes}

    def loads(self):
        """How many each node has."""
        count = Counter(self.owners().values())
        return [count[node] for node in NODES]

    def wait_placed(self, count, accept=lambda owners: True, what="all are placed"):
        """{Service: owner} once there are so many and accept() of them holds."""
        def placed():
            owners = self.owners()
            return owners if len(owners) == count and accept(owners) else None
        return wait_until(placed, SECONDS, self.box.describe, what)

    def counted(self, count):
        """Does the pool show that many addresses in use? That is written last."""
        return self.box.kubectl.get("ipaddresspool", "office", "metallb-system").get(
            "status", {}).get("assignedIPv4") == count

    def annotate(self, path, **annotations):
        self.box.api.patch(path, {"metadata": {"annotations": {
            f"stentor.io/{key}": value for key, value in annotations.items()}}})

    def drain(self, node, value):
        self.annotate(f"/api/v1/nodes/{node}", drain=value)

    def publish(self, order, **options):
        """A Service for which that has been published, with an address."""
        name = f"s{len(self.services()) + 1:02}"
        self.box.service(name, annotations={PLACEMENT: order} if order else {}, **options)
        address = f"192.0.2.{len(self.services())}"
        self.box.api.patch(f"{self.box.service_path(name)}/status",
                           {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}})
        return address


@pytest.fixture
def site(crds):
    return Site(crds)


def quiet(controller):
    """The controller has nothing to write and nothing to move."""
    metrics = controller.metrics()
    return all(metrics[f"stentor_controller_{name}"] == 0
               for name in ("queue_waiting", "queue_in_flight", "moves_left"))


def moved(before, after):
    return sorted(name for name in before if before[name] != after[name])


def node_figures(controller):
    metrics = controller.metrics()
    return [metrics[f'stentor_controller_node_vips{{node="{node}"}}'] for node in NODES]


# --- evenly ---------------------------------------------------------------------------------------


def test_five_nodes_share_23(site, controller):
    """5, 5, 5, 4, 4: published with the address, in one write; and after the loss of any node no
    other would have more than ceil(23 / 4)."""
    with History(site.box.api, site.collection) as history:
        leader = controller()
        site.make(VIPS)
        site.wait_placed(VIPS)
        wait_until(lambda: quiet(leader), SECONDS)
    assert sorted(site.loads(), reverse=True) == [5, 5, 5, 4, 4]
    assert sorted(node_figures(leader), reverse=True) == [5, 5, 5, 4, 4]
    orders = site.orders()
    assert all(sorted(nodes) == NODES for nodes in orders.values())
    for lost in NODES:
        left = Counter(nodes[1] if nodes[0] == lost else nodes[0] for nodes in orders.values())
        assert max(left.values()) <= 6
    for _, service in history.events:
        assert bool(objects.ingress_addresses(service)) == bool(order_of(service)[1])


def test_check_says_the_same(site, controller, tmp_path):
    """What --check plans for new Services is even, and for a dump of the cluster just what is."""
    def check():
        done = run_command([program("stentor-controller"), "--check", tmp_path, "--output", "json"])
        return {one["name"]: [one["owner"], *one["backups"]] for one in json.loads(done.stdout)["services"]}

    def dump(services):
        nodes = site.box.api.items("/api/v1/nodes")
        (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([
            ADVERTISEMENT, objects.pool("office", "192.0.2.0/27"),
            *({"apiVersion": "v1", "kind": "Node", **node} for node in nodes),
            *({"apiVersion": "v1", "kind": "Service", **service} for service in services)]))

    site.make(VIPS)
    dump(site.services().values())
    assert sorted(Counter(nodes[0] for nodes in check().values()).values()) == [4, 4, 5, 5, 5]
    leader = controller()
    site.wait_placed(VIPS)
    wait_until(lambda: quiet(leader), SECONDS)
    dump(site.services().values())
    assert check() == site.orders()


def test_one_address_goes_where_the_hash_says(site, controller):
    """And so do its backups: a small cluster looks as it did."""
    controller()
    site.make(1)
    site.wait_placed(1)
    [service] = site.services().values()
    [address] = objects.ingress_addresses(service)
    epoch, nodes = order_of(service)
    assert (epoch, nodes[:2]) == (1, by_hash(address)[:2])


# --- nodes come and go ----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["drain", "exclude"])
def test_a_node_is_emptied_and_filled_again(site, controller, way):
    """Only its own addresses move, to six at most on each; and back as few as it takes."""
    def emptied(yes):
        if way == "drain":
            site.drain("n2", "" if yes else None)
        else:
            site.box.api.patch("/api/v1/nodes/n2", {"metadata": {"labels": {EXCLUDE: "" if yes else None}}})

    leader = controller("--rebalance-rate", "100")
    site.make(VIPS)
    before = site.wait_placed(VIPS)
    wait_until(lambda: quiet(leader), SECONDS)
    before = site.owners()
    emptied(True)
    without = site.wait_placed(VIPS, lambda owners: "n2" not in owners.values())
    assert moved(before, without) == sorted(name for name, node in before.items() if node == "n2")
    loads = site.loads()
    assert max(loads) == 6
    emptied(False)
    again = site.wait_placed(VIPS, lambda owners: max(Counter(owners.values()).values()) <= SHARE)
    assert len(moved(without, again)) == sum(max(0, load - SHARE) for load in loads)
    assert all(again[name] == "n2" for name in moved(without, again))


def test_a_new_node_takes_its_share(site, controller):
    leader = controller("--rebalance-rate", "100")
    site.make(20)
    site.wait_placed(20)
    wait_until(lambda: quiet(leader), SECONDS)
    before = site.owners()
    site.box.node("n6")
    site.make(4, first=21)
    after = site.wait_placed(24)
    assert Counter(after.values()) == dict.fromkeys([*NODES, "n6"], 4)
    assert moved(before, after) == []  # there were four on each: nothing had to move
    site.box.node("n7")
    site.box.node("n8")
    last = site.wait_placed(24, lambda owners: max(Counter(owners.values()).values()) == 3)
    assert len(moved(after, last)) == 6


# --- leaders --------------------------------------------------------------------------------------


def test_leaders_change_and_nothing_moves(site, controller):
    """Neither a standby nor the next leader writes anything."""
    one = controller(name="one")
    site.make(VIPS)
    site.wait_placed(VIPS)
    wait_until(lambda: site.counted(VIPS) and quiet(one), SECONDS)
    before = site.orders()
    with History(site.box.api, site.collection) as history:
        other = controller(name="other")
        one.process.kill()
        wait_until(lambda: other.role() == "leading" and quiet(other), SECONDS, other.process.describe)
        assert sorted(node_figures(other)) == [4, 4, 5, 5, 5]
    assert history.events == []
    assert site.orders() == before
    assert other.metrics()[UPDATES] == 0


def test_edited_by_hand(site, controller):
    """Whoever writes another order is outbid: the order comes back with a higher epoch."""
    leader = controller()
    site.make(1)
    site.wait_placed(1)
    wait_until(lambda: quiet(leader), SECONDS)
    [(name, nodes)] = site.orders().items()
    path = site.box.service_path(name)
    for text, epoch in ((f"41 {nodes[1]}", 42), (None, 42), ("nonsense", 42)):
        site.annotate(path, placement=text)
        wait_until(lambda wanted=epoch: order_of(site.box.api.get(path)) == (wanted, nodes), SECONDS,
                   leader.process.describe)


# --- what is in force before ----------------------------------------------------------------------


def test_a_cluster_changes_over(site, controller):
    """Where nothing is published the hash is in force, and is published."""
    addresses = [site.publish(None) for _ in range(12)]
    leader = controller("--rebalance", "off")
    owners = site.wait_placed(12)
    assert list(owners.values()) == [by_hash(address)[0] for address in addresses]
    wanted = sum(max(0, load - 3) for load in site.loads())  # ceil(12 / 5)
    wait_until(lambda: leader.metrics()["stentor_controller_moves_left"] == wanted, SECONDS)


def crowded(site, count=20):
    """All of them published on one node."""
    for _ in range(count):
        site.publish("7 n1")


def test_moves_are_bounded(site, controller):
    """Sixteen have to move, five a second: that takes three seconds at least."""
    crowded(site)
    leader = controller("--rebalance-rate", "5")
    with History(site.box.api, site.collection) as history:
        site.wait_placed(20, lambda owners: max(Counter(owners.values()).values()) == 4)
        wait_until(lambda: quiet(leader), SECONDS)
    assert leader.metrics()["stentor_controller_moves_total"] == 16
    times = [datetime.fromisoformat(text) for text in re.findall(
        r'^time=(\S+)Z .*msg="units to move for balance"', leader.process.log(), re.M)]
    assert (times[-1] - times[0]).total_seconds() > 15 / 5 - 0.1
    owners = {}
    for kind, service in history.events:
        name, nodes = service["metadata"]["name"], order_of(service)[1]
        owners.setdefault(name, []).append(nodes[0])
        assert kind == "MODIFIED"
    assert all(len(set(seen)) <= 2 for seen in owners.values())  # nobody moves twice


def test_moves_are_frozen(site, controller):
    """New ones go where the fewest are, what a user asks for is done, and the rest stays."""
    crowded(site)
    leader = controller("--rebalance=off")
    site.make(8, first=21)
    owners = site.wait_placed(28)
    assert Counter(owners.values()) == {"n1": 20, **dict.fromkeys(NODES[1:], 2)}
    assert leader.metrics()["stentor_controller_moves_left"] == 20 - 6  # ceil(28 / 5)
    site.annotate(site.box.service_path("s01"), node="n4")
    site.wait_placed(28, lambda seen: seen["s01"] == "n4")
    assert moved(owners, site.owners()) == ["s01"]


# --- wishes ---------------------------------------------------------------------------------------


def test_asked_for_a_node(site, controller):
    """The annotation counts as long as the node may have it; the REST API says why it is there."""
    leader = controller("--rebalance-rate", "100")
    site.make(10)
    site.wait_placed(10)
    wait_until(lambda: quiet(leader), SECONDS)
    path = site.box.service_path("s01")
    epoch, nodes = order_of(site.box.api.get(path))

    def explained():
        told = leader.rest(f"/api/v1/explain/{site.box.namespace}/s01")["placement"]
        return told["owner"], told["reason"]

    site.annotate(path, node=nodes[2])
    wait_until(lambda: order_of(site.box.api.get(path))[1][0] == nodes[2], SECONDS)
    assert order_of(site.box.api.get(path))[0] > epoch
    assert explained() == (nodes[2], "asked")
    wait_until(lambda: max(site.loads()) == 2 and quiet(leader), SECONDS)  # another made room
    site.drain(nodes[2], "")
    wait_until(lambda: order_of(site.box.api.get(path))[1][0] != nodes[2], SECONDS)
    assert explained()[1] == "tookOver"
    site.drain(nodes[2], None)
    wait_until(lambda: order_of(site.box.api.get(path))[1][0] == nodes[2], SECONDS)
    site.annotate(path, node="unknown")
    wait_until(lambda: explained() == (nodes[2], "kept"), SECONDS)


# --- the hash election ----------------------------------------------------------------------------


def test_hash_election(site, controller):
    """By advertisement: nothing is published, and the other way round it is again."""
    path = f"/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements/{ADVERTISEMENT['metadata']['name']}"
    leader = controller()
    site.make(6)
    site.wait_placed(6)
    site.box.api.patch(path, {"spec": {"election": "hash"}})
    wait_until(lambda: not site.owners(), SECONDS, site.box.describe)
    told = leader.rest("/api/v1/services")["services"]
    assert [one["owner"] for one in told] == [by_hash(one["ips"][0])[0] for one in told]
    assert [one["backups"] for one in told] == [[]] * 6
    site.box.api.patch(path, {"spec": {"election": "balanced"}})
    site.wait_placed(6, lambda owners: max(Counter(owners.values()).values()) <= 2)


def test_hash_election_by_flag(site, controller):
    leader = controller("--election", "hash")
    site.make(6)
    wait_until(lambda: all(map(objects.ingress_addresses, site.services().values())) and quiet(leader), SECONDS)
    assert site.owners() == {}
    assert all(one["owner"] for one in leader.rest("/api/v1/services")["services"])


# --- endpoints ------------------------------------------------------------------------------------


def slice_of(site, service, *nodes):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{service}-1", "namespace": site.box.namespace,
                         "labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": [f"198.18.1.{i}"], "nodeName": node, "conditions": {"ready": True}}
                          for i, node in enumerate(nodes, 1)]}


def test_local_policy_follows_the_endpoints(site, controller):
    """With the Cluster policy endpoints move nothing."""
    leader = controller()
    site.make(1, externalTrafficPolicy="Local")
    made = site.box.api.create(slice_of(site, "s01", "n3"))
    path = site.box.api.path_of(made)
    wait_until(lambda: site.orders() == {"s01": ["n3"]}, SECONDS, site.box.describe)
    site.box.api.patch(path, {"endpoints": slice_of(site, "s01", "n3", "n4")["endpoints"]})
    wait_until(lambda: site.orders() == {"s01": ["n3", "n4"]}, SECONDS, site.box.describe)
    site.box.api.patch(path, {"endpoints": slice_of(site, "s01", "n4")["endpoints"]})
    wait_until(lambda: site.orders() == {"s01": ["n4"]}, SECONDS, site.box.describe)
    site.box.api.patch(site.box.service_path("s01"), {"spec": {"externalTrafficPolicy": "Cluster"}})
    wait_until(lambda: len(site.orders()["s01"]) == 5, SECONDS, site.box.describe)
    planned = leader.metrics()[PLANNED]
    with History(site.box.api, site.collection) as history:
        site.box.api.delete(path)
        site.box.api.patch(site.box.service_path("s01"), {"metadata": {"labels": {"touched": "yes"}}})
        wait_until(lambda: leader.metrics()[PLANNED] > planned and quiet(leader), SECONDS)
        wait_until(lambda: history.events, SECONDS, what="the label is seen")
    assert [one["metadata"]["labels"]["touched"] for _, one in history.events] == ["yes"]


# --- with speakers --------------------------------------------------------------------------------


@pytest.mark.alone
def test_a_node_dies_and_returns(cluster):
    """On the wire: 5, 5, 5, 4, 4; six at most without one of them, and only its own have moved; when
    it is back and trusted, five at most again, and no more have moved than that takes."""
    one = cluster(5, api=True, hold_down="3s", controller_arguments=["--rebalance-rate", "100"])
    one.add_services(VIPS)

    def at_most(share):
        return lambda owners: max(Counter(owners.values()).values()) <= share

    before = one.wait_owned(at_most(SHARE))
    assert sorted(Counter(before.values()).values()) == [4, 4, 5, 5, 5]
    dead = "n2"
    one.kill_node(dead)
    without = one.wait_owned(lambda owners: dead not in owners.values())
    assert moved(before, without) == sorted(vip for vip, node in before.items() if node == dead)
    wait_until(lambda: dead not in [order_of(one.service(name))[1][0] for name in one.services], SECONDS,
               one.describe, "the controller has taken over what the speakers did")
    loads = Counter(without.values())
    assert max(loads.values()) == 6
    one.revive_node(dead)
    again = one.wait_owned(at_most(SHARE))
    assert len(moved(without, again)) == sum(max(0, load - SHARE) for load in loads.values())
    one.wait_settled()
    stays(lambda: one.wait_owned() == again, 3)


def test_the_secret_of_the_members(crds, controller):
    """Made once, as text of 16 random bytes, and left alone by whoever comes later. It belongs to the
    controller's Deployment, with which Kubernetes deletes it."""
    path = f"/api/v1/namespaces/{crds.system}/secrets/memberlist"
    crds.api.delete(path, missing_ok=True)
    deployment = next(tree for tree in yaml.safe_load_all((REPOSITORY / "docs/manifests/controller.yaml").read_text())
                      if tree["kind"] == "Deployment")
    crds.kubectl.apply(deployment)
    owner = crds.kubectl.get("deployment", "controller", crds.system)["metadata"]
    controller("--ml-secret-name", "memberlist", "--deployment", "controller", name="first")
    made = wait_until(lambda: crds.api.get_or_none(path), SECONDS)
    assert made["metadata"]["ownerReferences"] == [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "controller", "uid": owner["uid"]}]
    key = base64.b64decode(made["data"]["secretkey"]).decode()
    assert len(base64.b64decode(key + "==")) == 16
    second = controller("--ml-secret-name", "memberlist", "--no-leader-elect", name="second")
    wait_until(lambda: second.role() == "leading", SECONDS)
    assert crds.api.get(path) == made
    crds.api.delete(path)
    crds.kubectl.delete("deployment", "controller", crds.system)


def test_a_deployment_that_is_not_there(crds, controller):
    """The Secret is made all the same, and the log says that it belongs to nobody."""
    path = f"/api/v1/namespaces/{crds.system}/secrets/memberlist"
    crds.api.delete(path, missing_ok=True)
    # A name that the controller's rights do not cover: the API server refuses to show it.
    one = controller("--ml-secret-name", "memberlist", "--deployment", "other")
    made = wait_until(lambda: crds.api.get_or_none(path), SECONDS)
    assert "ownerReferences" not in made["metadata"]
    assert "secret of the members belongs to nobody" in one.process.log()
    crds.api.delete(path)
