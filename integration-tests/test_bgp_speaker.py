"""BGP end to end on one node: the speaker with BIRD under it, and a router of each kind that tells
what it has learnt, over one session with everything on it. docs/bgp.md shows what came of it."""

import os
import re
import signal

import pytest

from lab.bgp import OUR_AS, advertisement, peer
from lab.programs import REPOSITORY
from lab.router import Route
from lab.routers import ROUTERS
from lab.wait import stays, wait_until

V4, V6 = "198.51.100.1", "2001:db8:100::1"
BOTH = f"{V4}/32", f"{V6}/128"
FEATURES = "announce", "withdraw", "communities", "MD5", "dual stack", "graceful restart"
# What a router of Debian 12 has no means for.
CANNOT = {("exabgp", "graceful restart"): "keeps no routes: it hands each message on and forgets it"}


@pytest.fixture(params=sorted(ROUTERS))
def lab(bgp_lab, request):
    """A node, and a router of that kind that expects all there is."""
    made = bgp_lab(1)
    made.put(advertisement(communities=["64512:100", "large:64512:1:2"]))
    made.kind = request.param
    # ExaBGP's own configuration cannot bear the others' characters.
    made.password = "its-a-secret" if made.kind == "exabgp" else "it's{a};secret#"
    made.tor = made.router(made.kind, neighbor={"password": made.password, "restart": True,
                                                "families": ("ipv4", "ipv6")})
    made.serve("web", V4, V6)
    return made


def put_peer(lab, password):
    lab.put(peer("tor", lab.tor.host.address, password=password, dualStackAddressFamily=True,
                 enableGracefulRestart=True, connectTime="1s"))


def routes(lab):
    """What the router must have; some write the preference or metric that they take by themselves."""
    node = lab["n1"]
    return {prefix: [Route(next_hop=hop, communities=("64512:100",), large=("64512:1:2",), as_path=(OUR_AS,))]
            for prefix, hop in zip(BOTH, (node.address, node.address6))}


def wait_routes(lab, wanted):
    def now():
        return {prefix: [Route(next_hop=one.next_hop, communities=one.communities, large=one.large,
                               as_path=one.as_path, origin=one.origin) for one in paths]
                for prefix, paths in lab.tor.routes().items()}
    wait_until(lambda: now() == wanted, 30, [lambda: str(now()), lab.tor.describe, lab.speakers["n1"].process.describe])


def test_every_router(lab):
    """Password, both families over one session, attributes, withdrawal, and BIRD killed."""
    node = lab["n1"].address
    put_peer(lab, "another")
    one = lab.speaker()
    wait_until(lambda: "passwords differ" in one.bgp_sessions()["tor"]["why"], 20, one.process.describe)
    assert not lab.tor.is_up(node) and lab.tor.routes() == {}
    put_peer(lab, lab.password)
    lab.wait_up()
    wait_routes(lab, routes(lab))
    lab.serve("web", V4, V6, nodes=[])
    wait_routes(lab, {})
    assert one.bgp_reasons() == {"default/web": "noEndpoints"}
    lab.serve("web", V4, V6)
    wait_routes(lab, routes(lab))
    assert lab.tor.restarts(node)
    bird = one.bgp()["bird"]["pid"]
    # Nobody starts BIRD again until the router has noticed.
    one.process.send(signal.SIGSTOP)
    os.kill(bird, signal.SIGKILL)
    wait_until(lambda: not lab.tor.is_up(node), 20, lab.tor.describe)
    if (lab.kind, "graceful restart") in CANNOT:
        assert lab.tor.routes() == {}
    else:
        stays(lambda: sorted(lab.tor.routes()) == sorted(BOTH), 0.5, lab.tor.describe)
    one.process.send(signal.SIGCONT)
    wait_until(lambda: lab.tor.is_up(node), 30, [lab.tor.describe, one.process.describe])
    wait_routes(lab, routes(lab))


def test_table_of_the_guide():
    """docs/bgp.md tells the same."""
    rows = [f"| {kind} | " + " | ".join(f"no: {CANNOT[kind, feature]}" if (kind, feature) in CANNOT else "yes"
                                         for feature in FEATURES) + " |" for kind in sorted(ROUTERS)]
    told = (REPOSITORY / "docs" / "bgp.md").read_text()
    assert re.findall(rf"^\| (?:{'|'.join(ROUTERS)}) \|.*$", told, re.M) == rows
