"""The CRDs on a real API server: what MetalLB's users apply is accepted, what is wrong is refused
with words they can search for, and nothing is lost between the versions of a kind."""

import pytest
import yaml

from lab.api import ApiError
from lab.process import CommandFailed
from lab.programs import REPOSITORY

SCHEMAS = sorted((REPOSITORY / "crd" / "schemas").glob("*.yaml"))
SAMPLES = sorted((REPOSITORY / "crd" / "testdata" / "samples").glob("*.yaml"))
REFUSED = sorted((REPOSITORY / "crd" / "testdata" / "refused").glob("*.yaml"))
SYSTEM = "metallb-system"
NOW = "2024-01-01T00:00:00Z"


def name_of(path):
    return path.stem


def expectation(path):
    """The text behind "# expect:" in a refused manifest."""
    line = next(line for line in path.read_text().splitlines() if line.startswith("# expect: "))
    return line.removeprefix("# expect: ")


def obj(kind, name, spec=None, version="metallb.io/v1beta1"):
    made = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": SYSTEM}}
    return made if spec is None else made | {"spec": spec}


def peer(name, version="v1beta2", **spec):
    spec = {"myASN": 64496, "peerASN": 64497, "peerAddress": "192.0.2.1"} | spec
    return obj("BGPPeer", name, {k: v for k, v in spec.items() if v is not None},
               f"metallb.io/{version}")


def columns(crds, kind, wide=False):
    """The header of `kubectl get KIND`, with at least one object there."""
    output = crds.kubectl("get", kind, "-n", SYSTEM, *(["-o", "wide"] if wide else [])).stdout
    header = output.splitlines()[0]
    return [part.strip() for part in header.split("  ") if part.strip()]


def test_there_is_something_to_test():
    assert len(SCHEMAS) == 12 and len(SAMPLES) >= 10 and len(REFUSED) >= 90


@pytest.mark.parametrize("path", SAMPLES, ids=name_of)
def test_sample_is_accepted(crds, path):
    """By kubectl apply, with the client's strict check of unknown fields, and by server-side
    apply, which has rules of its own for lists."""
    assert crds.kubectl("apply", "-n", SYSTEM, "-f", str(path)).returncode == 0
    again = crds.kubectl("apply", "-n", SYSTEM, "--server-side", "--force-conflicts", "-f", str(path))
    assert again.returncode == 0


@pytest.mark.parametrize("path", REFUSED, ids=name_of)
def test_refused_with_its_message(crds, path):
    """The API server itself refuses: no webhook is installed."""
    manifest = yaml.safe_load(path.read_text())
    with pytest.raises(ApiError) as refusal:
        crds.api.create(manifest)
    assert refusal.value.status == 422
    assert expectation(path) in refusal.value.message


def test_defaults(crds):
    """What MetalLB fills in, the API server fills in."""
    stored = crds.api.create(obj("IPAddressPool", "defaults", {"addresses": ["192.0.2.0/24"]}))
    assert stored["spec"] == {"addresses": ["192.0.2.0/24"], "autoAssign": True, "avoidBuggyIPs": False}
    stored = crds.api.create(obj("BGPAdvertisement", "defaults", {}))
    assert stored["spec"] == {"aggregationLength": 32, "aggregationLengthV6": 128}
    stored = crds.api.create(peer("defaults"))
    assert stored["spec"] == {"myASN": 64496, "peerASN": 64497, "peerAddress": "192.0.2.1",
                              "peerPort": 179, "disableMP": False, "dualStackAddressFamily": False}
    stored = crds.api.create(peer("former", "v1beta1"))
    assert stored["spec"]["peerPort"] == 179  # the stored version's default
    stored = crds.api.create(obj("BFDProfile", "defaults", {}))
    assert stored["spec"] == {}


