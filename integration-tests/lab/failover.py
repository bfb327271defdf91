"""What happens to an address when its owner fails, and how long a client notices it.

A fault is something done to one node, and its undoing. measure() does it to the owner of an address
while a client probes that address, and tells the gap."""

import time
from dataclasses import dataclass

from .page import fetch
from .wait import stays, wait_until


def _others(cluster, name):
    return [host for host in cluster.network.hosts if host != name]


@dataclass(frozen=True)
class Fault:
    """strike(cluster, node) makes it happen, undo(cluster, node) ends it."""
    name: str
    strike: callable
    undo: callable


FAULTS = {fault.name: fault for fault in (
    # The speaker dies; kube-proxy of that node goes on.
    Fault("kill", lambda c, node: c.kill_speaker(node), lambda c, node: c.start_speaker(node)),
    # The whole node dies.
    Fault("crash", lambda c, node: c.kill_node(node), lambda c, node: c.revive_node(node)),
    # Its cable is pulled at the switch: the node sees its carrier go.
    Fault("unplug", lambda c, node: c.network.carrier(node, False),
          lambda c, node: c.network.carrier(node, True)),
    # Its interface is set down by somebody on the node.
    Fault("interface", lambda c, node: c.network.interface(node, False),
          lambda c, node: c.network.interface(node, True)),
    Fault("pause", lambda c, node: c.pause(node), lambda c, node: c.resume(node)),
    # The switch passes nothing between it and all others, and the node sees no reason.
    Fault("partition", lambda c, node: c.network.partition([node], _others(c, node)),
          lambda c, node: c.network.join([node], _others(c, node))),
)}


@dataclass
class Outcome:
    """owner, heir: who answered before and after. The gaps are in seconds: of ARP answers, and of
    pages over fresh connections through the client's own kernel."""
    owner: str
    heir: str
    arp_gap: float
    page_gap: float
    report: object


class Measurement:
    """A probe of one Service's address, by ARP, over fresh connections and over one that stays."""

    def __init__(self, cluster, service, start_probe):
        """start_probe(host, target, …): starts a probe.Probe, as the fixture `probe` does."""
        self.cluster = cluster
        self.vip = cluster.vip(service)
        where = f"[{self.vip}]:80" if ":" in self.vip else f"{self.vip}:80"
        self.arp, self.page, self.open = f"arp:{self.vip}", f"tcp:{where}", f"open:{where}"
        self.owner = self.wait_owner()
        self._probe = start_probe(cluster.network.client, self.arp, self.page, self.open)
        self._steady()

    def wait_owner(self, seconds=30, other_than=()):
        """Waits until exactly one node answers for the address, none of those, and the client's own
        kernel sends to it and gets pages. Returns its name."""
        client = self.cluster.network.client.namespace

        def owner():
            names = self.cluster.answering(self.vip)[self.vip]
            if len(names) != 1 or names[0] in other_than or not fetch(client, self.vip, seconds=1):
                return None
            mac = self.cluster.network[names[0]].namespace.mac()
            return names[0] if client.neighbours()[self.vip][0] == mac else None
        return wait_until(owner, seconds, [client.describe, self.cluster.describe_answers,
                                           self.cluster.describe],
                          f"one node answers for {self.vip}, and the client sends to it")

    def finish(self):
        """Ends the probe, after a last while in which all must go well. Returns its Report."""
        self._steady()
        return self._probe.stop()

    def _steady(self):
        """Probes go on for a while: some pages more come through the address."""
        client = self.cluster.network.client.namespace
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            fetch(client, self.vip, seconds=2)


def measure(cluster, service, fault, start_probe):
    """Strikes the owner of the Service's address with a fault. Returns the Outcome when another one
    has taken over; the fault goes on."""
    return hand_over(cluster, service, start_probe, lambda owner: fault.strike(cluster, owner))


def hand_over(cluster, service, start_probe, begin):
    """Calls begin(owner) and waits until another one alone answers for the Service's address and
    pages come again. Returns the Outcome."""
    one = Measurement(cluster, service, start_probe)
    start = time.monotonic()
    begin(one.owner)
    heir = one.wait_owner(other_than=[one.owner])
    report = one.finish()
    return Outcome(one.owner, heir, report[one.arp].gap(start), report[one.page].gap(start), report)


def split_and_heal(cluster, near, far, start_probe):
    """Parts the LAN until each part serves every address on its own, and makes it whole again. near
    has the host "client", far the host "client2". Returns {client and address: seconds}: how long
    after the healing two nodes were last heard for it, 0.0 when never. The hold-down must be some
    seconds: the moves after it are none of that, and have an overlap on purpose."""
    lan = cluster.network
    vips = list(cluster.vips().values())
    parts = {"client": near, "client2": far}
    probes = {name: start_probe(lan[name], *(f"arp:{vip}" for vip in vips)) for name in parts}
    lan.partition(near, far)

    def each_part_serves():
        return all(len(names) == 1 and names[0] in nodes for client, nodes in parts.items()
                   for names in cluster.answering(*vips, client=client).values())

    wait_until(each_part_serves, 30, [cluster.describe_answers, cluster.describe])
    healed = time.monotonic()
    lan.join(near, far)

    def each_has_one_owner():
        owners = [cluster.answering(*vips, client=client) for client in parts]
        return owners[0] == owners[1] and all(len(names) == 1 for names in owners[0].values())

    wait_until(each_has_one_owner, 30, [cluster.describe_answers, cluster.describe])
    stays(each_has_one_owner, 0.5)
    reports = {name: probing.stop() for name, probing in probes.items()}
    return {f"{name} {vip}": max(0.0, report[f"arp:{vip}"].last_doubt() - healed)
            for name, report in reports.items() for vip in vips}
