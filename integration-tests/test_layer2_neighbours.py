"""The responder among real neighbours: the Linux kernel, arping, ndisc6."""

import re
import socket

import pytest

from lab.capture import Capture
from lab.layer2 import group, group_mac
from lab.responder import Responder
from lab.wait import wait_until

VIP, OTHER = "192.0.2.240", "192.0.2.241"
VIP6, OTHER6 = "2001:db8:0:1::f0", "2001:db8:0:1::f1"
HOUR_OF_CYCLES = 120  # a neighbour checks after BaseReachableTime, 30 s (RFC 4861 section 10)


@pytest.fixture
def lan(network):
    return network(2)


@pytest.fixture
def responder(run, process):
    return lambda host, *addresses, **options: Responder(run, process, host, *addresses, **options)


def wait_resolved(lan, address, mac):
    """The client's kernel has that MAC for the address."""
    lan.client.ping(address, 0.1)  # nobody answers the echo
    wait_until(lambda: lan.client.namespace.neighbours().get(address, (None,))[0] == mac, 20,
               lan.describe)


# --- resolution ---------------------------------------------------------------------------------


def test_kernel_learns_the_owner(lan, responder):
    one = responder(lan["n1"], VIP6)
    wait_resolved(lan, VIP6, lan["n1"].namespace.mac())
    counts = one.stop()
    assert counts["ndp"]["answered"] == counts["answered"] == counts["received"] >= 1
    assert counts["addresses"] == {VIP6: [counts["received"], counts["answered"], 0]}


def test_ndisc6_finds_the_owner_alone(lan, responder):
    """It asks by the group and shows every answer of half a second."""
    for name, vip in (("n1", VIP6), ("n2", OTHER6)):
        responder(lan[name], vip)
    for name, vip in (("n1", VIP6), ("n2", OTHER6)):
        out = lan.client.namespace.run("ndisc6", "-m", "-w", "500", vip, "eth0").stdout
        assert out.splitlines()[1:] == [
            f"Target link-layer address: {lan[name].namespace.mac().upper()}", f" from {vip}"]
    result = lan.client.namespace.run("ndisc6", "-r", "1", "2001:db8:0:1::f9", "eth0", check=False)
    assert result.stdout.splitlines()[1:] == ["Timed out.", "No response."]


@pytest.mark.parametrize("vip", [VIP, VIP6])
def test_announcements_move_kernels(lan, responder, vip):
    """Who knew the old owner sends to the new one, although nothing was asked."""
    old, new = lan["n1"], lan["n2"]
    lan.client.namespace.sysctl("net.ipv4.neigh.eth0.locktime", 0)
    first = responder(old, vip)
    wait_resolved(lan, vip, old.namespace.mac())
    first.stop()
    second = responder(new, vip)
    second.tell("announce", vip)
    wait_until(lambda: lan.client.namespace.neighbours()[vip][0] == new.namespace.mac(), 10,
               lan.describe)
    assert second.stop()["received"] == 0


# --- duplicates ---------------------------------------------------------------------------------


def test_kernel_does_not_take_the_owners_address(lan, responder):
    """RFC 4862 section 5.4: the client's kernel checks before it takes our address."""
    responder(lan["n1"], VIP6)
    client = lan.client.namespace
    client.sysctl("net.ipv6.conf.eth0.accept_dad", 1)

    def flags(address):
        for info in client.ip_json("address", "show", "dev", "eth0")[0]["addr_info"]:
            if info["local"] == address:
                return {flag for flag in ("tentative", "dadfailed") if info.get(flag)}
        return None

    for address in (VIP6, OTHER6):
        client.ip("address", "add", f"{address}/64", "dev", "eth0")
    wait_until(lambda: "dadfailed" in flags(VIP6), 20, lan.describe)
    wait_until(lambda: flags(OTHER6) == set(), 20, lan.describe)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("address, free", [("192.0.2.200", OTHER), ("2001:db8:0:1::200", OTHER6)])
def test_probes_find_kernels(lan, responder, mode, address, free):
    """An address of the client's, and one that nobody has."""
    one = responder(lan["n1"])
    assert one.probe(address, mode) == lan.client.namespace.mac()
    assert one.probe(free, mode) == "free"


@pytest.mark.parametrize("address, prefix", [(VIP, 24), (VIP6, 64)])
def test_a_kernel_that_takes_the_address_is_heard(lan, responder, address, prefix):
    """It does not check (accept_dad is off), but tells, when its Ethernet address changes."""
    one = responder(lan["n1"], address)
    client = lan.client.namespace
    client.sysctl("net.ipv4.conf.eth0.arp_notify", 1)
    client.sysctl("net.ipv6.conf.eth0.ndisc_notify", 1)
    client.ip("address", "add", f"{address}/{prefix}", "dev", "eth0")
    client.ip("link", "set", "eth0", "address", "02:00:00:00:00:cc")
    wait_until(lambda: (address, "02:00:00:00:00:cc", "announced") in one.heard(), 20, lan.describe)


# --- ageing -------------------------------------------------------------------------------------


def quicken(namespace, version):
    """Neighbours become stale and are checked after hundredths of what is usual: 30 s, 5 s, 1 s."""
    table = {4: "arp_cache", 6: "ndisc_cache"}[version]
    namespace.ip("ntable", "change", "name", table, "dev", "eth0", "base_reachable", "40",
                 "delay_probe", "8", "retrans", "500")


