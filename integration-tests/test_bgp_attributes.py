"""What annotations on BGPAdvertisements add to routes, as real routers see it."""

import pytest

from lab.bgp import advertisement, peer
from lab.wait import wait_until

V4 = "198.51.100.1"
MED, PREPEND, WEIGHTS = (f"stentor.io/bgp-{name}" for name in ("med", "prepend", "weights"))
OUT, IN = "192.0.2.1", "192.0.2.2"


def noted(name="all", annotations=None, **spec):
    one = advertisement(name, **spec)
    one["metadata"]["annotations"] = annotations or {}
    return one


@pytest.fixture
def lab(bgp_lab):
    """A node that serves a Service, a router of another AS and one of ours."""
    made = bgp_lab(1)
    made.put(noted(), peer("out", OUT), peer("in", IN, peerASN=64512))
    made.serve("web", V4)
    made.out = made.router()
    made.inside = made.router("gobgp", "in", 2, asn=64512)
    made.speaker()
    made.wait_up()
    return made


def seen(router):
    """(MED, AS path, communities of link bandwidth) of the one route."""
    (path,) = router.routes().get(f"{V4}/32", [None]) or [None]
    return path and (path.med, path.as_path, path.extended)


def wait_seen(lab, out, inside):
    def now():
        return seen(lab.out)[:2], seen(lab.inside)[:2]
    wait_until(lambda: now() == (out, inside), 20, lambda: f"{now()}; wanted: {out}, {inside}")


def test_med_and_prepend(lab):
    """They come, change and go without a new session; within our AS the path stays as it is."""
    before = lab.out.connections(lab["n1"].address)
    wait_seen(lab, (None, (64512,)), (None, ()))
    lab.put(noted(annotations={MED: "50", PREPEND: "2"}))
    wait_seen(lab, (50, (64512, 64512, 64512)), (50, ()))
    routes = lab.speakers["n1"].bgp()["routes"]
    assert routes == [{"prefixes": [f"{V4}/32"], "peers": [
        {"peer": "in", "ipv4": True, "ipv6": False, "attributes": {"med": 50, "communities": []}},
        {"peer": "out", "ipv4": True, "ipv6": False, "attributes": {"med": 50, "prepend": 2, "communities": []}}]}]
    lab.put(noted(annotations={MED: "4294967295"}))
    wait_seen(lab, (4294967295, (64512,)), (4294967295, ()))
    # Each peer by its own.
    lab.put(noted(annotations={MED: "7"}, peers=["in"]), noted("out", {PREPEND: "1"}, peers=["out"]))
    wait_seen(lab, (None, (64512, 64512)), (7, ()))
    lab.remove(noted("out"))
    lab.put(noted())
    wait_seen(lab, (None, (64512,)), (None, ()))
    assert lab.out.connections(lab["n1"].address) == before


def test_refused(lab):
    """By name; what was in force before stays."""
    lab.put(noted(annotations={MED: "5"}))
    wait_seen(lab, (5, (64512,)), (5, ()))
    number = "must be a number from 0 to"
    for name, value, why in ((MED, "4294967296", f"{number} 4294967295"), (PREPEND, "17", f"{number} 16"),
                             (PREPEND, "1); }", f"{number} 16"), (WEIGHTS, "nodes", 'must be "endpoints"')):
        lab.put(noted(annotations={MED: "6", name: value}))
        told = (f"metadata.annotations[{name}]", f'{why}, not "{value}"')

        def findings():
            return [(f["field"], f["message"]) for f in lab.speakers["n1"].announcements()["findings"]]
        wait_until(lambda told=told: told in findings(), 20, lambda: str(findings()))
    assert (seen(lab.out)[0], seen(lab.inside)[0]) == (5, 5)


def weights(router):
    """{next hop: weight} of the router's kernel for the prefix, in percent."""
    for route in router.host.namespace.ip_json("-4", "route", "show", "proto", "bgp"):
        if route["dst"] == V4:
            hops = route.get("nexthops", [])
            whole = sum(hop["weight"] for hop in hops) or 1
            return {hop["gateway"]: round(100 * hop["weight"] / whole) for hop in hops}
    return {}


def test_weights(bgp_lab):
    """A router sends each node as much as it has endpoints; a change is an UPDATE and nothing more."""
    lab = bgp_lab(2)
    lab.put(noted(annotations={WEIGHTS: "endpoints"}), peer("out", OUT), peer("in", IN, peerASN=64512))
    lab.serve("web", V4, nodes=["n1", "n1", "n1", "n2"], externalTrafficPolicy="Local")
    router = lab.router(nodes=("n1", "n2"))
    inside = lab.router("gobgp", "in", 2, asn=64512)
    for node in ("n1", "n2"):
        lab.speaker(node)
        lab.wait_up("out", node=node)
    n1, n2 = lab["n1"].address, lab["n2"].address
    wait_until(lambda: weights(router) == {n1: 75, n2: 25}, 30, [lambda: str(weights(router)), router.describe])
    paths = {path.next_hop: path.extended for path in router.routes()[f"{V4}/32"]}
    assert paths[n1][0] == "LB:64512:375000" and paths[n2][0] == "LB:64512:125000"
    # Within our AS it is the kind that does not leave it (type 0x40).
    told = inside.cli("global", "rib", f"{V4}/32")[f"{V4}/32"][0]["attrs"]
    (extended,) = [attr for attr in told if attr["type"] == 16]
    assert extended["value"] == [{"type": 64, "subtype": 4, "asn": 64512, "bandwidth": 375000}]
    before = router.connections(n1)
    lab.serve("web", V4, nodes=["n1", "n2"], externalTrafficPolicy="Local")
    wait_until(lambda: weights(router) == {n1: 50, n2: 50}, 20, lambda: str(weights(router)))
    lab.put(noted())
    wait_until(lambda: all(path.extended == () for path in router.routes()[f"{V4}/32"]), 20, router.describe)
    assert router.connections(n1) == before
