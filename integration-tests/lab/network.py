"""The network lab: nodes and a client on a LAN bridge, and a second bridge for management.

    namespace lan: bridge lan0 ──┬── n1 eth0 192.0.2.11    mgmt 198.51.100.11 ──┐
                                 ├── n2 eth0 192.0.2.12    mgmt 198.51.100.12 ──┤ namespace cp:
                                 ├── …                                          ├── bridge mgmt
                                 └── client eth0 192.0.2.200                    ┘   198.51.100.1

The two bridges are in two namespaces, so that a test can cut the one and not the other: a LAN
partition with a live API server, or an API outage with a live LAN. Every host has an IPv6
address with the same last number, in 2001:db8:0:1::/64 and 2001:db8:0:2::/64.

What is cut or lost is kept in nftables sets and nowhere else, so that another process (labctl)
sees and changes the same state.
"""

from .capture import Capture
from .daemon import build_directory
from .netns import Namespace
from .ping import ping
from .process import Process

CLIENT_NUMBER = 200
FIRST_NODE_NUMBER = 11
MAX_NODES = 8
# IPv6 numbers are written like the IPv4 ones: n1 is ::11 in both.
PLANES = {
    "lan": {"bridge": "lan0", "namespace": "lan", "interface": "eth0",
            "v4": "192.0.2.{}/24", "v6": "2001:db8:0:1::{}/64"},
    "mgmt": {"bridge": "mgmt0", "namespace": "cp", "interface": "mgmt",
             "v4": "198.51.100.{}/24", "v6": "2001:db8:0:2::{}/64"},
}

# Not all in the forward hook: that one does not see what goes to and from the bridge itself,
# where the API server's address is.
_BRIDGE_TABLE = """
table bridge lab {
    set cut { type ifname; }
    set apart { type ifname . ifname; }
    chain loss { }
    chain incoming {
        type filter hook prerouting priority 0; policy accept;
        iifname @cut drop
    }
    chain between {
        type filter hook forward priority 0; policy accept;
        iifname . oifname @apart drop
    }
    chain outgoing {
        type filter hook postrouting priority 0; policy accept;
        oifname @cut drop
        jump loss
    }
}
"""


class Host:
    """A node or the client: one namespace, an interface on each plane that it is on."""

    def __init__(self, namespace, name, number):
        self.namespace = namespace
        self.name = name
        self.number = number

    @property
    def is_node(self):
        return FIRST_NODE_NUMBER <= self.number < FIRST_NODE_NUMBER + MAX_NODES

    @property
    def address(self):
        """Its IPv4 address on the LAN."""
        return _address("lan", "v4", self.number)

    @property
    def address6(self):
        return _address("lan", "v6", self.number)

    @property
    def management_address(self):
        return _address("mgmt", "v4", self.number)

    def ping(self, address, seconds=1):
        """The round-trip time of one echo to that address, None when it was not answered."""
        return ping(self.namespace, address, seconds)


