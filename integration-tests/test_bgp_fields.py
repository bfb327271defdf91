"""Each field of BGPPeer, BGPAdvertisement, BFDProfile and Community: what a real router sees of it.

The router is FRR where nothing else is said, because it tells everything as JSON; passwords, both
families at once and communities are asked of every router in test_bgp_speaker.py. Without a VRF in
the kernel `vrf` is shown by the golden files alone, which BIRD's own parser reads."""

import re
import socket

import pytest

from lab.bgp import OUR_AS, THEIR_AS, advertisement, metallb, node_object, peer
from lab.router import Neighbor
from lab.wait import stays, wait_until

V4, V6 = "198.51.100.1", "2001:db8:100::1"
TOR = "192.0.2.1"
TOR6 = "2001:db8:0:1::1"


@pytest.fixture
def lab(bgp_lab):
    """One node, a Service with one IPv4 address, everything announced; the test puts the peer."""
    made = bgp_lab(1)
    made.put(advertisement())
    made.serve("web", V4)
    return made


def to_port(capture, protocol, port):
    """The frames of that protocol (6: TCP, 17: UDP) to that port of the router, by IPv4."""
    return capture.frames(lambda f: f.ethertype == 0x0800 and f.data[23] == protocol
                          and f.data[30:34] == socket.inet_aton(TOR) and f.data[36:38] == port.to_bytes(2, "big"))


def node(lab):
    return lab["n1"].address


def start(lab, router, **spec):
    """The one peer, the speaker; waits until the router has the route. Returns its Route."""
    lab.put(peer("tor", **{"address": TOR, **spec}))
    lab.speaker()
    lab.wait_up()
    wait_until(lambda: f"{V4}/32" in router.prefixes(), 20, router.describe)
    (route,) = router.routes()[f"{V4}/32"]
    return route


# --- BGPPeer -------------------------------------------------------------------------------------

def test_asns(lab):
    """Four octets on both sides (RFC 6793)."""
    router = lab.router(asn=4200000000, neighbors=[Neighbor(node(lab), 4200000001)])
    route = start(lab, router, myASN=4200000001, peerASN=4200000000)
    assert route.as_path == (4200000001,)


@pytest.mark.parametrize("dynamic, asn, path", [("internal", OUR_AS, ()), ("external", THEIR_AS, (OUR_AS,))])
def test_dynamic_asn(lab, dynamic, asn, path):
    route = start(lab, lab.router(asn=asn), peerASN=None, dynamicASN=dynamic)
    assert (route.as_path, route.local_pref) == (path, 100 if dynamic == "internal" else None)


def test_dynamic_asn_refuses_the_other_kind(lab):
    lab.router(asn=OUR_AS)
    lab.put(peer("tor", TOR, peerASN=None, dynamicASN="external"))
    one = lab.speaker()
    wait_until(lambda: one.bgp_sessions()["tor"]["why"] == "BGP Error: Bad peer AS", 20, one.process.describe)


def test_local_asn(lab):
    """Shown in place of ours: the router knows the one AS only."""
    router = lab.router(neighbors=[Neighbor(node(lab), 64999)])
    assert start(lab, router, localASN=64999).as_path == (64999,)


def test_ipv6_peer_carries_ipv6_alone(lab):
    lab.serve("web", V4, V6)
    router = lab.router(v6=True, neighbor={"families": ("ipv4", "ipv6")})
    lab.put(peer("tor", TOR6))
    lab.speaker()
    lab.wait_up()
    lab.wait_routes(router, {f"{V6}/128": [lab["n1"].address6]})


def test_unnumbered(lab):
    """FRR finds us by our router advertisements; IPv4 goes by link-local next hops (RFC 8950)."""
    lab.serve("web", V4, V6)
    lab.network.add_host("tor", 1, planes=("lan",))
    router = lab.router(neighbors=[], lines=(
        " neighbor eth0 interface remote-as external", " neighbor eth0 timers connect 1",
        " address-family ipv4 unicast", "  neighbor eth0 activate", " exit-address-family",
        " address-family ipv6 unicast", "  neighbor eth0 activate", " exit-address-family"))
    router.configure("interface eth0", "no ipv6 nd suppress-ra", "ipv6 nd ra-interval 1")
    lab.put(peer("tor", peerASN=None, dynamicASN="external", interface="eth0"))
    one = lab.speaker()
    lab.wait_up()
    wait_until(lambda: set(router.kernel_routes(4)) == {f"{V4}/32"} and set(router.kernel_routes(6)) == {f"{V6}/128"},
               20, router.describe)
    (hop,) = router.kernel_routes(4)[f"{V4}/32"]
    assert hop.startswith("fe80::")
    assert one.bgp_sessions()["tor"]["address"].startswith("fe80::")


