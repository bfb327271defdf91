"""Local hand-off: a process on the node that answers for an address takes its traffic itself, with
the client's address, by a local route that comes and goes with the address."""

import re
import shutil
import signal
import sys

import pytest
import yaml

from lab.page import fetch
from lab.programs import REPOSITORY
from lab.speaker import WITHOUT_ADMIN
from lab.wait import wait_until

WEB = "192.0.2.240"
WEB6 = "2001:db8:0:1::240"
FIRST, SECOND = "n1", "n2"  # in the order of the hash election for that address
PROTOCOL = "83"

# Answers with the client's address, on all addresses of both families.
_SERVER = """
import socket
server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    client, peer = server.accept()
    client.recv(4096)
    client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + peer[0].removeprefix("::ffff:").encode())
    client.close()
"""


class Site:
    """The example's manifests, with the Service `web` that wants its address handed off."""

    def __init__(self, directory, lan):
        self.manifests = directory / "manifests"
        self.status = directory / "status"
        self.lan = lan
        shutil.copytree(REPOSITORY / "docs" / "examples", self.manifests)
        self.status.mkdir()
        self.annotate("stentor.io/handoff", "local")

    @property
    def arguments(self):
        return ["--manifests", self.manifests, "--status", self.status]

    def edit(self, kind, name, change):
        for path in sorted(self.manifests.glob("*.yaml")):
            documents = list(yaml.safe_load_all(path.read_text()))
            for one in documents:
                if (one["kind"], one["metadata"]["name"]) == (kind, name):
                    change(one)
                    fresh = path.with_name(f".{path.name}")
                    fresh.write_text(yaml.safe_dump_all(documents))
                    fresh.rename(path)
                    return
        raise LookupError(f"no {kind} {name} in the manifests")

    def annotate(self, key, value):
        """Sets an annotation of default/web; None removes it."""
        def change(service):
            annotations = service["metadata"].setdefault("annotations", {})
            annotations.pop(key, None)
            if value is not None:
                annotations[key] = value
        self.edit("Service", "web", change)

    def routes(self, node, *family):
        """The addresses of the local routes of our protocol on a node."""
        found = self.lan[node].namespace.ip_json(*family, "route", "show", "table", "local", "proto", PROTOCOL)
        return sorted(route["dst"] for route in found)

    def wait_routes(self, node, *addresses, seconds=10):
        wait_until(lambda: self.routes(node) == sorted(addresses), seconds,
                   lambda: self.lan[node].namespace.ip("route", "show", "table", "local").stdout,
                   f"{node} has local routes for {addresses}")


@pytest.fixture
def site(network, process, tmp_path, controller):
    lan = network(2)
    for host in lan.nodes:
        host.namespace.sysctl("net.ipv4.conf.all.arp_ignore", 1)
        process([sys.executable, "-c", _SERVER], name=f"page-{host.name}", namespace=host.namespace)
    site = Site(tmp_path, lan)
    controller(*site.arguments)
    return site


def test_process_takes_the_traffic(site, speaker):
    """The owner has the route, the other node has not; the process sees who asks."""
    both = {host.name: speaker(host, *site.arguments) for host in site.lan.nodes}
    site.wait_routes(FIRST, WEB)
    assert site.routes(SECOND) == []
    client = site.lan.client
    wait_until(lambda: fetch(client.namespace, WEB) == client.address, 10, site.lan.describe)
    metrics = both[FIRST].metrics()
    assert metrics["stentor_speaker_handoff_routes"] == 1
    assert metrics["stentor_speaker_handoff_refused"] == 0


def test_both_families(site, speaker):
    """An IPv6 address is handed off like an IPv4 one."""
    def both(service):
        service["spec"].update({"ipFamilyPolicy": "RequireDualStack",
                                "clusterIPs": ["198.18.0.10", "2001:db8:0:9::10"]})

    site.edit("IPAddressPool", "office", lambda pool: pool["spec"]["addresses"].append(f"{WEB6}/128"))
    site.edit("Service", "web", both)
    one = speaker(site.lan[FIRST], *site.arguments)
    wait_until(lambda: sorted(one.announced()) == [WEB, WEB6], 20, one.process.describe)
    wait_until(lambda: site.routes(FIRST, "-6") == [WEB6], 10, one.process.describe)
    assert site.routes(FIRST) == [WEB]
    client = site.lan.client
    wait_until(lambda: fetch(client.namespace, WEB6) == client.address6, 10, site.lan.describe)
    site.lan[FIRST].namespace.ip("-6", "route", "del", "local", WEB6, "dev", "lo", "table", "local")
    wait_until(lambda: site.routes(FIRST, "-6") == [WEB6], 10, one.process.describe)
    one.finish()
    assert site.routes(FIRST, "-6") == []


def test_stranger_keeps_its_address(site, speaker):
    """While somebody else has the address, this host's own traffic still goes to him."""
    client = site.lan.client
    client.namespace.ip("address", "add", f"{WEB}/32", "dev", "eth0")
    one = speaker(site.lan[FIRST], *site.arguments)
    wait_until(lambda: any(a["ip"] == WEB and a["state"] == "refused" for a in one.announcements()["addresses"]),
               20, one.process.describe)
    assert site.routes(FIRST) == []
    assert site.lan[FIRST].ping(WEB) is not None


