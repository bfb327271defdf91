#!/usr/bin/python3
"""How long a client notices that the node which answers for an address fails, or is drained.

usage: bench/bench_failover.py [--runs N] [--drains N] [--splits N] [--nodes N] [--family IPv4|IPv6]
                               [--interval TIME] [--build DIR] [--kubernetes] [--without-net-admin] [--outage] [FAULT…]

A client asks each 10 ms (--interval), by ARP (or neighbour solicitations) and for a page over a connection of
its own, through its kernel. For each fault prints the gaps as a histogram, p50 and p99; for splits
of the network how long after the healing two nodes were last heard for one address. To be run on
a quiet machine: the load is printed, and runs in which the client itself ran late by more than
30 ms are named."""
import argparse
import os
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "integration-tests"))

DEFAULT = ("kill", "unplug", "pause", "partition")
BIN = 50  # ms
DEADLINE = 0.25  # seconds: what the client waits for a page or an ARP answer


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--drains", type=int, default=20)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--family", choices=("IPv4", "IPv6"), default="IPv4")
    parser.add_argument("--interval", default="10ms", help="between two questions of the client, such as 2ms")
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--kubernetes", action="store_true",
                        help="on a real API server, with kube-proxy and pods")
    parser.add_argument("--without-net-admin", action="store_true",
                        help="with --kubernetes: speakers lack NET_ADMIN, so that drains break open connections")
    parser.add_argument("--outage", action="store_true",
                        help="with --kubernetes: the API server is gone during the faults; neither drains nor splits")
    parser.add_argument("faults", nargs="*", metavar="FAULT", default=DEFAULT)
    return parser.parse_args()


ARGS = parse()
os.environ["STENTOR_BUILD"] = ARGS.build

from lab.cluster import Cluster  # noqa: E402: the build directory comes first
from lab.controlplane import ADVERTISED, ControlPlane  # noqa: E402
from lab.failover import FAULTS, hand_over, measure, split_and_heal  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.probe import Probe  # noqa: E402
from lab.programs import find  # noqa: E402
from lab.relay import Relay  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.speaker import MANIFEST, WITHOUT_ADMIN  # noqa: E402
from lab.stores import ApiStore, DirectoryStore  # noqa: E402


def start_cluster(run, hold_down):
    network = Network(run, ARGS.nodes)
    store = DirectoryStore(run)
    if ARGS.kubernetes:
        find("kube-proxy")
        plane = ControlPlane(run)
        plane.install_crds(ROOT / "crd" / "schemas")
        store = ApiStore(plane, "default", Relay((plane.address, plane.port), network.control_plane,
                                                 ADVERTISED, 6443))
    cluster = Cluster(run, network, store, hold_down=hold_down,
                      controller_arguments=["--log-level", "info"],
                      speaker_arguments=["--log-level", "info"],
                      capabilities=WITHOUT_ADMIN if ARGS.without_net_admin else MANIFEST)
    cluster.add_services(1, family=ARGS.family)
    cluster.wait_owned()
    return cluster


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(what, seconds):
    ms = [value * 1e3 for value in seconds]
    print(f"  {what}: p50 {statistics.median(ms):.0f} ms, p99 {percentile(ms, 0.99):.0f} ms, "
          f"max {max(ms):.0f} ms of {len(ms)}")
    for start, count in sorted(Counter(int(value // BIN) * BIN for value in ms).items()):
        print(f"    {start:5}..{start + BIN - 1:<5} {'#' * count} {count}", flush=True)


def load():
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def measure_fault(cluster, name, start_probe):
    arp, page, late = [], [], 0
    for _ in range(ARGS.runs):
        seen = measure(cluster, "s1", FAULTS[name], start_probe)
        arp.append(seen.arp_gap)
        page.append(seen.page_gap)
        late += bool(seen.report.stalls)
        FAULTS[name].undo(cluster, seen.owner)
        cluster.wait_settled()
    print(f"{name}: {ARGS.runs} runs, load {load()}, in {late} of them the client itself was late")
    show("address", arp)
    if any(page):
        show("page", page)
    else:
        print("  page: no gap in any run")


def measure_drains(cluster, start_probe):
    lost, broken, late = Counter(), 0, 0
    for _ in range(ARGS.drains):
        seen = hand_over(cluster, "s1", start_probe, cluster.drain)
        cluster.drain(seen.owner, None)
        cluster.wait_settled()
        for name, target in seen.report.targets.items():
            lost[name.partition(":")[0]] += target.lost
        late += any(seconds > DEADLINE for _, seconds in seen.report.stalls)
        broken += sum(what == "connection broke" for target in seen.report.targets.values()
                      for _, what, _ in target.notices)
    asked = "; ".join(f"{kind}: {count} lost" for kind, count in lost.items())
    print(f"drain: {ARGS.drains} runs, load {load()}; {asked}; the open connection broke {broken} times; "
          f"in {late} of them the client itself was later than it waits for an answer")


def measure_splits(run, start_probe):
    cluster = start_cluster(run, "3s")
    names = [node.name for node in cluster.network.nodes]
    half = len(names) // 2
    cluster.network.add_host("client2", 203, planes=("lan",))
    near, far = [*names[:half], "client", "c1"], [*names[half:], "client2"]
    doubts = []
    for _ in range(ARGS.splits):
        doubts.append(max(split_and_heal(cluster, near, far, start_probe).values()))
        cluster.wait_settled()
    print(f"split: {ARGS.splits} runs, load {load()}")
    show("two answer after the healing", doubts)
    cluster.finish()


def measure_failures(run, start_probe):
    cluster = start_cluster(run, "1s")
    if ARGS.outage:
        cluster.store.relay.stop_accepting()
        cluster.store.relay.cut_all()
    for name in ARGS.faults if ARGS.runs else ():
        measure_fault(cluster, name, start_probe)
    if ARGS.drains and not ARGS.outage:  # a drain is told by the API server
        measure_drains(cluster, start_probe)
    cluster.finish()


def main():
    run = Run()

    def start_probe(host, *targets):
        return Probe(run, host, *targets, options=("--interval", ARGS.interval))

    try:
        began = time.monotonic()
        if ARGS.runs or ARGS.drains:
            measure_failures(run, start_probe)
        if ARGS.splits and not ARGS.outage:
            measure_splits(run, start_probe)
        print(f"took {time.monotonic() - began:.0f} s")
    finally:
        run.close()


if __name__ == "__main__":
    main()
