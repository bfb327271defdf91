#!/usr/bin/env python3
"""How fast a router lets go of a node whose link is cut, and what it loses while programs restart.

usage: bench_bgp_failures.py [--cuts N] [--kills N] [--build DIR]

A node with one address, and FRR with BFD at 50 ms times 3 and graceful restart. All is read from the
router's kernel, by netlink: prints a histogram of the time from each cut until its route is gone. Then,
without BFD and with it, how often the route changed while the speaker, BIRD and both were killed with
-9, and while both were stopped and started (an upgrade). To be run on a quiet machine, where BFD takes
nobody for dead who only waits for a processor; the load is printed."""

import argparse
import os
import signal
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "integration-tests"))

BIN = 50  # ms


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--kills", type=int, default=5, help="of each kind")
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    return parser.parse_args()


ARGS = parse()
os.environ["STENTOR_BUILD"] = ARGS.build

from lab.bgp import BgpLab, advertisement, metallb, peer  # noqa: E402: the build directory comes first
from lab.evidence import Evidence  # noqa: E402
from lab.kernelroutes import KernelRoutes  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.wait import wait_until  # noqa: E402

VIP, TOR = "198.51.100.1", "192.0.2.1"


class Bench:
    def __init__(self, run, bfd):
        self.bfd = bfd
        self.lab = BgpLab(run, Evidence(), Network(run, 1))
        self.node = self.lab["n1"].address
        self.lab.put(metallb("BFDProfile", "fast", receiveInterval=50, transmitInterval=50, detectMultiplier=3),
                     advertisement(), peer("tor", TOR, bfdProfile="fast" if bfd else None, enableGracefulRestart=True,
                                             connectTime="1s"))
        self.lab.serve("web", VIP)
        self.router = self.lab.router(neighbor={"bfd": bfd, "restart": True}, bfd=(50, 50, 3))
        self.speaker = self.lab.speaker()
        self.wait_up()
        self.kernel = KernelRoutes(self.router.host.namespace)

    def wait_up(self):
        wait_until(lambda: self.router.kernel_routes() == {f"{VIP}/32": [self.node]} and self.router.has_all(self.node)
                   and (not self.bfd or self.speaker.bgp_sessions()["tor"]["bfd"] == "Up"), 60, self.router.describe)

    def cut(self):
        """Seconds until the route is gone."""
        known = len(self.kernel.deleted(VIP))
        started = time.time()
        self.lab.network.cut("n1")
        wait_until(lambda: len(self.kernel.deleted(VIP)) > known, 60, self.router.describe)
        took = self.kernel.deleted(VIP)[-1] - started
        self.lab.network.heal("n1")
        self.wait_up()
        return took

    def bird(self):
        return self.speaker.bgp()["bird"]["pid"]

    def kill_speaker(self):
        os.kill(self.speaker.process.pid, signal.SIGKILL)
        self.speaker.process.wait(10)
        self.speaker.process.start()
        self.speaker.wait_ready(60)

    def kill_bird(self):
        os.kill(self.bird(), signal.SIGKILL)
        self.wait_again()

    def kill_both(self):
        bird = self.bird()
        os.kill(self.speaker.process.pid, signal.SIGKILL)
        os.kill(bird, signal.SIGKILL)
        self.speaker.process.wait(10)
        self.speaker.process.start()
        self.speaker.wait_ready(60)
        self.wait_again()

    def upgrade(self):
        assert self.speaker.process.stop() == 0
        self.speaker.process.start()
        self.speaker.wait_ready(60)
        self.wait_again()

    def wait_again(self):
        wait_until(lambda: self.router.connections(self.node)[0] > self.sessions, 60, self.router.describe)

    def restart(self, what):
        """Does it, waits until all is as before, and returns how often the route changed meanwhile."""
        known = len(self.kernel.about(VIP))
        self.sessions = self.router.connections(self.node)[0]
        what()
        self.wait_up()
        return len(self.kernel.about(VIP)) - known

    def restarts(self, kills):
        for name, what in (("speaker killed with -9", self.kill_speaker), ("BIRD killed with -9", self.kill_bird),
                           ("both killed with -9", self.kill_both), ("both stopped and started", self.upgrade)):
            changes = [self.restart(what) for _ in range(kills)]
            print(f"{'with' if self.bfd else 'without'} BFD, {name}: {len(changes)} times, {sum(changes)} changes of the route")

    def close(self):
        self.kernel.close()
        self.lab.close()
        self.lab.network.delete()


def histogram(seconds):
    ms = sorted(one * 1000 for one in seconds)
    print(f"link cut until the router's kernel has no route: {len(ms)} cuts, median {statistics.median(ms):.0f} ms, "
          f"max {ms[-1]:.0f} ms")
    for start, count in sorted(Counter(int(one // BIN) * BIN for one in ms).items()):
        print(f"  {start:4} to {start + BIN:4} ms  {'#' * count} {count}")


def main():
    run = Run()
    print(f"load: {os.getloadavg()[0]:.1f}")
    try:
        for bfd in (True, False):
            bench = Bench(run, bfd)
            if bfd:
                histogram([bench.cut() for _ in range(ARGS.cuts)])
            bench.restarts(ARGS.kills)
            bench.close()
    finally:
        run.close()
    print(f"load: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
