"""What the API server accepts although it cannot be right, applied with kubectl: each object is named
in its own condition and in ConfigurationState, each Service told why, and the rest is served."""

import pytest

from lab.objects import pool
from lab.story import given, shown, waits, web
from lab.wait import wait_until

SYSTEM = "metallb-system"
IPS, POOL = "metallb.io/loadBalancerIPs", "metallb.io/address-pool"
GOOD = pool("good", "192.0.2.0/24")


def obj(kind, name, version="metallb.io/v1beta1", namespace=SYSTEM, **spec):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace},
            "spec": spec}


def peer(name, **spec):
    return obj("BGPPeer", name, "metallb.io/v1beta2", **{
        "myASN": 64496, "peerASN": 64497, "peerAddress": "203.0.113.250", **spec})


def overlap(text, name, with_text, owner=None):
    by = f" of IPAddressPool/{SYSTEM}/{owner}" if owner else ""
    return f'CIDR "{text}" in pool "{name}" overlaps with already defined CIDR "{with_text}"{by}'


TWICE = [{"matchLabels": {"a": "b"}}, {"matchLabels": {"a": "b"}}]
# (the object, what its condition says). Those that they refer to are good.
OBJECTS = [
    (pool("inside", "192.0.2.128/25"), "spec.addresses[0]: " + overlap("192.0.2.128/25", "inside", "192.0.2.0/24", "good")),
    (pool("around", "192.0.0.0/16"), "spec.addresses[0]: " + overlap("192.0.0.0/16", "around", "192.0.2.0/24", "good")),
    (pool("edge", "198.51.100.0/24", "192.0.1.0-192.0.2.0"),
     "spec.addresses[1]: " + overlap("192.0.1.0-192.0.2.0", "edge", "192.0.2.0/24", "good")),
    (pool("itself", "198.51.100.0/24", "198.51.100.7-198.51.100.9"),
     "spec.addresses[1]: " + overlap("198.51.100.7-198.51.100.9", "itself", "198.51.100.0/24")),
    (pool("same-twice", "198.51.100.0/24", "198.51.100.0/24"),
     "spec.addresses[1]: " + overlap("198.51.100.0/24", "same-twice", "198.51.100.0/24")),
    (pool("backwards", "2001:db8:1::ff-2001:db8:0::1"),
     'spec.addresses[0]: invalid IP range "2001:db8:1::ff-2001:db8:0::1": start IP "2001:db8:1::ff" is after '
     'the end IP "2001:db8:0::1"'),
    (pool("selectors-twice", "198.51.100.0/24", serviceAllocation={"serviceSelectors": TWICE}),
     'spec.serviceAllocation.serviceSelectors: duplicate definition of serviceSelectors "a=b"'),
    (pool("namespaces-twice", "198.51.100.0/24", serviceAllocation={"namespaceSelectors": TWICE}),
     'spec.serviceAllocation.namespaceSelectors: duplicate definition of namespaceSelectors "a=b"'),
    (obj("L2Advertisement", "selectors-twice", nodeSelectors=TWICE),
     'spec.nodeSelectors: duplicate definition of nodeSelectors "a=b"'),
    (obj("BGPAdvertisement", "no-alias", communities=["nobody"]),
     'spec.communities[0]: invalid community format: "nobody" is no community, and no Community object '
     "defines it"),
    (obj("BGPAdvertisement", "too-wide", aggregationLength=16, ipAddressPools=["good"]),
     "spec.aggregationLength: invalid aggregation length 16: prefix 24 in this pool is more specific than the "
     "aggregation length for addresses 192.0.2.0/24"),
    (obj("Community", "alias-again", communities=[{"name": "known", "value": "64496:2"}]),
     'spec.communities[0].name: duplicate definition of community "known"'),
    (peer("no-profile", bfdProfile="missing"),
     "spec.bfdProfile: peer no-profile referencing non existing bfd profile missing"),
    (peer("same-again"), "spec: peer same-again already exists"),
    (obj("IPReservation", "reserved-again", "stentor.io/v1alpha1", None, addresses=["192.0.2.77-192.0.2.78"]),
     'spec: overlaps with "192.0.2.77"'),
    (obj("IPReservation", "overlaps-itself", "stentor.io/v1alpha1", None,
         addresses=["203.0.113.0/31", "203.0.113.1"]),
     'spec.addresses[1]: CIDR "203.0.113.1" in reservation "overlaps-itself" overlaps with already defined '
     'CIDR "203.0.113.0/31"'),
]
FINE = [
    GOOD, peer("first"), obj("Community", "aliases", communities=[{"name": "known", "value": "64496:1"}]),
    obj("IPReservation", "reserved", "stentor.io/v1alpha1", None, address="192.0.2.77", owner={"name": "x"}),
]


