#!/usr/bin/env python3
"""How fast a change of a Service is at the peers, with many others there; and what it costs.

usage: bench_bgp.py [--services N] [--peers N] [--changes N] [--drains N] [--churn N]

One node, a directory of manifests, a speaker with BIRD, peers that note the moment of each UPDATE.
Prints, for each kind of change, a histogram of the time from a manifest's being in its place until
the last peer has the UPDATE or the withdrawal; what BIRD alone needs to read the same files, for
comparison; processor time and memory; and, for many changes in a row, whether a session went down,
as an FRR that has one tells. $TMPDIR on a disk costs time of its own: each status is synced."""

import argparse
import json
import os
import random
import socket
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration-tests"))

from lab.bgp import (OUR_AS, THEIR_AS, BgpLab, advertisement, endpoints, metallb, node_object, peer,  # noqa: E402
                     service)
from lab.bgpsink import BgpSink  # noqa: E402
from lab.evidence import Evidence  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.wait import wait_until  # noqa: E402

PROBES = 1 << 17  # where the addresses of what changes begin
BOUNDS = (5, 10, 20, 30, 40, 50, 75, 100, 200, 1000)
ROUND = 25  # changes in a row that are awaited together


def address(index):
    return f"10.{16 + (index >> 16)}.{index >> 8 & 255}.{index & 255}"


def listed(name, items):
    return {"apiVersion": "v1", "kind": "List", "metadata": {"name": name}, "items": items}


