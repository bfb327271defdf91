"""Nodes fail and come back, and addresses go on being served. Everything is judged by what the
LAN shows: captured answers, pages that a client gets.

Bounds here are those that a slow machine keeps, too; bench/bench_failover.py prints the figures."""

import time

import pytest

from lab.failover import FAULTS, hand_over, measure
from lab.wait import stays, wait_until

pytestmark = pytest.mark.alone

SLOW = 5.0  # seconds; MetalLB needs 5.4 to 6.3 in the same lab
def lost(seen):
    """What a client lost. Its connection that stays may break: kube-proxy of one node knows nothing
    of another's connections; but each request gets its answer."""
    return {target.name: target.lost for target in seen.report.targets.values() if target.lost}


def test_move_loses_nothing(cluster, probe):
    """Whoever wants an address on a certain node gets it there."""
    one = cluster(3)
    one.add_services(2)
    one.wait_owned()
    for _ in range(2):
        owner = one.wait_owned()[one.vip("s1")]
        wanted = next(node.name for node in one.network.nodes if node.name != owner)
        seen = hand_over(one, "s1", probe, lambda _, wanted=wanted: one.move("s1", wanted))
        assert seen.heir == wanted
        assert lost(seen) == {}, seen.report


# --- the load is even -----------------------------------------------------------------------------


def loads(cluster, owners):
    """How many addresses each node answers for, largest first."""
    return sorted(cluster.load({vip: [node] for vip, node in owners.items()}).values(), reverse=True)


def moved(before, after):
    """The addresses that another node answers for."""
    return {vip for vip in before if before[vip] != after[vip]}


def test_load_is_even_and_moves_are_few(cluster):
    """23 addresses on five nodes: 5, 5, 5, 4, 4. One dies: its addresses alone move, and no node has
    more than ceil(23 / 4). It comes back: after the hold-down none has more than ceil(23 / 5), and
    no address moved that did not have to."""
    one = cluster(5, hold_down="3s")
    one.add_services(23)
    before = one.wait_owned(lambda owners: loads(one, owners) == [5, 5, 5, 4, 4])
    one.kill_node("n3")
    after = one.wait_owned(lambda owners: "n3" not in owners.values())
    assert moved(before, after) == {vip for vip, node in before.items() if node == "n3"}
    assert loads(one, after)[0] <= 6
    one.revive_node("n3")
    again = one.wait_owned(lambda owners: loads(one, owners)[0] <= 5)
    necessary = sum(max(0, count - 5) for count in loads(one, after))
    assert len(moved(after, again)) == necessary
    assert {again[vip] for vip in moved(after, again)} == {"n3"}
    stays(lambda: one.wait_owned() == again, 3)


def test_node_that_comes_back_is_held(cluster):
    """Until the hold-down is over it gets nothing."""
    one = cluster(2, hold_down="4s")
    one.add_services(4)
    one.wait_owned(lambda owners: loads(one, owners) == [2, 2])
    one.kill_node("n1")
    one.wait_owned(lambda owners: loads(one, owners) == [4, 0])
    start = time.monotonic()
    one.revive_node("n1")
    one.wait_owned(lambda owners: loads(one, owners) == [2, 2])
    assert time.monotonic() - start > 4
