"""Bad input: hundreds of malformed objects and documents lie beside a good pool and Service. Each is
refused by its name, and the good ones are served."""

import json
import subprocess

import pytest
import yaml

from lab.daemon import program

SYSTEM = "metallb-system"
GOOD = """
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: good, namespace: metallb-system}
spec: {addresses: [192.0.2.0/28]}
---
apiVersion: v1
kind: Service
metadata: {name: good, namespace: default}
spec: {type: LoadBalancer, clusterIP: 198.18.0.1, clusterIPs: [198.18.0.1], ports: [{port: 80}]}
"""

ADDRESSES = [
    "", " ", "x", "192.0.2", "192.0.2.1", "192.0.2.1.5/24", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/",
    "/24", "192.0.2.0/24/8", "192.0.2.256/32", "0192.0.2.1/32", "192.0.2.0/2 4", "192.0.2.0/+8",
    "192.0.2.0/99999999999999999999", "2001:db8::/129", "2001:db8::", "2001:db8:::/64", "2001:db8::g/64",
    "2001:db8::1%eth0/128", "::ffff:192.0.2.1/200", "1:2:3:4:5:6:7:8:9/64", "203.0.113.9-203.0.113.1",
    "203.0.113.1-2001:db8::1", "2001:db8::1-203.0.113.1", "2001:db8::2-2001:db8::1", "203.0.113.1-",
    "-203.0.113.1", "-", "--", "203.0.113.1-203.0.113.2-203.0.113.3", "203.0.113.1-x", "x-203.0.113.1",
    "203.0.113.1 203.0.113.2", "203.0.113.1,203.0.113.2", "203.0.113.1..203.0.113.2", "0x0a.0.0.1/32",
    "203.0.113.0/24\n", "ⅳ.0.0.0/8", "203.0.113.0∕24", "a" * 5000, "203.0.113.0/24" * 300,
]
WRONG_LISTS = [5, 1.5, True, "192.0.2.0/24", {"a": "b"}, [5], [None], [["192.0.2.0/24"]], [{}], [True]]
WRONG_BOOLS = [0, 1, "true", "yes", [], {}, 1.0]
WRONG_OBJECTS = [5, "x", True, [], 1.5]
WRONG_NUMBERS = ["1", 1.5, True, [], {}, 10**30, -10**30]


