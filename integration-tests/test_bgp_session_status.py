"""BGPSessionStatus objects, on a real API server with the speaker's own rights: what `kubectl get` and
`stentorctl bgp` show where no speaker can be asked."""

import json
import re
import signal
from datetime import datetime, timedelta, timezone

import pytest

from lab.bgp import advertisement, peer
from lab.daemon import program
from lab.frr import Frr
from lab.router import Neighbor
from lab.wait import wait_until

KIND = "/apis/stentor.io/v1alpha1/namespaces/metallb-system/bgpsessionstatuses"
TOR, REFUSED = "192.0.2.1", "Socket: Connection refused"
KATHMANDU = ["sh", "-c", 'mount --bind /usr/share/zoneinfo/Asia/Kathmandu /etc/localtime && exec "$@"', "sh"]


@pytest.fixture
def lab(cluster, crds, run, evidence):
    """One node, a router and, at another address, a host that takes no session."""
    one = cluster(1, api=True)
    host = one.network.add_host("tor", 1, planes=("lan",))
    one.network.add_host("tor2", 2, planes=("lan",))
    one.store.put(advertisement())
    one.kubectl = crds.kubectl
    one.started = datetime.now(timezone.utc) - timedelta(seconds=1)
    one.router = Frr(run, host, 64513, [Neighbor(one.network.nodes[0].address, 64512)])
    evidence.add("tor.txt", one.router.describe)
    yield one
    one.router.stop()


def statuses(lab):
    """{name: (node, peer, address, state, why not)}"""
    return {one["metadata"]["name"]: tuple(one["status"][key] for key in
                                           ("node", "peer", "address", "state", "message"))
            for one in lab.store.control_plane.api.items(KIND)}


def wait_statuses(lab, **wanted):
    """tor="" for one that is up, else why it is not."""
    addresses = {"tor": TOR, "tor2": "192.0.2.2"}
    want = {f"{name}.n1": ("n1", name, addresses[name], "Down" if why else "Established", why)
            for name, why in wanted.items()}
    wait_until(lambda: statuses(lab) == want, 30, [lambda: f"{statuses(lab)}; wanted: {want}", lab.describe])


def told(lab):
    """What stentorctl bgp says of the node."""
    done = lab.network.nodes[0].namespace.run(program("stentorctl"), "bgp", "-o", "json", "--kubeconfig",
                                              lab.store.kubeconfig("admin"))
    (node,) = json.loads(done.stdout)["nodes"]
    return node


def test_statuses(lab):
    # The node's local time is another than ours; BIRD tells by its local time.
    lab.stop_speaker("n1")
    speaker = lab.speakers["n1"].process
    speaker.arguments = [*KATHMANDU, *speaker.arguments]  # `ip netns exec` has made a mount namespace
    lab.start_speaker("n1")
    lab.store.put(peer("tor", TOR))
    lab.store.put(peer("tor2", "192.0.2.2"))
    wait_statuses(lab, tor="", tor2=REFUSED)
    since = lab.store.control_plane.api.get(f"{KIND}/tor.n1")["status"]["since"]
    # In UTC; kubectl shows how long ago.
    up = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert lab.started <= up <= datetime.now(timezone.utc) + timedelta(seconds=2)
    (shown,) = lab.kubectl("get", "-n", "metallb-system", "bgpsessionstatuses", "tor.n1",
                            "--no-headers").stdout.splitlines()
    assert re.fullmatch(r"tor\.n1 +n1 +tor +Established +\d+m?s *", shown)
    # No speaker serves its API to others here: what it has written is shown.
    control_plane = lab.store.control_plane
    node = told(lab)
    assert node["written"] and "onnection refused" in node["error"]
    assert [(s["peer"], s["state"], s["since"], s["why"]) for s in node["sessions"]] == [
        ("tor", "Established", since, ""), ("tor2", "Down", node["sessions"][1]["since"], REFUSED)]
    # A speaker that is started again writes nothing anew.
    version = control_plane.api.get(f"{KIND}/tor.n1")["metadata"]["resourceVersion"]
    lab.controller.process.send(signal.SIGSTOP)  # however slow the machine is, it does not miss the speaker
    lab.kill_speaker("n1")
    lab.store.remove(peer("tor2", "192.0.2.2"))
    lab.start_speaker("n1")
    lab.controller.process.send(signal.SIGCONT)
    wait_statuses(lab, tor="")  # the other went while nobody was there
    assert control_plane.api.get(f"{KIND}/tor.n1")["metadata"]["resourceVersion"] == version
    lab.router.stop()
    wait_until(lambda: statuses(lab)["tor.n1"][3:] != ("Established", ""), 30, lambda: str(statuses(lab)))
    assert statuses(lab)["tor.n1"][3] == "Down" and statuses(lab)["tor.n1"][4]
    lab.store.remove(peer("tor", TOR))
    wait_statuses(lab)


def test_lost_speaker(lab):
    """What it said last is not held up as the truth; the speaker that comes back says it again."""
    lab.store.put(peer("tor", TOR))
    wait_statuses(lab, tor="")
    since = lab.store.control_plane.api.get(f"{KIND}/tor.n1")["status"]["since"]
    lab.kill_speaker("n1")
    why = f"the speaker of this node is lost; it said last: Established since {since}"
    unknown = {"tor.n1": ("n1", "tor", TOR, "Unknown", why)}
    wait_until(lambda: statuses(lab) == unknown, 30, [lambda: str(statuses(lab)), lab.describe])
    assert [(s["state"], s["up"], s["why"]) for s in told(lab)["sessions"]] == [("Unknown", False, why)]
    lab.start_speaker("n1")
    wait_statuses(lab, tor="")
