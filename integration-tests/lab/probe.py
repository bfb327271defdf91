"""The probing client: asks addresses at a steady rate, from the client of a network, and tells
afterwards who answered and how long nobody did. bench/probe_client.c does the work."""

import json
import signal
from dataclasses import dataclass

from .daemon import build_directory
from .process import Process


@dataclass(frozen=True)
class Gap:
    """From one answered question to the next, with unanswered ones between. start: in seconds of
    time.monotonic()."""
    start: float
    seconds: float
    lost: int

    @property
    def end(self):
        return self.start + self.seconds


@dataclass(frozen=True)
class Stretch:
    """Answers of one answerer without a break. Times are those of time.monotonic()."""
    who: str
    start: float
    end: float
    answers: int


class Target:
    """What was seen of one target."""

    def __init__(self, report):
        self.name = report["target"]
        self.asked = report["asked"]
        self.lost = report["lost"]
        self.lost_at_end = report["lost_at_end"]
        self.latency_ms = report["latency_ms"]
        self.notices = [(one["at"], one["what"], one["who"]) for one in report["notices"]]
        self.gaps = [Gap(one["from"], one["ms"] / 1e3, one["lost"]) for one in report["gaps"]]
        self.stretches = sorted((Stretch(one["who"], one["from"], one["to"], one["answers"])
                            for one in report["runs"]), key=lambda run: run.start)

    def gap(self, since=0.0):
        """The longest gap that ended after that moment, in seconds; 0.0 when there was none."""
        return max((gap.seconds for gap in self.gaps if gap.end >= since), default=0.0)

    def who(self, start=0.0, end=float("inf")):
        """Who answered in that time, in the order of their first answers."""
        return list(dict.fromkeys(run.who for run in self.stretches
                                  if run.end >= start and run.start <= end))

    def last_doubt(self):
        """The last moment at which two answered in turns; 0.0 when there was none."""
        overlaps = [min(one.end, other.end) for i, one in enumerate(self.stretches)
                    for other in self.stretches[i + 1:]
                    if one.who != other.who and other.start < one.end]
        return max(overlaps, default=0.0)

    def __str__(self):
        gaps = ", ".join(f"{gap.seconds * 1e3:.0f} ms at {gap.start:.3f}" for gap in self.gaps)
        runs = "; ".join(f"{run.who} {run.start:.3f} to {run.end:.3f} ({run.answers})"
                         for run in self.stretches)
        return (f"{self.name}: {self.asked} asked, {self.lost} lost; gaps: {gaps or 'none'}; "
                f"answers: {runs or 'none'}; {self.notices}")


class Report:
    """What a probe saw, by target: report["arp:192.0.2.240"]."""

    def __init__(self, text):
        whole = json.loads(text)
        self.targets = {one["target"]: Target(one) for one in whole["targets"]}
        self.stalls = [(one["from"], one["ms"] / 1e3) for one in whole["stalls"]]

    def __getitem__(self, target):
        return self.targets[target]

    def __str__(self):
        return "\n".join(["--- probes", *map(str, self.targets.values()),
                          f"the client itself was late: {self.stalls or 'never'}"])


class Probe:
    """Asks from when the constructor returns until stop().

    targets: "arp:ADDRESS" (for IPv6 a neighbour solicitation), "tcp:ADDRESS:PORT" for a page over
    a connection of its own, "open:ADDRESS:PORT" for pages over one that stays."""

    def __init__(self, run, host, *targets, options=()):
        self.process = Process(run, [build_directory() / "bench" / "probe_client", *options, *targets],
                                name="probe", namespace=host.namespace)
        self.process.wait_log("^ready$", 10)
        self._report = None

    def stop(self):
        """Ends it. Returns the Report; a second time the same."""
        if self._report is None:
            self.process.send(signal.SIGTERM)
            assert self.process.wait(10) == 0, self.process.describe()
            self._report = Report(self.process.log().splitlines()[-1])
        return self._report

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()

    def describe(self):
        return str(self._report) if self._report else self.process.describe()
