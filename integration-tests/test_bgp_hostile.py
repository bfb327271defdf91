"""A hundred hostile texts (lab/hostile.py) in every field with text that BGP is made of: each is
refused by its object's and field's name, BIRD's configuration is what it would be without, and a
session beside stays up."""

import base64
import dataclasses
import json
import os
import re

import pytest

from lab.bgp import SYSTEM, advertisement, metallb, peer, service
from lab.daemon import program
from lab.hostile import texts
from lab.process import run_command
from lab.routers import Frr, Neighbor
from lab.wait import stays, wait_until

TOR = "192.0.2.1"
V4 = "198.51.100.1"
LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")


def is_label(text):
    return LABEL.fullmatch(text) is not None


def is_label_key(text):
    domain, _, name = text.rpartition("/")
    return is_label(name) and name != "" and (domain == "" or re.fullmatch(r"[a-z0-9.-]+", domain))


def is_interface(text):
    return re.fullmatch(r"[A-Za-z0-9._:@-]{1,15}", text) is not None and text not in (".", "..")


def is_password(text):
    """What can stand between BIRD's quotation marks, and is no longer than the kernel takes."""
    return len(text.encode()) <= 80 and not any(c < " " or c in '"\x7f' for c in text)


def is_zero(text):
    return text == "0"


def never(_text):
    return False


@dataclasses.dataclass(frozen=True)
class Field:
    """A field with text. good: a text that would be right. make(text): the spec. found: the field that
    a finding names. is_right: texts that are right after all. only_compared: it is never more than
    compared with names, where any text is as good as an unknown one."""

    kind: str
    found: str
    good: str
    make: object
    versions: tuple = ("v1beta1",)
    is_right: object = never
    only_compared: bool = False


BOTH, NEW = ("v1beta1", "v1beta2"), ("v1beta2",)


def select(label="a", value="b"):
    return [{"matchLabels": {label: value}}]