def test_source_address(lab):
    lab["n1"].namespace.ip("address", "add", "192.0.2.111/24", "dev", "eth0")
    router = lab.router(neighbors=[Neighbor("192.0.2.111", OUR_AS)])
    assert start(lab, router, sourceAddress="192.0.2.111").next_hop == "192.0.2.111"


def test_peer_port(lab):
    start(lab, lab.router("gobgp", port=1790, neighbor={"passive": True}), peerPort=1790)


def test_timers(lab):
    """What both agree on: the smaller hold time (RFC 4271 section 4.2)."""
    router = lab.router()
    start(lab, router, holdTime="6s", keepaliveTime="2s")
    told = router.neighbor(node(lab))
    assert (told["bgpTimerHoldTimeMsecs"], told["bgpTimerKeepAliveIntervalMsecs"]) == (6000, 2000)
    session = lab.speakers["n1"].bgp_sessions()["tor"]
    assert (session["holdTime"], session["keepaliveTime"]) == (6, 2)


def test_hold_time_of_zero(lab):
    """No keepalives, and the session does not end for want of them."""
    router = lab.router()
    start(lab, router, holdTime="0s", keepaliveTime="0s")
    assert router.neighbor(node(lab))["bgpTimerHoldTimeMsecs"] == 0


def test_connect_time(lab):
    """How long an attempt is waited for: seen by the ports that attempts come from."""
    host = lab.network.add_host("tor", 1, planes=("lan",))
    host.namespace.run("nft", "-f", "-", input_text="table ip t { chain c { type filter hook input priority 0; "
                       "tcp dport 179 drop; }; }")
    lab.put(peer("tor", TOR, connectTime="1s"))
    with lab.network.capture("tor") as capture:
        lab.speaker()

        def attempts():
            return len({frame.data[34:36] for frame in to_port(capture, 6, 179)})
        wait_until(lambda: attempts() >= 3, 10, capture.describe)  # with the default of 5 s: two


def test_router_id(lab):
    router = lab.router()
    start(lab, router, routerID="10.1.2.3")
    assert router.neighbor(node(lab))["remoteRouterId"] == "10.1.2.3"


def test_router_id_by_default_is_the_nodes_address(lab):
    router = lab.router()
    start(lab, router)
    assert router.neighbor(node(lab))["remoteRouterId"] == node(lab)


def test_node_selectors(bgp_lab):
    """Only the nodes that are selected have the session, and labels move it."""
    lab = bgp_lab(2)
    lab.put(advertisement(), node_object(lab["n1"], {"rack": "a"}),
            peer("tor", TOR, nodeSelectors=[{"matchLabels": {"rack": "a"}}]))
    lab.serve("web", V4)
    router = lab.router(nodes=("n1", "n2"))
    lab.speaker("n1")
    lab.speaker("n2")
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
    assert lab.speakers["n2"].bgp_sessions() == {}
    lab.put(node_object(lab["n1"]), node_object(lab["n2"], {"rack": "a"}))
    lab.wait_routes(router, {f"{V4}/32": [lab["n2"].address]})


def secret(password, name="tor"):
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
            "metadata": {"name": name, "namespace": "metallb-system"}, "stringData": {"password": password}}


def test_password_of_a_secret_is_followed(lab):
    router = lab.router(neighbor={"password": "first"})
    lab.put(secret("wrong"))
    lab.put(peer("tor", TOR, passwordSecret={"name": "tor"}, connectTime="1s"))
    one = lab.speaker()
    wait_until(lambda: "passwords differ" in one.bgp_sessions().get("tor", {}).get("why", ""), 20, one.process.describe)
    lab.put(secret("first"))
    lab.wait_up()
    # One that goes, or comes in a form that cannot be used, ends no session.
    established = router.connections(node(lab))
    lab.put(secret('"'))
    wait_until(lambda: "contains invalid characters" in one.process.log(), 20, one.process.describe)
    lab.remove(secret("first"))
    wait_until(lambda: "there is no Secret" in one.process.log(), 20, one.process.describe)
    assert one.bgp_sessions()["tor"]["up"] and router.connections(node(lab)) == established


