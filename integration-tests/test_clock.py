"""A node's clock is set, by hours, while everything runs: nothing depends on the time of day.

The machine's clock is left alone: libfaketime (Debian's) tells one speaker another time of day, and
the true monotonic clock."""

import re
from datetime import datetime

import pytest

from lab.failover import FAULTS, measure
from lab.wait import stays, wait_until

pytestmark = pytest.mark.alone

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
HOUR = 3600


class Clock:
    """What one speaker takes for the time of day: so many seconds off."""

    def __init__(self, directory):
        self._file = directory / "offset"
        self.set(0)
        self.environment = {"LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": self._file,
                            "FAKETIME_NO_CACHE": 1, "DONT_FAKE_MONOTONIC": 1}

    def set(self, seconds):
        fresh = self._file.with_name("fresh")
        fresh.write_text(f"{seconds:+}s\n")
        fresh.rename(self._file)


@pytest.fixture
def owner_with_clock(cluster, tmp_path):
    """(cluster, owner of s1, its Clock): that speaker runs with it."""
    one = cluster(3, hold_down="1s")
    one.add_services(1)
    before = one.wait_owned()
    (owner,) = before.values()
    one.move("s1", owner)  # and it comes back to it
    clock = Clock(tmp_path)
    one.stop_speaker(owner)
    one.speakers[owner].process.env.update(clock.environment)
    one.start_speaker(owner)
    one.wait_owned(lambda owners: owners == before)
    return one, owner, clock


def seconds_off(speaker):
    """How far its time of day is from ours, by what it logs now."""
    assert speaker.is_ready()  # and logs that it was asked
    told = re.search(r"^time=(\S+)Z ", speaker.process.log(last=1))[1]
    return (datetime.fromisoformat(told) - datetime.utcnow()).total_seconds()


@pytest.mark.parametrize("step", [+HOUR, -HOUR])
def test_clock_is_set_while_it_answers(owner_with_clock, probe, step):
    """The owner goes on answering, nobody else begins to, and it is missed when it fails."""
    one, owner, clock = owner_with_clock
    vip = one.vip("s1")
    clock.set(step)
    wait_until(lambda: abs(seconds_off(one.speakers[owner]) - step) < HOUR / 2, 10)
    stays(lambda: one.answering(vip) == {vip: [owner]}, 2, one.describe)
    assert measure(one, "s1", FAULTS["kill"], probe).owner == owner


def test_restart_with_a_clock_that_is_behind(owner_with_clock):
    """The others take back a speaker whose start lies before its last one, by its own clock."""
    one, owner, clock = owner_with_clock
    before = {one.vip("s1"): owner}
    one.kill_speaker(owner)
    one.wait_owned(lambda owners: owners != before)
    clock.set(-HOUR)
    one.start_speaker(owner)
    one.wait_owned(lambda owners: owners == before)
    assert abs(seconds_off(one.speakers[owner]) + HOUR) < HOUR / 2
