"""What ./demo shows, once the programs are built.

usage: demo.py directory|kubernetes

Five nodes, a client and a router in network namespaces of their own; everything is removed at the end,
however it comes (integration-tests/lab/run.py).
"""

import json
import math
import re
import shlex
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "integration-tests"))

from lab.cluster import Cluster  # noqa: E402
from lab.controlplane import ADVERTISED, ControlPlane  # noqa: E402
from lab.failover import FAULTS, hand_over, measure  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.page import fetch  # noqa: E402
from lab.probe import Probe  # noqa: E402
from lab.programs import core, find  # noqa: E402
from lab.relay import Relay  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.stores import ApiStore, DirectoryStore  # noqa: E402
from lab.uplink import Uplink  # noqa: E402
from lab.wait import wait_until  # noqa: E402

EXAMPLES, WITH_ROUTER = REPOSITORY / "docs" / "examples-layer2", REPOSITORY / "docs" / "examples-bgp"
NODES = 5
HOLD_DOWN = "3s"  # 10s by itself; a demo is short
REFUSED = "legacy"
CRASHED, DRAINED, SERVING = "n3", "n1", ("n4", "n5")
KEPT = "n2"  # with CRASHED, a next hop of the router
OUR_AS, THEIR_AS = 64512, 64513


def say(text):
    print(f"\n\033[1m== {text}\033[0m", flush=True)


def show(text):
    for line in text.rstrip().splitlines():
        print(f"   {line}", flush=True)


def table(*rows):
    """Columns as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    show("\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                   for row in rows))


class Directory(DirectoryStore):
    """The programs read manifests from one directory and write status to another."""

    where = "manifests in a directory"

    def __init__(self, run, _network):
        super().__init__(run)

    def apply(self, examples):
        for path in sorted(examples.glob("*.yaml")):
            shutil.copy(path, self.manifests)
            kinds = re.findall(r"^kind: (\w+)$", path.read_text(), re.M)
            show(f"{path.name:<20} {', '.join(dict.fromkeys(kinds))}")

    def get(self, obj):
        """These manifests are not in a file each: the controller's answer is what there is."""
        meta = obj["metadata"]
        path = self.status / "services" / meta["namespace"] / f"{meta['name']}.json"
        return json.loads(path.read_text()) if path.exists() else obj

    def explain(self, controller, name):
        show(f"GET /api/v1/explain/default/{name}")
        show(json.dumps(controller.rest(f"/api/v1/explain/default/{name}"), indent=2))


class Kubernetes(ApiStore):
    """The programs use an API server, a person uses kubectl, kube-proxy sends on to pods."""

    where = "kubectl on a real API server"

    def __init__(self, run, network):
        core()  # the first time this builds etcd, kube-apiserver and kube-proxy, and tells how far it is
        find("kube-proxy")
        plane = ControlPlane(run)
        plane.install_crds(REPOSITORY / "crd" / "schemas")
        super().__init__(plane, "default", Relay((plane.address, plane.port), network.control_plane,
                                                 ADVERTISED, 6443))

    def _kubectl(self, *arguments):
        show(f"$ kubectl {shlex.join(arguments)}")
        show(self.control_plane.kubectl(*arguments).stdout)

    def apply(self, examples):
        self._kubectl("apply", "-f", str(examples.relative_to(REPOSITORY)))

    def explain(self, _controller, name):
        self._kubectl("events", "--for", f"service/{name}")
        self._kubectl("get", "service", name, "-o",
                      'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}')


