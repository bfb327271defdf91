"""Nodes fail and come back, and addresses go on being served. Everything is judged by what the
LAN shows: captured answers, pages that a client gets.

Bounds here are those that a slow machine keeps, too; bench/bench_failover.py prints the figures."""

import time

import pytest

from lab.failover import FAULTS, hand_over, measure, split_and_heal
from lab.wait import stays, wait_until

pytestmark = pytest.mark.alone

SLOW = 5.0  # seconds; MetalLB needs 5.4 to 6.3 in the same lab


# --- one node fails -------------------------------------------------------------------------------


def one_for_each_node(owners):
    """Are as many addresses as nodes spread evenly? Then nothing is left to be moved."""
    return len(set(owners.values())) == len(owners)


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("name", FAULTS)
def test_next_node_answers(cluster, probe, name, family):
    """Whatever happens to the owner, another one answers soon, and pages come again. When it is
    over, exactly one answers again."""
    fault = FAULTS[name]
    one = cluster(3, hold_down="1s")
    one.add_services(1, family=family)
    for _ in range(3):
        seen = measure(one, "s1", fault, probe)
        assert seen.heir != seen.owner
        assert max(seen.arp_gap, seen.page_gap) < SLOW, seen.report
        fault.undo(one, seen.owner)
        one.wait_settled()


# --- planned ends: nothing is lost ----------------------------------------------------------------


def lost(seen):
    """What a client lost."""
    return {target.name: target.lost for target in seen.report.targets.values() if target.lost}


def broken(seen):
    """How often the client's connection that stays broke."""
    return sum(what == "connection broke" for target in seen.report.targets.values()
               for _, what, _ in target.notices)


@pytest.mark.parametrize("api", [False, True], ids=["directory", "kubernetes"])
def test_drain_loses_nothing(cluster, probe, api):
    """A node is drained under a client that asks each 10 ms: every question is answered."""
    one = cluster(3, api=api)
    one.add_services(1)
    one.wait_owned()
    for _ in range(3):
        seen = hand_over(one, "s1", probe, one.drain)
        assert lost(seen) == {}, seen.report
        one.drain(seen.owner, None)
        one.wait_settled()


def test_clean_stop_loses_nothing(cluster, probe):
    """As in a rolling update: each speaker in turn ends by SIGTERM and starts again."""
    one = cluster(3, api=True)
    one.add_services(1)
    one.wait_owned()
    for _ in range(3):
        seen = hand_over(one, "s1", probe, one.stop_speaker)
        assert (lost(seen), broken(seen)) == ({}, 0), seen.report
        one.start_speaker(seen.owner)
        one.wait_settled()


# --- the network splits ---------------------------------------------------------------------------


def test_split_and_heal(cluster, probe):
    """While the LAN is in two parts each of them serves every address; after it is whole again,
    exactly one node answers for each."""
    one = cluster(4, hold_down="3s")
    lan = one.network
    lan.add_host("client2", 203, planes=("lan",))
    near, far = ["n1", "n2", "client", "c1"], ["n3", "n4", "client2"]
    one.add_services(4)
    one.wait_owned()
    doubts = split_and_heal(one, near, far, probe)
    assert max(doubts.values()) < SLOW, doubts
    one.wait_settled()
    vips = one.vips().values()
    owners = {vip: [name] for vip, name in one.wait_owned(one_for_each_node).items()}
    assert one.answering(*vips, client="client2") == owners
    stays(lambda: one.answering(*vips) == owners, 1)


# --- the API server is gone -----------------------------------------------------------------------


def test_fail_over_without_the_api_server(cluster, probe):
    """Addresses move to living nodes as ever; and every speaker is restarted, one by one, while
    nobody can tell it what is to be announced."""
    one = cluster(3, api=True, hold_down="1s")
    one.add_services(6)
    before = one.wait_owned()
    one.store.relay.stop_accepting()
    one.store.relay.cut_all()
    fault = FAULTS["kill"]
    seen = measure(one, "s1", fault, probe)
    assert max(seen.arp_gap, seen.page_gap) < SLOW, seen.report
    fault.undo(one, seen.owner)
    one.wait_owned()
    for name in list(one.speakers):
        one.restart_speaker(name)
        assert sorted(one.wait_owned()) == sorted(before)
    one.store.relay.accept()
    assert sorted(one.wait_owned()) == sorted(before)


# --- more than one thing at once ------------------------------------------------------------------


