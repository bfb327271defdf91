"""A hundred hostile texts (lab/hostile.py) in every field with text that BGP is made of: each is
refused by its object's and field's name, BIRD's configuration is what it would be without, and a
session beside stays up."""

import base64
import dataclasses
import json
import re
import zlib
from pathlib import Path

import pytest

from lab.api import ApiError
from lab.bgp import SYSTEM, advertisement, metallb, peer, service
from lab.daemon import program
from lab.frr import Frr
from lab.hostile import texts
from lab.process import run_command
from lab.router import Neighbor
from lab.wait import wait_until

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
    annotation: str = ""  # that holds the text, beside the spec


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


def annotation_of_advertisement(key, good, is_right):
    return Field("BGPAdvertisement", f"metadata.annotations[{key}]", good, lambda _text: {"ipAddressPools": ["none"]},
                 is_right=is_right, annotation=key)


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
    "bgp-med": annotation_of_advertisement("stentor.io/bgp-med", "10", is_zero),
    "bgp-prepend": annotation_of_advertisement("stentor.io/bgp-prepend", "2", is_zero),
    "bgp-weights": annotation_of_advertisement("stentor.io/bgp-weights", "endpoints", never),
    "receiveInterval": Field("BFDProfile", "spec.receiveInterval", "300", lambda text: {"receiveInterval": text}),
    "community value": Field("Community", "spec.communities[0].value", "64512:1",
                             lambda text: {"communities": [{"name": f"n{zlib.crc32(text.encode())}", "value": text}]}),
    "community name": Field("Community", "spec.communities[0].name", "blue",
                            lambda text: {"communities": [{"name": f"alias {text}", "value": "64512:1"}]}, only_compared=True),
}


def identity(obj):
    return f"{obj['kind']}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"


class Hostile:
    """Objects with a hostile text each. fields: {object: where it is}, refused: those of them that must be,
    right: objects that are in force."""

    def __init__(self, names=FIELDS, every=1):
        """every: take each so many-th text."""
        self.objects, self.fields, self.refused, self.right = [], {}, {}, []
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
        if field.annotation:
            made["metadata"]["annotations"] = {field.annotation: text}
        self.objects.append(made)
        self.fields[identity(made)] = field.found
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
    rf"router id {ADDRESS};", r'timeformat (?:protocol "%F %T%z"|(?:base|log) iso long ms);', r"watchdog warning 2 s;",
    r'include "routes\.conf";', r"protocol device \{ scan time 10; \}", rf"protocol bfd {NAME} \{{ vrf (?:default|{QUOTED}); \}}",
    rf"protocol (?:radv|bgp|static) {NAME}(?: from t_common)?(?: \{{| \{{ ipv[46];)", rf"  interface {QUOTED}(?: \{{|;)",
    r"    max ra interval 4; min ra interval 3; default lifetime 0;", r"  ?\};?", r"\}",
    rf"route {ADDRESS}/\d+ blackhole;", r"template bgp t_common \{", r"  connect delay time 1;", r"  error wait time 1, 10;",
    r"  error forget time 30;", r"  interpret communities off;", r"  disable after error off;",
    rf"filter {NAME} \{{", r"  if source != RTS_STATIC then reject;", rf'  if proto ~ "{NAME}\*" then \{{',
    r"    bgp_local_pref = 7;", r"    bgp_med = 0;", r"    accept;", r"  reject;", rf"  description {QUOTED};", rf"  local (?:{ADDRESS} )?as {NUMBER};",
    rf"  neighbor (?:{ADDRESS} port {NUMBER}|range fe80::/64) (?:as {NUMBER}|external|internal);",
    rf"  dynamic name {QUOTED};", rf"  (?:connect retry|hold|keepalive) time {NUMBER};", rf"  vrf {QUOTED};",
    r'  password "[^"\n]*";', rf"  ipv[46] \{{ import none; export filter {NAME}; next hop self;(?: extended next hop on;)? \}};",
)))