def test_graceful_restart(lab):
    router = lab.router(neighbor={"restart": True})
    start(lab, router, enableGracefulRestart=True)
    told = router.neighbor(node(lab))["gracefulRestartInfo"]
    assert (told["remoteGrMode"], told["timers"]["receivedRestartTimer"]) == ("Restart", 120)
    assert lab.speakers["n1"].bgp_sessions()["tor"]["gracefulRestart"]


def test_no_graceful_restart(lab):
    router = lab.router(neighbor={"restart": True})
    start(lab, router)
    assert router.neighbor(node(lab))["gracefulRestartInfo"]["remoteGrMode"] == "Helper"


FAR = "203.0.113.1"


def far_router(lab, **neighbor):
    """A router whose address is behind it: one hop further than the LAN."""
    host = lab.network.add_host("tor", 1, planes=("lan",))
    host.namespace.ip("address", "add", f"{FAR}/32", "dev", "lo")
    lab["n1"].namespace.ip("route", "add", f"{FAR}/32", "via", TOR)
    return lab.router(neighbors=[Neighbor(node(lab), OUR_AS, local_address=FAR, multihop=True, **neighbor)])


def test_ebgp_multihop(lab):
    start(lab, far_router(lab), address=FAR, ebgpMultiHop=True)


def test_without_ebgp_multihop_the_reason_is_told(lab):
    far_router(lab)
    lab.put(peer("tor", FAR))
    one = lab.speaker()
    wait_until(lambda: "needs ebgpMultiHop" in one.bgp_sessions()["tor"]["why"], 20, one.process.describe)


@pytest.mark.parametrize("v6", [False, True])
def test_dual_stack(lab, v6):
    """Both families on one session, whatever its own."""
    lab.serve("web", V4, V6)
    router = lab.router(v6=v6, neighbor={"families": ("ipv4", "ipv6")})
    lab.put(peer("tor", TOR6 if v6 else TOR, dualStackAddressFamily=True))
    lab.speaker()
    lab.wait_up()
    wait_until(lambda: set(router.routes()) == {f"{V4}/32", f"{V6}/128"}, 20, router.describe)
    wait_until(lambda: router.kernel_routes(4) == {f"{V4}/32": [node(lab)]}, 20, router.describe)


# --- BFDProfile ----------------------------------------------------------------------------------

def bfd_peer(router):
    peers = router.bfd_peers()
    return peers[0] if peers else {"status": "none"}


@pytest.mark.parametrize("asn", [THEIR_AS, OUR_AS])
def test_bfd_profile(lab, asn):
    """Intervals and multiplier as the router has them of us, with a peer of another AS and of ours."""
    router = lab.router(asn=asn, neighbor={"bfd": True}, bfd=(200, 200, 4))
    lab.put(metallb("BFDProfile", "fast", receiveInterval=150, transmitInterval=160, detectMultiplier=5))
    start(lab, router, peerASN=asn, bfdProfile="fast")
    wait_until(lambda: bfd_peer(router)["status"] == "up", 20, router.describe)
    told = bfd_peer(router)
    assert (told["remote-receive-interval"], told["remote-transmit-interval"],
            told["remote-detect-multiplier"]) == (150, 160, 5)
    wait_until(lambda: lab.speakers["n1"].bgp_sessions()["tor"]["bfd"] == "Up", 10)
    metrics = lab.speakers["n1"].metrics()
    assert metrics[f'metallb_bfd_session_up{{peer="{TOR}",vrf=""}}'] == 1


def test_bfd_profile_without_fields(lab):
    router = lab.router(neighbor={"bfd": True})
    lab.put(metallb("BFDProfile", "plain"))
    start(lab, router, bfdProfile="plain")
    wait_until(lambda: bfd_peer(router)["status"] == "up", 20, router.describe)
    told = bfd_peer(router)
    assert (told["remote-receive-interval"], told["remote-transmit-interval"],
            told["remote-detect-multiplier"]) == (300, 300, 3)


def test_bfd_passive_mode(lab):
    """A passive one waits for the other: nothing is sent to a router without BFD."""
    lab.router()
    lab.put(metallb("BFDProfile", "passive", passiveMode=True), peer("tor", TOR, bfdProfile="passive"))
    with lab.network.capture("tor") as capture:
        lab.speaker()
        lab.wait_up()

        def sent():
            return to_port(capture, 17, 3784)
        stays(lambda: not sent(), 2, capture.describe)  # an active one sends each second
        lab.put(metallb("BFDProfile", "passive"))
        wait_until(sent, 10, capture.describe)


