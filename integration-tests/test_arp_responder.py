"""The ARP responder by itself (arp-probe), on a LAN with a real kernel as the client."""

import os
import re
import signal

import pytest

from lab.asking import who_has
from lab.controller import build_directory
from lab.responder import Responder
from lab.wait import wait_until

VIP = "192.0.2.240"
VIP6 = "2001:db8:0:1::240"
OTHER = "192.0.2.241"
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def lan(network):
    return network(2)


@pytest.fixture
def responder(run, process):
    """responder(HOST, ADDRESS…) answers for the addresses on the host's eth0."""
    return lambda host, *addresses: Responder(run, process, host, *addresses)


def arping(host, address, *options):
    """(exit status, MACs that answered). Two requests, or what the options say."""
    result = host.namespace.run("arping", "-I", "eth0", "-c", "2", "-w", "3", *options, address,
                                check=False)
    return result.returncode, sorted(set(re.findall(r"\[([0-9A-F:]{17})\]", result.stdout)))


def test_kernel_learns_the_owner(lan, responder):
    """The client's own kernel resolves the address when it wants to send there."""
    owner = lan["n1"]
    one = responder(owner, VIP)
    lan.client.ping(VIP, 0.2)  # nobody answers the echo; the address is resolved for it
    wait_until(lambda: lan.client.namespace.neighbours().get(VIP, (None,))[0] ==
               owner.namespace.mac(), 10, lan.describe)
    counts = one.stop()
    assert counts["answered"] == counts["received"] == counts["arp"]["answered"] >= 1
    assert counts["addresses"] == {VIP: [counts["received"], counts["answered"], 0]}


def test_only_the_owner_answers(lan, responder):
    owner = responder(lan["n1"], VIP)
    other = responder(lan["n2"], OTHER)
    assert arping(lan.client, VIP) == (0, [lan["n1"].namespace.mac().upper()])
    assert arping(lan.client, OTHER) == (0, [lan["n2"].namespace.mac().upper()])
    assert arping(lan.client, "192.0.2.242") == (1, [])
    # The first request of arping is a broadcast, the second goes to the owner alone. What is about
    # addresses of others does not even wake us.
    for one in (owner, other):
        counts = one.stop()
        assert (counts["received"], counts["answered"], counts["dropped"]) == (2, 2, 0)


def test_duplicate_address_detection_sees_the_owner(lan, responder):
    """Probes come from 0.0.0.0 (RFC 5227); arping's status is 1 when somebody has the address."""
    responder(lan["n1"], VIP)
    assert arping(lan.client, VIP, "-D")[0] == 1
    assert arping(lan.client, OTHER, "-D")[0] == 0


def test_disowned_address_is_silent(lan, responder):
    one = responder(lan["n1"], VIP, OTHER)
    assert arping(lan.client, VIP)[0] == 0
    one.tell("disown", VIP)
    assert arping(lan.client, VIP) == (1, [])
    assert arping(lan.client, OTHER)[0] == 0


@pytest.mark.parametrize("commands, answers", [(["disown"], 0), (["catch-up", "disown"], 1)],
                         ids=["late", "caught-up"])
@pytest.mark.parametrize("address", [VIP, VIP6])
def test_asked_before(lan, responder, address, commands, answers):
    """A question that has come but was not looked at yet when the address is given up: it is answered
    by who catches up first."""
    one = responder(lan["n1"], address)
    one.process.send(signal.SIGSTOP)
    one.write(*(command if command == "catch-up" else f"{command} {address}" for command in commands))
    with lan.capture("n1") as capture:
        assert who_has(lan.client.namespace, [address]) == {address: []}
        capture.wait_for(lambda frame: frame.source == "02:00:5e:00:53:02", 10)
    with lan.capture("client") as capture:
        one.process.send(signal.SIGCONT)
        assert one.figures()["answered"] == answers
        if answers:
            capture.wait_for(lambda frame: frame.destination == "02:00:5e:00:53:02", 10)


