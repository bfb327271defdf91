"""One path through the whole house: manifests in a directory, an address from the controller, a
speaker on each of two nodes, and a client that fetches a page through the address. The client's
kernel, its arping and a capture judge who answers."""

import re
import shutil
import signal
from pathlib import Path

import pytest
import yaml

from lab.page import fetch, serve_page
from lab.programs import REPOSITORY
from lab.wait import wait_until

WEB = "192.0.2.240"  # the first address of the example's pool, for default/web
FIRST, SECOND = "n1", "n2"  # in the order of the hash election for that address
ANNOUNCE_SECONDS = 10  # a round each 1.1 s for 5 s, and room for a slow machine
ROUNDS = 5
FRAMES = 2 * 2 * ROUNDS  # a request and a reply in each round, on the LAN and on the other interface


class Site:
    """The example's manifests in a directory of their own, and two nodes that serve them."""

    def __init__(self, directory, lan):
        self.manifests = directory / "manifests"
        self.status = directory / "status"
        self.lan = lan
        shutil.copytree(REPOSITORY / "docs" / "examples", self.manifests)
        self.status.mkdir()

    @property
    def arguments(self):
        return ["--manifests", self.manifests, "--status", self.status]

    def edit(self, kind, name, change):
        """Applies change(document) to one object and writes its file anew, in one step."""
        for path in sorted(self.manifests.glob("*.yaml")):
            documents = list(yaml.safe_load_all(path.read_text()))
            wanted = [one for one in documents
                      if (one["kind"], one["metadata"]["name"]) == (kind, name)]
            if not wanted:
                continue
            change(wanted[0])
            fresh = path.with_name(f".{path.name}")
            fresh.write_text(yaml.safe_dump_all(documents))
            fresh.rename(path)
            return
        raise LookupError(f"no {kind} {name} in the manifests")

    def place(self, order):
        """Publishes an order of nodes for default/web."""
        self.edit("Service", "web", lambda service: service["metadata"].setdefault(
            "annotations", {}).update({"stentor.io/placement": order}))

    def answering(self, address=WEB):
        """The names of the nodes that answer the client's ARP requests for an address."""
        result = self.lan.client.namespace.run("arping", "-I", "eth0", "-c", "2", "-w", "2", address,
                                               check=False)
        macs = set(re.findall(r"\[([0-9A-F:]{17})\]", result.stdout))
        names = {host.namespace.mac().upper(): host.name for host in self.lan.nodes}
        return sorted(names.get(mac, mac) for mac in macs)

    def neighbour(self, address=WEB):
        """The MAC that the client's kernel sends to, None when it knows none."""
        return self.lan.client.namespace.neighbours().get(address, (None,))[0]

    def fetch(self, address=WEB):
        """The page at the address, for the client."""
        return fetch(self.lan.client.namespace, address)


@pytest.fixture
def site(network, run, tmp_path, evidence):
    lan = network(2)
    for host in lan.nodes:
        evidence.add_process(serve_page(run, host, WEB))
    wait_until(lambda: all(has_carrier(host) for host in lan.nodes), 10, lan.describe)
    return Site(tmp_path, lan)


def has_carrier(host):
    """On both interfaces. The kernel tells it up to a second late, and that is announced, too."""
    return all(host.namespace.ip_json("link", "show", name)[0]["operstate"] == "UP"
               for name in ("eth0", "mgmt"))


@pytest.fixture
def leader(site, controller):
    """A controller that gives the addresses and leaves the election to the speakers."""
    return controller(*site.arguments, "--election", "hash")


@pytest.fixture
def speakers(site, leader, speaker):
    """{node: Speaker}, with default/web announced."""
    both = {host.name: speaker(host, *site.arguments) for host in site.lan.nodes}
    wait_until(lambda: both[FIRST].announced() == [WEB], 10, describe(both), "n1 announces the address")
    return both


def stop(leader):
    """So that it does not take back what is placed by hand."""
    leader.process.send(signal.SIGTERM)
    assert leader.process.wait(10) == 0


def describe(speakers):
    return [one.process.describe for one in speakers.values()]


def is_announcement(address):
    """A frame that tells, unasked, who has the address."""
    return lambda frame: (frame.arp and frame.arp.sender_ip == frame.arp.target_ip == address
                          and frame.destination == "ff:ff:ff:ff:ff:ff")


def test_page_through_the_address(site, speakers):
    """The client's kernel finds the owner, and only the owner."""
    owner = site.lan[FIRST].namespace.mac()
    with site.lan.capture("client") as capture:
        wait_until(lambda: site.answering() == [FIRST], 10)
        wait_until(lambda: site.fetch() == f"Hello from {FIRST}", 10, site.lan.describe)
        assert site.neighbour() == owner
        replies = capture.frames(lambda f: f.arp and f.arp.operation == 2 and f.arp.sender_ip == WEB)
    assert replies and {reply.source for reply in replies} == {owner}
    assert speakers[SECOND].announced() == []
    assert speakers[SECOND].reasons() == {
        "default/legacy": "noIPAllocated", "default/mail": "notOwner", "default/web": "notOwner"}


