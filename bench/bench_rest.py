#!/usr/bin/env python3
"""What a speaker costs when nothing happens: its memory idle, with 10 000 addresses on layer 2, and
with BGP to four peers besides; how long its largest REST answer takes, and how long the loop is away
for it; its processor time at rest among 32 other members.

usage: bench/bench_rest.py [--build DIR] [--source api|directory] [--services N] [--members N] [PART…]

Parts: idle, layer2, bgp, members; all of them when none is named. Objects are on a real API server
(made once, which takes minutes, then kept in the user's cache), or in a directory. One node announces
every address, which no cluster would have it do: the worst case. RSS counts the pages of shared
libraries whole, PSS by the number of processes that share them.
"""
import argparse
import json
import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "integration-tests"))
PARTS = ("idle", "layer2", "bgp", "members")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=os.path.abspath, default=str(ROOT / "build" / "release"))
    parser.add_argument("--source", choices=("api", "directory"), default="api")
    parser.add_argument("--services", type=int, default=10000)
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=30, help="how long processor time is counted")
    parser.add_argument("parts", nargs="*", metavar="PART", default=PARTS)
    return parser.parse_args()


ARGS = parse()
os.environ["STENTOR_BUILD"] = ARGS.build

from lab.bgp import THEIR_AS, advertisement, endpoints, metallb, node_object, peer, service  # noqa: E402
from lab.bgpsink import BgpSink  # noqa: E402
from lab.controlplane import ADVERTISED, ControlPlane  # noqa: E402
from lab.member import PORT, KeyDirectory, Member  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.process import Process  # noqa: E402
from lab.relay import Relay  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.seed import seed  # noqa: E402
from lab.speaker import Speaker  # noqa: E402
from lab.stores import DirectoryStore  # noqa: E402
from lab.wait import wait_until  # noqa: E402

POOL = metallb("IPAddressPool", "many", addresses=["10.16.0.0/12"])


def address(index):
    return f"10.{16 + (index >> 16)}.{index >> 8 & 255}.{index & 255}"


def memory(pid):
    """(RSS, PSS) in MB."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        fields[name] = int(value) / 1024
    return fields["Rss:"], fields["Pss:"]


def cpu(pid):
    """Seconds, by the scheduler's own count: ticks are too coarse for what hardly runs."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


