"""stentorctl on a real cluster: what it shows is what the nodes do, what it writes is what they then
do. Its words are tested by ctl/golden.py."""

import json
import subprocess

import pytest

from lab import objects
from lab.daemon import program
from lab.faultproxy import Answer
from lab.process import run_command
from lab.relay import Relay
from lab.wait import wait_until

VIP = "192.0.2.240"
FIRST, SECOND = "n1", "n2"  # in the order of the hash election for that address
NODE, DRAIN = "stentor.io/node", "stentor.io/drain"


class Ctl:
    """stentorctl with a kubeconfig."""

    def __init__(self, kubeconfig):
        self.kubeconfig = kubeconfig

    def run(self, *arguments, status=0):
        """The finished process; its exit status must be that."""
        command = [program("stentorctl"), *arguments, "--kubeconfig", self.kubeconfig]
        done = run_command(command, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "-o", "json").stdout)


@pytest.fixture
def ctl(control_plane):
    return Ctl(control_plane.kubeconfig("admin"))


@pytest.fixture
def cluster(crds, controller):
    """Two nodes and a Service `web` with an address and an endpoint; a controller."""
    for name, address in ((FIRST, "192.0.2.11"), (SECOND, "192.0.2.12")):
        crds.node(name, address)
    crds.api.create(objects.pool("office", f"{VIP}/32"))
    crds.api.create({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
                     "metadata": {"name": "lan", "namespace": "metallb-system"}, "spec": {}})
    controller()
    crds.service("web")
    crds.api.create({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                     "metadata": {"name": "web-1", "namespace": crds.namespace,
                                  "labels": {"kubernetes.io/service-name": "web"}},
                     "endpoints": [{"addresses": ["198.18.1.1"], "nodeName": FIRST,
                                    "conditions": {"ready": True}}],
                     "ports": [{"name": "port-80", "port": 80, "protocol": "TCP"}]})
    wait_until(lambda: crds.api.get(crds.service_path("web")).get("status", {}).get("loadBalancer"), 20)
    return crds


def annotations(api, path):
    return api.get(path)["metadata"].get("annotations", {})


def test_status_and_explain(cluster, ctl):
    """Everything from the API server; a Service that waits is named with the controller's words."""
    service = f"{cluster.namespace}/web"
    cluster.service("full")
    wait_until(lambda: any(c["reason"] == "PoolExhausted" for c in cluster.api.get(
        cluster.service_path("full")).get("status", {}).get("conditions", [])), 20)
    told = ctl.json("status")
    assert [(a["ip"], a["services"]) for a in told["addresses"]] == [(VIP, [service])]
    assert told["addresses"][0]["owner"] in (FIRST, SECOND)
    assert [(w["service"], w["reason"]) for w in told["waiting"]] == [
        (f"{cluster.namespace}/full", "PoolExhausted")]
    assert sorted(node["name"] for node in told["nodes"]) == [FIRST, SECOND]
    assert sum(node["units"] for node in told["nodes"]) == 1
    explained = ctl.json("explain", "service", service)
    assert (explained["pool"], explained["allocation"]) == ("office", "Allocated")
    assert explained["owner"] == told["addresses"][0]["owner"]
    assert ctl.json("explain", "vip", VIP)["services"][0]["service"] == service
    assert f"Node {FIRST}" in ctl.run("explain", "node", FIRST).stdout


def test_move_and_drain(cluster, ctl):
    """The annotations come and go, and the controller does as they say; whom they do not concern
    keeps them."""
    def owned_by(name):
        wait_until(lambda: ctl.json("status")["addresses"][0]["owner"] == name, 20, what=f"{VIP} is {name}'s")

    path, node = cluster.service_path("web"), f"/api/v1/nodes/{FIRST}"
    cluster.api.patch(path, {"metadata": {"annotations": {"mine": "stays"}}})
    ctl.run("move", VIP, SECOND)
    assert annotations(cluster.api, path)[NODE] == SECOND
    owned_by(SECOND)
    assert ctl.run("move", VIP, SECOND).stdout == "it is so already\n"
    ctl.run("move", VIP, FIRST)
    owned_by(FIRST)
    ctl.run("move", f"{cluster.namespace}/web", "--back")
    assert NODE not in annotations(cluster.api, path)
    assert annotations(cluster.api, path)["mine"] == "stays"
    ctl.run("drain", FIRST)
    assert DRAIN in annotations(cluster.api, node)
    assert next(n for n in ctl.json("status")["nodes"] if n["name"] == FIRST)["state"] == "draining"
    owned_by(SECOND)
    wait_until(lambda: annotations(cluster.api, path)["stentor.io/placement"].split()[1] == SECOND, 20)
    ctl.run("undrain", FIRST)
    assert DRAIN not in annotations(cluster.api, node)