COLUMNS = {
    "ipaddresspools": ["NAME", "AUTO ASSIGN", "AVOID BUGGY IPS", "ADDRESSES"],
    "l2advertisements": ["NAME", "IPADDRESSPOOLS", "IPADDRESSPOOL SELECTORS", "INTERFACES"],
    "bgpadvertisements": ["NAME", "IPADDRESSPOOLS", "IPADDRESSPOOL SELECTORS", "PEERS"],
    "bgppeers": ["NAME", "ADDRESS", "ASN", "BFD PROFILE", "MULTI HOPS"],
    "bfdprofiles": ["NAME", "PASSIVE MODE", "TRANSMIT INTERVAL", "RECEIVE INTERVAL", "MULTIPLIER"],
    "communities": ["NAME"],
    "servicel2statuses": ["NAME", "ALLOCATED NODE", "SERVICE NAME", "SERVICE NAMESPACE"],
    "servicebgpstatuses": ["NAME", "NODE", "SERVICE NAME", "SERVICE NAMESPACE"],
    "configurationstates": ["NAME", "RESULT", "ERRORSUMMARY", "AGE"],
    "ipreservations": ["NAME", "ADDRESS", "ADDRESSES", "OWNER", "ASSIGNED", "EXPIRES", "ACCEPTED",
                       "AGE"],
    "bgpsessionstatuses": ["NAME", "NODE", "PEER", "STATE", "SINCE", "WHY NOT"],
    "addressconflicts": ["NAME", "ADDRESS", "MAC", "NODE", "INTERFACE", "SEEN"],
}
WIDE = {"l2advertisements": ["NODE SELECTORS", "ACCEPTED"],
        "bgpadvertisements": ["NODE SELECTORS", "ACCEPTED"],
        "ipaddresspools": ["ACCEPTED"], "bgppeers": ["ACCEPTED"], "bfdprofiles": ["ACCEPTED"],
        "communities": ["ACCEPTED"]}


def test_printer_columns(crds):
    """`kubectl get` shows MetalLB's columns; ours are in the wide form only."""
    crds.kubectl("apply", "-n", SYSTEM, *(part for path in SAMPLES for part in ("-f", str(path))))
    for kind, wanted in COLUMNS.items():
        assert columns(crds, kind) == wanted
        assert columns(crds, kind, wide=True) == wanted + WIDE.get(kind, [])


def test_peer_stored_as_v1beta1_is_read_as_v1beta2(crds):
    """Every field of the former version is there in the current one, unchanged."""
    spec = {"myASN": 64496, "peerASN": 64497, "peerAddress": "203.0.113.250", "routerID": "192.0.2.1",
            "sourceAddress": "203.0.113.1", "peerPort": 1179, "holdTime": "90s", "keepaliveTime": "30s",
            "nodeSelectors": [{"matchLabels": {"rack": "a"}}], "password": "x", "bfdProfile": "fast",
            "ebgpMultiHop": True}
    crds.api.create(peer("former", "v1beta1", **spec))
    read = crds.api.get(f"/apis/metallb.io/v1beta2/namespaces/{SYSTEM}/bgppeers/former")
    assert read["apiVersion"] == "metallb.io/v1beta2"
    assert read["spec"] == spec | {"disableMP": False, "dualStackAddressFamily": False}


def test_writing_through_v1beta1_keeps_the_newer_fields(crds):
    """A client of the former version reads, changes and writes a peer that it cannot express."""
    newer = {"interface": "eth1", "dynamicASN": "external", "localASN": 64511, "connectTime": "5s",
             "vrf": "red", "enableGracefulRestart": True, "dualStackAddressFamily": True,
             "passwordSecret": {"name": "secret"}}
    crds.api.create(peer("newer", peerASN=None, peerAddress=None, **newer))
    former = crds.api.get(f"/apis/metallb.io/v1beta1/namespaces/{SYSTEM}/bgppeers/newer")
    former["spec"]["myASN"] = 64500
    crds.api.replace(former)
    read = crds.api.get(f"/apis/metallb.io/v1beta2/namespaces/{SYSTEM}/bgppeers/newer")
    assert read["spec"] == newer | {"myASN": 64500, "peerPort": 179, "disableMP": False}


