"""A member of the gossip by itself (gossip-probe), and what it reports of the others."""

import json
import os
import re
import signal
from pathlib import Path

from .controller import build_directory
from .wait import wait_until

PORT = 7946


class KeyDirectory:
    """A Secret as the kubelet mounts it: the files are links through ..data, and replacing them is
    one rename."""

    def __init__(self, path, **files):
        self.path = Path(path)
        self.path.mkdir()
        self._number = 0
        self.write(**files)

    def write(self, **files):
        """secretkey=…, secretkey_old=…; what is not named is gone."""
        self._number += 1
        data = self.path / f"..{self._number}"
        data.mkdir()
        names = {name.replace("_old", ".old"): text for name, text in files.items()}
        for name, text in names.items():
            (data / name).write_text(text)
        fresh = self.path / "..data_tmp"
        fresh.symlink_to(data.name)
        os.replace(fresh, self.path / "..data")
        for name in names:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        return self


class Member:
    """Runs on a host of a network until the test ends. peers: addresses."""

    def __init__(self, start, host, keys, peers, hold_down_ms=2000, address=None):
        self.host = host
        self.name = host.name
        self.keys = keys
        self.process = start(
            [build_directory() / "common" / "gossip" / "gossip-probe", host.name,
             address or host.address, PORT, keys.path, hold_down_ms, *peers],
            name=f"member-{host.name}", namespace=host.namespace)
        self.process.wait_log("(?m)^report ", 20)

    def reports(self, after=0):
        """All reports from that offset of its log on, the oldest first."""
        return [json.loads(text) for text in
                re.findall(r"(?m)^report (\{.*\})$", self.process.log()[after:])]

    def states(self):
        """{member: state} of its last report."""
        return {name: facts[0] for name, facts in self.reports()[-1]["members"].items()}

    def alive(self):
        """Whom it counts alive, itself too."""
        return sorted(name for name, state in self.states().items()
                      if state in ("alive", "suspect"))

    def held(self):
        return sorted(name for name, facts in self.reports()[-1]["members"].items() if facts[2])

    def mark(self):
        """Where its log ends now, for reports(after)."""
        return len(self.process.log())

    def figures(self):
        start = self.mark()
        self.process.send(signal.SIGUSR1)
        found = self.process.wait_log(r"(?m)^figures (\{.*\})$", 20, after=start)
        return json.loads(found.group(1))

    def wait_alive(self, names, seconds=20):
        """Waits until it counts exactly those alive."""
        wait_until(lambda: self.alive() == sorted(names), seconds, self.process.describe,
                   f"{self.name} counts {sorted(names)} alive")


def ever_lost(member, names, after=0):
    """Which of those the member counted dead or left in any report since."""
    return sorted({name for report in member.reports(after) for name, facts in
                   report["members"].items() if name in names and facts[0] in ("dead", "left")})
