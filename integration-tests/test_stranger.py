"""A host that is none of ours has an address of a pool: it keeps it, and everybody is told."""

from datetime import datetime, timezone

import pytest

from lab.objects import ingress_addresses
from lab.wait import wait_until

NO_GOSSIP = """
table inet apart {
    chain incoming { type filter hook input priority 0; udp dport 7946 drop; }
    chain outgoing { type filter hook output priority 0; udp dport 7946 drop; }
}
"""


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


def test_a_node_that_hears_no_member_takes_no_address_away(cluster):
    """It elects itself for everything, finds it in use, and announces nothing: all addresses stay
    where they are."""
    one = cluster(2, api=True)
    one.stop_speaker("n2")
    names = one.add_services(3)
    one.wait_owned(lambda owners: set(owners.values()) == {"n1"})
    before = one.vips()
    one.network["n2"].namespace.run("nft", "-f", "-", input_text=NO_GOSSIP)
    one.start_speaker("n2")
    refused = [{"ip": vip, "state": "refused"} for vip in sorted(before.values())]
    wait_until(lambda: [{"ip": a["ip"], "state": a["state"]}
                        for a in one.speakers["n2"].announcements()["addresses"]] == refused,
               60, one.describe, "n2 has found every address in use")
    assert [(s["announced"], s["reason"]) for s in one.speakers["n2"].announcements()["services"]] == [
        (False, "notAnswered")] * len(names)
    # What the controller does of itself comes after this, for it sees objects in their order.
    one.put_service("last")
    wait_until(lambda: ingress_addresses(one.service("last")), 60, one.describe)
    assert one.store.conflicts() == []
    assert {name: one.vip(name) for name in names} == before
    assert one.answering(*before.values()) == {vip: ["n1"] for vip in before.values()}


def conflict(address, node, mac):
    """What the speaker of that node would write about it."""
    return {"apiVersion": "stentor.io/v1alpha1", "kind": "AddressConflict",
            "metadata": {"name": address, "namespace": "metallb-system"},
            "spec": {"address": address, "node": node, "interface": "eth0", "mac": mac,
                     "seen": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}}


def test_controller_believes_live_speakers_about_strangers(cluster):
    """Not a node that the others count dead, and nobody about the station of a node."""
    one = cluster(2, api=True)
    names = one.add_services(3)
    before = one.vips()
    one.kill_speaker("n2")
    wait_until(lambda: one.store.node_events("n2") == ["SpeakerLost"], 30, one.describe)
    stranger_mac, node_mac = "02:00:5e:10:00:01", one.network["n2"].namespace.mac()
    one.store.put(conflict(before[names[0]], "n2", stranger_mac))
    one.store.put(conflict(before[names[1]], "n1", node_mac))
    one.store.put(conflict(before[names[2]], "n1", stranger_mac))
    wait_until(lambda: one.vip(names[2]) == "192.0.2.211", 30, one.describe)
    assert one.vips() == before | {names[2]: "192.0.2.211"}
