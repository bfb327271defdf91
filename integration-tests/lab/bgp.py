"""A lab for BGP without an API server: nodes with a speaker each, objects in a directory, routers.

    n1 192.0.2.11 ──┬── LAN ──┬── tor  192.0.2.1   a router of any kind (routers.py)
    n2 192.0.2.12 ──┘         └── tor2 192.0.2.2 …

Services are written with their addresses, as a controller would have left them. Nodes are AS 64512,
routers AS 64513 unless a test says otherwise.
"""

from .router import Neighbor
from .routers import ROUTERS
from .speaker import Speaker
from .stores import DirectoryStore
from .wait import wait_until

SYSTEM = "metallb-system"
OUR_AS, THEIR_AS = 64512, 64513
VIPS = "198.51.100.0/24", "2001:db8:100::/64"


def metallb(kind, name, version="v1beta1", **spec):
    return {"apiVersion": f"metallb.io/{version}", "kind": kind,
            "metadata": {"name": name, "namespace": SYSTEM}, "spec": spec}


def peer(name, address=None, **spec):
    """A BGPPeer; None removes a default."""
    whole = {"myASN": OUR_AS, "peerASN": THEIR_AS, "peerAddress": address, "holdTime": "9s", **spec}
    return metallb("BGPPeer", name, "v1beta2", **{k: v for k, v in whole.items() if v is not None})


def advertisement(name="all", **spec):
    return metallb("BGPAdvertisement", name, **spec)


def node_object(host, labels=None, annotations=None, conditions=()):
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": host.name, "annotations": annotations or {},
                         "labels": {"kubernetes.io/hostname": host.name, **(labels or {})}},
            "status": {"addresses": [{"type": "InternalIP", "address": host.address},
                                     {"type": "InternalIP", "address": host.address6}],
                       "conditions": [{"type": "Ready", "status": "True"}, *conditions]}}


def service(name, *ips, labels=None, **spec):
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": "default", "labels": labels or {}},
            "spec": {"type": "LoadBalancer", "clusterIP": "198.18.0.1", "ports": [{"port": 80}], **spec},
            "status": {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips]}}}


def endpoints(name, *nodes):
    """An EndpointSlice with an endpoint that serves on each of those nodes."""
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [f"198.18.1.{i}"], "nodeName": node, "conditions": {"ready": True}}
                          for i, node in enumerate(nodes, 1)]}


class BgpLab:
    """Made by the fixture bgp_lab. Nothing is announced until a test puts peers and advertisements."""

    def __init__(self, run, evidence, network):
        self.run = run
        self.evidence = evidence
        self.network = network
        self.store = DirectoryStore(run)
        self.speakers = {}
        self.routers = []
        for host in network.nodes:
            self.put(node_object(host))
        self.put(metallb("IPAddressPool", "vips", addresses=list(VIPS)))

    def __getitem__(self, name):
        return self.network[name]

    def put(self, *objects):
        for one in objects:
            self.store.put(one)

    def remove(self, *objects):
        for one in objects:
            self.store.remove(one)

    def serve(self, name, *ips, nodes=None, **options):
        """A Service that has addresses, and endpoints on those nodes (all)."""
        self.put(endpoints(name, *(nodes if nodes is not None else [n.name for n in self.network.nodes])),
                 service(name, *ips, **options))

    def speaker(self, node="n1", *arguments, **options):
        one = Speaker(self.run, self.network[node], None, [*self.store.arguments, *arguments], **options)
        self.evidence.add_process(one.process)
        self.speakers[node] = one
        return one.wait_ready()

    def router(self, kind="frr", name="tor", number=1, nodes=("n1",), asn=THEIR_AS, neighbors=None,
               v6=False, neighbor=None, **options):
        """A router that has those nodes as its neighbours, by IPv4 or IPv6. neighbor: what else
        it is told of each; neighbors: instead of all that."""
        host = self.network.hosts.get(name) or self.network.add_host(name, number, planes=("lan",))
        if neighbors is None:
            neighbors = [Neighbor(self.network[n].address6 if v6 else self.network[n].address, OUR_AS,
                                  **(neighbor or {})) for n in nodes]
        one = ROUTERS[kind](self.run, host, asn, neighbors, **options)
        self.routers.append(one)
        self.evidence.add(f"{kind}-{name}.txt", one.describe)
        return one

    def wait_up(self, *peers, node="n1", seconds=30):
        """Waits until the speaker's sessions with those peers (all it has) are established."""
        one = self.speakers[node]

        def up():
            sessions = one.bgp_sessions()
            return sessions and all(sessions[p]["up"] for p in peers or sessions)
        wait_until(up, seconds, [one.process.describe, *[r.describe for r in self.routers],
                                 lambda: str(one.bgp())], f"sessions of {node} are up")
        return self

    def wait_routes(self, router, wanted, seconds=20):
        """Waits until the router's table holds exactly those prefixes: {prefix: next hops}."""
        def now():
            return {prefix: sorted(path.next_hop for path in paths) for prefix, paths in router.routes().items()}
        wanted = {prefix: sorted(hops) for prefix, hops in wanted.items()}
        wait_until(lambda: now() == wanted, seconds,
                   [lambda: f"the router has {now()}", router.describe,
                    *[one.process.describe for one in self.speakers.values()]],
                   f"the router has {wanted}")

    def close(self):
        for one in self.speakers.values():
            one.finish()
        for one in self.routers:
            one.stop()
