"""State saved on disk: a program that restarts while the API server is away works from what it
knew, and is put right, without a gap, when the server is back."""

import re
import signal

import pytest

from lab import objects
from lab.page import fetch, serve_page
from lab.wait import wait_until

VIP = "192.0.2.240"
FIRST, SECOND = "n1", "n2"  # in the order of the hash election for that address


# --- the source -----------------------------------------------------------------------------------


def config_map(name, namespace, data="x"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"d": data},
            "metadata": {"name": name, "namespace": namespace}}


@pytest.fixture
def follower(kube_probe, relay, control_plane, tmp_path):
    """follower(KIND@NAMESPACE, …) starts a kube-probe behind the relay, with a state directory."""
    def start(*follow):
        return kube_probe("--kubeconfig", control_plane.kubeconfig("admin", server=relay.url),
                          "--state-dir", tmp_path / "state", *follow)

    return start


def away(relay):
    relay.stop_accepting()
    relay.cut_all()


def test_replaced_without_a_gap(follower, relay, sandbox):
    """From the file at once; then each object once more from the server, what is new, and the end
    of what is gone. Nothing else."""
    namespace = sandbox.namespace
    follow = f"ConfigMap@{namespace}"
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("stays", "changes", "goes"):
        sandbox.api.create(config_map(name, namespace))
    follower(follow).synced().finish()
    away(relay)
    one = follower(follow).synced()
    assert {line.get("changed"): line.get("after") for line in one.said if "changed" in line} == {
        f"ConfigMap/{namespace}/{name}": "" for name in ("stays", "changes", "goes")}
    changed = sandbox.api.patch(f"{path}/changes", {"data": {"d": "y"}})
    sandbox.api.delete(f"{path}/goes")
    fresh = sandbox.api.create(config_map("new", namespace))
    before = len(one.said)
    relay.accept()
    one.synced(after=before, seconds=60)
    version = {name: sandbox.api.get(f"{path}/{name}")["metadata"]["resourceVersion"]
               for name in ("stays", "changes", "new")}
    assert version["changes"] == changed["metadata"]["resourceVersion"]
    assert version["new"] == fresh["metadata"]["resourceVersion"]
    assert one.versions(f"ConfigMap/{namespace}/stays") == ["", version["stays"]]
    assert one.versions(f"ConfigMap/{namespace}/changes") == ["", version["changes"]]
    assert one.versions(f"ConfigMap/{namespace}/goes") == ["", None]
    assert one.versions(f"ConfigMap/{namespace}/new") == [version["new"]]
    one.wait_log("the api server answers, saved state is replaced", 5)


def test_server_that_says_nothing(follower, relay, sandbox):
    """It takes connections and does not answer: after two seconds the file is worked from, until it
    does."""
    namespace = sandbox.namespace
    follow = f"ConfigMap@{namespace}"
    sandbox.api.create(config_map("stays", namespace))
    follower(follow).synced().finish()
    relay.freeze()
    one = follower(follow).synced()
    assert one.objects("ConfigMap") == {f"{namespace}/stays": ""}
    before = len(one.said)
    relay.thaw()
    one.synced(after=before, seconds=60)
    one.wait_log("the api server answers, saved state is replaced", 5)


def test_server_counts_when_it_answers(follower, sandbox):
    """What is on disk is not even looked at."""
    namespace = sandbox.namespace
    sandbox.api.create(config_map("goes", namespace))
    follower(f"ConfigMap@{namespace}").synced().finish()
    sandbox.api.delete(f"/api/v1/namespaces/{namespace}/configmaps/goes")
    one = follower(f"ConfigMap@{namespace}").synced()
    assert one.objects("ConfigMap") == {}
    assert one.versions(f"ConfigMap/{namespace}/goes") == []


def test_only_what_is_followed(follower, relay, sandbox):
    """A file of more kinds and namespaces than are followed now; Secrets are never in it."""
    namespace = sandbox.namespace
    sandbox.api.create(config_map("m", namespace))
    sandbox.api.create({"apiVersion": "v1", "kind": "Secret", "stringData": {"k": "hidden-value"},
                        "metadata": {"name": "s", "namespace": namespace}})
    one = follower(f"ConfigMap@{namespace}", f"Secret@{namespace}", "Namespace").synced()
    assert one.objects("Secret") == {f"{namespace}/s": one.versions(f"Secret/{namespace}/s")[-1]}
    one.finish()
    away(relay)
    two = follower(f"ConfigMap@{namespace}", f"Secret@{namespace}").synced()
    assert two.objects("ConfigMap") == {f"{namespace}/m": ""}
    assert two.objects("Secret") == {}
    three = follower("ConfigMap@elsewhere", "Namespace").synced()
    assert three.objects("ConfigMap") == {}
    assert f"{namespace}" in three.objects("Namespace")


def test_secret_is_not_written(follower, sandbox, tmp_path):
    namespace = sandbox.namespace
    sandbox.api.create({"apiVersion": "v1", "kind": "Secret", "stringData": {"k": "hidden-value"},
                        "metadata": {"name": "hidden-name", "namespace": namespace}})
    sandbox.api.create(config_map("shown-name", namespace))
    follower(f"ConfigMap@{namespace}", f"Secret@{namespace}").synced().finish()
    text = (tmp_path / "state" / "kube-probe.objects").read_bytes()
    assert b"shown-name" in text and b"hidden" not in text


