"""The network lab: who hears whom, and what a cut, a partition, a lost carrier does to it.
Everything is judged by echoes, neighbour tables and frames."""

import socket

import pytest

from lab.capture import format_mac
from lab.page import fetch
from lab.pods import page_server
from lab.wait import wait_until

V6 = "address6"
V4 = "address"


@pytest.fixture
def lan(network):
    return network(3)


@pytest.mark.parametrize("family", [V4, V6])
def test_every_host_reaches_every_other(lan, family):
    for one in lan.hosts.values():
        for other in lan.hosts.values():
            assert one.ping(getattr(other, family)) is not None, f"{one.name} to {other.name}"


def test_planes_are_apart(lan):
    """Cutting the one leaves the other; a client has no management address at all."""
    lan.cut("n1", plane="lan")
    assert lan["n2"].ping(lan["n1"].address, 0.2) is None
    assert lan["n2"].ping(lan["n1"].management_address) is not None
    lan.cut("n2", plane="mgmt")
    assert lan["n2"].ping(lan["n1"].management_address, 0.2) is None
    assert lan["n2"].ping(lan["n3"].address) is not None
    assert lan.client.ping("198.51.100.1", 0.2) is None


@pytest.mark.parametrize("family", [V4, V6])
def test_cut_and_heal(lan, family):
    target = getattr(lan["n3"], family)
    wait_until(lambda: lan.client.ping(target) is not None, 10, lan.describe)
    lan.cut("n3")
    assert lan.client.ping(target, 0.2) is None
    lan.heal("n3")
    assert wait_until(lambda: lan.client.ping(target), 10, lan.describe)
    lan.heal("n3")  # once more is no error


def test_partition_parts_groups_and_leaves_them_whole(lan):
    lan.partition(["n1", "client"], ["n2", "n3"])
    assert lan["n1"].ping(lan.client.address) is not None
    assert lan["n2"].ping(lan["n3"].address) is not None
    assert lan["n1"].ping(lan["n2"].address, 0.2) is None
    assert lan["n3"].ping(lan.client.address, 0.2) is None
    lan.join(["n1", "client"], ["n2", "n3"])
    assert wait_until(lambda: lan["n3"].ping(lan.client.address), 10, lan.describe)


def test_cable_pulled_is_seen_by_the_node(lan):
    """A lost carrier, unlike a cut, can be noticed by the node itself."""
    def carrier():
        return lan["n1"].namespace.ip_json("link", "show", "eth0")[0]["operstate"]

    lan.cut("n1")
    assert carrier() == "UP"
    lan.carrier("n1", False)
    wait_until(lambda: carrier() in ("DOWN", "LOWERLAYERDOWN"), 5)
    lan.carrier("n1", True)
    wait_until(lambda: carrier() == "UP", 5)


def test_loss_takes_its_share(lan):
    """Half of the frames: some echoes come back and some do not."""
    wait_until(lambda: lan.client.ping(lan["n1"].address), 10, lan.describe)
    lan.lose(n1=50)
    answered = [lan.client.ping(lan["n1"].address, 0.05) is not None for _ in range(60)]
    assert 5 < sum(answered) < 55  # far beyond six deviations of 30
    lan.lose()
    assert all(lan.client.ping(lan["n1"].address) for _ in range(20))


@pytest.mark.parametrize("family", [V4, V6])
def test_delay_is_added_to_both_ways(lan, family):
    """Each echo passes the wire twice. TCP with its large segments passes it as well."""
    address = getattr(lan["n1"], family)
    lan.delay("n1", 30, jitter=10)
    assert wait_until(lambda: lan.client.ping(address, 2), 10, lan.describe) >= 0.06
    page_server(lan.run, lan["n1"].namespace, "n1", 80)
    assert fetch(lan.client.namespace, address) == "Hello from n1\n"
    with lan["n1"].namespace.socket() as listener:
        listener.bind((lan["n1"].address, 81))
        listener.listen()
        with lan.client.namespace.connect((lan["n1"].address, 81)) as sender:
            receiver, _ = listener.accept()
            sender.sendall(bytes(range(256)) * 200)
            sender.shutdown(socket.SHUT_WR)
            with receiver:
                assert b"".join(iter(lambda: receiver.recv(65536), b"")) == bytes(range(256)) * 200
    lan.cut("n1")
    assert lan.client.ping(address, 0.3) is None
    lan.heal("n1")
    lan.delay("n1", 0)
    wait_until(lambda: lan.client.ping(address, 1), 10, lan.describe)
    assert min(lan.client.ping(address, 1) for _ in range(5)) < 0.06


def test_capture_shows_the_request_and_the_answer(lan, tmp_path):
    """ARP as on the wire: a broadcast request and a unicast reply with n1's own MAC."""
    n1, client = lan["n1"], lan.client
    with lan.capture("client") as capture:
        assert client.ping(n1.address) is not None
        request = capture.wait_for(lambda f: f.arp and f.arp.operation == 1
                                   and f.arp.target_ip == n1.address, 5)
        reply = capture.wait_for(lambda f: f.arp and f.arp.operation == 2
                                 and f.arp.sender_ip == n1.address, 5)
    assert request.destination == format_mac(b"\xff" * 6)
    assert request.source == request.arp.sender_mac == client.namespace.mac()
    assert reply.destination == client.namespace.mac()
    assert reply.source == reply.arp.sender_mac == n1.namespace.mac()
    assert client.namespace.neighbours()[n1.address][0] == n1.namespace.mac()
    capture.save(tmp_path / "arp.pcap")
    frames = capture.frames()
    assert (tmp_path / "arp.pcap").stat().st_size == 24 + sum(16 + len(f.data) for f in frames)
    assert str(reply) in capture.describe()


def test_two_networks_share_nothing(network):
    """The same addresses, side by side."""
    one, other = network(1), network(1)
    one.cut("n1")
    assert one.client.ping(one["n1"].address, 0.2) is None
    assert other.client.ping(other["n1"].address) is not None


def test_nodes_reach_the_session_api_server(lan, api_for_nodes, control_plane):
    """The API server on loopback answers at 198.51.100.1:6443 on the management plane, with a
    certificate for that address."""
    relay = api_for_nodes(lan)
    api = control_plane.api_as("admin", server=relay.url, seconds=2, namespace=lan["n1"].namespace)
    assert api.get("/version")["major"] == "1"
    lan.cut("n1", plane="mgmt")
    api.close()
    with pytest.raises(OSError):
        api.get("/version")
