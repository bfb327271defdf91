"""A cluster for layer 2: nodes with a speaker each, a controller, Services with addresses, a client.

    client 192.0.2.200 ── LAN ──┬── n1  speaker, kube-proxy ── pod p1
                                ├── n2  speaker, kube-proxy ── pod p2
                                ├── …
                                └── c1  controller

With an API server, kube-proxy (the real one) sends what comes for a Service's address to the pods.
With a directory of manifests there is no kube-proxy: each node serves a page on the addresses
itself. Everything that happens to the nodes is done by the methods here and by those of `network`.
"""

import secrets
import signal

from . import objects
from .asking import who_has
from .controller import Controller
from .controlplane import SYSTEM_NAMESPACE
from .kubeproxy import KubeProxy
from .pods import PORT, Pod, page_server
from .speaker import MANIFEST, Speaker
from .stores import DirectoryStore, node_object
from .wait import wait_until

CONTROLLER_NUMBER = 100
# What Services get: families, their pools, and the prefixes that the pools are made of.
POOLS = {
    "IPv4": ("192.0.2.208-192.0.2.254", ("192.0.2.208/28", "192.0.2.224/27")),
    "IPv6": ("2001:db8:0:1::a:0/112", ("2001:db8:0:1::a:0/112",)),
}
CLUSTER_ADDRESSES = {"IPv4": "198.18.0.{}", "IPv6": "2001:db8:fd::{}"}
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
SECONDS = 60  # for what takes a moment on a quiet machine


