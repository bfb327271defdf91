"""The ARP and NDP responder by itself (arp-probe): told what to do, asked what it saw."""

import itertools
import json
import os
import re

from .controller import build_directory
from .wait import wait_until


class Responder:
    """Answers for the addresses on an interface of a host, until the test ends.

    start      the fixture `process`
    host       a network.Host
    mac        what it says its Ethernet address is; the interface's own unless told
    """

    _numbers = itertools.count()

    def __init__(self, run, start, host, *addresses, interface="eth0", mac=None):
        self._fifo = run.directory / f"responder-{next(self._numbers)}.fifo"
        os.mkfifo(self._fifo)
        self.process = start(
            [build_directory() / "arp" / "arp-probe", self._fifo, interface,
             mac or host.namespace.mac(interface), *addresses], namespace=host.namespace)
        self.process.wait_log("^ready$|^open: ", 10)
        assert "ready" in self.process.log(), self.process.log()

    def tell(self, *words):
        """One command; returns when it is carried out: where in the log what came of it begins."""
        command = " ".join(map(str, words))
        start = len(self.process.log())
        self.write(command)
        self.process.wait_log(f"(?m)^done {re.escape(command)}$", 20, after=start)
        return start

    def write(self, *commands):
        """Gives it commands, to be carried out at once one after the other, and waits for nothing."""
        with open(self._fifo, "w", encoding="ascii") as fifo:
            fifo.write("".join(f"{command}\n" for command in commands))

    def probe(self, address, mode="fast", meanwhile=None):
        """Probes the address, and calls meanwhile() then: "free", or the MAC of whoever has it."""
        start = self.tell(f"probe-{mode}", address)
        if meanwhile:
            meanwhile()
        pattern = rf"(?m)^probed {re.escape(address)} (\S+)$"
        return self.process.wait_log(pattern, 30, after=start).group(1)

    def heard(self):
        """All claims so far: (address, MAC, how)."""
        return re.findall(r"(?m)^heard (\S+) (\S+) (\S+)$", self.process.log())

    def figures(self):
        """What it has counted so far."""
        start = self.tell("figures")
        return json.loads(re.search(r"(?m)^figures (.*)$", self.process.log()[start:]).group(1))

    def wait_figures(self, wanted, seconds=20):
        """Waits until wanted(figures()) is true. Returns the figures."""
        last = {}

        def look():
            last.update(self.figures())
            return wanted(last)

        wait_until(look, seconds, lambda: f"figures: {last}\n{self.process.describe()}")
        return last

    def stop(self):
        """Ends it. Returns the last figures."""
        self.process.stop()
        return json.loads(re.findall(r"(?m)^figures (.*)$", self.process.log())[-1])
