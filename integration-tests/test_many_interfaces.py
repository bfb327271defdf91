"""A node with more interfaces than a speaker has room to tell the others of."""

import pytest

from lab.controlplane import SYSTEM_NAMESPACE
from lab.wait import wait_until

PAIRS = 20
ADVERTISEMENT = {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
                 "metadata": {"name": "lan", "namespace": SYSTEM_NAMESPACE}}


@pytest.fixture
def crowded(cluster):
    """Two nodes and one Service, whose owner has 40 interfaces more, with names as long as can be
    that come before eth0. (the cluster, the owner, the other node)"""
    one = cluster(2)
    one.add_services(1)
    (owner,) = one.wait_owned().values()
    lines = []
    for number in range(PAIRS):
        near, far = f"crowded-near-{number:02}", f"crowded-away-{number:02}"
        lines += [f"link add name {near} type veth peer name {far}",
                  f"link set {near} up", f"link set {far} up"]
    one.network[owner].namespace.run("ip", "-batch", "-", input_text="\n".join(lines))
    wait_used(one, owner, 2 * PAIRS + 2)
    return one, owner, "n2" if owner == "n1" else "n1"


def wait_used(lab, node, count):
    speaker = lab.speakers[node]
    wait_until(lambda: list(speaker.interfaces().values()).count("used") == count, 20,
               speaker.process.describe, f"{node} uses {count} interfaces")


def plug(lab, node, interface):
    """Another cable between that node and the switch. Returns the Ethernet address."""
    switch, namespace = lab.network.bridges["lan"], lab.network[node].namespace
    switch.ip("link", "add", "name", f"{node}-{interface}", "type", "veth",
              "peer", "name", interface, "netns", namespace.full_name)
    switch.ip("link", "set", f"{node}-{interface}", "master", "lan0", "up")
    namespace.ip("link", "set", interface, "up")
    return namespace.mac(interface)


def advertise(lab, *interfaces):
    lab.store.edit(ADVERTISEMENT, {"spec": {"interfaces": list(interfaces)}})


def test_only_the_other_node_has_it(crowded):
    """Nobody waits for the node that may have more than it tells; and it has the address again by an
    interface that stands last, as soon as that alone is named."""
    one, owner, other = crowded
    vip = one.vip("s1")
    assert one.wait_owned() == {vip: owner}
    there = plug(one, other, "zz8")
    wait_used(one, other, 3)
    advertise(one, "zz8")
    wait_until(lambda: one.answering() == {vip: [there]}, 30, one.describe, f"{other} answers on zz8")
    here = plug(one, owner, "zz9")
    wait_used(one, owner, 2 * PAIRS + 3)
    advertise(one, "zz9")
    wait_until(lambda: one.answering() == {vip: [here]}, 30, one.describe, f"{owner} answers on zz9")
    assert one.speakers[other].announced() == []
