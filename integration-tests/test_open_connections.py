"""Connections that are open while their address moves, as planned, from node to node: the node where
they were begun goes on serving them, with packets that the next node carries there. When speakers are
replaced: test_failover.py."""

import re

import pytest

from lab.failover import hand_over
from lab.wait import wait_until

pytestmark = pytest.mark.alone


def seen_by_client(outcome):
    """(questions lost by kind, how often the connection that stays broke)"""
    targets = outcome.report.targets.values()
    broke = sum(what == "connection broke" for target in targets for _, what, _ in target.notices)
    return {target.name.partition(":")[0]: target.lost for target in targets}, broke


def carried(lab, name, family="ip"):
    """{address: node's address} by the rules of that node's kernel."""
    told = lab.network[name].namespace.run("nft", "list", "table", family, "stentor", check=False).stdout
    return dict(re.findall(r'([\da-f.:]+) timeout [\dhms]+ expires [\dhms]+ comment "n\d" : ([\da-f.:]+)', told))


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_drain(cluster, probe, family):
    """Drained under a client with a connection that stays: that goes on, and no new one is lost,
    whenever it was begun. The next node has the rule for it, until the address goes back."""
    lab = cluster(3, api=True)
    lab.add_services(1, family=family)
    lab.wait_owned()
    kind, own = ("ip", "address") if family == "IPv4" else ("ip6", "address6")
    first = hand_over(lab, "s1", probe, lab.drain)
    assert seen_by_client(first) == ({"arp": 0, "tcp": 0, "open": 0}, 0), first.report
    owner = getattr(lab.network[first.owner], own)
    assert carried(lab, first.heir, kind) == {lab.vip("s1"): owner}
    assert carried(lab, first.owner, kind) == {}
    lab.drain(first.owner, None)
    lab.wait_settled()
    back = hand_over(lab, "s1", probe, lambda heir: lab.move("s1", first.owner))
    assert seen_by_client(back) == ({"arp": 0, "tcp": 0, "open": 0}, 0), back.report
    wait_until(lambda: carried(lab, first.heir, kind) == {}, 10)
