"""Planned moves: the new owner answers before the old one stops, so that nobody who asks is left
without an answer."""

import re

import pytest

from lab.wait import wait_until

DRAIN = "stentor.io/drain"


@pytest.fixture
def three(cluster):
    """Three nodes and one Service."""
    lab = cluster(3, hold_down="1s")
    lab.add_services(1)
    lab.wait_owned()
    return lab


def state(lab, node, vip):
    """What that node's speaker does about the address; None when it does nothing."""
    found = [one["state"] for one in lab.speakers[node].announcements()["addresses"] if one["ip"] == vip]
    return found[0] if found else None


def probe_during(lab, probe, vip, move):
    """Probes by ARP while move() is carried out and until another node alone has the address. The
    report of what was seen, and the new owner."""
    (owner,) = lab.answering(vip)[vip]
    with probe(lab.network.client, f"arp:{vip}") as client:
        move(owner)
        owners = lab.wait_owned(lambda owners: owners[vip] != owner, 20)
        return client.stop()[f"arp:{vip}"], owner, owners[vip]


def test_drained_node_hands_over(three, probe):
    """The annotation moves what the node has, without a lost question; two answer at most for as
    long as a question takes between them."""
    vip = three.vip("s1")
    seen, owner, heir = probe_during(
        three, probe, vip, lambda node: three.annotate_node(node, {DRAIN: ""}))
    assert seen.lost == 0, seen
    assert state(three, owner, vip) is None and state(three, heir, vip) == "owning"
    metrics = three.speakers[owner].metrics()
    assert metrics["stentor_speaker_handover_duration_seconds_count"] == 1


def test_stopped_speaker_hands_over(three, probe):
    """SIGTERM: it says that it goes, and goes when another answers; within two seconds, which is
    what a pod is given."""
    vip = three.vip("s1")
    seen, owner, _ = probe_during(three, probe, vip, stop_speaker(three))
    assert seen.lost == 0, seen
    log = three.speakers[owner].process.log()
    waited = re.search(r"msg=leaving.* waited_ms=(\d+) not_handed_over=0", log)
    assert waited, log
    three.start_speaker(owner)
    three.speakers[owner].wait_ready()


def test_speakers_that_stop_one_after_the_other(three, probe):
    """As in a rolling update: no question is lost."""
    vip = three.vip("s1")
    with probe(three.network.client, f"arp:{vip}") as client:
        for node in three.network.nodes:
            three.restart_speaker(node.name)
            three.wait_owned(seconds=20)
        seen = client.stop()[f"arp:{vip}"]
    assert seen.lost == 0, seen


def stop_speaker(lab):
    def stop(node):
        lab.speakers[node].finish()
        lab.down.add(node)
    return stop


def test_excluded_node_stops_at_once(three):
    """It may not serve any more, so it does not wait for another."""
    vip = three.vip("s1")
    (owner,) = three.answering(vip)[vip]
    three.exclude(owner)
    three.wait_owned(lambda owners: owners[vip] != owner, 20)
    assert three.speakers[owner].metrics()["stentor_speaker_handover_duration_seconds_count"] == 0


def test_last_node_keeps_what_it_has_when_drained(cluster):
    lab = cluster(1)
    lab.add_services(2)
    before = lab.wait_owned()
    lab.annotate_node("n1", {DRAIN: "now"})
    wait_until(lambda: {one["tier"] for one in lab.speakers["n1"].announcements()["services"]}
               == {"leaving"}, 10, lab.describe)
    assert lab.wait_owned() == before