def test_bfd_profile_changes_and_goes_without_a_flap(lab):
    router = lab.router(neighbor={"bfd": True})
    lab.put(metallb("BFDProfile", "one"), metallb("BFDProfile", "two", detectMultiplier=7))
    start(lab, router, bfdProfile="one")
    wait_until(lambda: bfd_peer(router)["status"] == "up", 20, router.describe)
    before = router.connections(node(lab))
    lab.put(peer("tor", TOR, bfdProfile="two"))
    wait_until(lambda: bfd_peer(router).get("remote-detect-multiplier") == 7, 20, router.describe)
    assert router.connections(node(lab)) == before


# --- BGPAdvertisement and Community --------------------------------------------------------------

@pytest.fixture
def connected(lab):
    """The lab with a session to FRR, over which both families go."""
    router = lab.router(neighbor={"families": ("ipv4", "ipv6")})
    lab.put(peer("tor", TOR, dualStackAddressFamily=True))
    lab.speaker()
    lab.wait_up()
    lab.connected = router
    return lab


def prefixes(lab):
    return sorted(lab.connected.prefixes("ipv4") + lab.connected.prefixes("ipv6"))


def wait_prefixes(lab, *wanted):
    wait_until(lambda: prefixes(lab) == sorted(wanted), 20, [lambda: str(prefixes(lab)), lab.connected.describe])


def test_aggregation_lengths(connected):
    connected.serve("web", V4, V6)
    connected.serve("mail", "198.51.100.77")
    connected.put(advertisement(aggregationLength=26, aggregationLengthV6=64))
    wait_prefixes(connected, "198.51.100.0/26", "198.51.100.64/26", "2001:db8:100::/64")
    connected.serve("web", V4, V6, nodes=[])  # an aggregate stays for as long as one of it is left
    connected.serve("dns", "198.51.100.78")
    wait_prefixes(connected, "198.51.100.64/26")


def test_local_pref(lab):
    """Within one AS only (RFC 4271 section 5.1.5)."""
    lab.put(advertisement(localPref=150))
    assert start(lab, lab.router(asn=OUR_AS), peerASN=OUR_AS).local_pref == 150


def test_local_pref_is_not_for_others(lab):
    lab.put(advertisement(localPref=150))
    assert start(lab, lab.router()).local_pref is None


def communities(lab):
    paths = lab.connected.routes("ipv4").get(f"{V4}/32", [])
    return [(path.communities, path.large) for path in paths]


def test_communities_and_their_names(connected):
    connected.put(metallb("Community", "names", communities=[
        {"name": "blue", "value": "64512:7"}, {"name": "big", "value": "large:4200000000:1:2"},
        {"name": "here", "value": "65535:65281"}]))
    connected.put(advertisement(communities=["blue", "big", "here", "64512:5"]))
    wait_until(lambda: communities(connected) == [(("64512:5", "64512:7", "65535:65281"), ("4200000000:1:2",))], 20,
               lambda: str(communities(connected)))
    connected.put(metallb("Community", "names", communities=[
        {"name": "blue", "value": "64512:8"}, {"name": "big", "value": "large:1:1:1"},
        {"name": "here", "value": "64512:9"}]))
    wait_until(lambda: communities(connected) == [(("64512:5", "64512:8", "64512:9"), ("1:1:1",))], 20,
               lambda: str(communities(connected)))


def test_communities_of_several_advertisements_are_united(connected):
    connected.put(advertisement("a", communities=["64512:1"]), advertisement("b", communities=["64512:2", "64512:1"]))
    wait_until(lambda: communities(connected) == [(("64512:1", "64512:2"), ())], 20,
               lambda: str(communities(connected)))
    connected.remove(advertisement("a"))
    connected.put(advertisement("b", communities=["64512:2"]))
    wait_until(lambda: communities(connected) == [(("64512:2",), ())], 20, lambda: str(communities(connected)))