def test_announcements_move_neighbours(lan, responder):
    """Two broadcasts for each address, and a kernel that knew the old owner follows the new one."""
    old, new = lan["n1"], lan["n2"]
    first = responder(old, VIP)
    client = lan.client.namespace
    # Not resolved just now: kernels refuse a second change within a second (locktime).
    client.sysctl("net.ipv4.neigh.eth0.locktime", 0)
    lan.client.ping(VIP, 0.2)
    wait_until(lambda: client.neighbours().get(VIP, (None,))[0] == old.namespace.mac(), 10,
               lan.describe)
    first.stop()
    second = responder(new, VIP)
    with lan.capture("client") as capture:
        second.tell("announce", VIP)
        wait_until(lambda: client.neighbours()[VIP][0] == new.namespace.mac(), 10, lan.describe)
        wait_until(lambda: len(capture.frames(lambda f: f.arp and f.arp.sender_ip == VIP)) >= 2,
                   10, capture.describe)
        frames = capture.frames(lambda f: f.arp and f.arp.sender_ip == VIP)
    mac = new.namespace.mac()
    seen = [(f.destination, f.source, f.arp.operation, f.arp.sender_mac, f.arp.target_mac,
             f.arp.target_ip) for f in frames]
    assert seen == [(BROADCAST, mac, operation, mac, BROADCAST, VIP) for operation in (1, 2)]
    assert second.stop()["addresses"][VIP][2] == 2


def test_interface_goes_down_and_up(lan, responder):
    """The same responder goes on answering."""
    one = responder(lan["n1"], VIP)
    lan["n1"].namespace.ip("link", "set", "eth0", "down")
    assert arping(lan.client, VIP) == (1, [])
    lan["n1"].namespace.ip("link", "set", "eth0", "up")
    wait_until(lambda: arping(lan.client, VIP)[0] == 0, 20, lan.describe)
    assert one.process.alive
    assert one.stop()["error"] == ""


def test_interface_goes_away(lan, responder):
    one = responder(lan["n1"], VIP)
    lan["n1"].namespace.ip("link", "del", "eth0")
    assert one.process.wait(10) == 0
    assert one.stop()["error"] == "No such device"


def test_stalled(lan, responder):
    """While it may not answer, nothing is answered, and claims are heard nevertheless."""
    one = responder(lan["n1"], VIP)
    one.tell("stall", "on")
    assert arping(lan.client, VIP) == (1, [])
    lan.client.namespace.sysctl("net.ipv4.ip_nonlocal_bind", 1)
    arping(lan.client, "192.0.2.1", "-s", VIP)
    one.tell("stall", "off")
    assert arping(lan.client, VIP) == (0, [lan["n1"].namespace.mac().upper()])
    assert set(one.heard()) == {(VIP, lan.client.namespace.mac(), "used")}
    counts = one.stop()
    assert counts["arp"]["stalled"] >= 2
    assert (counts["received"], counts["answered"]) == (2, 2)


def test_what_was_queued_is_not_answered_late(lan, responder):
    """Stopped and gone on with, as a virtual machine that was paused: the frames that came
    meanwhile are there before anything else is."""
    one = responder(lan["n1"], VIP)
    one.tell("stall", "on")
    one.process.send(signal.SIGSTOP)
    assert arping(lan.client, VIP) == (1, [])
    one.process.send(signal.SIGCONT)
    counts = one.wait_figures(lambda f: f["arp"]["stalled"] >= 2)
    assert counts["answered"] == 0


def test_more_announcements_than_there_is_room_for(lan, responder):
    """A slow interface (1 Mbit/s, 2 kB of queue): all addresses are announced in the end, the
    request and the reply of each."""
    one = responder(lan["n1"])
    one.tell("own-many", "192.0.2.32", 150)
    lan["n1"].namespace.run("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1mbit",
                            "burst", "2000", "limit", "2000")
    with lan.capture("client") as capture:
        one.tell("announce-all")

        def announced():
            return {(f.arp.sender_ip, f.arp.operation)
                    for f in capture.frames(lambda f: f.arp and f.arp.target_ip == f.arp.sender_ip)}

        wanted = {(f"192.0.2.{32 + n}", operation) for n in range(150) for operation in (1, 2)}
        wait_until(lambda: wanted <= announced(), 60, capture.describe)
    counts = one.stop()
    assert counts["send_errors"] > 0
    assert all(sent >= 2 for _, _, sent in counts["addresses"].values())


def test_cannot_open(lan, process, run):
    fifo = run.directory / "cannot-open.fifo"
    os.mkfifo(fifo)

    def complaint(interface):
        one = process([build_directory() / "arp" / "arp-probe", fifo, interface,
                       "02:00:00:00:00:01"], namespace=lan["n1"].namespace)
        assert one.wait(10) == 1
        return one.log()

    assert complaint("eth7") == "open: No such device\n"
    assert complaint("a-name-that-is-too-long") == "open: No such device\n"
    lan["n1"].namespace.ip("link", "set", "eth0", "down")
    assert complaint("eth0") == "open: Network is down\n"
