"""Which interfaces a speaker answers on: the list of excluded names, followed in its file, and the
IPv6 link-local addresses that neighbour advertisements are sent from."""

import re
import shutil

import pytest

from lab.programs import REPOSITORY
from lab.wait import wait_until

WEB = "192.0.2.240"
FIRST = "n1"  # the first in the order of the hash election for that address


@pytest.fixture
def site(network, tmp_path, controller):
    """The example's manifests, served by a controller; one node."""
    manifests, status = tmp_path / "manifests", tmp_path / "status"
    shutil.copytree(REPOSITORY / "docs" / "examples", manifests)
    status.mkdir()
    lan = network(2)
    lan.arguments = ["--manifests", manifests, "--status", status]
    controller(*lan.arguments)
    return lan


def answers(lan):
    """Whether the first node answers the client on the LAN."""
    result = lan.client.namespace.run("arping", "-I", "eth0", "-c", "1", "-w", "2", WEB, check=False)
    return lan[FIRST].namespace.mac().upper() in result.stdout


def states(one, *names):
    return [one.interfaces().get(name) for name in names]


def replace(path, text):
    """Puts a file in place in one step, as the kubelet does."""
    fresh = path.with_name(f".{path.name}")
    fresh.write_text(text)
    fresh.rename(path)


def test_list_is_followed(site, speaker, tmp_path):
    """From the shipped list to the file's, through a bad one, and to an empty one."""
    path = tmp_path / "excludel2.yaml"
    node = site[FIRST].namespace
    node.ip("link", "add", "name", "docker0", "type", "veth", "peer", "name", "cni0")
    node.ip("link", "set", "docker0", "up")
    one = speaker(site[FIRST], *site.arguments, "--excludel2-path", path)

    def become(*wanted):
        wait_until(lambda: states(one, "eth0", "mgmt", "docker0") == list(wanted), 10, one.process.describe)

    become("used", "used", "excluded")
    wait_until(lambda: answers(site), 10, one.process.describe)
    replace(path, "announcedInterfacesToExclude:\n- ^mgmt$\n- ^eth[0-9]+$\n")
    become("excluded", "excluded", "used")
    assert not answers(site)
    replace(path, "announcedInterfacesToExclude: [mgmt, eth, ker0$]\n")
    become("excluded", "excluded", "excluded")
    wait_until(lambda: one.announced() == [], 10, one.process.describe)
    replace(path, "announcedInterfacesToExclude:\n- ^mgmt$\n- ^eth[0-9+$\n")
    line = one.process.wait_log("list of excluded interfaces refused", 10)
    assert "line 3: missing terminating ] for character class" in line.string
    assert one.metrics()["stentor_speaker_excludes_failures_total"] == 1
    assert states(one, "eth0", "mgmt", "docker0") == ["excluded"] * 3
    replace(path, "announcedInterfacesToExclude: []\n")
    become("used", "used", "used")
    wait_until(lambda: answers(site), 10, one.process.describe)
    path.unlink()
    replace(path, "announcedInterfacesToExclude: [^mgmt$]\n")
    become("used", "excluded", "used")


def test_configmap_is_followed(site, speaker, tmp_path):
    """The kubelet swaps the directory that the file's link leads into."""
    mount = tmp_path / "mount"
    for version, name in (("1", "mgmt"), ("2", "eth0")):
        (mount / f"..{version}").mkdir(parents=True)
        (mount / f"..{version}" / "excludel2.yaml").write_text(f"announcedInterfacesToExclude: ['^{name}$']\n")
    (mount / "..data").symlink_to("..1")
    (mount / "excludel2.yaml").symlink_to("..data/excludel2.yaml")
    one = speaker(site[FIRST], *site.arguments, "--excludel2-path", mount / "excludel2.yaml")
    wait_until(lambda: states(one, "eth0", "mgmt") == ["used", "excluded"], 10, one.process.describe)
    (mount / "..next").symlink_to("..2")
    (mount / "..next").rename(mount / "..data")
    wait_until(lambda: states(one, "eth0", "mgmt") == ["excluded", "used"], 10, one.process.describe)


def link_local(one, name):
    return next(i["linkLocal"] for i in one.announcements()["interfaces"] if i["name"] == name)


def test_link_local_addresses(site, speaker):
    """Come, go and are replaced; one that is not yet known to be unique does not count."""
    node = site[FIRST].namespace
    one = speaker(site[FIRST], *site.arguments)

    def becomes(wanted):
        wait_until(lambda: link_local(one, "eth0") == wanted, 10, one.process.describe, wanted)

    shown = re.search(r"inet6 (fe80:\S+)/64", node.ip("address", "show", "dev", "eth0").stdout)
    becomes(shown[1])
    node.ip("address", "add", "fe80::1/64", "dev", "eth0")
    becomes("fe80::1")
    node.ip("address", "del", "fe80::1/64", "dev", "eth0")
    becomes(shown[1])
    node.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
    becomes("")
    node.sysctl("net.ipv6.conf.eth0.accept_dad", 1)
    node.sysctl("net.ipv6.conf.eth0.dad_transmits", 600)
    node.sysctl("net.ipv6.conf.eth0.disable_ipv6", 0)
    wait_until(lambda: "tentative" in node.ip("address", "show", "dev", "eth0").stdout, 10)
    node.ip("address", "add", "fe80::7/64", "dev", "mgmt", "nodad")  # told after the other one
    wait_until(lambda: link_local(one, "mgmt") == "fe80::7", 10, one.process.describe)
    assert link_local(one, "eth0") == ""
    node.ip("address", "add", "fe80::8/64", "dev", "eth0", "nodad")
    becomes("fe80::8")