def test_pools_and_their_selectors(connected):
    other = metallb("IPAddressPool", "other", addresses=["203.0.113.0/28"])
    other["metadata"]["labels"] = {"zone": "b"}
    connected.put(other)
    connected.serve("mail", "203.0.113.1")
    wait_prefixes(connected, f"{V4}/32", "203.0.113.1/32")
    connected.put(advertisement(ipAddressPools=["vips"]))
    wait_prefixes(connected, f"{V4}/32")
    connected.put(advertisement(ipAddressPoolSelectors=[{"matchLabels": {"zone": "b"}}]))
    wait_prefixes(connected, "203.0.113.1/32")
    connected.put(advertisement(ipAddressPools=["vips"], ipAddressPoolSelectors=[{"matchLabels": {"zone": "b"}}]))
    wait_prefixes(connected, f"{V4}/32", "203.0.113.1/32")
    connected.put(advertisement(ipAddressPools=["none"]))
    wait_prefixes(connected)
    assert connected.speakers["n1"].bgp_reasons() == {"default/web": "notOwner", "default/mail": "notOwner"}


def test_advertised_nodes(connected):
    connected.put(advertisement(nodeSelectors=[{"matchLabels": {"kubernetes.io/hostname": "n2"}}]))
    wait_prefixes(connected)
    connected.put(advertisement(nodeSelectors=[{"matchLabels": {"kubernetes.io/hostname": "n2"}},
                                               {"matchLabels": {"kubernetes.io/hostname": "n1"}}]))
    wait_prefixes(connected, f"{V4}/32")


def test_advertised_services(connected):
    connected.serve("mail", "198.51.100.2", labels={"app": "mail"})
    connected.put(advertisement(serviceSelectors=[{"matchLabels": {"app": "mail"}}]))
    wait_prefixes(connected, "198.51.100.2/32")
    assert connected.speakers["n1"].bgp_reasons() == {"default/web": "noMatchingAdvertisement",
                                                      "default/mail": "announced"}


def test_conflicting_preferences(connected):
    """Selected by both, a Service could be announced by neither: it says so, the others go on."""
    select = [{"matchLabels": {"app": "mail"}}]
    connected.put(advertisement("a", localPref=10, serviceSelectors=select, communities=["64512:1"]),
                  advertisement("b", localPref=20, serviceSelectors=[*select, {"matchLabels": {"app": "dns"}}]))
    connected.serve("mail", "198.51.100.2", labels={"app": "mail"})
    connected.serve("dns", "198.51.100.3", labels={"app": "dns"})
    connected.put(advertisement(serviceSelectors=[{"matchLabels": {"app": "none"}}]))
    wait_prefixes(connected, "198.51.100.3/32")
    assert connected.speakers["n1"].bgp_reasons()["default/mail"] == "conflictingAdvertisements"


def test_advertised_peers(lab):
    """Each peer gets what is for it, with the attributes that are for it."""
    one = lab.router("frr", "tor", 1)
    two = lab.router("gobgp", "tor2", 2)
    lab.put(peer("tor", TOR), peer("tor2", "192.0.2.2"))
    lab.put(advertisement(peers=["tor"], communities=["64512:1"]),
            advertisement("second", peers=["tor2", "none"], communities=["64512:2"],
                          ipAddressPools=["vips"], serviceSelectors=[{"matchLabels": {"app": "mail"}}]))
    lab.serve("mail", "198.51.100.2", labels={"app": "mail"})
    lab.speaker()
    lab.wait_up()
    wait_until(lambda: one.prefixes() == [f"{V4}/32", "198.51.100.2/32"] and two.prefixes() == ["198.51.100.2/32"],
               20, [one.describe, two.describe])
    assert one.routes()["198.51.100.2/32"][0].communities == ("64512:1",)
    assert two.routes()["198.51.100.2/32"][0].communities == ("64512:2",)
    services = {s["name"]: s["peers"] for s in lab.speakers["n1"].bgp()["services"]}
    assert services == {"web": ["tor"], "mail": ["tor", "tor2"]}


def test_older_version_of_a_peer(lab):
    old = peer("tor", TOR, routerID="10.9.9.9", password="old")
    old["apiVersion"] = "metallb.io/v1beta1"
    router = lab.router(neighbor={"password": "old"})
    lab.put(old)
    lab.speaker()
    lab.wait_up()
    assert router.neighbor(node(lab))["remoteRouterId"] == "10.9.9.9"


def test_log_holds_no_password(lab):
    start(lab, lab.router(neighbor={"password": "dont-tell"}), password="dont-tell")
    one = lab.speakers["n1"]
    assert "dont-tell" not in one.process.log() + one.get("/api/v1/bgp") + one.get("/metrics")
    directory = one.process.arguments[one.process.arguments.index("--bird-dir") + 1]
    modes = lab.run.directory.__class__(directory).iterdir()
    assert all(re.match(r"bird\.ctl", path.name) or path.stat().st_mode & 0o077 == 0 for path in modes)
