"""What a speaker answers over HTTP is what docs/openapi-speaker.yaml says: every route and status,
every answer by its schema, and every property that is described is in some answer."""

import json
import re
import sys

import pytest

from lab.bgp import advertisement, metallb, peer
from lab.programs import REPOSITORY
from lab.wait import wait_until

sys.path.insert(0, str(REPOSITORY / "docs/check"))

from openapi import Document  # noqa: E402

WEB, WEB6, LOCAL = "198.51.100.1", "2001:db8:100::1", "198.51.100.2"
NOT_YET = {("/api/v1/explain/{address}", "503"), ("/api/v1/explain/{namespace}/{name}", "503"),
           ("/readyz", "503")}  # only before the first plan
TARGETS = {
    "/api/v1/announcements": ["/api/v1/announcements"],
    "/api/v1/bgp": ["/api/v1/bgp"],
    "/api/v1/explain/{address}": [f"/api/v1/explain/{text}" for text in (WEB, WEB6, "203.0.113.1", "198.51.100")],
    "/api/v1/explain/{namespace}/{name}": [f"/api/v1/explain/default/{name}" for name in ("web", "local", "nobody")],
    "/metrics": ["/metrics"], "/healthz": ["/healthz"], "/readyz": ["/readyz"],
}


@pytest.fixture
def lab(bgp_lab):
    """One speaker that watches others, layer 2 and BGP, a session that is up and one that is not,
    and something to complain of."""
    made = bgp_lab(1)
    keys = made.run.make_directory("keys")
    (keys / "secretkey").write_text("a secret of the lab\n")
    made.router()
    made.network.add_host("tor2", 2, planes=("lan",))
    ad = advertisement(localPref=150, communities=["64512:7"])
    ad["metadata"]["annotations"] = {f"stentor.io/bgp-{name}": value for name, value in
                                     (("med", "10"), ("prepend", "1"), ("weights", "endpoints"))}
    made.put(metallb("L2Advertisement", "lan", interfaces=["eth0"]), ad,
             advertisement("bad", communities=["unknown"]),
             peer("tor", "192.0.2.1"), peer("tor2", "192.0.2.2"))
    made.serve("web", WEB, WEB6, externalTrafficPolicy="Local")
    made.serve("local", LOCAL, nodes=["n2"], externalTrafficPolicy="Local")
    leave_carried(made["n1"].namespace)
    made.speaker("n1", "--ml-bindaddr", made["n1"].address, "--ml-secret-key-path", keys)
    made.wait_up("tor")
    return made


def leave_carried(namespace):
    """What an earlier speaker of the node may have left in the kernel (docs/layer2.md)."""
    namespace.run("nft", """
        add table ip stentor
        add chain ip stentor late { type filter hook prerouting priority -150; }
        add map ip stentor former { type ipv4_addr : ipv4_addr; flags timeout; }
        add element ip stentor former { %s timeout 50m comment "n9" : 192.0.2.19 }
        """ % WEB)


def answers(one, path, target):
    health = one.health_port if path in ("/healthz", "/readyz") else None
    accept = ["text/plain", "application/openmetrics-text"] if path == "/metrics" else ["*/*"]
    for kind in accept:
        yield one.ask(target, headers={"Accept": kind}, port=health)


def test_answers(lab):
    one = lab.speakers["n1"]
    document = Document(REPOSITORY / "docs/openapi-speaker.yaml")
    wait_until(lambda: WEB in one.announced() and one.bgp_sessions()["tor"]["prefixes"] == 1, 20, one.process.describe)
    problems, answered = [], set()
    for _, path, operation in document.operations():
        for target in TARGETS[path]:
            for status, headers, body in answers(one, path, target):
                media = headers["Content-Type"].partition(";")[0]
                answered.add((path, str(status)))
                schema = document.content(operation["responses"][str(status)])[media]["schema"]
                if media == "application/json":
                    problems += document.problems(schema, json.loads(body), target)
    told = {(path, status) for _, path, operation in document.operations() for status in operation["responses"]}
    assert told - answered == NOT_YET
    assert problems + list(document.unseen()) == []


def test_explained(lab):
    """Of one Service and of an address, word for word."""
    one = lab.speakers["n1"]
    refused = "Socket: Connection refused"
    wait_until(lambda: one.bgp_sessions()["tor2"]["why"] == refused and WEB in one.announced(), 20)
    carried = one.rest(f"/api/v1/explain/{WEB}")["carried"]
    time = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(f"packets of connections opened before {time} that come here go on to node \"n9\" "
                        f"until {time}", carried)
    attributes = {"localPref": 150, "med": 10, "prepend": 1, "communities": ["64512:7"]}
    web = {"service": "default/web", "layer2": {
        "announced": True, "reason": "announced", "message": "", "owner": "n1", "tier": "normal",
        "placement": "notPublished", "epoch": 0, "addresses": [
            {"ip": ip, "state": "owning", "member": "", "message": "it is this node's: answered for and announced",
             "carried": way} for ip, way in ((WEB, carried), (WEB6, ""))]}, "bgp": {
        "announced": True, "reason": "announced", "message": "", "routes": [
            {"prefix": prefix, "peer": name, "sent": name == "tor" and ip == WEB, "message":
             "the session does not carry this address family" if ip == WEB6 else "" if name == "tor" else refused,
             "attributes": attributes, "weight": 1}
            for ip, prefix in ((WEB, f"{WEB}/32"), (WEB6, f"{WEB6}/128")) for name in ("tor", "tor2")]}}
    # The moments are told anew each time, from a clock that may be set.
    told = re.sub(time, "TIME", json.dumps([one.rest(f"/api/v1/explain/{what}") for what in ("default/web", WEB)]))
    wanted = [{"node": "n1", **web}, {"node": "n1", **web["layer2"]["addresses"][0], "services": [web]}]
    assert json.loads(told) == json.loads(re.sub(time, "TIME", json.dumps(wanted)))
    local = one.rest("/api/v1/explain/default/local")
    assert (local["layer2"]["message"], local["bgp"]["message"]) == (
        "another node is elected, or no endpoint can serve",
        "externalTrafficPolicy is Local and no endpoint here can serve")
    assert local["layer2"]["addresses"] == [
        {"ip": LOCAL, "state": "none", "member": "", "message": "this node does nothing about it",
         "carried": ""}]