def test_refusals(cluster, ctl):
    label = "node.kubernetes.io/exclude-from-external-load-balancers"
    cluster.api.patch(f"/api/v1/nodes/{SECOND}", {"metadata": {"labels": {label: ""}}})
    refused = ctl.run("move", VIP, SECOND, status=1).stderr
    assert f'node "{SECOND}" may not announce {cluster.namespace}/web: it has the label {label}' in refused
    assert NODE not in annotations(cluster.api, cluster.service_path("web"))
    assert 'there is no node "n9"' in ctl.run("drain", "n9", status=1).stderr


def test_somebody_else_writes(cluster, fault_proxy):
    """A version that is no longer current is read again, and nothing of the other's is lost."""
    rule = fault_proxy.rule(Answer(409), method="PATCH", times=2)
    Ctl(fault_proxy.kubeconfig("admin")).run("move", VIP, SECOND)
    assert rule.used == 2
    assert annotations(cluster.api, cluster.service_path("web"))[NODE] == SECOND


def test_may_not(cluster, control_plane):
    """Without the right to write, the server's words are told; without that to read, it says so when
    the time is up."""
    told = Ctl(control_plane.kubeconfig("controller")).run("move", VIP, SECOND, status=1)
    assert "cannot patch resource" in told.stderr
    told = Ctl(control_plane.kubeconfig("stranger")).run("status", "--timeout", "2s", status=3)
    assert "cannot list resource" in told.stderr and "not done in time" in told.stderr


def test_server_away(control_plane):
    relay = Relay((control_plane.address, control_plane.port))
    relay.stop_accepting()
    try:
        away = Ctl(control_plane.kubeconfig("admin", server=relay.url))
        told = away.run("status", "--timeout", "1s", status=3).stderr
        assert "cannot be followed" in told and "not done in time" in told
    finally:
        relay.close()


def test_live(cluster, ctl, network, speaker, control_plane, api_for_nodes):
    """What a speaker and the controller say beside the objects; one that is away is told, and the
    rest is shown."""
    lan = network(1)
    url = api_for_nodes(lan).url
    one = speaker(lan[FIRST], kubeconfig=control_plane.kubeconfig("speaker", server=url))
    wait_until(lambda: one.announced() == [VIP], 20, one.process.describe)
    command = [*lan[FIRST].namespace.exec_prefix(), program("stentorctl"), "status", "-o", "json",
               "--kubeconfig", control_plane.kubeconfig("admin", server=url),
               "--speaker", f"http://127.0.0.1:{one.port}"]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["members"] == one.announcements()["members"]
    told = ctl.run("status", "-o", "json", "--speaker", "http://127.0.0.1:9")
    assert "the speaker does not tell" in told.stderr
    assert json.loads(told.stdout)["addresses"][0]["ip"] == VIP


def test_controllers_account(crds, ctl, controller):
    """explain service adds what the controller's REST API says."""
    crds.api.create(objects.pool("office", f"{VIP}/32"))
    leader = controller()
    crds.service("web")
    path = f"{crds.namespace}/web"
    wait_until(lambda: crds.api.get(crds.service_path("web")).get("status", {}).get("loadBalancer"), 20)
    explained = ctl.json("explain", "service", path, "--controller", f"http://127.0.0.1:{leader.port}")
    assert explained["controller"] == leader.rest(f"/api/v1/explain/{path}")
