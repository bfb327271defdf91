"""BGP end to end on one node: the speaker with BIRD under it, and a router of each kind that tells
what it has learnt."""

import pytest

from lab.bgp import THEIR_AS, OUR_AS, advertisement, peer
from lab.routers import ROUTERS, Route
from lab.wait import wait_until

V4, V6 = "198.51.100.1", "2001:db8:100::1"


@pytest.mark.parametrize("kind", sorted(ROUTERS))
def test_announced_and_withdrawn(bgp_lab, kind):
    """What every router must see: a route with the node as next hop, its attributes, its end."""
    lab = bgp_lab(1)
    lab.put(peer("tor", lab["n1"].address.replace(".11", ".1")),
            advertisement(communities=["64512:100", "large:64512:1:2"]))
    router = lab.router(kind)
    lab.serve("web", V4)
    lab.speaker()
    lab.wait_up()
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
    (route,) = router.routes()[f"{V4}/32"]
    assert (route.communities, route.large) == (("64512:100",), ("64512:1:2",))
    assert (route.as_path, route.origin) == ((OUR_AS,), "igp")
    lab.serve("web", V4, nodes=[])
    lab.wait_routes(router, {})
    assert lab.speakers["n1"].bgp_reasons() == {"default/web": "noEndpoints"}
    lab.serve("web", V4)
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