class Demo:
    def __init__(self, run, make_store):
        self.run = run
        say(f"{NODES} nodes, a client and a router on a network of their own")
        self.network = Network(run, NODES)
        self.uplink = Uplink(run, self.network)
        self.client = self.network.client.namespace
        self.store = make_store(run, self.network)
        self.cluster = Cluster(run, self.network, self.store, hold_down=HOLD_DOWN, pools=False, endpoints=SERVING)
        table(*((host.name, host.address, self.what_runs_on(host)) for host in self.network.hosts.values()))

    def what_runs_on(self, host):
        if not host.is_node:
            return {"c1": "controller", "client": "", "tor": "FRR; behind it a visitor, 203.0.113.2"}[host.name]
        if not self.cluster.proxies:
            return "speaker, and a page"
        return "speaker, kube-proxy" + (", and a pod with a page" if host.name in SERVING else "")

    def start_probe(self, host, *targets):
        return Probe(self.run, host, *targets)

    def apply(self):
        say(f"{EXAMPLES.relative_to(REPOSITORY)}, by {self.store.where}")
        self.store.apply(EXAMPLES)
        for path in sorted(EXAMPLES.glob("*services.yaml")):
            for service in yaml.safe_load_all(path.read_text()):
                self.cluster.add_endpoints(service)  # as kubelets and their pods would
        self.cluster.wait_addresses(self.cluster.services)

    def spread(self, nodes, before=None):
        """Shows who answers for what, asked on the LAN, once the addresses are spread evenly over so
        many nodes. Returns {address: node}."""
        bound = math.ceil(len(self.cluster.services) / nodes)
        owners = self.cluster.wait_owned(
            lambda owners: max(self.count(owners).values()) <= bound, what="the load is even")
        rows = [(node.name, str(count), " ".join(self.label(vip, owners, before) for vip in owners
                                                 if owners[vip] == node.name))
                for node, count in zip(self.network.nodes, self.count(owners).values())]
        table(("NODE", "", "ADDRESSES 192.0.2.…"), *rows)
        show(f"{len(owners)} addresses, {nodes} nodes: no more than {bound} on any" +
             (f"; {sum(owners[vip] != before[vip] for vip in owners)} moved (*)" if before else ""))
        return owners

    def count(self, owners):
        return self.cluster.load({vip: [node] for vip, node in owners.items()})

    @staticmethod
    def label(vip, owners, before):
        return f".{vip.rpartition('.')[2]}" + ("*" if before and owners[vip] != before[vip] else "")

    def fetch(self, name):
        vip = self.cluster.vip(name)
        page = wait_until(lambda: fetch(self.client, vip, seconds=1), 20, self.network.describe)
        show(f"client$ curl http://{vip}/        # {name}\n{page}")
        show(f"client$ ip neigh show {vip}\n{self.client.ip('neigh', 'show', vip).stdout}")

    def crash(self, owners):
        name = next(name for name, vip in self.cluster.vips().items() if owners[vip] == CRASHED)
        vip = self.cluster.vip(name)
        say(f"{CRASHED} loses its power, while the client asks {vip} ({name}) each 10 ms")
        seen = measure(self.cluster, name, FAULTS["crash"], self.start_probe)
        show(f"by ARP:       no answer for {seen.arp_gap * 1e3:.0f} ms, then from {seen.heir}")
        show(f"for a page:   no answer for {seen.page_gap * 1e3:.0f} ms")
        after = self.spread(NODES - 1, owners)
        say(f"{CRASHED} is back: trusted again after {HOLD_DOWN}")
        self.cluster.revive_node(CRASHED)
        self.cluster.wait_settled()
        return self.spread(NODES, after)

    def drain(self, owners):
        name = next(name for name, vip in self.cluster.vips().items() if owners[vip] == DRAINED)
        say(f"{DRAINED} is drained, while the client asks {self.cluster.vip(name)} ({name}) each 10 ms")
        seen = hand_over(self.cluster, name, self.start_probe, self.cluster.drain)
        for target in seen.report.targets.values():
            show(f"{target.name:<22} {target.asked} questions, {target.lost} lost")
        self.spread(NODES - 1, owners)


    def route(self, name):
        """Over BGP, to those beyond the LAN."""
        vip = self.cluster.vip(name)
        say(f"{KEPT} and {CRASHED} announce the addresses to the router ({WITH_ROUTER.relative_to(REPOSITORY)})")
        self.uplink.connect((KEPT, CRASHED), OUR_AS, THEIR_AS)
        self.store.apply(WITH_ROUTER)
        self.uplink.wait_hops(vip, KEPT, CRASHED)
        show(f"tor$ ip route show {vip}        # {name}\n{self.uplink.show_route(vip)}")
        pages = Counter(fetch(self.uplink.visitor.namespace, vip, seconds=2) for _ in range(20))
        show("20 pages for the visitor: " + ", ".join(f"{count} × {page.strip()}" for page, count in sorted(pages.items())))
        self.uplink.wait_watching(KEPT, CRASHED)
        self.visit(vip, f"{CRASHED} loses its power, while the visitor asks {vip} each 10 ms", self.crash_hop)
        self.visit(vip, f"BIRD of {KEPT}, the only one left, is killed with -9 under the visitor", self.kill_bird)

    def crash_hop(self, vip):
        self.cluster.kill_node(CRASHED)
        self.uplink.wait_hops(vip, KEPT)

    def kill_bird(self, _vip):
        """Over when the router has a session again: it has kept the routes meanwhile (RFC 4724)."""
        router, address = self.uplink.router, self.network[KEPT].address
        before, _ = router.connections(address)
        os.kill(self.cluster.speakers[KEPT].bgp()["bird"]["pid"], signal.SIGKILL)
        wait_until(lambda: router.connections(address)[0] > before and router.is_up(address), 30, router.describe)

    def visit(self, vip, what, strike):
        say(what)
        probe = self.start_probe(self.uplink.visitor, f"tcp:{vip}:80")
        self.uplink.steady(vip)
        strike(vip)
        self.uplink.steady(vip)
        (target,) = probe.stop().targets.values()
        show(f"tor$ ip route show {vip}\n{self.uplink.show_route(vip)}")
        show(f"{target.asked} requests, {target.lost} failed")


def demonstrate(run, make_store):
    demo = Demo(run, make_store)
    demo.apply()
    say("every address answers on the LAN; who has which, by what the client hears")
    owners = demo.spread(NODES)
    say("the client fetches a page through an address")
    demo.fetch("wiki")
    owners = demo.crash(owners)
    demo.drain(owners)
    demo.route("wiki")
    say(f"and why has default/{REFUSED} no address?")
    demo.store.explain(demo.cluster.controller, REFUSED)
    demo.cluster.finish()
    demo.uplink.close()


def main():
    make_store = {"directory": Directory, "kubernetes": Kubernetes}[sys.argv[1]]
    started = time.monotonic()
    run = Run()
    try:
        demonstrate(run, make_store)
    finally:
        run.close()
    say(f"done in {time.monotonic() - started:.1f} s; nothing is left behind")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"\nerror: {error}")