class Cluster:
    """Started by the constructor, all of it; ready when that returns."""

    def __init__(self, run, network, store, hold_down="10s", pools=True, endpoints=None,
                 controller_arguments=(), speaker_arguments=(), capabilities=MANIFEST):
        """network: a network.Network with nodes. store: a stores.ApiStore or DirectoryStore.
        hold_down: for how long a node that comes back from the dead is not trusted.
        pools: whether there are pools and an advertisement from the start.
        endpoints: names of the nodes whose pods serve; None for all. Nobody takes the pods of a node
        that dies out of the Services, which kubelets need 40 s for, too.
        capabilities: of the speakers."""
        self.network = network
        self.store = store
        self.run = run
        self._speaker_arguments = list(speaker_arguments)
        self._controller_arguments = list(controller_arguments)
        self.services = {}  # name: the object as it was made
        self.speakers, self.proxies, self.pods = {}, {}, {}
        self._key_directory = self._make_key()
        self._hold_down = hold_down
        self._capabilities = capabilities
        self._endpoints = endpoints or [node.name for node in network.nodes]
        self.down = set()  # nodes whose processes do not run
        host = network.add_host("c1", CONTROLLER_NUMBER)
        for node in network.nodes:
            store.put(node_object(node))
        if pools:
            self._make_pools()
        self._start_data_path()
        self.controller = self._start_controller(host)
        for node in network.nodes:
            self.speakers[node.name] = self._start_speaker(node)
        for one in (self.controller, *self.speakers.values()):
            one.wait_ready(SECONDS)

    # --- Services -----------------------------------------------------------------------------

    def add_services(self, count, **options):
        """Makes that many Services, s1 and on, and waits until each has its address. Returns their
        names. options: see put_service."""
        names = [f"s{len(self.services) + i}" for i in range(1, count + 1)]
        for name in names:
            self.put_service(name, **options)
        self.wait_addresses(names)
        return names

    def put_service(self, name, family="IPv4", **options):
        """Makes a Service with an endpoint in every pod. options: see objects.service. One in a
        directory needs the cluster address that an API server would give."""
        service = objects.service(name, self.store.namespace, ipFamilies=[family], **options)
        if isinstance(self.store, DirectoryStore):
            address = CLUSTER_ADDRESSES[family].format(len(self.services) + 10)
            service["spec"] |= {"clusterIP": address, "clusterIPs": [address]}
        self.store.put(service)
        self.add_endpoints(service, family)

    def add_endpoints(self, service, family="IPv4"):
        """An endpoint in every pod for a Service that somebody else made."""
        self.services[service["metadata"]["name"]] = service
        self.store.put(self._slice(service, family))

    def edit_service(self, name, patch):
        self.store.edit(self.services[name], patch)

    def service(self, name):
        """The Service as it is now."""
        return self.store.get(self.services[name])

    def vip(self, name):
        """The Service's first address."""
        return objects.ingress_addresses(self.service(name))[0]

    def vips(self):
        """{name: first address} of all Services."""
        return {name: self.vip(name) for name in self.services}

    def wait_addresses(self, names):
        def all_have():
            return all(objects.ingress_addresses(self.service(name)) for name in names)
        wait_until(all_have, SECONDS, self.controller.process.describe, "every Service has an address")

    # --- what the wire shows ------------------------------------------------------------------

    def answering(self, *addresses, client="client"):
        """{address: names of the nodes that answer that client for it}, by captured replies to one
        request of each; of all Services' addresses when none is given."""
        names = {node.namespace.mac(): node.name for node in self.network.nodes}
        found = who_has(self.network[client].namespace, addresses or list(self.vips().values()))
        return {address: sorted(names.get(mac, mac) for mac in macs) for address, macs in found.items()}

    def load(self, answering):
        """{node: number of addresses that it answers for}, nodes without any included."""
        count = {node.name: 0 for node in self.network.nodes}
        for owners in answering.values():
            for owner in owners:
                count[owner] += 1
        return count

    def wait_owned(self, accept=lambda answering: True, seconds=SECONDS, what="each address has one owner"):
        """Waits until exactly one node answers for each address and accept() of the answers
        holds. Returns them as {address: node}."""
        def owned():
            answering = self.answering()
            owners = {address: names[0] for address, names in answering.items() if len(names) == 1}
            return owners if len(owners) == len(answering) and accept(owners) else None
        return wait_until(owned, seconds, [self.describe_answers, self.describe], what)

    def wait_settled(self, seconds=SECONDS):
        """Waits until every speaker counts every node as alive and trusted and hands nothing over:
        what was done is over, and nothing more comes of it."""
        nodes = {node.name for node in self.network.nodes}

        def settled():
            for speaker in self.speakers.values():
                told = speaker.announcements()
                trusted = {one["name"] for one in told["members"]
                           if one["state"] == "alive" and not one["held"] and not one["leaving"]}
                if not nodes <= trusted or any(one["state"] != "owning" for one in told["addresses"]):
                    return False
            return True
        wait_until(settled, seconds, self.describe, "every node is trusted, and nothing changes hands")

    def node_of(self, mac):
        """The name of the node with that Ethernet address."""
        return next(node.name for node in self.network.nodes if node.namespace.mac() == mac)

    # --- faults -------------------------------------------------------------------------------

    def kill_speaker(self, name):
        """SIGKILL: kube-proxy and the pods of that node go on."""
        self.speakers[name].process.kill()
        self.down.add(name)

    def stop_speaker(self, name):
        """A clean stop, as of a pod that is deleted."""
        self.speakers[name].finish()
        self.down.add(name)

    def start_speaker(self, name):
        """A speaker again after kill_speaker() or a clean stop. It need not be ready yet."""
        self.speakers[name].process.start()
        self.down.discard(name)

    def restart_speaker(self, name):
        """A clean stop, then a new start."""
        self.stop_speaker(name)
        self.start_speaker(name)

    def kill_node(self, name):
        """As when its power goes: every process of it is killed, and its cables are dead."""
        for plane in ("lan", "mgmt"):
            self.network.carrier(name, False, plane)
        for process in self._processes(name):
            process.kill()
        self.down.add(name)

    def revive_node(self, name):
        """It boots."""
        for plane in ("lan", "mgmt"):
            self.network.carrier(name, True, plane)
        for process in self._processes(name):
            process.start()
        self.down.discard(name)

    def pause(self, name):
        """SIGSTOP to the speaker."""
        self.speakers[name].process.send(signal.SIGSTOP)

    def resume(self, name):
        self.speakers[name].process.send(signal.SIGCONT)

    def exclude(self, name, value=""):
        """Sets the label that keeps load balancers off a node; None removes it."""
        self.store.edit(self._node(name), {"metadata": {"labels": {EXCLUDE: value}}})

    def drain(self, name, value="maintenance"):
        """Asks that no address stays on a node; None ends it."""
        self.annotate_node(name, {"stentor.io/drain": value})

    def move(self, service, node):
        """Asks that a Service's address is on that node; None for wherever it fits."""
        self.edit_service(service, {"metadata": {"annotations": {"stentor.io/node": node}}})

    def annotate_node(self, name, annotations):
        """Sets annotations of a Node; None as a value removes one."""
        self.store.edit(self._node(name), {"metadata": {"annotations": annotations}})

    # --- its end ------------------------------------------------------------------------------

    def describe_answers(self):
        return f"--- who answers\n{self.table()}"

    def table(self):
        """For people: every address, its Service, and who answers for it on the wire."""
        answering = self.answering()
        lines = [f"{vip:<16} {name:<10} {', '.join(answering[vip]) or 'nobody'}"
                 for name, vip in self.vips().items()]
        load = ", ".join(f"{node} {count}" for node, count in self.load(answering).items())
        return "\n".join([*lines, f"load: {load}"])

    def describe(self):
        """What all of it says of itself."""
        parts = [one.process.describe() for one in (self.controller, *self.speakers.values())]
        parts += [proxy.process.describe() for proxy in self.proxies.values()]
        return "\n".join(parts)

    def finish(self):
        """Ends it all; our programs must end cleanly."""
        for name, speaker in self.speakers.items():
            if name not in self.down:
                self.resume(name)
                speaker.finish()
        self.controller.finish()
        for proxy in self.proxies.values():
            proxy.process.kill()
        for pod in self.pods.values():
            pod.server.kill()

    def processes(self):
        """All Processes, for evidence."""
        yield self.controller.process
        for name in self.speakers:
            yield from self._processes(name)

    # --- making it ----------------------------------------------------------------------------

    def _make_pools(self):
        for family, (addresses, _) in POOLS.items():
            self.store.put(objects.pool(family.lower(), addresses))
        self.store.put({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
                        "metadata": {"name": "lan", "namespace": SYSTEM_NAMESPACE},
                        "spec": {"interfaces": ["eth0"]}})

    def _make_key(self):
        """The Secret `memberlist`, as it is mounted."""
        directory = self.run.make_directory("memberlist")
        (directory / "secretkey").write_text(secrets.token_urlsafe(96))
        return directory

    def _member_arguments(self, address):
        return ["--ml-bindaddr", address, "--ml-secret-key-path", self._key_directory]

    def _start_data_path(self):
        kubeconfig = self.store.kubeconfig("proxy")
        for node in self.network.nodes:
            if kubeconfig:
                self.pods[node.name] = Pod(self.run, self.network, node, f"p{node.name[1:]}")
                self.proxies[node.name] = KubeProxy(self.run, node, kubeconfig)
            else:
                node.namespace.sysctl("net.ipv4.conf.all.arp_ignore", 1)
                for _, prefixes in POOLS.values():
                    for prefix in prefixes:
                        node.namespace.ip("route", "add", "local", prefix, "dev", "lo")
                self.pods[node.name] = _Page(self.run, node)
        for proxy in self.proxies.values():
            proxy.wait_ready(SECONDS)

    def _start_controller(self, host):
        return Controller(self.run, self.store.kubeconfig("controller"),
                          [*self.store.arguments, *self._member_arguments(host.address),
                           *self._controller_arguments],
                          namespace=host.namespace)

    def _start_speaker(self, node):
        kubeconfig = self.store.kubeconfig("speaker")
        state = ["--state-dir", self.run.make_directory(f"state-{node.name}")] if kubeconfig else []
        return Speaker(self.run, node, kubeconfig,
                       [*self.store.arguments, *state,
                        *self._member_arguments(node.address), "--hold-down", self._hold_down,
                        *self._speaker_arguments], capabilities=self._capabilities)

    def _processes(self, name):
        yield self.speakers[name].process
        if name in self.proxies:
            yield self.proxies[name].process
        yield self.pods[name].server

    def _node(self, name):
        return node_object(self.network[name])

    def _slice(self, service, family):
        """Its EndpointSlice. Made by hand, since no kubelet runs the pods."""
        name = service["metadata"]["name"]
        return {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
            "metadata": {"name": f"{name}-1", "namespace": self.store.namespace,
                         "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [pod.address if family == "IPv4" else pod.address6], "nodeName": node, "conditions": {"ready": True}}
                          for node, pod in self.pods.items() if node in self._endpoints],
            "ports": [{"name": port["name"], "port": PORT, "protocol": "TCP"}
                      for port in service["spec"]["ports"]],
        }


class _Page:
    """A node's own page, where there are no pods."""

    def __init__(self, run, node):
        self.address, self.address6 = node.address, node.address6
        self.server = page_server(run, node.namespace, node.name, 80)