def strange_lines(configuration):
    return [line for line in configuration.split("\n") if line and not LINES.fullmatch(line)]


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
    run_command(["/usr/sbin/bird", "-p", "-c", tmp_path / "bird.conf"], seconds=300)  # of 66 000 lines
    described = set(re.findall(r'^  description "(.*)";$', told, re.M))
    assert described == {one["metadata"]["name"] for one in hostile.right if one["kind"] == "BGPPeer"
                         and "nodeSelectors" not in one["spec"]} | {"tor"}
    print(f"{len(hostile.objects)} objects, {len(hostile.refused)} refused, {len(described)} sessions")


def secret(name, **members):
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
            "metadata": {"name": name, "namespace": SYSTEM}, **members}


# In base64: what no JSON can hold as text.
BYTES = (b"\xff", b"secret\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80", b"s\0", b'"\xff')


def test_no_password_of_a_secret_reaches_bird(tmp_path):
    """As text and as base64. What can be written is, between quotation marks; no other gives a session,
    for one that should be protected is not made without."""
    objects, refused = list(GOOD), {}

    def add(kind, index, is_right, **members):
        name = f"{kind}-{index}"
        objects.append(secret(name, **members))
        objects.append(peer(name, f"10.2.{len(objects) >> 8}.{len(objects) & 255}", passwordSecret={"name": name}))
        if not is_right:
            refused[f"BGPPeer/{SYSTEM}/{name}"] = "spec.passwordSecret"
    for index, text in enumerate(texts("secret")):
        add("text", index, is_password(text), stringData={"password": text})
        add("data", index, is_password(text), data={"password": base64.b64encode(text.encode()).decode()})
        add("key", index, False, data={"pass" + text.replace("\0", "0"): "c2VjcmV0"})
    for index, data in enumerate(BYTES):
        add("bytes", index, False, data={"password": base64.b64encode(data).decode()})
    for index, data in enumerate(("c2VjcmV0\"", "c2VjcmV", "=", "c2Vj cmV0", "c2VjcmV0;", "\"")):
        add("base64", index, False, data={"password": data})
    told, found, unread, strange = check(tmp_path / "secrets", objects)
    assert (unread, strange, strange_lines(told)) == (set(), [], [])
    assert {one: fields[0][0] for one, fields in found.items()} == refused
    sessions = re.findall(r'^  description "(.*)";$', told, re.M)
    assert set(sessions) == {o["metadata"]["name"] for o in objects if o["kind"] == "BGPPeer"
                             and identity(o) not in refused}
    assert told.count('  password "********";') == len(sessions) - 1  # shown to nobody
    (tmp_path / "bird.conf").write_text(told)
    run_command(["/usr/sbin/bird", "-p", "-c", tmp_path / "bird.conf"])


def test_what_others_write_does_not_reach_bird(tmp_path):
    """Names and addresses in Services, their status, endpoints and Nodes, which users may write or not."""
    objects = list(GOOD)
    texts_of_ip = texts("198.51.100.9")
    for index, text in enumerate(texts_of_ip):
        name = f"s{index}"
        made = service(name, text)
        made["metadata"]["annotations"] = {"metallb.io/loadBalancerIPs": text, "metallb.io/address-pool": text}
        made["spec"] |= {"loadBalancerIP": text, "externalName": text}
        slice_ = json.loads(json.dumps(GOOD[-1]))
        slice_["metadata"] |= {"name": name, "labels": {"kubernetes.io/service-name": name}}
        slice_["endpoints"][0]["addresses"] = [text]
        other = json.loads(json.dumps(GOOD[-1]))
        other["metadata"] |= {"name": f"other{index}", "labels": {"kubernetes.io/service-name": text}}
        other["endpoints"][0] |= {"nodeName": text, "zone": text, "hostname": text}
        objects += [made, slice_, other]
    objects.append({"apiVersion": "v1", "kind": "Node",
                    "metadata": {"name": "n1", "labels": {"a": '"; }'}, "annotations": {"stentor.io/note": '"; }'}},
                    "status": {"addresses": [{"type": "InternalIP", "address": text} for text in texts_of_ip]}})
    wanted, *_ = check(tmp_path / "clean", [*GOOD, {**objects[-1], "status": {}}])
    told, found, unread, strange = check(tmp_path / "all", objects)
    assert (unread, strange) == (set(), [])
    assert told == wanted and "198.51.100.9" not in told
    assert set(found) <= {identity(one) for one in objects[len(GOOD):] if one["kind"] != "Node"}