def in_namespace(box, manifests):
    """Copies of the manifests; those without a namespace are in the test's."""
    return [m | {"metadata": m["metadata"] | {"namespace": m["metadata"]["namespace"] or box.namespace}}
            for m in manifests]


def condition(box, manifest):
    """(status, message) of Accepted, None before there is one."""
    stored = box.api.get(box.api.path_of(manifest))
    found = [c for c in stored.get("status", {}).get("conditions", []) if c["type"] == "Accepted"]
    return (found[0]["status"], found[0]["message"]) if found else None


def identity(manifest):
    metadata = manifest["metadata"]
    return f"{manifest['kind']}/{metadata['namespace']}/{metadata['name']}"


def look(box, name):
    return shown(box.api.get(box.service_path(name)))


def serve(crds, controller, **options):
    """A controller that has put what is fine in force, and has served a Service."""
    one = controller(**options)
    fine = in_namespace(crds, FINE)
    crds.kubectl.apply(fine)
    for manifest in fine:
        wait_until(lambda m=manifest: condition(crds, m) == ("True", "the object is in force"), 15,
                   lambda m=manifest: condition(crds, m))
    crds.service("before")
    wait_until(lambda: look(crds, "before") == given("192.0.2.0", pool="good"), 15)
    return one


@pytest.fixture
def served(crds, controller):
    return serve(crds, controller)


def test_objects_that_cannot_be_in_force(crds, served):
    """All at once: each is refused by itself, named with its field, and nothing else suffers."""
    manifests = in_namespace(crds, [manifest for manifest, _ in OBJECTS])
    fine = in_namespace(crds, FINE)
    crds.kubectl.apply(manifests)
    told = {identity(m): wait_until(lambda m=m: condition(crds, m), 15) for m in manifests}
    wrong = [(told[identity(m)], sentence) for m, (_, sentence) in zip(manifests, OBJECTS)
             if told[identity(m)][0] != "False" or not told[identity(m)][1].startswith(sentence)]
    assert wrong == [], "\n".join(map(str, wrong))
    assert [condition(crds, m) for m in fine] == [("True", "the object is in force")] * len(fine)
    state = crds.kubectl.get("configurationstate", "controller", SYSTEM)["status"]
    lines = state["errorSummary"].splitlines()
    assert state["result"] == "Invalid"
    assert [line.split(" ")[0] for line in lines] == sorted(identity(m) for m in manifests)
    findings = served.rest("/api/v1/config")["findings"]
    assert [f["object"] for f in findings] == sorted(identity(m) for m in manifests)
    assert served.metrics()['stentor_controller_findings{severity="error"}'] == len(OBJECTS)
    crds.service("after")
    wait_until(lambda: look(crds, "after") == given("192.0.2.1", pool="good"), 15)
    assert look(crds, "before") == given("192.0.2.0", pool="good")
    for manifest in manifests:
        crds.api.delete(crds.api.path_of(manifest))
    wait_until(lambda: crds.kubectl.get("configurationstate", "controller", SYSTEM)["status"]["result"] == "Valid", 15)


def refused(text, sentence):
    return waits("InvalidRequest", f'invalid requested loadbalancer IPs: invalid {IPS} "{text}": {sentence}')


def no_address(text):
    return refused(text, f'"{text}" is no IP address')


