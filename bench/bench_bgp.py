#!/usr/bin/env python3
"""How fast a change of a Service is at the peers, with many others there; and what it costs.

usage: bench_bgp.py [--services N] [--peers N] [--changes N] [--churn N]

One node, a directory of manifests, a speaker with BIRD, peers that note the moment of each UPDATE.
Prints histograms of the time from the writing of a manifest until the last peer has the UPDATE or
the withdrawal, whether any session went down meanwhile, memory and processor time."""

import argparse
import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration-tests"))

from lab.bgp import OUR_AS, THEIR_AS, BgpLab, advertisement, endpoints, metallb, peer, service  # noqa: E402
from lab.bgpsink import BgpSink  # noqa: E402
from lab.evidence import Evidence  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.wait import wait_until  # noqa: E402


def address(index):
    return f"10.{16 + (index >> 16)}.{index >> 8 & 255}.{index & 255}"


def histogram(name, seconds):
    ms = sorted(one * 1000 for one in seconds)
    bounds = (5, 10, 20, 30, 50, 100, 1000)
    counts = [sum(1 for one in ms if low < one <= high) for low, high in zip((0, *bounds), bounds)]
    p99 = ms[min(len(ms) - 1, int(len(ms) * 0.99))]
    print(f"{name}: {len(ms)} changes, p50 {statistics.median(ms):.1f} ms, p99 {p99:.1f} ms, max {ms[-1]:.1f} ms; "
          + ", ".join(f"≤{high}: {count}" for high, count in zip(bounds, counts) if count))


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, run, options):
        self.options = options
        self.lab = BgpLab(run, Evidence(), Network(run, 1))
        self.lab.put(metallb("IPAddressPool", "many", addresses=["10.16.0.0/12"]),
                     advertisement(communities=["64512:100"]))
        self.sinks = []
        for index in range(options.peers):
            host = self.lab.network.add_host(f"t{index}", index + 1, planes=("lan",))
            self.sinks.append(BgpSink(host.namespace, host.address, THEIR_AS))
            self.lab.put(peer(f"t{index}", host.address, holdTime="90s"))
        # All of them in two files, as one list each; what changes is in files of its own.
        many = [one for index in range(options.services) for one in (
            service(f"s{index}", address(index)), endpoints(f"s{index}", "n1"))]
        for index in range(0, len(many), 1000):
            self.lab.store.put({"apiVersion": "v1", "kind": "List", "metadata": {"name": f"many-{index}"},
                                "items": many[index:index + 1000]})
        self.lab.serve("probe", address(1 << 17), nodes=[])
        self.speaker = self.lab.speaker("n1", "--log-level", "info")

    def settle(self):
        start = time.time()
        for sink in self.sinks:
            sink.wait(lambda s=sink: len(s.table) == self.options.services, 120)
        print(f"{self.options.services} prefixes at {len(self.sinks)} peers {time.time() - start:.2f} s after the "
              "speaker was ready")
        time.sleep(2)

    def change(self, nodes, sign):
        """Seconds from the writing until the last peer has been told."""
        prefix = address(1 << 17) + "/32"
        marks = [len(sink.events) for sink in self.sinks]
        start = time.time()
        self.lab.put(endpoints("probe", *nodes))
        for sink, mark in zip(self.sinks, marks):
            sink.wait(lambda s=sink, m=mark: any(e[1:] == (sign, prefix) for e in s.events[m:]))
        return max(next(e[0] for e in sink.events[mark:] if e[1:] == (sign, prefix))
                   for sink, mark in zip(self.sinks, marks)) - start

    def latencies(self):
        announced, withdrawn = [], []
        for _ in range(self.options.changes // 2):
            announced.append(self.change(["n1"], "+"))
            time.sleep(random.uniform(0, 0.05))
            withdrawn.append(self.change([], "-"))
            time.sleep(random.uniform(0, 0.05))
        histogram("endpoint came until announced", announced)
        histogram("endpoint went until withdrawn", withdrawn)

    def churn(self):
        for index in range(self.options.churn):
            self.lab.put(endpoints("probe", *(["n1"] if index % 2 else [])))
            if index % 100 == 99:
                time.sleep(0.2)
        print(f"{self.options.churn} changes of Services: sessions that went down: "
              f"{sum(sink.ended for sink in self.sinks)} of {sum(sink.sessions for sink in self.sinks)}")

    def cost(self):
        pids = {"speaker": self.speaker.process.pid, "bird": self.speaker.bgp()["bird"]["pid"]}
        time.sleep(5)
        before = {name: cpu(pid) for name, pid in pids.items()}
        time.sleep(20)
        memory = {name: resident(pid) for name, pid in pids.items()}
        busy = {name: (cpu(pid) - before[name]) / 20 * 100 for name, pid in pids.items()}
        print("at rest: " + ", ".join(f"{name} {memory[name]:.1f} MB, {busy[name]:.2f} % of a core" for name in pids)
              + f"; together {sum(memory.values()):.1f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name, default in (("services", 10000), ("peers", 4), ("changes", 200), ("churn", 10000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    assert OUR_AS != THEIR_AS
    run = Run()
    try:
        bench = Bench(run, options)
        bench.settle()
        bench.cost()
        bench.latencies()
        bench.churn()
        bench.cost()
        wait_until(lambda: all(len(s.table) in (options.services, options.services + 1) for s in bench.sinks), 60)
        bench.lab.close()
    finally:
        run.close()


if __name__ == "__main__":
    main()