def test_former_peer_with_port_zero_can_still_be_changed(crds):
    """v1beta1 allows port 0 and v1beta2 does not: an update that leaves it alone goes through."""
    crds.api.create(peer("former", "v1beta1", peerPort=0))
    path = f"/apis/metallb.io/v1beta2/namespaces/{SYSTEM}/bgppeers/former"
    changed = crds.api.patch(path, {"spec": {"peerASN": 64511}})
    assert (changed["spec"]["peerPort"], changed["spec"]["peerASN"]) == (0, 64511)


def test_graceful_restart_is_fixed_once_set(crds):
    crds.api.create(peer("plain"))
    path = f"/apis/metallb.io/v1beta2/namespaces/{SYSTEM}/bgppeers/plain"
    crds.api.patch(path, {"spec": {"enableGracefulRestart": True}})
    with pytest.raises(ApiError, match="EnableGracefulRestart cannot be changed after creation"):
        crds.api.patch(path, {"spec": {"enableGracefulRestart": False}})


def test_status_says_who_announces_and_cannot_be_turned(crds):
    """The status kinds: node and Service are fixed once written."""
    stored = crds.api.create(obj("ServiceL2Status", "l2-x"))
    path = crds.api.path_of(stored)
    status = {"node": "n1", "serviceName": "web", "serviceNamespace": "shop", "interfaces": []}
    assert crds.api.patch(path + "/status", {"status": status})["status"] == status
    with pytest.raises(ApiError, match="Value is immutable"):
        crds.api.patch(path + "/status", {"status": {"node": "n2"}})


def test_conditions_stand_alone_in_a_pool_status(crds):
    """A refused pool has conditions and no counters; counters come and go without them."""
    stored = crds.api.create(obj("IPAddressPool", "told", {"addresses": ["192.0.2.0/24"]}))
    path = crds.api.path_of(stored) + "/status"
    condition = {"type": "Accepted", "status": "False", "reason": "Overlap", "message": "a sentence",
                 "lastTransitionTime": NOW, "observedGeneration": 1}
    told = crds.api.patch(path, {"status": {"conditions": [condition]}})
    assert told["status"] == {"conditions": [condition]}
    counters = {"assignedIPv4": 1, "assignedIPv6": 0, "availableIPv4": 255,
                "availableIPv6": 9223372036854775807}
    assert crds.api.patch(path, {"status": counters})["status"] == counters | {"conditions": [condition]}
    assert "False" in crds.kubectl("get", "ipaddresspools", "told", "-n", SYSTEM, "-o", "wide").stdout


def test_largest_objects_fit_the_cost_budget(crds):
    """Lists filled to their limits are still judged: the server gives rules only so much time."""
    selectors = [{"matchExpressions": [{"key": "example.org/app", "operator": "In",
                                        "values": [f"a{i}", f"b{j}"]} for j in range(64)]}
                 for i in range(64)]
    tail = "aaaa:bbbb:cccc:dddd"
    crds.api.create(obj("IPAddressPool", "large", {
        "addresses": [f"2001:db8:{i:x}:{tail}:1000-2001:db8:{i:x}:{tail}:f000" for i in range(1024)],
        "excludeAddresses": [f"198.51.{i // 256}.{i % 256}-198.51.{i // 256}.{i % 256}"
                             for i in range(1024)],
        "serviceAllocation": {"serviceSelectors": selectors}}))
    crds.api.create(obj("BGPAdvertisement", "large", {
        "communities": [f"large:64496:{i}:4294967295" for i in range(1024)],
        "nodeSelectors": selectors}))
    crds.api.create(obj("Community", "large", {
        "communities": [{"name": f"a-rather-long-name-of-a-community-number-{i}",
                         "value": f"large:64496:{i}:4294967295"} for i in range(256)]}))


def test_strict_clients_are_told_of_unknown_fields(crds):
    """kubectl's own check knows our schemas."""
    manifest = obj("IPAddressPool", "typo", {"addresses": ["192.0.2.0/24"], "autoasign": False})
    with pytest.raises(CommandFailed, match='unknown field "spec.autoasign"'):
        crds.kubectl.apply(manifest)