def bird_file(speaker, name):
    arguments = speaker.process.arguments
    return Path(arguments[arguments.index("--bird-dir") + 1], name)


def sessions_in(configuration):
    """{name of the BGPPeer: its password, "" for none} of BIRD's configuration."""
    return {told[1]: "".join(re.findall(r'^  password "(.*)";$', told[2], re.M))
            for told in re.finditer(r'^protocol bgp \w+ from t_common \{\n  description "(.*)";\n((?:  .*\n)*)\}$',
                                    configuration, re.M)}


@pytest.fixture
def up(bgp_lab):
    """A node with a session to FRR, which has its route; lab.check() tells that it never went down."""
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    router = lab.router()
    lab.speaker()
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
    before = router.connections(lab["n1"].address)
    yield lab
    assert router.connections(lab["n1"].address) == before and router.is_up(lab["n1"].address)
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})


def test_beside_a_session(up):
    """A part of them, in a speaker that runs: what it says, and the file that BIRD reads."""
    hostile = Hostile(every=9)
    one = up.speakers["n1"]
    for index, obj in enumerate(hostile.objects):
        put_json(up, str(index), obj)

    def told():
        found = {}
        for finding in one.announcements()["findings"]:
            if finding["severity"] == "error":
                found.setdefault(finding["object"], finding["field"])
        return found
    unread = [index for index, obj in enumerate(hostile.objects) if "\\u0000\": \"b" in json.dumps(obj)]
    wanted = {name: field for name, field in hostile.refused.items()
              if name not in [identity(hostile.objects[index]) for index in unread]}
    wanted |= {f"{index}.json:1": "" for index in unread}
    wait_until(lambda: told() == wanted, 30, lambda: str(set(wanted.items()) ^ set(told().items())))
    passwords = {obj["metadata"]["name"]: obj["spec"].get("password", "") for obj in hostile.right
                 if obj["kind"] == "BGPPeer" and "nodeSelectors" not in obj["spec"]} | {"tor": ""}
    wait_until(lambda: sessions_in(bird_file(one, "bird.conf").read_text()) == passwords, 10,
               lambda: str(set(sessions_in(bird_file(one, "bird.conf").read_text()).items()) ^ set(passwords.items())))
    assert strange_lines(bird_file(one, "bird.conf").read_text()) == []
    wait_until(lambda: set(one.bgp_sessions()) == set(passwords), 20, one.process.describe)
    assert one.bgp()["bird"]["refused"] == 0
    up.serve("mail", "198.51.100.2")  # what is right goes on
    up.wait_routes(up.routers[0], {f"{ip}/32": [up["n1"].address] for ip in (V4, "198.51.100.2")})
    up.serve("mail", "198.51.100.2", nodes=[])


def put_json(lab, name, obj):
    """As JSON, which can hold any text."""
    beside = lab.store.manifests / f".{name}"
    beside.write_text(json.dumps(obj))
    beside.rename(lab.store.manifests / f"{name}.json")


def extras(text):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bgpextras", "namespace": SYSTEM},
            "data": {"extras": text}}


