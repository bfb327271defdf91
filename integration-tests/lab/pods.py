"""Pods behind nodes: a network namespace each, routed as a CNI plugin would, with a page server.

Node n1's pods are in 203.0.113.16/28 and 2001:db8:1:1::/64, n2's in 203.0.113.32/28 and so on;
every node has a route to the others' pods over the LAN.
"""

from .daemon import build_directory
from .netns import Namespace
from .process import Process

PORT = 8080
_INTERFACE = "veth-pod"  # a name that speakers leave alone, as those of CNI plugins


def page_server(run, namespace, name, port):
    """A page with the line "Hello from NAME" on every address of a namespace."""
    server = Process(run, [build_directory() / "bench" / "page_server", name, port],
                     name=f"page-{name}", namespace=namespace)
    server.wait_log("^ready$", 10)
    return server


class Pod:
    """One pod behind a node of a network: p1 behind n1."""

    def __init__(self, run, network, node, name):
        """node: the network.Host."""
        index = node.number - network["n1"].number + 1
        self.name = name
        self.node = node
        self.address = f"203.0.113.{16 * index + 2}"
        self.address6 = f"2001:db8:1:{index}::2"
        self.namespace = Namespace(run, f"{network.prefix}-{name}")
        self._plug(index)
        # kube-proxy gives each connection a port of the node by chance. One that the pod still has in
        # TIME-WAIT, as after some thousand short connections within a minute, is answered as what it
        # was, and the new connection is lost, whichever node has the address.
        self.namespace.sysctl("net.ipv4.tcp_max_tw_buckets", 0)
        for other in network.nodes:
            if other is not node:
                other.namespace.ip("route", "add", f"203.0.113.{16 * index}/28", "via", node.address)
                other.namespace.ip("route", "add", f"2001:db8:1:{index}::/64", "via", node.address6)
        self.server = page_server(run, self.namespace, name, PORT)

    def _plug(self, index):
        node, pod = self.node.namespace, self.namespace
        node.ip("link", "add", "name", _INTERFACE, "type", "veth",
                "peer", "name", "eth0", "netns", pod.full_name)
        for v4, v6, interface, namespace in (
                (f"203.0.113.{16 * index + 1}/28", f"2001:db8:1:{index}::1/64", _INTERFACE, node),
                (f"{self.address}/28", f"{self.address6}/64", "eth0", pod)):
            namespace.ip("address", "add", v4, "dev", interface)
            namespace.ip("address", "add", v6, "dev", interface, "nodad")
            namespace.ip("link", "set", interface, "up")
        pod.ip("route", "add", "default", "via", f"203.0.113.{16 * index + 1}")
        pod.ip("route", "add", "default", "via", f"2001:db8:1:{index}::1")

    def delete(self):
        self.server.kill()
        self.namespace.delete()