def histogram(name, seconds):
    if not seconds:
        return
    ms = sorted(one * 1000 for one in seconds)
    counts = [sum(1 for one in ms if low < one <= high) for low, high in zip((0, *BOUNDS), BOUNDS)]
    p99 = ms[min(len(ms) - 1, int(len(ms) * 0.99))]
    print(f"{name}: {len(ms)} changes, p50 {statistics.median(ms):.1f} ms, p99 {p99:.1f} ms, max {ms[-1]:.1f} ms; "
          + ", ".join(f"≤{high}: {count}" for high, count in zip(BOUNDS, counts) if count), flush=True)


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu(pid):
    """Seconds of processor time, of all its threads."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Bench:
    def __init__(self, run, options):
        self.options = options
        self.run = run
        self.lab = BgpLab(run, Evidence(), Network(run, 1))
        self.lab.put(metallb("IPAddressPool", "many", addresses=["10.16.0.0/12"]),
                     advertisement(communities=["64512:100"]))
        self.sinks = []
        for index in range(options.peers):
            host = self.lab.network.add_host(f"t{index}", index + 1, planes=("lan",))
            self.sinks.append(BgpSink(host.namespace, host.address, THEIR_AS))
            self.lab.put(peer(f"t{index}", host.address, holdTime="90s"))
        # All of them in a few files, as one list each; what changes is in files of its own.
        many = [one for index in range(options.services) for one in (
            service(f"s{index}", address(index)), endpoints(f"s{index}", "n1"))]
        for index in range(0, len(many), 1000):
            self.lab.put(listed(f"many-{index}", many[index:index + 1000]))
        self.speaker = self.lab.speaker("n1", "--log-level", "info", "--bgp-drain", "1h")
        self.pids = {"speaker": self.speaker.process.pid, "bird": self.speaker.bgp()["bird"]["pid"]}

    def settle(self):
        start = time.time()
        for sink in self.sinks:
            sink.wait(lambda s=sink: len(s.table) == self.options.services, 120)
        print(f"{self.options.services} prefixes at {len(self.sinks)} peers {time.time() - start:.2f} s after the "
              "speaker was ready")
        written = self.lab.store.status / "servicebgpstatuses"
        start = time.time()
        wait_until(lambda: sum(1 for _ in written.rglob("*.json")) >= self.options.services, 600)
        print(f"{self.options.services} statuses written {time.time() - start:.2f} s later", flush=True)

    # --- changes -------------------------------------------------------------------------------

    def put(self, obj):
        """Puts a manifest into its place; returns the moment."""
        meta = obj["metadata"]
        name = f"{obj['kind']}-{meta.get('namespace', '')}-{meta['name']}.yaml".lower()
        path = self.lab.store.manifests / name
        partial = path.with_name(f".{path.name}")
        partial.write_text(json.dumps(obj))
        moment = time.time()
        partial.rename(path)
        return moment

    def forget_events(self):
        for sink in self.sinks:
            with sink.changed:
                sink.events.clear()

    def seen(self, sign, prefixes):
        """Waits until every peer was told that of each prefix; the moments of the first and last."""
        moments = []
        for sink in self.sinks:
            sink.wait(lambda s=sink: len(s.events) >= len(prefixes)
                      and prefixes <= {e[2] for e in s.events if e[1] == sign})
            moments += [e[0] for e in sink.events if e[1] == sign and e[2] in prefixes]
        return min(moments), max(moments)

    def change(self, obj, sign, prefix):
        """Seconds until the last peer has been told."""
        time.sleep(random.uniform(0.02, 0.08))
        self.forget_events()
        start = self.put(obj)
        return self.seen(sign, {prefix})[1] - start

    def latencies(self):
        created, lost, came = [], [], []
        for index in range(self.options.changes):
            probe, ip = f"probe-{index}", address(PROBES + index)
            whole = [service(probe, ip), endpoints(probe, "n1")]
            created.append(self.change(listed(probe, whole), "+", f"{ip}/32"))
            lost.append(self.change(listed(probe, [whole[0], endpoints(probe)]), "-", f"{ip}/32"))
            came.append(self.change(listed(probe, whole), "+", f"{ip}/32"))
            self.change(listed(probe, [whole[0], endpoints(probe)]), "-", f"{ip}/32")
        histogram("Service created until announced", created)
        histogram("endpoint lost until withdrawn", lost)
        histogram("endpoint came until announced", came)

    def drains(self):
        """Peers are asked to go elsewhere for every Service, and then no longer."""
        node, drained, undrained = self.lab.network.nodes[0], ([], []), ([], [])
        everything = {f"{address(index)}/32" for index in range(self.options.services)}
        for _ in range(self.options.drains):
            for annotations, (first, last) in (({"stentor.io/drain": "bench"}, drained), ({}, undrained)):
                time.sleep(random.uniform(0.02, 0.08))
                self.forget_events()
                start = self.put(node_object(node, annotations=annotations))
                begin, end = self.seen("+", everything)
                first.append(begin - start)
                last.append(end - start)
        histogram("node drained until the first UPDATE", drained[0])
        histogram(f"node drained until {self.options.services} UPDATEs", drained[1])
        histogram("drain over until the first UPDATE", undrained[0])
        histogram(f"drain over until {self.options.services} UPDATEs", undrained[1])

    # --- comparison ----------------------------------------------------------------------------

    def bare(self):
        """What BIRD alone takes to read its files, of which none has changed."""
        path = next(self.run.directory.glob("bird-n1*")) / "bird.ctl"
        wall, busy = [], []
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            lines = connection.makefile("rb")
            lines.readline()
            for _ in range(self.options.changes):
                time.sleep(random.uniform(0.02, 0.08))
                before, start = cpu(self.pids["bird"]), time.time()
                connection.sendall(b"configure\n")
                while lines.readline()[4:5] != b" ":
                    pass
                wall.append(time.time() - start)
                busy.append(cpu(self.pids["bird"]) - before)
        histogram("bird alone, configure without a change", wall)
        histogram("bird alone, its processor time", busy)

    def busy(self, what, count, call):
        before = {name: cpu(pid) for name, pid in self.pids.items()}
        start = time.time()
        call()
        spent = {name: (cpu(pid) - before[name]) / max(count, 1) * 1000 for name, pid in self.pids.items()}
        print(f"{what}: {time.time() - start:.1f} s; processor time for each: "
              + ", ".join(f"{name} {ms:.2f} ms" for name, ms in spent.items()), flush=True)

    def rest(self):
        time.sleep(5)
        before = {name: cpu(pid) for name, pid in self.pids.items()}
        time.sleep(20)
        memory = {name: resident(pid) for name, pid in self.pids.items()}
        busy = {name: (cpu(pid) - before[name]) / 20 * 100 for name, pid in self.pids.items()}
        print("at rest: " + ", ".join(f"{name} {memory[name]:.1f} MB, {busy[name]:.2f} % of a core" for name in memory)
              + f"; together {sum(memory.values()):.1f} MB", flush=True)

    # --- many changes --------------------------------------------------------------------------

    def churn(self):
        """Each change is seen by a peer; ROUND of them are under way together."""
        probes = [f"churn-{index}" for index in range(ROUND)]
        prefixes = {f"{address(PROBES * 2 + index)}/32" for index in range(ROUND)}
        for change in range(0, self.options.churn, ROUND):
            self.forget_events()
            here = change // ROUND % 2 == 0
            for index, probe in enumerate(probes):
                self.put(listed(probe, [service(probe, address(PROBES * 2 + index)),
                                        endpoints(probe, *(["n1"] if here else []))]))
            self.seen("+" if here else "-", prefixes)

    def uptime(self):
        if not self.options.churn:
            return
        node = self.lab.network.nodes[0].address
        frr = self.lab.router(name="frr", number=100, lines=[" timers bgp 30 90"])
        self.lab.put(peer("frr", frr.host.address, holdTime="90s"))
        wait_until(lambda: frr.neighbor(node).get("addressFamilyInfo", {}).get("ipv4Unicast", {})
                   .get("acceptedPrefixCounter") == self.options.services, 120)

        def told():
            neighbor = frr.neighbor(node)
            return neighbor["bgpTimerUpEstablishedEpoch"], frr.connections(node)
        before = told()
        self.busy(f"{self.options.churn} changes of Services, each seen by every peer", self.options.churn, self.churn)
        print(f"FRR: established at {before[0]}, seen after: {told()[0]}; (came up, went down) {before[1]}, after: "
              f"{told()[1]}; other peers: {sum(sink.ended for sink in self.sinks)} of "
              f"{sum(sink.sessions for sink in self.sinks)} sessions ended", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name, default in (("services", 10000), ("peers", 4), ("changes", 200), ("drains", 200), ("churn", 10000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    assert OUR_AS != THEIR_AS
    run = Run()
    try:
        bench = Bench(run, options)
        bench.settle()
        bench.rest()
        bench.bare()
        bench.busy("creations, losses and returns", options.changes * 4, bench.latencies)
        bench.busy("drains and their ends", options.drains * 2, bench.drains)
        bench.uptime()
        bench.rest()
        bench.lab.close()
    finally:
        run.close()


if __name__ == "__main__":
    main()
