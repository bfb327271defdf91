"""Connections that are open while their address moves, as planned, from node to node: the node where
they were begun goes on serving them, with packets that the next node carries there. When speakers are
replaced: test_failover.py. Kernels that cannot: speaker/test_carrier.c."""

import re

import pytest

from lab.daemon import program
from lab.failover import Measurement, hand_over
from lab.speaker import WITHOUT_ADMIN
from lab.wait import wait_until

pytestmark = pytest.mark.alone


def seen_by_client(report):
    """(questions lost by kind, how often the connection that stays broke)"""
    targets = report.targets.values()
    broke = sum(what == "connection broke" for target in targets for _, what, _ in target.notices)
    return {target.name.partition(":")[0]: target.lost for target in targets}, broke


NOTHING_LOST = ({"arp": 0, "tcp": 0, "open": 0}, 0)


def table(lab, name, family="ip"):
    """As nft shows it; empty for none."""
    return lab.network[name].namespace.run("nft", "list", "table", family, "stentor", check=False).stdout


def carried(lab, name, family="ip"):
    """{address: (the node it is carried to, its address)} by the rules of that node's kernel."""
    found = re.findall(r'([\da-f.:]+) timeout [\dhms]+ expires [\dhms]+ comment "(n\d)" : ([\da-f.:]+)',
                       table(lab, name, family))
    return {address: (node, to) for address, node, to in found}


def move(lab, to, service="s1"):
    """The address of a Service to that node, which then answers alone."""
    lab.move(service, to)
    lab.wait_owned(lambda owners: owners[lab.vip(service)] == to)


def told(lab, name):
    """{address: node it is carried to} as the speaker has it."""
    return {one["ip"]: one["node"] for one in lab.speakers[name].announcements()["carrying"]["addresses"]}


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_drain(cluster, probe, family):
    """Drained under a client with a connection that stays: that goes on, and no new one is lost,
    whenever it was begun. The next node has the rule for it, until the address goes back."""
    lab = cluster(3, api=True)
    lab.add_services(1, family=family)
    lab.wait_owned()
    kind, own = ("ip", "address") if family == "IPv4" else ("ip6", "address6")
    first = hand_over(lab, "s1", probe, lab.drain)
    assert seen_by_client(first.report) == NOTHING_LOST, first.report
    owner = getattr(lab.network[first.owner], own)
    assert carried(lab, first.heir, kind) == {lab.vip("s1"): (first.owner, owner)}
    assert table(lab, first.owner, kind) == ""
    metrics = lab.speakers[first.heir].metrics()
    assert metrics["stentor_speaker_carried_addresses"] == 1
    assert metrics["stentor_speaker_carried_packets_total"] > 10
    assert metrics["stentor_speaker_carried_bytes_total"] > 10 * 52
    assert metrics["stentor_speaker_carry_failures_total"] == 0
    lab.drain(first.owner, None)
    lab.wait_settled()
    back = hand_over(lab, "s1", probe, lambda heir: lab.move("s1", first.owner))
    assert seen_by_client(back.report) == NOTHING_LOST, back.report
    wait_until(lambda: table(lab, first.heir, kind) == "", 10)


def test_on_and_back(cluster, probe):
    """From a node to a second, on to a third, and back to the first: packets go the whole way back to
    where the connection is at home, and never round."""
    lab = cluster(3, api=True)
    lab.add_services(1)
    lab.wait_owned()
    one = Measurement(lab, "s1", probe)
    first, (second, third) = one.owner, sorted({"n1", "n2", "n3"} - {one.owner})
    vip, at = lab.vip("s1"), {node.name: node.address for node in lab.network.nodes}
    lab.move("s1", second)
    one.wait_owner(other_than=[first, third])
    assert [carried(lab, name) for name in (first, second, third)] == [{}, {vip: (first, at[first])}, {}]
    lab.move("s1", third)
    one.wait_owner(other_than=[first, second])
    assert [carried(lab, name) for name in (first, second, third)] == [
        {}, {vip: (first, at[first])}, {vip: (second, at[second])}]
    lab.move("s1", first)
    one.wait_owner(other_than=[second, third])
    wait_until(lambda: [carried(lab, name) for name in (first, second, third)] == [
        {vip: (third, at[third])}, {}, {vip: (second, at[second])}], 10)
    report = one.finish()
    assert seen_by_client(report) == NOTHING_LOST, report


def test_told(cluster):
    """An operator sees which packets go another way, where to, and until when."""
    lab = cluster(2)
    lab.add_services(1)
    owner = lab.wait_owned()[lab.vip("s1")]
    heir = next(name for name in ("n1", "n2") if name != owner)
    move(lab, heir)
    assert told(lab, heir) == {lab.vip("s1"): owner} and told(lab, owner) == {}
    speaker = lab.speakers[heir]
    said = lab.network[heir].namespace.run(
        program("stentorctl"), "explain", "vip", lab.vip("s1"), *lab.store.arguments,
        "--speaker", f"http://127.0.0.1:{speaker.port}").stdout
    time = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(
        rf"^  connections    new ones to {re.escape(lab.vip('s1'))} are served where they arrive; packets of those "
        rf"opened before {time} go on from {heir} to {owner} \({lab.network[owner].address}\) until {time}$",
        said, re.M), said
    speaker.process.wait_log('msg="open connections are kept when their address moves as planned" ipv4=true', 1)