def test_damaged_file(follower, relay, sandbox, tmp_path):
    """It is named; the one before is used; without one, nothing is told."""
    namespace = sandbox.namespace
    follow = f"ConfigMap@{namespace}"
    sandbox.api.create(config_map("a", namespace))
    follower(follow).synced().finish()
    sandbox.api.create(config_map("b", namespace))
    follower(follow).synced().finish()
    away(relay)
    path = tmp_path / "state" / "kube-probe.objects"
    path.write_bytes(path.read_bytes()[:-5])
    one = follower(follow).synced()
    line = one.wait_log("saved state cannot be used", 5).string
    assert "kube-probe.objects " in line and "its sum is wrong" in line
    assert one.objects("ConfigMap") == {f"{namespace}/a": ""}
    one.finish()
    (tmp_path / "state" / "kube-probe.objects.old").write_text("nothing of ours")
    two = follower(follow)
    two.wait_log("kube-probe.objects.old.*not a file of saved objects", 10)
    assert two.objects("ConfigMap") == {}
    assert not any("synced" in line for line in two.said)


# --- the speaker ----------------------------------------------------------------------------------


def slice_of(namespace, service, *nodes):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{service}-1", "namespace": namespace,
                         "labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": [f"198.18.1.{i}"], "nodeName": node,
                           "conditions": {"ready": True}} for i, node in enumerate(nodes, 1)],
            "ports": [{"name": "port-80", "port": 80, "protocol": "TCP"}]}


class Cluster:
    def __init__(self, sandbox, lan, relay, kubeconfig):
        self.sandbox = sandbox
        self.lan = lan
        self.relay = relay
        self.kubeconfig = kubeconfig

    def answering(self):
        """The names of the nodes that answer the client's ARP requests for the address."""
        result = self.lan.client.namespace.run("arping", "-I", "eth0", "-c", "2", "-w", "2", VIP,
                                               check=False)
        macs = set(re.findall(r"\[([0-9A-F:]{17})\]", result.stdout))
        return sorted(host.name for host in self.lan.nodes if host.namespace.mac().upper() in macs)


@pytest.fixture
def cluster(crds, network, run, evidence, api_for_nodes, controller, control_plane):
    lan = network(2)
    for host in lan.nodes:
        evidence.add_process(serve_page(run, host, VIP))
        crds.node(host.name, host.address)
    crds.api.create(objects.pool("office", f"{VIP}/32"))
    crds.api.create({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
                     "metadata": {"name": "lan", "namespace": "metallb-system"},
                     "spec": {"interfaces": ["eth0"]}})
    controller()
    crds.service("web")
    crds.api.create(slice_of(crds.namespace, "web", FIRST, SECOND))
    relay = api_for_nodes(lan)
    return Cluster(crds, lan, relay, control_plane.kubeconfig("speaker", server=relay.url))


def saved(one):
    return one.metrics()["stentor_speaker_state_writes_total"]


def test_speaker_restarts_without_the_server(cluster, speaker, tmp_path):
    """Killed, and started again while the API server is away: it answers as before, says that it
    is stale, and hears what it missed when the server is back."""
    start = [cluster.lan[FIRST], "--state-dir", tmp_path / "n1"]
    one = speaker(*start, kubeconfig=cluster.kubeconfig)
    wait_until(lambda: one.announced() == [VIP], 10, one.process.describe)
    assert cluster.answering() == [FIRST]
    path = tmp_path / "n1" / "stentor-speaker.objects"
    wait_until(lambda: saved(one) >= 1 and VIP.encode() in path.read_bytes(), 30, one.process.describe,
               "the address is in the file")
    away(cluster.relay)
    one.process.send(signal.SIGKILL)
    one.process.wait(10)
    assert cluster.answering() == []
    again = speaker(*start, kubeconfig=cluster.kubeconfig)
    wait_until(lambda: again.announced() == [VIP], 10, again.process.describe)
    assert cluster.answering() == [FIRST]
    wait_until(lambda: fetch(cluster.lan.client.namespace, VIP) == f"Hello from {FIRST}", 10)
    assert again.announcements()["stale"] is True
    assert again.metrics()["stentor_speaker_state_stale"] == 1
    cluster.sandbox.api.delete(cluster.sandbox.service_path("web"))
    cluster.relay.accept()
    wait_until(lambda: again.announced() == [], 60, again.process.describe)
    wait_until(lambda: again.announcements()["stale"] is False, 60, again.process.describe)
    assert again.metrics()["stentor_speaker_state_stale"] == 0
    assert cluster.answering() == []


def test_nothing_changes_nothing_is_written(cluster, speaker, tmp_path):
    """Heartbeats of a Node and counters in a status have no meaning for a speaker."""
    one = speaker(cluster.lan[FIRST], "--state-dir", tmp_path / "n1", kubeconfig=cluster.kubeconfig)
    path = tmp_path / "n1" / "stentor-speaker.objects"
    wait_until(lambda: path.exists() and VIP.encode() in path.read_bytes(), 30, one.process.describe)
    before, count = path.read_bytes(), saved(one)
    heartbeat = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                                            "message": "again"}]}}
    for text in ("first", "second"):
        heartbeat["status"]["conditions"][0]["message"] = text
        cluster.sandbox.api.patch(f"/api/v1/nodes/{FIRST}/status", heartbeat)
    one.finish()
    assert path.read_bytes() == before
    assert re.findall("state saved", one.process.log()) == ["state saved"] * int(count)