class Site:
    """A node with a speaker, and its objects on an API server or in a directory."""

    def __init__(self, run, count):
        self.run = run
        self.lan = Network(run, 1)
        self.node = self.lan["n1"]
        self.sinks, self.closing = [], []
        self.extras = []
        self.count = count
        if ARGS.source == "api":
            self._open_api()
        else:
            self.store = DirectoryStore(run)
            self._many = lambda objects: self.store.put(
                {"apiVersion": "v1", "kind": "List", "metadata": {"name": f"many-{id(objects)}"}, "items": objects})
            self.arguments, self.kubeconfig = self.store.arguments, None
            self.put(node_object(self.node), POOL)
            for first in range(0, count, 1000):
                self._many([one for index in range(first, min(count, first + 1000))
                            for one in (service(f"s{index}", address(index)), endpoints(f"s{index}", "n1"))])

    def _open_api(self):
        data = seed(self.run, f"{self.count} Services with addresses and endpoints, v1", self._fill)
        self.plane = ControlPlane(self.run, seed=data)
        relay = Relay((self.plane.address, self.plane.port), self.lan.control_plane, ADVERTISED, 6443)
        self.closing += [relay.close, self.plane.stop]
        self.kubeconfig = self.plane.kubeconfig("speaker", server=f"https://{ADVERTISED}:6443")
        self.arguments = ["--state-dir", self.run.make_directory("state")]
        self.put(node_object(self.node), POOL)

    def _fill(self, plane):
        plane.install_crds(ROOT / "crd" / "schemas")

        def make(index):
            one = service(f"s{index}", address(index))
            del one["spec"]["clusterIP"]
            one["spec"]["allocateLoadBalancerNodePorts"] = False
            create(plane.api, one)
            slice_ = endpoints(f"s{index}", "n1")
            slice_["ports"] = [{"port": 80}]
            create(plane.api, slice_)

        with ThreadPoolExecutor(8) as pool:
            for done, _ in enumerate(pool.map(make, range(self.count))):
                if done % 1000 == 0:
                    print(f"  {done} Services made", flush=True)

    def put(self, *objects):
        for one in objects:
            if ARGS.source == "api":
                create(self.plane.api, one)
            else:
                self.store.put(one)

    def add_peers(self, count):
        for index in range(count):
            host = self.lan.add_host(f"t{index}", index + 1, planes=("lan",))
            self.sinks.append(BgpSink(host.namespace, host.address, THEIR_AS))
            self.put(peer(f"t{index}", host.address, holdTime="90s"))
        self.put(advertisement(communities=["64512:100"]))

    def start(self, *arguments):
        self.speaker = Speaker(self.run, self.node, self.kubeconfig,
                               [*self.arguments, "--log-level", "warn", *arguments]).wait_ready(120)
        self.closing.insert(0, self.speaker.finish)
        return self.speaker

    def settle(self):
        """Until every route is told and nothing is left to be done (Events of so many Services are
        written slowly, for minutes), and what was used meanwhile has been given back, which takes a
        minute."""
        for sink in self.sinks:
            sink.wait(lambda s=sink: len(s.table) == self.count, 120)
        quiet = 0
        while quiet < 5:
            before = cpu(self.speaker.process.pid)
            time.sleep(1)
            quiet = quiet + 1 if cpu(self.speaker.process.pid) - before < 0.005 else 0
        time.sleep(61)

    def processes(self):
        pids = {"speaker": self.speaker.process.pid}
        bird = self.speaker.bgp()["bird"].get("pid") if self.sinks else None
        return {**pids, **({"bird": bird} if bird else {})}

    def report(self, name):
        self.settle()
        pids = self.processes()
        before = {one: cpu(pid) for one, pid in pids.items()}
        time.sleep(ARGS.seconds)
        busy = {one: (cpu(pid) - before[one]) / ARGS.seconds * 100 for one, pid in pids.items()}
        sizes = {one: memory(pid) for one, pid in pids.items()}
        print(f"{name}: " + "; ".join(
            f"{one} RSS {sizes[one][0]:.1f} MB, PSS {sizes[one][1]:.1f} MB, {busy[one]:.2f} % of a core"
            for one in pids)
            + (f"; together RSS {sum(size[0] for size in sizes.values()):.1f} MB" if len(pids) > 1 else ""),
            flush=True)

    def ask(self, path):
        """The largest answers, while another client asks a small question all the time."""
        waits, done = [], threading.Event()

        def small():
            while not done.is_set():
                begin = time.monotonic()
                self.speaker.get("/healthz", self.speaker.health_port)
                waits.append(time.monotonic() - begin)
        thread = threading.Thread(target=small)
        thread.start()
        times, size = [], 0
        for _ in range(10):
            begin = time.monotonic()
            size = len(self.speaker.get(path))
            times.append(time.monotonic() - begin)
        done.set()
        thread.join()
        print(f"  {path}: {size / 1e6:.2f} MB in {statistics.median(times) * 1000:.0f} ms; "
              f"another question meanwhile waits {max(waits) * 1000:.0f} ms at most", flush=True)

    def close(self):
        for sink in self.sinks:
            sink.close()
        for close in self.closing:
            close()
        self.lan.delete()


def create(api, one):
    """An object, with the status that only a second request may set."""
    api.create(one)
    if "status" in one:
        api.patch(f"{api.path_of(one)}/status", {"status": one["status"]})


def part_idle(run):
    site = Site(run, 0)
    site.start()
    site.report("idle")
    site.close()


def part_layer2(run):
    site = Site(run, ARGS.services)
    site.put(metallb("L2Advertisement", "all"))
    site.start()
    site.report(f"{ARGS.services} addresses, layer 2")
    site.ask("/api/v1/announcements")
    site.ask("/metrics")
    site.report("the same, after that")
    site.close()


def part_bgp(run):
    site = Site(run, ARGS.services)
    site.add_peers(4)
    site.start()
    site.report(f"{ARGS.services} addresses, BGP to 4 peers")
    site.ask("/api/v1/bgp")
    site.close()


def part_members(run):
    """The speaker is one of many members; the others are members by themselves."""
    site = Site(run, 0)
    hosts = [site.lan.add_host(f"m{index}", 100 + index, planes=("lan",)) for index in range(ARGS.members)]
    peers = [site.node.address, *[host.address for host in hosts]]
    keys = KeyDirectory(run.make_directory("keys") / "all", secretkey="one secret of all\n")
    started = []

    def start(arguments, **options):
        started.append(Process(run, arguments, **options))
        return started[-1]
    for host in hosts:
        Member(start, host, keys, peers)
    site.start("--ml-bindaddr", site.node.address, "--ml-bindport", str(PORT),
               "--ml-secret-key-path", str(keys.path), "--ml-peers", ",".join(peers))
    wait_until(lambda: sum(one["state"] == "alive" for one in site.speaker.announcements()["members"])
               == len(peers), 60, lambda: json.dumps(site.speaker.announcements()["members"])[:2000])
    site.report(f"among {ARGS.members} members")
    for process in started:
        process.stop()
    site.close()


def main():
    run = Run()
    try:
        for part in ARGS.parts:
            globals()[f"part_{part}"](run)
    finally:
        run.close()


if __name__ == "__main__":
    main()
