"""Nodes fail and come back, and addresses go on being served. Everything is judged by what the
LAN shows: captured answers, pages that a client gets.

Bounds here are those that a slow machine keeps, too; bench/bench_failover.py prints the figures."""

import pytest

from lab.failover import FAULTS, measure

pytestmark = pytest.mark.alone

SLOW = 5.0  # seconds; MetalLB needs 5.4 to 6.3 in the same lab


# --- one node fails -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["IPv4"])
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
        one.wait_owned()
