"""A node that was out of touch, by its cable or because its process stood still, and comes back while
another one has what it had: it says nothing before it knows that. The client's capture judges."""

import pytest

from lab.failover import FAULTS
from lab.wait import wait_until

pytestmark = pytest.mark.alone

HOLD_DOWN = 20  # seconds: what may be said after that is none of these tests'


def sent(capture, node, vip):
    """The frames in which that node says, asked or not, that the address is its own."""
    mac = node.namespace.mac()
    return [frame for frame in capture.frames()
            if frame.source == mac and frame.arp and frame.arp.sender_ip == vip]


def is_member_of(lab, name, other):
    """Does that node count the other one alive?"""
    told = lab.speakers[name].announcements()["members"]
    return any(one["name"] == other and one["state"] == "alive" for one in told)


def wait_together(lab, *names):
    wait_until(lambda: all(is_member_of(lab, one, other) for one in names for other in names), 30,
               lab.describe, "all count each other alive")


@pytest.mark.parametrize("fault", ["unplug", "interface"])
@pytest.mark.parametrize("nodes", [2, 3])
def test_regained_carrier(cluster, probe, nodes, fault):
    """Others have taken over: not one frame says that the address is still where it was."""
    one = cluster(nodes, hold_down=f"{HOLD_DOWN}s")
    one.add_services(1)
    vip, names = one.vip("s1"), [node.name for node in one.network.nodes]
    owner = one.wait_owned()[vip]
    FAULTS[fault].strike(one, owner)
    heir = one.wait_owned(lambda owners: owners[vip] != owner)[vip]
    wait_until(lambda: not any(is_member_of(one, owner, name) for name in names if name != owner), 30,
               one.describe, "the node that is cut off counts all others dead")
    with one.network.capture("client") as capture:
        asking = probe(one.network.client, f"arp:{vip}")
        FAULTS[fault].undo(one, owner)
        wait_together(one, *names)
        assert one.wait_owned()[vip] == heir
        asking.stop()
        assert sent(capture, one.network[owner], vip) == [], one.speakers[owner].process.describe()
        assert sent(capture, one.network[heir], vip)
    assert one.speakers[owner].process.wait_log("interface came while no member was in reach", 1)


def test_regained_carrier_of_the_last_one(cluster):
    """Nobody is there to be asked: it serves again."""
    one = cluster(2)
    one.add_services(1)
    one.wait_owned()
    one.kill_node("n2")
    one.wait_owned(lambda owners: set(owners.values()) == {"n1"})
    FAULTS["unplug"].strike(one, "n1")
    wait_until(lambda: one.answering() == {one.vip("s1"): []}, 10, one.describe)
    wait_until(lambda: not is_member_of(one, "n1", "n2"), 30, one.describe)
    FAULTS["unplug"].undo(one, "n1")
    one.wait_owned(lambda owners: set(owners.values()) == {"n1"})
    one.revive_node("n2")
    one.speakers["n2"].wait_ready()


def test_paused_while_another_starts(cluster, probe):
    """The only speaker there is stands still while another one starts, which cannot know of it, and
    which comes before it in the order: it was never counted dead, and is silent nonetheless."""
    one = cluster(2, hold_down="0s")  # it is trusted at once
    one.add_services(1)
    one.move("s1", "n2")
    vip = one.vip("s1")
    one.wait_owned(lambda owners: owners[vip] == "n2")
    one.controller.process.kill()  # it is a member, too, and would know
    one.stop_speaker("n2")
    one.wait_owned(lambda owners: owners[vip] == "n1")
    one.pause("n1")
    one.start_speaker("n2")
    one.wait_owned(lambda owners: owners[vip] == "n2")
    with one.network.capture("client") as capture:
        asking = probe(one.network.client, f"arp:{vip}")
        one.resume("n1")
        wait_together(one, "n1", "n2")
        assert one.wait_owned()[vip] == "n2"
        asking.stop()
        assert sent(capture, one.network["n1"], vip) == [], one.speakers["n1"].process.describe()
        assert sent(capture, one.network["n2"], vip)
    one.controller.process.start()
    one.controller.wait_ready()