def test_paused_owner_that_goes_on_keeps_silent(cluster, probe):
    """It was counted dead meanwhile, and another one answers: it must not, for as long as it is
    held, not even to the questions that waited for it."""
    hold_down = 4
    one = cluster(3, hold_down=f"{hold_down}s")
    one.add_services(1)
    one.wait_owned()
    vip = one.vip("s1")
    seen = measure(one, "s1", FAULTS["pause"], probe)
    asking = probe(one.network.client, f"arp:{vip}")
    resumed = time.monotonic()
    one.resume(seen.owner)
    one.wait_settled()
    one.wait_owned()
    stretches = asking.stop()[f"arp:{vip}"].stretches
    back = [stretch.start for stretch in stretches if one.node_of(stretch.who) == seen.owner]
    assert all(start - resumed > hold_down - 0.5 for start in back), asking.describe()


NO_TCP = """
table inet apart {
    chain outgoing { type filter hook output priority 0; meta l4proto tcp drop; }
}
"""


def test_nobody_elects_a_node_that_knows_of_no_service(cluster):
    """Its speaker runs, is a member, and was started without state saved and without the API server:
    it can answer for nothing, so that the other node goes on, and is not to hand anything over."""
    one = cluster(2, api=True, hold_down="1s")
    names = one.add_services(4)
    one.wait_owned(lambda owners: set(owners.values()) == {"n1", "n2"})
    one.kill_speaker("n2")
    for saved in one.run.directory.glob("state-n2*/*"):
        saved.unlink()
    one.network["n2"].namespace.run("nft", "-f", "-", input_text=NO_TCP)
    one.start_speaker("n2")

    def told():
        return one.speakers["n1"].announcements()

    def n2_is_back():
        member = next(member for member in told()["members"] if member["name"] == "n2")
        return member["state"] == "alive" and not member["held"]
    wait_until(n2_is_back, 60, one.describe, "n2 is a member, and trusted")
    alone = {address: "n1" for address in one.vips().values()}
    stays(lambda: {s["owner"] for s in told()["services"]} == {"n1"}, 2, one.describe)
    assert one.wait_owned() == alone
    assert {address["state"] for address in told()["addresses"]} == {"owning"}
    one.network["n2"].namespace.run("nft", "delete", "table", "inet", "apart")
    one.wait_owned(lambda owners: set(owners.values()) == {"n1", "n2"}, 90)
    assert len(names) == len(alone)


def test_two_of_five_fail_at_once(cluster):
    """Every address of theirs goes to one that lives."""
    one = cluster(5, hold_down="1s")
    one.add_services(10)
    before = one.wait_owned()
    one.kill_node("n2")
    one.kill_node("n4")
    after = one.wait_owned(lambda owners: not {"n2", "n4"} & set(owners.values()))
    assert {vip: node for vip, node in after.items() if before[vip] not in ("n2", "n4")} == {
        vip: node for vip, node in before.items() if node not in ("n2", "n4")}


def test_all_start_at_once(cluster):
    """After a power cut nobody remembers anybody: nobody is held, and the owners are as before."""
    one = cluster(3, hold_down="1h")
    one.add_services(6)
    before = one.wait_owned()
    one.controller.process.kill()
    for name in one.speakers:
        one.kill_speaker(name)
    wait_until(lambda: set(map(tuple, one.answering().values())) == {()}, 10, one.describe)
    one.controller.process.start()
    for name in one.speakers:
        one.start_speaker(name)
    one.wait_settled()
    # A node that was slower to start has its addresses when it has made its first plan.
    assert one.wait_owned(lambda owners: owners == before)
    stays(lambda: one.answering() == {vip: [name] for vip, name in before.items()}, 0.5)


def test_bad_network_moves_nothing(cluster, probe):
    """Frames of every node are late by up to 70 ms and one in a hundred is lost, for a while: all
    nodes are found alive, and no address changes hands."""
    one = cluster(3, hold_down="1s")
    one.add_services(3)
    for node in one.network.nodes:  # whose cables are out for a moment
        one.network.delay(node.name, 10, jitter=25)
    one.network.lose(**{node.name: 1 for node in one.network.nodes})
    one.wait_settled()
    before = one.wait_owned(one_for_each_node)
    vips = list(before)
    logs = {name: len(speaker.process.log()) for name, speaker in one.speakers.items()}
    asking = probe(one.network.client, *(f"arp:{vip}" for vip in vips), options=["--interval", "100ms"])
    stays(lambda: all(one.speakers[name].is_ready() for name in one.speakers), 15)
    report = asking.stop()
    assert {vip: [one.node_of(mac) for mac in report[f"arp:{vip}"].who()] for vip in vips} == {
        vip: [node] for vip, node in before.items()}, report
    for name, speaker in one.speakers.items():
        assert "member is dead" not in speaker.process.log()[logs[name]:]