def kind_of(kind, spec, version="metallb.io/v1beta1", namespace=SYSTEM):
    return {"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace}, "spec": spec}


def with_field(kind, base, field, values, **options):
    for value in values:
        yield kind_of(kind, {**base, field: value}, **options)


def pools():
    for text in ADDRESSES:
        yield kind_of("IPAddressPool", {"addresses": [text]})
    good = {"addresses": ["203.0.113.0/28"]}
    yield from with_field("IPAddressPool", {}, "addresses", [*WRONG_LISTS, [], None])
    yield from with_field("IPAddressPool", good, "autoAssign", WRONG_BOOLS)
    yield from with_field("IPAddressPool", good, "avoidBuggyIPs", WRONG_BOOLS)
    yield from with_field("IPAddressPool", good, "excludeAddresses", WRONG_LISTS[:5] + [["x"], ["1.2.3.4-1.2.3.1"]])
    yield from with_field("IPAddressPool", good, "serviceAllocation", WRONG_OBJECTS)
    allocation = [{"priority": n} for n in WRONG_NUMBERS] + [{"namespaces": w} for w in WRONG_LISTS[:6]] + [
        {"serviceSelectors": [{"matchExpressions": [{"key": "a", "operator": o, "values": v}]}]}
        for o, v in (("In", []), ("Near", ["a"]), ("Exists", ["a"]), ("", ["a"]), ("In", ["a", "a"]))]
    yield from with_field("IPAddressPool", good, "serviceAllocation", allocation)
    yield from with_field("IPAddressPool", good, "adresses", [["203.0.113.0/28"]])
    yield from with_field("IPAddressPool", good, "AutoAssign", [True])
    yield kind_of("IPAddressPool", {"addresses": ["203.0.113.0/28", "203.0.113.8/29"]})


def others():
    for field in ("ipAddressPools", "interfaces", "nodeSelectors"):
        yield from with_field("L2Advertisement", {}, field, WRONG_LISTS[:6])
    yield from with_field("L2Advertisement", {}, "preferredNodeSelectors",
                          [[{"weight": w, "preference": {}}] for w in (0, 101, -1, "1", 1.5, None)])
    for field in ("communities", "peers", "ipAddressPools"):
        yield from with_field("BGPAdvertisement", {}, field, WRONG_LISTS[:6])
    yield from with_field("BGPAdvertisement", {}, "aggregationLength", [0, 33, "24", 1.5, 10**30])
    yield from with_field("BGPAdvertisement", {}, "aggregationLengthV6", [129, "64", -10**30])
    yield from with_field("BGPAdvertisement", {}, "localPref", ["100", -1, 2**32])
    yield from with_field("BGPAdvertisement", {}, "communities", [["1:2:3"], ["65536:1"], ["large:1:2"], ["large:1:2:4294967296"]])
    peer = {"myASN": 64512, "peerASN": 64513, "peerAddress": "203.0.113.1"}
    v2 = {"version": "metallb.io/v1beta2"}
    for field, values in (("myASN", [0, -1, "64512", 2**32, None]), ("peerAddress", ["", "router.example", "1.2.3", 5]),
                          ("peerPort", [-1, 16385, "179", 1.5]), ("holdTime", ["1s", "2.9s", "ninety", 90, "-5s"]),
                          ("keepaliveTime", ["x", 5]), ("routerID", ["x", 7]), ("sourceAddress", ["x", []]),
                          ("dynamicASN", ["internal", "sideways"]), ("password", [5, []]),
                          ("passwordSecret", WRONG_OBJECTS), ("interface", ["eth0"]), ("ebgpMultiHop", WRONG_BOOLS[:4])):
        yield from with_field("BGPPeer", peer, field, values, **v2)
    for field in ("receiveInterval", "transmitInterval", "echoInterval"):
        yield from with_field("BFDProfile", {}, field, [9, 60001, "300", -1, 10**30])
    yield from with_field("BFDProfile", {}, "detectMultiplier", [1, 256, "3"])
    yield from with_field("BFDProfile", {}, "minimumTtl", [0, 255])
    yield from with_field("Community", {}, "communities", [
        5, [5], [{"name": "a"}, {"name": "a"}], [{"name": "a", "value": "x"}], [{"name": "a", "value": "1:2:3:4:5"}]])
    for spec in ({}, {"address": "x"}, {"address": "203.0.113.1", "addresses": ["203.0.113.2"]}, {"addresses": []},
                 {"address": 5}, {"address": "203.0.113.1", "expiresAt": "tomorrow"},
                 {"address": "203.0.113.1", "owner": "web"}, {"address": "203.0.113.1", "owner": {}}):
        yield kind_of("IPReservation", spec, version="stentor.io/v1alpha1", namespace="default")
    conflict = {"address": "192.0.2.9", "node": "n1", "interface": "eth0", "mac": "02:00:00:00:00:01",
                "seen": "2026-01-01T00:00:00Z"}
    for field, values in (("address", ["x", 5, "192.0.2.0/24"]), ("node", ["N_1", ""]), ("interface", ["a/b", "a b"]),
                          ("mac", ["02:00", 5, []]), ("seen", ["tomorrow", 5])):
        yield from with_field("AddressConflict", conflict, field, values, version="stentor.io/v1alpha1")


def services():
    good = {"type": "LoadBalancer", "clusterIP": "198.18.0.2", "clusterIPs": ["198.18.0.2"], "ports": [{"port": 80}]}
    options = {"version": "v1", "namespace": "default"}
    for field, values in (("type", ["Loadbalancer", 5, []]), ("ports", ["80", 80, [80], [{"port": "80"}], [{"port": 65536}],
                          [{"port": -1}], [{"port": 10**30}], [{"port": 80, "protocol": "tpc"}]]),
                          ("clusterIPs", WRONG_LISTS[:6]), ("selector", [5, [], "a=b", {"a": 5}]),
                          ("ipFamilies", [5, "IPv4"]), ("ipFamilyPolicy", ["Dual", 5]),
                          ("externalTrafficPolicy", ["local", 5]), ("loadBalancerIP", [5, []]), ("loadBalancerClass", [5, []])):
        yield from with_field("Service", good, field, values, **options)


def nested(depth):
    return "apiVersion: v1\nkind: Service\nmetadata: {name: deep, namespace: default}\nspec: {a: " + "[" * depth + "]" * depth + "}\n"


DOCUMENTS = {
    "tab": b"apiVersion: v1\n\tkind: Service\n", "open-brace": b"{apiVersion: v1, kind: Service\n",
    "open-quote": b'apiVersion: "v1\nkind: Service\n', "bad-indent": b"a: 1\n  b: 2\n c: 3\n",
    "latin-1": b"apiVersion: v1\nkind: Service\nmetadata: {name: caf\xe9}\n", "cut-utf8": b"a: \xe2\x82\n",
    "nul": b"apiVersion: v1\x00\n", "scalar": b"just words\n", "list": b"- a\n- b\n", "number": b"5\n",
    "no-kind": b"apiVersion: v1\nmetadata: {name: a}\n", "no-version": b"kind: Service\nmetadata: {name: a}\n",
    "no-name": b"apiVersion: v1\nkind: Service\nmetadata: {namespace: default}\nspec: {type: LoadBalancer}\n",
    "kind-number": b"apiVersion: v1\nkind: 5\nmetadata: {name: a}\n", "twice": b"a: 1\na: 2\n",
    "misspelt-kind": b"apiVersion: metallb.io/v1beta1\nkind: IPAdressPool\nmetadata: {name: a, namespace: metallb-system}\n",
    "undefined-alias": b"a: *nothing\n", "bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(12)),
    "own-alias": b"a: &a [*a]\n", "tag": b"a: !!python/object:os.system x\n", "deep": nested(300).encode(),
    "infinity": b"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: .inf}]}\n",
    "bom-garbage": b"\xff\xfe\x00a", "binary": bytes(range(256)),
}
JSON_DOCUMENTS = {
    "truncated": b'{"apiVersion": "v1", "kind": "Serv', "trailing": b'{"a": 1} x', "comma": b'{"a": 1,}',
    "twice": b'{"a": 1, "a": 2}', "single-quotes": b"{'a': 1}", "empty": b"", "deep": b"[" * 500 + b"]" * 500,
    "control": b'{"a": "\x01"}', "bad-escape": b'{"a": "\\x"}', "surrogate": b'{"a": "\\ud800"}',
    "huge": b'{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1e400}]}}',
}


def check(directory):
    done = subprocess.run([program("stentor-controller"), "--check", directory, "--output", "json",
                           "--namespace", SYSTEM], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr  # there are errors, and it is no crash
    return json.loads(done.stdout)


def good_service(answer):
    return next(s for s in answer["services"] if s["name"] == "good")


@pytest.fixture
def site(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


def test_malformed_objects(site):
    """Every object is named in an error with its field, and the good Service has its address."""
    objects = [*pools(), *others(), *services()]
    for number, tree in enumerate(objects):
        tree["metadata"]["name"] = f"bad-{number:03}"
        (site / f"bad-{number:03}.yaml").write_text(yaml.safe_dump(tree, allow_unicode=True))
    answer = check(site)
    assert len(objects) >= 200
    assert good_service(answer)["ips"] == ["192.0.2.0"]
    errors = {f["object"] for f in answer["findings"] if f["severity"] == "error"}
    # A number that JSON cannot hold breaks its document: then the file and line are named.
    lines = {error.rpartition(":")[0] for error in errors}
    silent = [tree for tree in objects
              if f"{tree['kind']}/{tree['metadata']['namespace']}/{tree['metadata']['name']}" not in errors
              and f"{tree['metadata']['name']}.yaml" not in lines]
    assert not silent, yaml.safe_dump_all(silent[:10])
    assert all(f["message"] for f in answer["findings"])


@pytest.mark.parametrize("name,content", [
    *((f"{name}.yaml", content) for name, content in DOCUMENTS.items()),
    *((f"{name}.json", content) for name, content in JSON_DOCUMENTS.items() if content)])
def test_malformed_documents(site, name, content):
    """The file is named, with a line, and what is beside it is served."""
    (site / name).write_bytes(content)
    answer = check(site)
    assert good_service(answer)["ips"] == ["192.0.2.0"]
    errors = [f for f in answer["findings"] if f["severity"] == "error"]
    named = [f for f in errors if f["object"].startswith(name) or f["object"].startswith("Service/")]
    assert named, answer["findings"]


def test_good_document_beside_a_broken_one_in_a_file(site):
    (site / "mixed.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: first, namespace: default}\n"
        "spec: {type: LoadBalancer, clusterIP: 198.18.0.3, clusterIPs: [198.18.0.3], ports: [{port: 80}]}\n"
        "---\n{broken\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: third, namespace: default}\n"
        "spec: {type: LoadBalancer, clusterIP: 198.18.0.4, clusterIPs: [198.18.0.4], ports: [{port: 80}]}\n")
    answer = check(site)
    assert {s["name"]: s["reason"] for s in answer["services"]} == {
        "first": "Allocated", "good": "Allocated", "third": "Allocated"}
    assert [f["object"] for f in answer["findings"] if f["severity"] == "error"] == ["mixed.yaml:7"]


def test_an_annotation_of_a_megabyte(site):
    """Larger than an API server takes: refused by name."""
    tree = yaml.safe_load(GOOD.split("---")[1])
    tree["metadata"] = {"name": "large", "namespace": "default", "annotations": {"note": "x" * (1 << 20)}}
    (site / "large.yaml").write_text(yaml.safe_dump(tree))
    answer = check(site)
    assert good_service(answer)["ips"] == ["192.0.2.0"]
    assert [(f["object"], f["field"]) for f in answer["findings"]] == [
        ("Service/default/large", "metadata.annotations")]
