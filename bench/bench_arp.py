#!/usr/bin/python3
"""How fast the responder answers ARP, with 1 and with 10 000 addresses, against the kernel of the
same host, in the same run: the kernel answers for its own address, and for 10 000 by a local route.

usage: bench/bench_arp.py [--build DIR] [--rounds N] [--inline]

As between two machines, each of the two hosts has a processor of its own: what comes in on its
interface is worked on there (RPS), and its program runs there. With --inline the kernel works on
frames where they were sent, as veth pairs do when nobody asks for more: its answer is then a
function call away from the question. Both programs run with real-time priority, so that other load
of the machine does not count. Needs two processors.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "integration-tests"))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=os.path.abspath, default=str(ROOT / "build" / "release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--inline", action="store_true")
    return parser.parse_args()


ARGS = parse()
os.environ["STENTOR_BUILD"] = ARGS.build

from lab.network import Network  # noqa: E402: the build directory comes first
from lab.process import Process  # noqa: E402
from lab.responder import Responder  # noqa: E402
from lab.run import Run  # noqa: E402

CLIENT_CPU, NODE_CPU = 0, 1
MANY = 10000


class Bench:
    def __init__(self, run):
        self.run = run
        self.lan = Network(run, 1)
        self.node, self.client = self.lan["n1"].namespace, self.lan.client.namespace
        self.processes = []
        self.responder = Responder(run, self._start, self.lan["n1"])
        self.responder.tell("own-many", "192.0.2.240", 1)
        self.responder.tell("own-many", "198.19.0.0", MANY)
        self.node.ip("route", "add", "local", "198.18.0.0/18", "dev", "lo")
        pid = str(self.responder.process.pid)
        subprocess.run(["taskset", "-pc", str(NODE_CPU), pid], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["chrt", "-f", "-p", "10", pid], check=True)
        if not ARGS.inline:
            self._steer(self.node, NODE_CPU)
            self._steer(self.client, CLIENT_CPU)

    def _start(self, arguments, **options):
        self.processes.append(Process(self.run, arguments, **options))
        return self.processes[-1]

    @staticmethod
    def _steer(namespace, cpu):
        namespace.run("sh", "-c",
                      f"echo {1 << cpu:x} > /sys/class/net/eth0/queues/rx-0/rps_cpus")

    def ask(self, mode, first, count, seconds=1):
        result = self.client.run(
            "chrt", "-f", "10", "taskset", "-c", CLIENT_CPU, f"{ARGS.build}/arp/bench_arp", mode,
            "eth0", self.client.mac(), first, count, seconds)
        return json.loads(result.stdout)

    def compare(self, mode, name, kernel, ours, count):
        """Rounds of both in turn, so that what else the machine does meets both."""
        rounds = [(self.ask(mode, kernel, count), self.ask(mode, ours, count))
                  for _ in range(ARGS.rounds)]
        print(f"{name}, {count} address{'es' if count > 1 else ''}: kernel, ours, ratio; medians of "
              f"{ARGS.rounds} rounds")
        for key in rounds[0][0]:
            both = [statistics.median(r[i][key] for r in rounds) for i in (0, 1)]
            print(f"  {key:16} {both[0]:10.1f} {both[1]:10.1f} {both[1] / both[0]:6.2f}")


def main():
    run = Run()
    try:
        bench = Bench(run)
        for count, kernel, ours in ((1, "192.0.2.11", "192.0.2.240"),
                                    (MANY, "198.18.0.0", "198.19.0.0")):
            bench.compare("latency", "one at a time", kernel, ours, count)
        for count, kernel, ours in ((1, "192.0.2.11", "192.0.2.240"),
                                    (MANY, "198.18.0.0", "198.19.0.0")):
            before = bench.responder.process.cpu_seconds(), bench.responder.figures()["answered"]
            bench.compare("rate", "as fast as can be", kernel, ours, count)
            cpu = bench.responder.process.cpu_seconds() - before[0]
            answers = bench.responder.figures()["answered"] - before[1]
            print(f"  answers per second of processor time: {answers / cpu:.0f}")
        figures = bench.responder.figures()
        print(f"lost in the ring: {figures['lost']}, not taken by the kernel: "
              f"{figures['send_errors']}; resident: "
              f"{bench.responder.process.resident_bytes() / 1e6:.1f} MB with {MANY} addresses")
        for process in bench.processes:
            process.stop()
    finally:
        run.close()


if __name__ == "__main__":
    main()