def express(key="a", operator="In", values=("b",)):
    return [{"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}]


def one_of_peer(name, good, versions, is_right=never, **more):
    return Field("BGPPeer", f"spec.{name}", good, lambda text: {name: text, **more}, versions, is_right)


def selector_of_peer(found, good, make, is_right):
    return Field("BGPPeer", f"spec.nodeSelectors[0].{found}", good, lambda text: {"nodeSelectors": make(text)}, BOTH, is_right)


def selector_of_advertisement(name):
    return Field("BGPAdvertisement", f"spec.{name}[0].matchLabels", "b",
                 lambda text: {name: select(value=text), "peers": ["nobody"]}, is_right=is_label)


FIELDS = {
    "peerAddress": one_of_peer("peerAddress", TOR, BOTH),
    "sourceAddress": one_of_peer("sourceAddress", "192.0.2.11", BOTH),
    "routerID": one_of_peer("routerID", "192.0.2.11", BOTH),
    "password": one_of_peer("password", "secret", BOTH, is_password),
    "bfdProfile": one_of_peer("bfdProfile", "fast", BOTH),
    "holdTime": one_of_peer("holdTime", "9s", BOTH, is_zero, keepaliveTime="0s"),
    "keepaliveTime": one_of_peer("keepaliveTime", "3s", BOTH, is_zero),
    "connectTime": one_of_peer("connectTime", "3s", NEW),
    "dynamicASN": one_of_peer("dynamicASN", "external", NEW, lambda text: text == "external", peerASN=None),
    "interface": one_of_peer("interface", "eth0", NEW, is_interface, peerAddress=None),
    "vrf": one_of_peer("vrf", "red", NEW, is_interface),
    "passwordSecret": Field("BGPPeer", "spec.passwordSecret", "secret",
                            lambda text: {"passwordSecret": {"name": text}}, NEW),
    "myASN": one_of_peer("myASN", "64512", BOTH),
    "node label": selector_of_peer("matchLabels", "b", lambda text: select(value=text), is_label),
    "node label key": selector_of_peer("matchLabels", "a", select, is_label_key),
    "node expression key": selector_of_peer("matchExpressions[0]", "a", express, is_label_key),
    "node expression operator": selector_of_peer("matchExpressions[0]", "In", lambda text: express(operator=text), never),
    "node expression value": selector_of_peer("matchExpressions[0]", "b", lambda text: express(values=[text]), is_label),
    "communities": Field("BGPAdvertisement", "spec.communities[0]", "64512:1", lambda text: {"communities": [text]}),
    "large communities": Field("BGPAdvertisement", "spec.communities[0]", "large:1:2:3",
                               lambda text: {"communities": [text]}),
    "peers": Field("BGPAdvertisement", "spec.peers[0]", "tor", lambda text: {"peers": [text]}, only_compared=True),
    "ipAddressPools": Field("BGPAdvertisement", "spec.ipAddressPools[0]", "vips",
                            lambda text: {"ipAddressPools": [text], "localPref": 7}, only_compared=True),
    "pool label": selector_of_advertisement("ipAddressPoolSelectors"),
    "service label": selector_of_advertisement("serviceSelectors"),
    "advertising node label": selector_of_advertisement("nodeSelectors"),
    "receiveInterval": Field("BFDProfile", "spec.receiveInterval", "300", lambda text: {"receiveInterval": text}),
    "community value": Field("Community", "spec.communities[0].value", "64512:1",
                             lambda text: {"communities": [{"name": f"n{hash(text)}", "value": text}]}),
    "community name": Field("Community", "spec.communities[0].name", "blue",
                            lambda text: {"communities": [{"name": f"alias {text}", "value": "64512:1"}]}, only_compared=True),
}


def identity(obj):
    return f"{obj['kind']}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"


class Hostile:
    """Objects with a hostile text each. refused: {object: field}, right: objects that are in force."""

    def __init__(self, names=FIELDS, every=1):
        """every: take each so many-th text."""
        self.objects, self.refused, self.right = [], {}, []
        for name, field in ((name, FIELDS[name]) for name in names):
            for version in field.versions:
                for index, text in enumerate(texts(field.good)[::every]):
                    self._add(f"{name.lower().replace(' ', '-')}-{version}-{index}", field, version, text)

    def _add(self, name, field, version, text):
        number = len(self.objects)
        spec = {"myASN": 64512, "peerASN": 64513, "peerAddress": f"10.1.{number >> 8}.{number & 255}"} \
            if field.kind == "BGPPeer" else {}
        spec |= field.make(text)
        made = metallb(field.kind, name, version, **{k: v for k, v in spec.items() if v is not None})
        self.objects.append(made)
        if not field.only_compared and not field.is_right(text):
            self.refused[identity(made)] = field.found
        else:
            self.right.append(made)


GOOD = (metallb("IPAddressPool", "vips", addresses=["198.51.100.0/24"]), advertisement(), peer("tor", TOR),
        service("web", V4), {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                             "metadata": {"name": "web", "namespace": "default",
                                          "labels": {"kubernetes.io/service-name": "web"}},
                             "endpoints": [{"addresses": ["198.18.1.1"], "conditions": {"ready": True}}]})


def check(directory, objects):
    """(BIRD's configuration, {object: [(field, message)]}, objects that cannot be read, lines that are no
    finding) of the objects, in a file each."""
    directory.mkdir()
    for index, obj in enumerate(objects):
        (directory / f"{index}.json").write_text(json.dumps(obj))
    done = run_command([program("stentor-speaker"), "--node-name", "n1", "--check", directory, "--output", "bird"],
                       check=False)
    found, unread, strange = {}, set(), []
    for line in done.stderr.removesuffix("\n").split("\n") if done.stderr else ():
        told = re.fullmatch(r"error: (?:(\d+)\.json:1|(\w+/[a-z-]+/\S+): (\S+)): (.+)", line)
        if told and told[1]:
            unread.add(identity(objects[int(told[1])]))
        elif told:
            found.setdefault(told[2], []).append((told[3], told[4]))
        else:
            strange.append(line)
    return done.stdout, found, unread, strange


# Every line that BIRD's configuration may be made of.
NAME, ADDRESS, NUMBER, QUOTED = r"[a-z][a-z0-9_]*", r"[0-9a-f.:]+", r"\d+", r'"[ !#-~]*"'
LINES = re.compile("|".join(rf"(?:{line})" for line in (
    r"# Written by stentor-speaker; changes here are lost\.", r"log stderr \{ [a-z, ]+ \};", r"debug protocols \{ states \};",
    rf"router id {ADDRESS};", r"timeformat (?:protocol|base|log) iso long(?: ms)?;", r"watchdog warning 2 s;",
    r"protocol device \{ scan time 10; \}", rf"protocol bfd {NAME} \{{ vrf (?:default|{QUOTED}); \}}",
    rf"protocol (?:radv|bgp|static) {NAME}(?: from t_common)?(?: \{{| \{{ ipv[46];)", rf"  interface {QUOTED}(?: \{{|;)",
    r"    max ra interval 4; min ra interval 3; default lifetime 0;", r"  ?\};?", r"\}",
    rf"route {ADDRESS}/\d+ blackhole;", r"template bgp t_common \{", r"  connect delay time 1;", r"  error wait time 1, 10;",
    r"  error forget time 30;", r"  interpret communities off;", r"  disable after error off;",
    rf"filter {NAME} \{{", r"  if source != RTS_STATIC then reject;", rf'  if proto ~ "{NAME}\*" then \{{',
    r"    bgp_local_pref = 7;", r"    accept;", r"  reject;", rf"  description {QUOTED};", rf"  local (?:{ADDRESS} )?as {NUMBER};",
    rf"  neighbor (?:{ADDRESS} port {NUMBER}|range fe80::/64) (?:as {NUMBER}|external|internal);",
    rf"  dynamic name {QUOTED};", rf"  (?:connect retry|hold|keepalive) time {NUMBER};", rf"  vrf {QUOTED};",
    r'  password "[^"\n]*";', rf"  ipv[46] \{{ import none; export filter {NAME}; next hop self;(?: extended next hop on;)? \}};",
)))


def strange_lines(configuration):
    return [line for line in configuration.splitlines() if line and not LINES.fullmatch(line)]


def test_no_text_reaches_bird(tmp_path):
    """All texts in all fields at once, as --check sees them."""
    hostile = Hostile()
    clean, *found = check(tmp_path / "clean", [*GOOD, *hostile.right])
    assert found == [{}, set(), []] and strange_lines(clean) == []
    told, found, unread, strange = check(tmp_path / "all", [*GOOD, *hostile.objects])
    assert strange == []
    # No JSON with a NUL in a key is read: an object is refused with its file's name.
    assert {re.sub(r"\d+$", "", one) for one in unread} == {
        f"BGPPeer/{SYSTEM}/node-label-key-{version}-" for version in BOTH} and len(unread) == 2 * 3
    assert {one: fields[0][0] for one, fields in found.items()} == {
        one: field for one, field in hostile.refused.items() if one not in unread}
    assert max(len(message) for fields in found.values() for _, message in fields) < 2500
    assert told == clean
    assert re.findall(r"^route (.*);$", told, re.M) == [f"{V4}/32 blackhole"]  # no pool was taken for "vips"
    (tmp_path / "bird.conf").write_text(told)
    run_command(["/usr/sbin/bird", "-p", "-c", tmp_path / "bird.conf"])
    described = set(re.findall(r'^  description "(.*)";$', told, re.M))
    assert described == {one["metadata"]["name"] for one in hostile.right if one["kind"] == "BGPPeer"
                         and "nodeSelectors" not in one["spec"]} | {"tor"}
    print(f"{len(hostile.objects)} objects, {len(hostile.refused)} refused, {len(described)} sessions")