class Network:
    """Makes namespaces and bridges in the constructor; the run removes them."""

    def __init__(self, run, nodes=0):
        """nodes: how many, n1 and on, up to MAX_NODES. There is always a client."""
        assert 0 <= nodes <= MAX_NODES, f"the address plan has room for {MAX_NODES} nodes"
        self.run = run
        self.prefix = run.unique("net")  # of its namespaces' names
        self.bridges = {plane: self._make_bridge(plane) for plane in PLANES}
        self.hosts = {}
        self._wires = {}  # (host, plane): the Process that delays its frames
        for index in range(nodes):
            self.add_host(f"n{index + 1}", FIRST_NODE_NUMBER + index)
        self.add_host("client", CLIENT_NUMBER, planes=("lan",))

    @classmethod
    def existing(cls, prefix, hosts):
        """A network that another process made. prefix: that one's full_prefix; hosts: its
        {name: number}."""
        self = cls.__new__(cls)
        self._wires = {}
        self.bridges = {plane: Namespace.existing(f"{prefix}-{facts['namespace']}")
                        for plane, facts in PLANES.items()}
        self.hosts = {name: Host(Namespace.existing(f"{prefix}-{name}"), name, number)
                      for name, number in hosts.items()}
        return self

    @property
    def full_prefix(self):
        return f"{self.run.name}-{self.prefix}"

    @property
    def nodes(self):
        return [host for host in self.hosts.values() if host.is_node]

    @property
    def client(self):
        return self.hosts["client"]

    @property
    def control_plane(self):
        """The namespace with 198.51.100.1, where nodes look for the API server."""
        return self.bridges["mgmt"]

    def __getitem__(self, name):
        return self.hosts[name]

    def add_host(self, name, number, planes=("lan", "mgmt")):
        """One more host; number is the last part of its addresses on each of those planes."""
        host = Host(Namespace(self.run, f"{self.prefix}-{name}"), name, number)
        # IPv6 addresses outlive an interface that is down, as IPv4 addresses do: whoever runs a node
        # has them put there again.
        for which in ("all", "default"):
            host.namespace.sysctl(f"net.ipv6.conf.{which}.keep_addr_on_down", 1)
        for plane in planes:
            self._plug(host, plane)
        self.hosts[name] = host
        return host

    def cut(self, name, plane="lan"):
        """Drops every frame from and to that host on that plane; its carrier stays up."""
        self._put_in(plane, "cut", name)

    def heal(self, name, plane="lan"):
        """Undoes cut(). The host need not be cut."""
        self._take_out(plane, "cut", name)

    def partition(self, group, other, plane="lan"):
        """Drops what goes between any host of the one group and any of the other, all at once."""
        self._put_in(plane, "apart", self._pairs(group, other))

    def join(self, group, other, plane="lan"):
        """Undoes partition() for those groups, all at once."""
        self._take_out(plane, "apart", self._pairs(group, other))

    def lose(self, plane="lan", **percent):
        """Drops that share of the frames to each host named, at random, and none to the others:
        lose(n1=20), and lose() to end it."""
        rules = [f"add rule bridge lab loss oifname {name} numgen random mod 100 < {share} drop"
                 for name, share in percent.items()]
        self._nft(self.bridges[plane], "\n".join(["flush chain bridge lab loss", *rules]))

    def delay(self, name, milliseconds, jitter=0, plane="lan"):
        """Makes every frame from and to that host late by so much and a random part of jitter, in
        milliseconds; again, to change it. Cuts and losses go on working; the host's carrier cannot
        be pulled any more. A process carries the frames (bench/wire_delay.c), for not every
        kernel can delay them."""
        if (name, plane) in self._wires:
            self._wires[name, plane].stop()
        else:
            self._lengthen(name, plane)
        self._wires[name, plane] = wire = Process(
            self.run, [build_directory() / "bench" / "wire_delay", f"{name}-near", f"{name}-far",
                       milliseconds, jitter], name=f"wire-{name}", namespace=self.bridges[plane])
        wire.wait_log("^ready$", 10)

    def carrier(self, name, up, plane="lan"):
        """Pulls or plugs the host's cable, at the switch's end."""
        assert (name, plane) not in self._wires, f"{name} is at a long wire"
        self.bridges[plane].ip("link", "set", name, "up" if up else "down")

    def interface(self, name, up, plane="lan"):
        """Sets the host's own interface down or up, as its administrator would."""
        self.hosts[name].namespace.ip("link", "set", PLANES[plane]["interface"], "up" if up else "down")

    def capture(self, name, interface="eth0"):
        """Starts to record the frames on an interface of that host. See capture.Capture."""
        return Capture(self.hosts[name].namespace, interface)

    def delete(self):
        for wire in self._wires.values():
            wire.kill()
        for host in self.hosts.values():
            host.namespace.delete()
        for namespace in self.bridges.values():
            namespace.delete()

    def describe(self):
        parts = [host.namespace.describe() for host in self.hosts.values()]
        for plane, namespace in self.bridges.items():
            rules = namespace.run("nft", "list", "table", "bridge", "lab", check=False).stdout
            parts.append(f"--- bridge of plane {plane}\n{rules}")
        return "\n".join(parts)

    def _make_bridge(self, plane):
        facts = PLANES[plane]
        namespace = Namespace(self.run, f"{self.prefix}-{facts['namespace']}")
        bridge = facts["bridge"]
        # Snooping would keep neighbour solicitations from hosts that sent no MLD report yet.
        namespace.ip("link", "add", "name", bridge, "type", "bridge",
                     "forward_delay", "0", "mcast_snooping", "0")
        namespace.ip("link", "set", bridge, "up")
        if plane == "mgmt":
            namespace.ip("address", "add", "198.51.100.1/24", "dev", bridge)
            namespace.ip("address", "add", "2001:db8:0:2::1/64", "dev", bridge, "nodad")
        self._nft(namespace, _BRIDGE_TABLE)
        return namespace

    def _plug(self, host, plane):
        facts = PLANES[plane]
        switch = self.bridges[plane]
        interface = facts["interface"]
        switch.ip("link", "add", "name", host.name, "type", "veth",
                  "peer", "name", interface, "netns", host.namespace.full_name)
        switch.ip("link", "set", host.name, "master", facts["bridge"], "up")
        for family, extra in (("v4", ()), ("v6", ("nodad",))):
            host.namespace.ip("address", "add", facts[family].format(host.number),
                              "dev", interface, *extra)
        host.namespace.ip("link", "set", interface, "up")

    def _lengthen(self, name, plane):
        """Takes the host's cable out of the switch and puts one of that name in, whose end is beside
        the end of the old one."""
        switch = self.bridges[plane]
        for arguments in (
                ("set", name, "nomaster"), ("set", name, "down"),
                ("set", name, "name", f"{name}-far"), ("set", f"{name}-far", "up"),
                ("add", "name", f"{name}-near", "type", "veth", "peer", "name", name),
                ("set", f"{name}-near", "up"), ("set", name, "master", PLANES[plane]["bridge"], "up")):
            switch.ip("link", *arguments)

    def _put_in(self, plane, name, elements):
        self._nft(self.bridges[plane], f"add element bridge lab {name} {{ {elements} }}")

    def _take_out(self, plane, name, elements):
        """Deleting what is not there would be an error: it is put in before."""
        self._nft(self.bridges[plane], f"add element bridge lab {name} {{ {elements} }}\n"
                                       f"delete element bridge lab {name} {{ {elements} }}")

    @staticmethod
    def _pairs(group, other):
        return ", ".join(f"{one} . {two}, {two} . {one}" for one in group for two in other)

    @staticmethod
    def _nft(namespace, text):
        namespace.run("nft", "-f", "-", input_text=text)


def _address(plane, family, number):
    return PLANES[plane][family].format(number).partition("/")[0]