def test_one_by_one(cluster):
    """Addresses that come and go while others are carried."""
    lab = cluster(2)
    names = lab.add_services(3)
    lab.wait_owned()
    at = {node.name: node.address for node in lab.network.nodes}
    vips = [lab.vip(name) for name in names]
    for name in names:
        move(lab, "n1", name)
    lab.wait_settled()
    wait_until(lambda: table(lab, "n2") == "", 10)
    for count, name in enumerate(names, 1):
        move(lab, "n2", name)
        assert carried(lab, "n2") == {vip: ("n1", at["n1"]) for vip in vips[:count]}
    move(lab, "n1", names[1])
    wait_until(lambda: carried(lab, "n2") == {vip: ("n1", at["n1"]) for vip in (vips[0], vips[2])}, 10)
    assert carried(lab, "n1")[vips[1]] == ("n2", at["n2"])
    assert lab.speakers["n2"].metrics()["stentor_speaker_carry_restored_total"] == 0
    assert lab.speakers["n2"].announcements()["carrying"]["error"] == ""


def test_rules_removed(cluster):
    """By somebody's firewall, say: they are put back, and counted."""
    lab = cluster(2)
    lab.add_services(1)
    owner = lab.wait_owned()[lab.vip("s1")]
    heir = next(name for name in ("n1", "n2") if name != owner)
    move(lab, heir)
    wanted = {lab.vip("s1"): (owner, lab.network[owner].address)}
    assert carried(lab, heir) == wanted
    nft = lab.network[heir].namespace
    for number, command in enumerate((("flush", "ruleset"), ("delete", "table", "ip", "stentor"),
                                      ("flush", "chain", "ip", "stentor", "late"),
                                      ("flush", "map", "ip", "stentor", "former")), 1):
        nft.run("nft", *command)
        wait_until(lambda: carried(lab, heir) == wanted and "counter" in table(lab, heir), 10, lab.describe)
        assert lab.speakers[heir].metrics()["stentor_speaker_carry_restored_total"] == number
    # Rules of others are nobody's business here.
    nft.run("nft", "add", "table", "ip", "other")
    move(lab, owner)
    wait_until(lambda: table(lab, heir) == "", 10)
    assert lab.speakers[heir].metrics()["stentor_speaker_carry_restored_total"] == 4


def test_killed(cluster):
    """With kill -9 the rules go on without a speaker; the next one knows them, and nothing of an
    unknown origin outlasts its start."""
    lab = cluster(3, hold_down="1s")
    lab.add_services(1)
    vip = lab.vip("s1")
    owner = lab.wait_owned()[vip]
    heir, third = sorted({"n1", "n2", "n3"} - {owner})
    move(lab, heir)
    wanted = {vip: (owner, lab.network[owner].address)}
    lab.kill_speaker(heir)
    lab.network[third].namespace.run("nft", """
        add table ip stentor
        add map ip stentor former { type ipv4_addr : ipv4_addr; flags timeout; }
        add element ip stentor former { %s timeout 50m : 192.0.2.99 }
        """ % vip)
    assert carried(lab, heir) == wanted
    lab.start_speaker(heir)
    lab.speakers[heir].process.wait_log("open connections are kept.*takenOver=1", 10)
    lab.restart_speaker(third)
    wait_until(lambda: table(lab, third) == "" or vip in carried(lab, third), 10, lab.describe)
    lab.wait_owned(lambda owners: owners[vip] == heir)
    lab.wait_settled()
    ways = {name: carried(lab, name).get(vip, (None,))[0] for name in (owner, heir, third)}
    assert {name: told(lab, name).get(vip) for name in ways} == ways
    passed, at = [], heir
    while at:
        assert at not in passed, f"packets go round: {ways}"
        passed.append(at)
        at = ways[at]


def test_without_net_admin(cluster, probe):
    """The log, the metrics and the REST API say so; addresses move without a gap all the same."""
    lab = cluster(2, api=True, capabilities=WITHOUT_ADMIN)
    lab.add_services(1)
    lab.wait_owned()
    seen = hand_over(lab, "s1", probe, lab.drain)
    assert seen_by_client(seen.report)[0]["arp"] == 0, seen.report
    heir = lab.speakers[seen.heir]
    reason = "the speaker has no CAP_NET_ADMIN"
    heir.process.wait_log(f'open connections will end when their address moves as planned" reason="{reason}"', 1)
    carrying = heir.announcements()["carrying"]
    assert carrying == {"ipv4": False, "ipv6": False, "whyNot": reason, "error": "", "packets": 0, "bytes": 0,
                        "addresses": []}
    assert [heir.metrics()[f'stentor_speaker_carry_possible{{family="{family}"}}'] for family in ("ipv4", "ipv6")] == [0, 0]
    assert table(lab, seen.heir) == ""