def test_capabilities_of_the_manifest_suffice(speakers):
    """Speakers of the lab start with what docs/manifests/speaker.yaml gives them, and keep of it
    CAP_NET_ADMIN (12) and CAP_NET_RAW (13)."""
    manifest = next(obj for obj in yaml.safe_load_all((REPOSITORY / "docs/manifests/speaker.yaml").read_text())
                    if obj["kind"] == "DaemonSet")
    told = manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"]["capabilities"]
    assert told == {"drop": ["ALL"], "add": ["NET_RAW", "NET_BIND_SERVICE", "NET_ADMIN"]}
    sets = "-all,+net_raw,+net_bind_service,+net_admin"
    for one in speakers.values():
        assert one.process.arguments[:4] == ["setpriv", "--no-new-privs", f"--bounding-set={sets}",
                                             f"--inh-caps={sets}"]
        status = Path(f"/proc/{one.process.pid}/status").read_text()
        assert re.search(r"^CapEff:\s*(\w+)$", status, re.M)[1] == f"{1 << 12 | 1 << 13:016x}"


def test_announces_at_once_and_for_five_seconds(site, controller, speaker):
    """Request and reply in each of five rounds, so that every kind of neighbour hears it, also
    one that refuses a second change within a second."""
    controller(*site.arguments)
    owner = site.lan[FIRST]
    with site.lan.capture("client") as capture:
        speaker(owner, *site.arguments)
        wanted = 2 * ROUNDS
        wait_until(lambda: len(capture.frames(is_announcement(WEB))) >= wanted, ANNOUNCE_SECONDS,
                   capture.describe)
        frames = capture.frames(is_announcement(WEB))
    assert [frame.arp.operation for frame in frames] == [1, 2] * ROUNDS
    assert {frame.source for frame in frames} == {owner.namespace.mac()}
    rounds = [frame.seconds for frame in frames[::2]]
    for before, after in zip(rounds, rounds[1:]):
        assert 1.0 < after - before < 2.0


def test_placement_moves_the_answer(site, leader, speakers):
    """The published order counts before the hash; the client follows."""
    stop(leader)
    assert wait_until(site.fetch, 10, site.lan.describe) == f"Hello from {FIRST}"
    site.place(f"2 {SECOND} {FIRST}")
    wait_until(lambda: speakers[SECOND].announced() == [WEB] and speakers[FIRST].announced() == [],
               10, describe(speakers), "the address is announced by n2 alone")
    wait_until(lambda: site.answering() == [SECOND], 10)
    wait_until(lambda: site.fetch() == f"Hello from {SECOND}", 10, site.lan.describe)
    assert site.neighbour() == site.lan[SECOND].namespace.mac()
    service = next(one for one in speakers[FIRST].announcements()["services"] if one["name"] == "web")
    assert (service["owner"], service["placement"], service["epoch"]) == (SECOND, "valid", 2)


def test_malformed_placement_is_as_none(site, leader, speakers):
    stop(leader)
    site.place(f"2 {SECOND}")
    wait_until(lambda: speakers[SECOND].announced() == [WEB], 10, describe(speakers))
    site.place(f"{SECOND} {FIRST}")
    wait_until(lambda: speakers[FIRST].announced() == [WEB], 10, describe(speakers))
    wait_until(lambda: site.answering() == [FIRST], 10)
    speakers[FIRST].process.wait_log("published placement ignored.*badEpoch", 5)


def test_excluded_node_hands_over(site, speakers):
    def exclude(node):
        node["metadata"]["labels"]["node.kubernetes.io/exclude-from-external-load-balancers"] = ""

    site.edit("Node", FIRST, exclude)
    wait_until(lambda: speakers[SECOND].announced() == [WEB] and speakers[FIRST].announced() == [],
               10, describe(speakers))
    wait_until(lambda: site.answering() == [SECOND], 10)


def test_no_endpoint_no_announcement(site, speakers):
    """An address that nobody serves is not kept from being noticed."""
    def fail(endpoints):
        for endpoint in endpoints["endpoints"]:
            endpoint["conditions"] = {"ready": False, "serving": False}

    site.edit("EndpointSlice", "web-1", fail)
    wait_until(lambda: speakers[FIRST].announced() == [], 10, describe(speakers))
    assert site.answering() == []


def test_stopped_speaker_is_silent(site, speakers):
    one = speakers[FIRST]
    one.process.send(signal.SIGTERM)
    assert one.process.wait(10) == 0
    assert site.answering() == []


def test_restart_without_the_controller(site, controller, speaker):
    """What was given stays given: a speaker needs the status directory, not the controller."""
    first = controller(*site.arguments)
    one = speaker(site.lan[FIRST], *site.arguments)
    wait_until(lambda: one.announced() == [WEB], 10, one.process.describe)
    first.finish()
    one.finish()
    again = speaker(site.lan[FIRST], *site.arguments)
    assert again.announced() == [WEB]
    wait_until(lambda: site.answering() == [FIRST], 10)


