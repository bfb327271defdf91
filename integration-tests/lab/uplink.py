"""A way in from outside: a router on the LAN, which learns addresses by BGP, and a visitor behind it.

    nodes ── LAN ── tor 192.0.2.1 | 203.0.113.1 ── visitor 203.0.113.2

The router is FRR. It spreads connections over all nodes that announce an address."""

import time

from .frr import Frr
from .netns import Namespace
from .page import fetch
from .router import Neighbor
from .wait import wait_until

ROUTER_NUMBER = 1
OUTSIDE, ROUTER, VISITOR = "203.0.113.0/24", "203.0.113.1", "203.0.113.2"


class Visitor:
    """Where a probe can run."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.name = "visitor"
        self.address = VISITOR


class Uplink:
    """Made by the constructor, before the nodes announce anything; connect() starts the router."""

    def __init__(self, run, network):
        self._run, self._network = run, network
        self.host = network.add_host("tor", ROUTER_NUMBER, planes=("lan",))
        self.visitor = Visitor(Namespace(run, f"{network.prefix}-visitor"))
        self.router = None
        tor, visitor = self.host.namespace, self.visitor.namespace
        tor.ip("link", "add", "name", "eth1", "type", "veth", "peer", "name", "eth0", "netns", visitor.full_name)
        for namespace, interface, address in ((tor, "eth1", ROUTER), (visitor, "eth0", VISITOR)):
            namespace.ip("address", "add", f"{address}/24", "dev", interface)
            namespace.ip("link", "set", interface, "up")
        visitor.ip("route", "add", "default", "via", ROUTER)
        tor.sysctl("net.ipv4.ip_forward", 1)
        tor.sysctl("net.ipv4.fib_multipath_hash_policy", 1)  # by ports too: each connection by itself
        for node in network.nodes:
            node.namespace.ip("route", "add", OUTSIDE, "via", self.host.address)

    def connect(self, nodes, our_as, their_as):
        """Starts the router with those nodes as its neighbours."""
        neighbors = [Neighbor(self._network[node].address, our_as, bfd=True, restart=True) for node in nodes]
        self.router = Frr(self._run, self.host, their_as, neighbors, bfd=(50, 50, 3))

    def wait_watching(self, *nodes, seconds=30):
        """Waits until BFD watches those nodes, and the router has all of their routes."""
        wanted = {self._network[node].address for node in nodes}

        def watching():
            up = {one["peer"] for one in self.router.bfd_peers() if one["status"] == "up"}
            return wanted <= up and all(self.router.has_all(address) for address in wanted)
        wait_until(watching, seconds, self.router.describe, f"BFD watches {', '.join(nodes)}")

    def wait_hops(self, address, *nodes, seconds=30):
        """Waits until the router's kernel sends what is for the address to exactly those nodes."""
        wanted = sorted(self._network[node].address for node in nodes)
        wait_until(lambda: self.router.kernel_routes().get(f"{address}/32") == wanted, seconds,
                   [self.router.describe, self.host.namespace.describe], f"{address} is routed to {', '.join(nodes)}")

    def steady(self, address, seconds=0.3):
        """The visitor gets pages from the address for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            fetch(self.visitor.namespace, address, seconds=2)

    def show_route(self, address):
        """What the router's kernel has for it."""
        return self.host.namespace.ip("route", "show", address).stdout.replace("\t", "    ").replace(" \n", "\n")

    def close(self):
        if self.router:
            self.router.stop()
        self.visitor.namespace.delete()