@pytest.mark.parametrize("version, vip", [(4, VIP), (6, VIP6)])
def test_an_hour_of_ageing(lan, responder, process, version, vip):
    """RFC 4861 section 7.3: the client's kernel sends all the time, and each BaseReachableTime it
    asks the owner alone whether it is still there. It is never lost, and never looked for again.
    Linux does the same for IPv4."""
    responder(lan["n1"], vip)
    client, owner = lan.client.namespace, lan["n1"].namespace.mac()
    quicken(client, version)
    wait_resolved(lan, vip, owner)
    ethertype = {4: 0x0806, 6: 0x86DD}[version]
    asks = {4: lambda f: f.arp and f.arp.operation == 1 and f.arp.target_ip == vip,
            6: lambda f: f.ethertype == ethertype and f.data[54:55] == bytes([135]) and
            f.data[62:78] == address_bytes(vip)}[version]
    states = set()

    def checks():
        states.add(client.neighbours()[vip])
        return [f for f in capture.frames(asks) if f.source == client.mac()]

    with Capture(lan["n1"].namespace, "eth0", incoming_only=True) as capture:
        process(["ping", "-q", "-i", "0.005", vip], namespace=client)  # of which none is answered
        wait_until(lambda: len(checks()) >= HOUR_OF_CYCLES, 120,
                   lambda: f"{len(checks())} checks, {states}\n{lan.describe()}")
        frames = checks()
    assert {f.destination for f in frames} == {owner}
    assert {mac for mac, _ in states} == {owner}
    assert {state for _, state in states} <= {"REACHABLE", "STALE", "DELAY", "PROBE"}


def address_bytes(text):
    return socket.inet_pton(socket.AF_INET6, text)


# --- groups -------------------------------------------------------------------------------------


def groups_of(namespace):
    """{group: users} of the kernel's IPv6 memberships, and the Ethernet groups of the filter."""
    shown = namespace.ip_json("maddress", "show", "dev", "eth0")[0]["maddr"]
    return ({one["address"]: one.get("users", 1) for one in shown if one.get("family") == "inet6"},
            {one["link"] for one in shown if "link" in one})


def test_groups_are_joined_and_left(lan, responder):
    """Two addresses may share a group."""
    node = lan["n1"].namespace
    without = groups_of(node)
    one = responder(lan["n1"])
    before = groups_of(node)
    one.tell("own", VIP6)
    assert group(VIP6) in groups_of(node)[0]
    one.tell("own", "2001:db8:0:9::f0")  # the same last three bytes
    one.tell("disown", VIP6)
    assert group(VIP6) in groups_of(node)[0]
    one.tell("disown", "2001:db8:0:9::f0")
    assert groups_of(node) == before
    one.tell("own", VIP6)
    one.process.kill()
    wait_until(lambda: groups_of(node) == without, 10, lan.describe)


def test_thousands_of_groups(lan, responder):
    """More than one socket may hold (net.core.optmem_max), and more than are joined in one turn."""
    node = lan["n1"].namespace
    one = responder(lan["n1"])
    before = groups_of(node)
    first, count = "2001:db8:0:1::1:0", 3000
    one.tell("own-many", first, count)
    wait_resolved(lan, "2001:db8:0:1::1:bb7", node.mac())  # the last of them
    wait_until(lambda: len(groups_of(node)[0]) == len(before[0]) + count, 60)
    wait_until(lambda: node.ip_json("-d", "link", "show", "eth0")[0]["allmulti"] == 0, 10)
    one.tell("disown-many", first, count)
    one.tell("own", first)
    before[0]["ff02::1:ff01:0"] = 1
    before[1].add("33:33:ff:01:00:00")
    wait_until(lambda: groups_of(node) == before, 60)
    wait_resolved(lan, first, node.mac())


def test_a_switch_that_snoops(lan, responder):
    """A bridge that forwards groups only to ports that have reported them (MLD)."""
    bridge = lan.bridges["lan"]
    one = responder(lan["n1"], VIP6)
    bridge.ip("link", "set", "lan0", "type", "bridge", "mcast_snooping", "1", "mcast_querier", "1",
              "mcast_query_response_interval", "10", "mcast_startup_query_interval", "10")

    def ports(address):
        mdb = bridge.run("bridge", "-j", "mdb", "show").stdout
        return set(re.findall(r'"port":"(\w+)","grp":"%s"' % re.escape(group(address)), mdb))

    one.tell("own", OTHER6)
    wait_until(lambda: ports(OTHER6) == {"n1"}, 60,
               lambda: bridge.run("bridge", "mdb", "show").stdout)
    wait_resolved(lan, OTHER6, lan["n1"].namespace.mac())


def test_an_interface_without_ipv6(lan, responder):
    """The kernel does no IPv6 where the MTU is below 1280 (RFC 8200 section 5). Frames to the group
    come nevertheless; when it does IPv6 again, the next announcement joins for good."""
    node = lan["n1"].namespace
    node.ip("link", "set", "eth0", "mtu", "1200")
    one = responder(lan["n1"], VIP6)
    assert group(VIP6) not in groups_of(node)[0]
    assert group_mac(VIP6) in groups_of(node)[1]
    wait_resolved(lan, VIP6, node.mac())
    node.ip("link", "set", "eth0", "mtu", "1500")
    one.tell("announce", VIP6)
    assert groups_of(node)[0][group(VIP6)] == 1
    one.tell("disown", VIP6)
    assert group_mac(VIP6) not in groups_of(node)[1]


@pytest.mark.parametrize("vip", [VIP, VIP6])
def test_ipv6_is_switched_off(lan, responder, vip):
    node = lan["n1"].namespace
    node.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
    responder(lan["n1"], vip)
    wait_resolved(lan, vip, node.mac())


def test_an_interface_without_addresses(lan, responder):
    """Neither family, as on VLAN interfaces without addresses (RFC 826 needs none)."""
    node = lan["n1"].namespace
    node.ip("address", "flush", "dev", "eth0")
    responder(lan["n1"], VIP, VIP6)
    for vip in (VIP, VIP6):
        wait_resolved(lan, vip, node.mac())
