"""The ARP responder by itself (arp-probe), on a LAN with a real kernel as the client."""

import json
import re
import signal

import pytest

from lab.controller import build_directory
from lab.wait import wait_until

VIP = "192.0.2.240"
OTHER = "192.0.2.241"
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def lan(network):
    return network(2)


@pytest.fixture
def probe(process):
    """probe(HOST, ADDRESS…) answers for the addresses on the host's eth0."""

    def start(host, *addresses):
        mac = host.namespace.mac()
        one = process([build_directory() / "arp" / "arp-probe", "eth0", mac, *addresses],
                      namespace=host.namespace)
        one.wait_log("^ready$|^open: ", 10)
        assert "ready" in one.log(), one.log()
        return one

    return start


def figures(process):
    """What the probe counted; ends it."""
    process.stop()
    return json.loads(process.log().splitlines()[-1])


def arping(host, address, *options):
    """(exit status, MACs that answered). Two requests, or what the options say."""
    result = host.namespace.run("arping", "-I", "eth0", "-c", "2", "-w", "3", *options, address,
                                check=False)
    return result.returncode, sorted(set(re.findall(r"\[([0-9A-F:]{17})\]", result.stdout)))


def test_kernel_learns_the_owner(lan, probe):
    """The client's own kernel resolves the address when it wants to send there."""
    owner = lan["n1"]
    one = probe(owner, VIP)
    lan.client.ping(VIP, 0.2)  # nobody answers the echo; the address is resolved for it
    wait_until(lambda: lan.client.namespace.neighbours().get(VIP, (None,))[0] ==
               owner.namespace.mac(), 10, lan.describe)
    counts = figures(one)
    assert counts["answered"] == counts["received"] == counts["ok"] >= 1
    assert counts[VIP] == [counts["received"], counts["answered"], 0]


def test_only_the_owner_answers(lan, probe):
    owner = probe(lan["n1"], VIP)
    other = probe(lan["n2"], OTHER)
    assert arping(lan.client, VIP) == (0, [lan["n1"].namespace.mac().upper()])
    assert arping(lan.client, OTHER) == (0, [lan["n2"].namespace.mac().upper()])
    assert arping(lan.client, "192.0.2.242") == (1, [])
    assert figures(owner)["received"] == 2
    # The first request of arping is a broadcast, the second goes to the owner alone.
    assert figures(other)["not_ours"] >= 3


def test_duplicate_address_detection_sees_the_owner(lan, probe):
    """Probes come from 0.0.0.0 (RFC 5227); arping's status is 1 when somebody has the address."""
    probe(lan["n1"], VIP)
    assert arping(lan.client, VIP, "-D")[0] == 1
    assert arping(lan.client, OTHER, "-D")[0] == 0


def test_disowned_address_is_silent(lan, probe):
    one = probe(lan["n1"], VIP, OTHER)
    assert arping(lan.client, VIP)[0] == 0
    one.send(signal.SIGUSR2)
    one.wait_log("disowned", 10)
    assert arping(lan.client, VIP) == (1, [])
    assert arping(lan.client, OTHER)[0] == 0


def test_announcements_move_neighbours(lan, probe):
    """Two broadcasts for each address, and a kernel that knew the old owner follows the new one."""
    old, new = lan["n1"], lan["n2"]
    first = probe(old, VIP)
    client = lan.client.namespace
    # Not resolved just now: kernels refuse a second change within a second (locktime).
    client.sysctl("net.ipv4.neigh.eth0.locktime", 0)
    lan.client.ping(VIP, 0.2)
    wait_until(lambda: client.neighbours().get(VIP, (None,))[0] == old.namespace.mac(), 10,
               lan.describe)
    first.stop()
    second = probe(new, VIP)
    with lan.capture("client") as capture:
        second.send(signal.SIGUSR1)
        wait_until(lambda: client.neighbours()[VIP][0] == new.namespace.mac(), 10, lan.describe)
        wait_until(lambda: len(capture.frames(lambda f: f.arp and f.arp.sender_ip == VIP)) >= 2,
                   10, capture.describe)
        frames = capture.frames(lambda f: f.arp and f.arp.sender_ip == VIP)
    mac = new.namespace.mac()
    seen = [(f.destination, f.source, f.arp.operation, f.arp.sender_mac, f.arp.target_mac,
             f.arp.target_ip) for f in frames]
    assert seen == [(BROADCAST, mac, operation, mac, BROADCAST, VIP) for operation in (1, 2)]
    assert figures(second)[VIP][2] == 2


def test_interface_goes_down_and_up(lan, probe):
    """The same responder goes on answering."""
    one = probe(lan["n1"], VIP)
    lan["n1"].namespace.ip("link", "set", "eth0", "down")
    assert arping(lan.client, VIP) == (1, [])
    lan["n1"].namespace.ip("link", "set", "eth0", "up")
    wait_until(lambda: arping(lan.client, VIP)[0] == 0, 20, lan.describe)
    assert one.alive
    assert figures(one)["error"] == ""


def test_interface_goes_away(lan, probe):
    one = probe(lan["n1"], VIP)
    lan["n1"].namespace.ip("link", "del", "eth0")
    assert one.wait(10) == 0
    assert json.loads(one.log().splitlines()[-1])["error"] == "No such device"


def test_cannot_open(lan, process):
    def complaint(interface):
        one = process([build_directory() / "arp" / "arp-probe", interface, "02:00:00:00:00:01"],
                      namespace=lan["n1"].namespace)
        assert one.wait(10) == 1
        return one.log()

    assert complaint("eth7") == "open: No such device\n"
    assert complaint("a-name-that-is-too-long") == "open: No such device\n"
    lan["n1"].namespace.ip("link", "set", "eth0", "down")
    assert complaint("eth0") == "open: Network is down\n"