def test_route_moves_with_the_address(site, speaker):
    """The new owner has it at once; the old one keeps it for the overlap."""
    both = {host.name: speaker(host, *site.arguments) for host in site.lan.nodes}
    site.wait_routes(FIRST, WEB)
    site.annotate("stentor.io/node", SECOND)
    site.wait_routes(SECOND, WEB)
    wait_until(lambda: both[FIRST].announced() == [], 10, both[FIRST].process.describe)
    assert site.routes(FIRST) == [WEB]
    site.wait_routes(FIRST)
    assert both[FIRST].process.wait_log("local route removed", 5)
    assert site.routes(SECOND) == [WEB]


def test_annotation_and_endpoint_decide(site, speaker):
    speaker(site.lan[FIRST], *site.arguments)
    site.wait_routes(FIRST, WEB)
    site.annotate("stentor.io/handoff", None)
    site.wait_routes(FIRST)
    site.annotate("stentor.io/handoff", "local")
    site.wait_routes(FIRST, WEB)

    def elsewhere(endpoints):
        for endpoint in endpoints["endpoints"]:
            endpoint["nodeName"] = SECOND

    site.edit("EndpointSlice", "web-1", elsewhere)
    site.wait_routes(FIRST)


def test_removed_by_another_is_put_back(site, speaker):
    one = speaker(site.lan[FIRST], *site.arguments)
    site.wait_routes(FIRST, WEB)
    node = site.lan[FIRST].namespace
    node.ip("route", "del", "local", WEB, "dev", "lo", "table", "local")
    wait_until(lambda: one.metrics()["stentor_speaker_handoff_restored_total"] == 1, 10, one.process.describe)
    assert site.routes(FIRST) == [WEB]


def test_lost_messages(site, speaker):
    """Routes change faster than a stopped speaker can hear: what the kernel has counts afterwards."""
    one = speaker(site.lan[FIRST], *site.arguments)
    site.wait_routes(FIRST, WEB)
    node = site.lan[FIRST].namespace
    lines = [f"route add 203.0.{i // 256}.{i % 256}/32 dev eth0" for i in range(20000)]
    lines.append(f"route del local {WEB} dev lo table local")
    one.process.send(signal.SIGSTOP)
    try:
        node.run("ip", "-batch", "-", input_text="\n".join(lines))
    finally:
        one.process.send(signal.SIGCONT)
    wait_until(lambda: one.metrics()["stentor_speaker_handoff_restored_total"] == 1, 10, one.process.describe)
    assert site.routes(FIRST) == [WEB]


def test_kill_leaves_nothing(site, speaker):
    """What a killed process left is removed by the next one, and nothing but that."""
    one = speaker(site.lan[FIRST], *site.arguments)
    site.wait_routes(FIRST, WEB)
    one.process.send(signal.SIGKILL)
    one.process.wait(10)
    assert site.routes(FIRST) == [WEB]
    site.annotate("stentor.io/handoff", None)
    node = site.lan[FIRST].namespace
    node.ip("route", "add", "local", "192.0.2.77", "dev", "lo", "table", "local", "proto", "static")
    node.ip("-6", "route", "add", "local", WEB6, "dev", "lo", "table", "local", "proto", PROTOCOL)
    again = speaker(site.lan[FIRST], *site.arguments)
    assert again.process.wait_log("local routes of an earlier process removed.*count=2", 5)
    assert site.routes(FIRST) == site.routes(FIRST, "-6") == []
    assert "192.0.2.77" in node.ip("route", "show", "table", "local").stdout
    again.finish()
    assert "192.0.2.77" in node.ip("route", "show", "table", "local").stdout


def test_clean_stop_removes(site, speaker):
    one = speaker(site.lan[FIRST], *site.arguments)
    site.wait_routes(FIRST, WEB)
    one.finish()
    assert site.routes(FIRST) == []


def test_address_of_the_host_itself(site, speaker):
    """It needs no route of ours, and keeps the kernel's; when that one goes, ours comes."""
    node = site.lan[FIRST].namespace
    node.ip("address", "add", f"{WEB}/32", "dev", "lo")
    one = speaker(site.lan[FIRST], *site.arguments)
    one.process.wait_log(f"local route added.*{re.escape(WEB)}.*ours=false", 10)
    assert site.routes(FIRST) == []
    node.ip("address", "del", f"{WEB}/32", "dev", "lo")
    site.wait_routes(FIRST, WEB)


def test_without_the_capability(site, speaker):
    """It says so once, by log, Event and metric, and answers all the same."""
    one = speaker(site.lan[FIRST], *site.arguments, capabilities=WITHOUT_ADMIN)
    one.process.wait_log("no local route for address: CAP_NET_ADMIN is missing", 10)
    assert one.metrics()["stentor_speaker_handoff_refused"] == 1
    assert one.metrics()["stentor_speaker_handoff_failures_total"] >= 1
    wait_until(lambda: one.announced() == [WEB], 10, one.process.describe)
    assert site.routes(FIRST) == []
    wait_until(lambda: "handoffFailed" in (site.status / "events.jsonl").read_text(), 10, one.process.describe)
    told = [line for line in (site.status / "events.jsonl").read_text().splitlines() if "handoffFailed" in line]
    assert len(told) == 1
    assert f'node \\"{FIRST}\\" cannot hand {WEB} to a local process: the speaker has no CAP_NET_ADMIN' in told[0]
