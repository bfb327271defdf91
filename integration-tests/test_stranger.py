"""A host that is none of ours has an address of a pool: it keeps it, and everybody is told."""

import pytest

from lab.objects import ingress_addresses
from lab.wait import wait_until


@pytest.fixture
def stranger(cluster):
    """(cluster, MAC) with a host on the LAN that has the first address of the pool."""
    one = cluster(2, api=True)
    host = one.network.add_host("stranger", 204, planes=("lan",))
    host.namespace.ip("address", "add", "192.0.2.208/24", "dev", "eth0")
    return one, host.namespace.mac()


def conflict_of(one, name):
    conditions = one.service(name)["status"].get("conditions", [])
    return next((c for c in conditions if c["type"] == "stentor.io/AddressConflict"), None)


def test_stranger_keeps_its_address(stranger):
    """The Service gets another address; condition and Event say who has the first one. No node
    answered for it meanwhile."""
    one, mac = stranger
    with one.network.capture("client") as capture:
        one.put_service("s1")
        wait_until(lambda: ingress_addresses(one.service("s1")) == ["192.0.2.209"], 30, one.describe)
        assert one.wait_owned(lambda owners: list(owners) == ["192.0.2.209"])
        said = capture.frames(lambda f: f.arp and f.arp.sender_ip == "192.0.2.208")
    assert {frame.arp.sender_mac for frame in said} <= {mac}
    assert [note for note, name in one.store.events("AddressConflict") if name == "s1" and mac in note]


def test_stranger_has_the_very_address_that_is_asked_for(stranger):
    """It is kept for the Service, and not announced, for as long as the stranger is there."""
    one, mac = stranger
    one.put_service("s1", annotations={"metallb.io/loadBalancerIPs": "192.0.2.208"})
    condition = wait_until(lambda: conflict_of(one, "s1"), 30, one.describe)
    assert condition["status"] == "True" and mac in condition["message"]
    assert one.vip("s1") == "192.0.2.208"
    assert one.answering("192.0.2.208") == {"192.0.2.208": [mac]}
