"""./demo, as it stands in the README: it shows what it promises, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys

import pytest

from lab.daemon import build_directory
from lab.programs import REPOSITORY, core
from lab.run import namespaces_of, name_of, processes_of, start_time
from lab.wait import wait_until

pytestmark = pytest.mark.alone


def start(mode):
    environment = {**os.environ, "STENTOR_BUILD": str(build_directory())}
    return subprocess.Popen([sys.executable, REPOSITORY / "scripts" / "demo.py", mode], text=True,
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            # A shell that starts us in the background has Ctrl-C ignored.
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def run_of(child):
    """The name of the run that a demo owns, which marks all that it makes."""
    return name_of(child.pid, start_time(child.pid))


def left_behind(name):
    return namespaces_of(name) + list(processes_of(name))


@pytest.mark.parametrize("mode", ["directory", "kubernetes"])
def test_shows_what_it_promises(mode):
    core()
    child = start(mode)
    name = run_of(child)
    told, _ = child.communicate(timeout=120)
    assert child.returncode == 0, told
    assert re.search(r"by ARP: +no answer for \d+ ms, then from n[1245]", told), told
    assert re.search(r"for a page: +no answer for \d+ ms", told), told
    lost = dict(re.findall(r"^   (\w+):\S+ +\d+ questions, (\d+) lost$", told, re.M))
    # A handshake begun at the one node and ended at the other is known to neither.
    assert int(lost.pop("tcp")) <= 1, told
    assert lost == {"arp": "0", "open": "0"}, told
    # The router: two next hops, then the one that is left, which stays while BIRD is gone from there.
    assert re.search(r"ip route show (\S+) +# wiki\n   \1 .*\n(?: +nexthop via 192\.0\.2\.1[23] .*\n){2}", told), told
    assert len(re.findall(r"^   \S+ (?:nhid \d+ )?via 192\.0\.2\.12 dev eth0 proto bgp ", told, re.M)) == 2, told
    pages = [int(count) for count in re.findall(r"(\d+) × Hello from", told)]
    assert len(pages) == 2 and sum(pages) == 20, told
    (asked, failed), (_, without_bird) = re.findall(r"^   (\d+) requests, (\d+) failed$", told, re.M)
    assert int(failed) < int(asked) and without_bird == "0", told
    assert re.findall(r"12 addresses, (\d) nodes: no more than (\d) on any", told) == [
        ("5", "3"), ("4", "3"), ("5", "3"), ("4", "3")], told
    for promised in ("Hello from ", "NotInAnyPool", "nothing is left behind"):
        assert promised in told
    assert left_behind(name) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_it_leaves_nothing_behind(number):
    child = start("directory")
    name = run_of(child)
    for line in child.stdout:
        if "docs/examples" in line:
            break
    assert left_behind(name)
    child.send_signal(number)
    child.communicate(timeout=30)
    assert child.returncode != 0
    wait_until(lambda: left_behind(name) == [], 30)