def test_figures(site, speakers):
    """What is counted is what the client saw."""
    one = speakers[FIRST]
    wait_until(lambda: one.announcements()["addresses"][0]["gratuitous"] == FRAMES,
               ANNOUNCE_SECONDS, one.process.describe)
    before = one.metrics()
    wait_until(lambda: site.answering() == [FIRST], 10)
    after = one.metrics()
    label = f'{{ip="{WEB}"}}'
    assert after[f"metallb_layer2_gratuitous_sent{label}"] == FRAMES
    for name in ("metallb_layer2_requests_received", "metallb_layer2_responses_sent"):
        assert after[name + label] - before[name + label] == 2
    announced = f'service="default/web",protocol="layer2",node="{FIRST}",ip="{WEB}"'
    assert after[f"metallb_speaker_announced{{{announced}}}"] == 1
    assert not [name for name in speakers[SECOND].metrics() if name.startswith("metallb_speaker_announced")]
    # What is about addresses of others does not wake the other node.
    frames = 'stentor_speaker_frames_total{interface="eth0",protocol="arp",verdict="not_ours"}'
    assert speakers[SECOND].metrics()[frames] == 0


# --- interfaces ---------------------------------------------------------------------------------


def plug(site, name, interface):
    """Another cable between that node and the switch."""
    switch = site.lan.bridges["lan"]
    switch.ip("link", "add", "name", f"{name}-x", "type", "veth",
              "peer", "name", interface, "netns", site.lan[name].namespace.full_name)
    switch.ip("link", "set", f"{name}-x", "master", "lan0", "up")
    site.lan[name].namespace.ip("link", "set", interface, "up")


def test_interfaces_are_followed(site, speakers):
    """New, down, renamed, with another MAC, enslaved, gone: without a restart and without polling."""
    one, node = speakers[FIRST], site.lan[FIRST].namespace

    def becomes(name, state):
        wait_until(lambda: one.interfaces().get(name) == state, 10, one.process.describe,
                   f"{name} is {state}")

    def answers_with(mac):
        wait_until(lambda: mac.upper() in site.lan.client.namespace.run(
            "arping", "-I", "eth0", "-c", "1", "-w", "2", WEB, check=False).stdout, 10, site.lan.describe)

    assert one.interfaces()["lo"] == "loopback"
    assert one.announcements()["addresses"][0]["interfaces"] == ["eth0", "mgmt"]
    plug(site, FIRST, "eth1")
    becomes("eth1", "used")
    answers_with(node.mac("eth1"))
    node.ip("link", "set", "eth1", "address", "02:00:00:00:00:99")
    answers_with("02:00:00:00:00:99")
    node.ip("link", "set", "eth1", "down")
    becomes("eth1", "down")
    node.ip("link", "set", "eth1", "name", "docker7")
    becomes("docker7", "excluded")
    node.ip("link", "set", "docker7", "name", "lan7")
    node.ip("link", "set", "lan7", "up")
    becomes("lan7", "used")
    answers_with("02:00:00:00:00:99")
    node.ip("link", "add", "name", "br7", "type", "bridge")
    node.ip("link", "set", "lan7", "master", "br7")
    becomes("lan7", "enslaved")
    node.ip("link", "set", "lan7", "nomaster")
    becomes("lan7", "used")
    node.ip("link", "delete", "lan7")
    becomes("lan7", None)
    wait_until(lambda: site.answering() == [FIRST], 10)


def test_carrier_back_is_announced(site, speakers):
    """Who was cut off may have missed everything."""
    one = speakers[FIRST]
    wait_until(lambda: one.announcements()["addresses"][0]["gratuitous"] == FRAMES,
               ANNOUNCE_SECONDS, one.process.describe)
    site.lan.carrier(FIRST, False)
    wait_until(lambda: not carrier(one), 10, one.process.describe)
    assert one.announced() == [WEB]
    with site.lan.capture("client") as capture:
        site.lan.carrier(FIRST, True)
        capture.wait_for(is_announcement(WEB), 10)
    wait_until(lambda: site.answering() == [FIRST], 10)


def carrier(speaker):
    return next(i["carrier"] for i in speaker.announcements()["interfaces"] if i["name"] == "eth0")


def test_lost_netlink_messages(site, speakers):
    """The kernel drops messages to a reader that does not keep up; the picture is whole again."""
    one, node = speakers[FIRST], site.lan[FIRST].namespace
    pairs = 20
    lines = [f"link add name fill{i} type veth peer name peer{i}" for i in range(pairs)]
    lines += ["link set fill0 up", *(f"link set fill0 alias number-{i}" for i in range(4000))]
    lines += [f"link delete fill{i}" for i in range(0, pairs, 2)]
    lines += ["link set fill1 name last"]
    one.process.send(signal.SIGSTOP)
    try:
        node.run("ip", "-batch", "-", input_text="\n".join(lines))
    finally:
        one.process.send(signal.SIGCONT)
    one.process.wait_log("netlink messages were lost", 20)
    expected = {link["ifname"] for link in node.ip_json("link", "show")}
    assert "last" in expected and "peer3" in expected and "fill2" not in expected
    wait_until(lambda: set(one.interfaces()) == expected, 30, one.process.describe)
    wait_until(lambda: site.answering() == [FIRST], 10)