LONG = "9" * 100000
ANNOTATIONS = {
    "words": ({IPS: "mine"}, no_address("mine")),
    "comma": ({IPS: ","}, refused(",", '"" is no IP address')),
    "empty_part": ({IPS: ",192.0.2.9"}, refused(",192.0.2.9", '"" is no IP address')),
    "prefix": ({IPS: "192.0.2.9/32"}, no_address("192.0.2.9/32")),
    "leading_zeros": ({IPS: "192.0.2.009"}, no_address("192.0.2.009")),
    "zone": ({IPS: "fe80::1%eth0"}, no_address("fe80::1%eth0")),
    "quotes": ({IPS: '"192.0.2.9"'}, no_address('"192.0.2.9"')),
    "other_digits": ({IPS: "١٩٢.٠.٢.٩"}, no_address("١٩٢.٠.٢.٩")),
    "new_lines": ({IPS: "192.0.2.9\n192.0.2.10"}, no_address("192.0.2.9\n192.0.2.10")),
    "long": ({IPS: LONG}, refused(LONG[:128], f'"{LONG[:64]}" is no IP address')),
    "many": ({IPS: ",".join(["192.0.2.9"] * 1000)},
             refused(",".join(["192.0.2.9"] * 1000)[:128], "more than two addresses")),
    "same_twice": ({IPS: "192.0.2.9,192.0.2.9"},
                   refused("192.0.2.9,192.0.2.9", "two addresses must be of different IP families")),
    "unspecified": ({IPS: "0.0.0.0"}, waits("NotInAnyPool", '["0.0.0.0"] is not allowed in config')),
    "broadcast": ({IPS: "255.255.255.255"}, waits("NotInAnyPool", '["255.255.255.255"] is not allowed in config')),
    "pool_of_words": ({POOL: "no such pool"}, waits("UnknownPool", 'unknown pool "no such pool"')),
    "pool_with_slash": ({POOL: "metallb-system/good"}, waits("UnknownPool", 'unknown pool "metallb-system/good"')),
    "reserved": ({IPS: "192.0.2.77"}, waits(
        "Reserved", '["192.0.2.77"] is reserved for {ns}/x by IPReservation/{ns}/reserved')),
}


def test_wishes_that_make_no_sense(crds, served):
    """All at once: each Service is told what is wrong with its own wish."""
    for name, (annotations, _) in ANNOTATIONS.items():
        crds.api.create(*in_namespace(crds, [web(name.replace("_", "-"), annotations=annotations)]))
    expected = {name: (what.reason, what.message.replace("{ns}", crds.namespace))
                for name, (_, what) in ANNOTATIONS.items()}

    def told():
        seen = {name: look(crds, name.replace("_", "-")) for name in ANNOTATIONS}
        return {name: (what.reason, what.message) for name, what in seen.items()}

    wait_until(lambda: all(reason for reason, _ in told().values()), 15)
    assert told() == expected
    crds.service("after")
    wait_until(lambda: look(crds, "after") == given("192.0.2.1", pool="good"), 15)
    assert served.rest("/api/v1/config") == {"leader": True, "valid": True, "findings": []}


def test_annotations_of_a_quarter_megabyte(crds, controller):
    """As large as the API server takes them, of forty Services: they are served, and memory
    stays within bounds."""
    # AddressSanitizer keeps what has been freed for a while, 256 MB of it when not told otherwise.
    served = serve(crds, controller, env={"ASAN_OPTIONS": "quarantine_size_mb=1"})
    before = served.process.resident_bytes()
    for i in range(40):
        crds.api.create(*in_namespace(crds, [web(f"s{i}", annotations={
            "example.org/blob": "x" * 200000, "metallb.io/allow-shared-ip": f"k{i}"})]))
    wait_until(lambda: all(look(crds, f"s{i}").status == "True" for i in range(40)), 30)
    grown = served.process.resident_bytes() - before
    print(f"resident memory grew by {grown >> 20} MiB")
    assert grown < 60 << 20


def test_texts_with_a_nul(crds, controller):
    """Anybody may write one into an annotation: such Services are served, keys that differ behind
    it only are two, and all keep their addresses from others when the controller starts anew."""
    one = serve(crds, controller)
    texts = {"noted": ("example.org/note", "a\0b"), "key-a": ("metallb.io/allow-shared-ip", "k\0a"),
             "key-b": ("metallb.io/allow-shared-ip", "k\0b")}
    expected = {"before": given("192.0.2.0", pool="good")}
    for port, (name, (key, text)) in enumerate(texts.items(), 80):
        crds.kubectl.apply(*in_namespace(crds, [web(name, [f"TCP/{port}"], annotations={key: text})]))
        expected[name] = given(f"192.0.2.{len(expected)}", pool="good")
        wait_until(lambda n=name: look(crds, n) == expected[n], 15, lambda n=name: look(crds, n))
    one.finish()
    controller()
    crds.service("after")
    expected["after"] = given(f"192.0.2.{len(expected)}", pool="good")
    wait_until(lambda: look(crds, "after") == expected["after"], 15, lambda: look(crds, "after"))
    assert {name: look(crds, name) for name in expected} == expected