def test_extras_that_bird_cannot_read(up, tmp_path):
    """A user's own lines for BIRD are raw by design. BIRD judges them beside the rest, and what it refuses
    is not used: what was good before is."""
    one, used, refused = up.speakers["n1"], "", 0
    alone = tmp_path / "alone.conf"
    for index, text in enumerate(texts("protocol static own { ipv4; }")[::3]):
        if "router id" in text:  # would be taken, and means other sessions
            continue
        text = f"# {index}\n{text}"
        alone.write_text(f"router id 192.0.2.11; protocol device {{ }}\n{text}")
        is_good = run_command(["/usr/sbin/bird", "-p", "-c", alone], check=False).returncode == 0
        used, refused = text if is_good else used, refused + (not is_good)
        put_json(up, "extras", extras(text))

        def judged(text=text, is_good=is_good, used=used):
            tried, taken = bird_file(one, "tried.conf"), bird_file(one, "extras.conf")
            return tried.exists() and tried.read_bytes() == text.encode() and \
                taken.read_bytes() == used.encode() and (one.bgp()["bird"]["extrasRefusal"] == "") == is_good
        wait_until(judged, 10, [lambda text=text: repr(text[:200]), lambda: str(one.bgp()["bird"]), one.process.describe])
    assert refused >= 20 and used
    put_json(up, "extras", extras(""))
    wait_until(lambda: bird_file(one, "extras.conf").read_text() == "", 10, one.process.describe)


STATE = f"/apis/metallb.io/v1beta1/namespaces/{SYSTEM}/configurationstates/speaker-n1"


def create(api, hostile):
    """Creates what the API server takes. Returns the identities, and what it said of the others."""
    created, refused = set(), {}
    for obj in hostile.objects:
        try:
            api.create(obj)
            created.add(identity(obj))
        except ApiError as error:
            refused[identity(obj)] = error.message
    return created, refused


def accepted(api, obj):
    """(status, message) of the condition Accepted, None before there is one."""
    for condition in api.get(api.path_of(obj)).get("status", {}).get("conditions", ()):
        if condition["type"] == "Accepted":
            return condition["status"], condition["message"]
    return None


def test_by_the_api_server(cluster, run, evidence):
    """A part of them on a real API server, whose schemas refuse some: the rest is named in the objects'
    conditions and in the speaker's ConfigurationState."""
    lab = cluster(1, api=True)
    node, api = lab.network["n1"], lab.store.control_plane.api
    router = Frr(run, lab.network.add_host("tor", 1, planes=("lan",)), 64513, [Neighbor(node.address, 64512)])
    evidence.add("tor.txt", router.describe)
    try:
        lab.add_services(1)
        lab.store.put(advertisement())
        lab.store.put(peer("tor", TOR))
        wait_until(lambda: router.prefixes() == [f"{lab.vip('s1')}/32"], 30, [router.describe, lab.describe])
        before = router.connections(node.address)
        hostile = Hostile(every=23)
        created, refused = create(api, hostile)
        strange = {name: message[:300] for name, message in refused.items()
                   if hostile.fields[name].partition("[")[0] not in message}
        assert strange == {}
        wrong = [obj for obj in hostile.objects if identity(obj) in created & set(hostile.refused)]
        print(f"{len(hostile.objects)} objects, {len(refused)} refused by the API server, {len(wrong)} by us")
        for obj in wrong:
            if hostile.fields[identity(obj)] == "spec.passwordSecret":
                continue  # no affair of the controller's, which may not read Secrets
            status, message = wait_until(lambda obj=obj: accepted(api, obj), 20, lambda obj=obj: str(api.get(api.path_of(obj))))
            assert status == "False" and message.startswith(hostile.refused[identity(obj)]), (identity(obj), message)

        def named():
            told = api.get(STATE)["status"].get("errorSummary", "").splitlines()
            return {line.split(" ")[0] for line in told} == {identity(obj) for obj in wrong}
        wait_until(named, 20, lambda: str(api.get(STATE)))
        assert strange_lines(bird_file(lab.speakers["n1"], "bird.conf").read_text()) == []
        lab.add_services(1)
        wait_until(lambda: router.prefixes() == sorted(f"{ip}/32" for ip in lab.vips().values()), 20, router.describe)
        assert router.connections(node.address) == before
    finally:
        router.stop()
