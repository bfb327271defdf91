"""The lab's cluster and its probing client: what they show is what happens."""

import signal
import time

import pytest

from lab.asking import who_has
from lab.daemon import build_directory
from lab.page import fetch
from lab.pods import page_server
from lab.probe import Probe
from lab.wait import stays, wait_until


@pytest.mark.parametrize("api", [False, True], ids=["directory", "kubernetes"])
def test_page_through_every_address(cluster, api):
    """Client, address, node, kube-proxy, pod: all of them, for each Service, and the answer names
    its pod. An excluded node's addresses go to the other."""
    one = cluster(2, api=api)
    names = one.add_services(4)
    answering = one.wait_owned()
    assert sorted(answering) == sorted(one.vips().values())
    client = one.network.client.namespace
    pages = {"Hello from p1\n", "Hello from p2\n"} if api else {"Hello from n1\n", "Hello from n2\n"}
    for name in names:
        page = wait_until(lambda name=name: fetch(client, one.vip(name)), 20, one.describe)
        assert page in pages
    one.exclude("n1")
    assert set(one.wait_owned(lambda owners: "n1" not in owners.values()).values()) == {"n2"}
    one.exclude("n1", None)
    assert one.wait_owned(lambda owners: owners == answering)


def test_a_node_dies_and_comes_back(cluster):
    one = cluster(2, api=True)
    one.add_services(1)
    (owner,) = one.wait_owned().values()
    one.kill_node(owner)
    after = one.wait_owned(lambda owners: owner not in owners.values())
    wait_until(lambda: one.store.node_events(owner) == ["SpeakerLost"], 20, one.describe)
    one.revive_node(owner)
    one.wait_settled()
    assert one.wait_owned() == after  # the load is even: nothing needs to move back
    wait_until(lambda: one.store.node_events(owner) == ["SpeakerLost", "SpeakerBack"], 20, one.describe)
    (heir,) = after.values()
    assert one.store.node_events(heir) == []


def test_a_paused_speaker_is_silent(cluster):
    one = cluster(1)
    one.add_services(1)
    one.wait_owned()
    one.pause("n1")
    assert one.answering() == {one.vip("s1"): []}
    one.resume("n1")
    one.wait_owned()


# --- the probing client ---------------------------------------------------------------------------


@pytest.fixture
def site(network, run):
    """A page on n1's and n2's own addresses, which their kernels answer for."""
    lan = network(2)
    for host in lan.nodes:
        page_server(run, host.namespace, host.name, 80)
    return lan


def all_kinds(address):
    tcp = f"[{address}]:80" if ":" in address else f"{address}:80"
    return f"arp:{address}", f"tcp:{tcp}", f"open:{tcp}"


@pytest.mark.parametrize("family", ["address", "address6"])
def test_probe_sees_no_gap_where_there_is_none(site, probe, family):
    address = getattr(site["n1"], family)
    targets = all_kinds(address)
    # Generous: the machine may be slow, and this is about what is counted.
    one = probe(site.client, *targets, options=["--deadline", "5s", "--open-deadline", "5s"])
    frames, pages, open_pages = targets
    with site.capture("n1") as capture:
        wait_until(lambda: len(capture.frames()) > 400, 20)
    report = one.stop()
    mac = site["n1"].namespace.mac()
    assert {name: (seen.who(), seen.gaps, seen.lost) for name, seen in report.targets.items()} == {
        frames: ([mac], [], 0), pages: (["Hello from n1"], [], 0), open_pages: (["Hello from n1"], [], 0)}
    assert all(seen.asked > 20 for seen in report.targets.values())
    assert all(seen.last_doubt() == 0 for seen in report.targets.values())


@pytest.mark.parametrize("family", ["address", "address6"])
def test_probe_measures_a_cut(site, probe, family):
    """A gap begins with the cut and ends when it heals. Where the cut is, nothing is answered."""
    address = getattr(site["n1"], family)
    frames, pages, open_pages = all_kinds(address)
    one = probe(site.client, frames, pages, open_pages)
    client = site.client.namespace
    wait_until(lambda: fetch(client, address) == "Hello from n1\n", 10)
    start = time.monotonic()
    site.cut("n1")
    stays(lambda: site.client.ping(address, 0.05) is None, 0.5)
    end = time.monotonic()
    site.heal("n1")
    wait_until(lambda: fetch(client, address) == "Hello from n1\n", 10)
    stays(lambda: site.client.ping(address) is not None, 0.3)
    report = one.stop()
    for name in (frames, pages):
        gap = max(report[name].gaps, key=lambda gap: gap.seconds)
        assert start - 0.3 < gap.start < start + 0.2, report
        assert gap.end >= end, report
        assert report[name].gap() == gap.seconds >= 0.45
        assert report[name].lost >= gap.lost > 10


def test_probe_tells_who_answered_and_when(site, probe):
    """An address goes from n1 to n2: two answerers, one after the other; and both at once, which
    leaves doubt."""
    address = "192.0.2.240"
    for host in site.nodes:
        host.namespace.sysctl("net.ipv4.conf.all.arp_notify", 1)
    n1, n2 = (host.namespace for host in site.nodes)
    frames, pages, open_pages = all_kinds(address)
    one = probe(site.client, frames, pages, open_pages)
    n1.ip("address", "add", f"{address}/32", "dev", "eth0")
    wait_until(lambda: fetch(site.client.namespace, address) == "Hello from n1\n", 10)
    both_from = time.monotonic()
    n2.ip("address", "add", f"{address}/32", "dev", "eth0")
    stays(lambda: len(who_has(site.client.namespace, [address])[address]) == 2, 0.3)
    n1.ip("address", "del", f"{address}/32", "dev", "eth0")
    both_to = time.monotonic()
    n2.run("arping", "-c", "1", "-U", "-I", "eth0", address, check=False)
    wait_until(lambda: fetch(site.client.namespace, address) == "Hello from n2\n", 10)
    after = time.monotonic()
    stays(lambda: who_has(site.client.namespace, [address]) == {address: [n2.mac()]}, 0.2)
    report = one.stop()
    assert report[frames].who() == [n1.mac(), n2.mac()]
    assert report[pages].who() == ["Hello from n1", "Hello from n2"]
    assert report[pages].who(after) == ["Hello from n2"]
    assert both_from < report[frames].last_doubt() < both_to + 0.1
    assert n2.mac() in [who for _, what, who in report[frames].notices if what.startswith("announced")]
    assert "connection broke" in [what for _, what, _ in report[open_pages].notices]


def test_probe_is_told_that_it_was_late(site, probe):
    one = Probe(site.run, site.client, f"arp:{site['n1'].address}")
    with one:
        one.process.send(signal.SIGSTOP)
        start = time.monotonic()
        stays(lambda: site.client.ping(site["n1"].address) is not None, 0.2)
        one.process.send(signal.SIGCONT)
        report = one.stop()
    assert [stall for stall in report.stalls if stall[0] <= start and stall[1] >= 0.2]
    assert report[f"arp:{site['n1'].address}"].gaps == []


@pytest.mark.parametrize("target", ["arp:", "arp:name", "tcp:192.0.2.1", "tcp:192.0.2.1:0",
                                    "tcp:192.0.2.1:65536", "udp:192.0.2.1:80", "192.0.2.1"])
def test_probe_refuses_what_is_no_target(site, process, target):
    one = process([build_directory() / "bench" / "probe_client", target],
                  namespace=site.client.namespace)
    assert one.wait(10) == 1
    assert one.log() == f"probe_client: no target: {target}\n"
