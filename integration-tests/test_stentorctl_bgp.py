"""stentorctl bgp: what it says of every node is what the routers see. Its words are tested by
ctl/test_show_bgp.c."""

import json

import pytest

from lab.bgp import advertisement, peer
from lab.daemon import program
from lab.wait import wait_until

WEB, DB = "198.51.100.1", "198.51.100.2"
PORT = 9120


@pytest.fixture
def lab(bgp_lab):
    """Two nodes whose speakers are asked over the network, a router; `web` is everywhere, `db` on n2."""
    made = bgp_lab(2)
    made.put(advertisement(communities=["64512:7"]), peer("tor", "192.0.2.1"))
    made.serve("web", WEB)
    made.serve("db", DB, nodes=["n2"], externalTrafficPolicy="Local")
    return made


def serve(lab, *nodes):
    for node in nodes:
        lab.speaker(node, "--bind-address", "0.0.0.0", "--port", str(PORT)).port = PORT


def ctl(lab, *arguments, status=0):
    """stentorctl on n1, with the Nodes' addresses to find the speakers by."""
    done = lab["n1"].namespace.run(program("stentorctl"), "bgp", *arguments, *lab.store.arguments, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def told(lab, *arguments):
    return json.loads(ctl(lab, *arguments, "-o", "json").stdout)


def sessions(lab):
    """{(node, peer): (state, why not)}"""
    return {(node["node"], one["peer"]): (one["state"], one["why"])
            for node in told(lab)["nodes"] for one in node["sessions"]}


def verdicts(lab, what):
    """{Service: {(node, peer): (announced, why)}}"""
    return {service["service"]: {(v["node"], v["peer"]): (v["announced"], v["why"]) for v in service["verdicts"]}
            for service in told(lab, "explain", what)["services"]}


def test_sessions_and_routes(lab):
    router = lab.router(nodes=("n1", "n2"))
    serve(lab, "n1", "n2")
    lab.wait_up(node="n1").wait_up(node="n2")
    hops = [lab["n1"].address, lab["n2"].address]
    lab.wait_routes(router, {f"{WEB}/32": hops, f"{DB}/32": hops[1:]})
    wait_until(lambda: sessions(lab) == {("n1", "tor"): ("Established", ""), ("n2", "tor"): ("Established", "")}, 20)
    attributes = {"communities": ["64512:7"]}
    routes = [{"peer": "tor", "prefix": f"{ip}/32", "services": [f"default/{name}"], "sentBy": nodes,
               "heldBackBy": [], "attributes": attributes, "weight": 0}
              for ip, name, nodes in ((WEB, "web", ["n1", "n2"]), (DB, "db", ["n2"]))]
    assert told(lab, "routes") == {"routes": routes, "silent": []}
    assert told(lab, "routes", "tor") == told(lab, "routes")
    yes, no = ("yes", "communities 64512:7"), ("no", "noLocalEndpoints: externalTrafficPolicy is Local and "
                                                     "no endpoint here can serve")
    assert verdicts(lab, "default/db") == {"default/db": {("n1", ""): no, ("n2", "tor"): yes}}
    assert verdicts(lab, "198.51.100.0/24") == {"default/db": {("n1", ""): no, ("n2", "tor"): yes},
                                                "default/web": {("n1", "tor"): yes, ("n2", "tor"): yes}}
    assert 'has a peer "spine"' in ctl(lab, "routes", "spine", status=1).stderr
    assert '"default/nobody"' in ctl(lab, "explain", "default/nobody", status=1).stderr


def test_what_is_not_up(lab):
    """A peer that refuses, a node whose speaker is not asked, and none at all."""
    assert "Connection refused" in ctl(lab, "--speaker-port", "1", status=3).stderr
    host = lab.network.add_host("tor", 1, planes=("lan",))
    serve(lab, "n1")
    down = "Socket: Connection refused"
    wait_until(lambda: sessions(lab) and sessions(lab)["n1", "tor"][1] == down, 20, lambda: str(sessions(lab)))
    text = ctl(lab).stdout
    assert f"its speaker does not answer at http://{lab['n2'].address}:{PORT}: " in text and down in text
    ((announced, why),) = [v for (node, _), v in verdicts(lab, WEB)["default/web"].items() if node == "n1"]
    assert announced == "no" and f": {down} (nothing takes sessions" in why
    (route,) = told(lab, "routes")["routes"]
    assert (route["prefix"], route["sentBy"], route["heldBackBy"]) == (f"{WEB}/32", [], ["n1"])
    # On the node itself no address and no object is needed.
    done = lab["n1"].namespace.run(program("stentorctl"), "bgp", "--speaker", f"http://127.0.0.1:{PORT}")
    assert down in done.stdout and host.name in done.stdout
