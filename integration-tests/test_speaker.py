"""stentor-speaker on a real API server, with its own rights and no others: what kubectl changes,
the client on the LAN notices; what does not concern it costs nothing; without the API server
nothing that is announced stops."""

import re

import pytest

from lab import objects
from lab.page import fetch, serve_page
from lab.wait import wait_until

VIP = "192.0.2.240"
FIRST, SECOND = "n1", "n2"  # in the order of the hash election for that address
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"


class Cluster:
    """Two nodes and the client, an API server with a Service `web`, a controller."""

    def __init__(self, sandbox, lan, relay):
        self.sandbox = sandbox
        self.lan = lan
        self.relay = relay

    @property
    def api(self):
        return self.sandbox.api

    @property
    def key(self):
        return f"{self.sandbox.namespace}/web"

    def label(self, node, value):
        """Sets the label that excludes a node; None removes it."""
        self.api.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {EXCLUDE: value}}})

    def answering(self):
        """The names of the nodes that answer the client's ARP requests for the address."""
        result = self.lan.client.namespace.run("arping", "-I", "eth0", "-c", "2", "-w", "2", VIP,
                                               check=False)
        macs = set(re.findall(r"\[([0-9A-F:]{17})\]", result.stdout))
        return sorted(host.name for host in self.lan.nodes if host.namespace.mac().upper() in macs)

    def events(self, reason):
        """(how often, message) of the Service's Events of that reason, in the order of names."""
        events = self.api.items(f"/apis/events.k8s.io/v1/namespaces/{self.sandbox.namespace}/events")
        return sorted((event.get("series", {}).get("count", 1), event["note"]) for event in events
                      if event["reason"] == reason and event["regarding"]["name"] == "web")


def slice_of(namespace, service, *nodes):
    """An EndpointSlice with an endpoint that serves on each of those nodes."""
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{service}-1", "namespace": namespace,
                         "labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": [f"198.18.1.{i}"], "nodeName": node,
                           "conditions": {"ready": True}} for i, node in enumerate(nodes, 1)],
            "ports": [{"name": "port-80", "port": 80, "protocol": "TCP"}]}


def advertisement(**spec):
    return {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
            "metadata": {"name": "lan", "namespace": "metallb-system"},
            "spec": {"interfaces": ["eth0"], **spec}}


@pytest.fixture
def cluster(crds, network, run, evidence, api_for_nodes, controller):
    lan = network(2)
    for host in lan.nodes:
        evidence.add_process(serve_page(run, host, VIP))
        crds.node(host.name, host.address)
    crds.api.create(objects.pool("office", f"{VIP}/32"))
    crds.api.create(advertisement())
    controller("--election", "hash")
    crds.service("web")
    crds.api.create(slice_of(crds.namespace, "web", FIRST, SECOND))
    return Cluster(crds, lan, api_for_nodes(lan))


@pytest.fixture
def speakers(cluster, speaker, control_plane):
    """{node: Speaker}; the address is announced by n1."""
    both = {host.name: speaker(host, kubeconfig=control_plane.kubeconfig("speaker", server=cluster.relay.url))
            for host in cluster.lan.nodes}
    wait_announced(both, FIRST)
    return both


def wait_announced(speakers, node, seconds=10):
    """Waits until the address is announced by that node and by no other; None: by nobody."""
    def holds():
        return all(one.announced() == ([VIP] if name == node else []) for name, one in speakers.items())
    wait_until(holds, seconds, [one.process.describe for one in speakers.values()],
               f"{VIP} is announced by {node} alone")


def plans(speaker):
    """How often it has planned."""
    return speaker.metrics()["stentor_speaker_plan_duration_seconds_count"]


def test_page_and_event(cluster, speakers):
    """The Event is what people and other programs find the announcing node by."""
    assert cluster.answering() == [FIRST]
    wait_until(lambda: fetch(cluster.lan.client.namespace, VIP) == f"Hello from {FIRST}", 10,
               cluster.lan.describe)
    wait_until(lambda: cluster.events("nodeAssigned"), 10)
    assert cluster.events("nodeAssigned") == [
        (1, f'announcing from node "{FIRST}" with protocol "layer2"')]
    assert speakers[SECOND].reasons() == {cluster.key: "notOwner"}


def test_label_moves_the_address_and_back(cluster, speakers):
    cluster.label(FIRST, "")
    wait_announced(speakers, SECOND)
    wait_until(lambda: cluster.answering() == [SECOND], 10)
    cluster.label(FIRST, None)
    wait_announced(speakers, FIRST)
    wait_until(lambda: cluster.answering() == [FIRST], 10)


def test_local_policy_follows_the_endpoints(cluster, speakers):
    path = cluster.sandbox.service_path("web")
    cluster.api.patch(path, {"spec": {"externalTrafficPolicy": "Local"}})
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{cluster.sandbox.namespace}/endpointslices/web-1"
    cluster.api.patch(slices, {"endpoints": slice_of("", "", SECOND)["endpoints"]})
    wait_announced(speakers, SECOND)
    cluster.api.patch(slices, {"endpoints": []})
    wait_announced(speakers, None)
    assert cluster.answering() == []
    assert speakers[SECOND].reasons() == {cluster.key: "notOwner"}


def test_advertisement_chooses_nodes_and_goes(cluster, speakers):
    path = "/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements/lan"
    only = [{"matchLabels": {"kubernetes.io/hostname": SECOND}}]
    cluster.api.patch(path, {"spec": {"nodeSelectors": only}})
    wait_announced(speakers, SECOND)
    assert speakers[FIRST].reasons() == {cluster.key: "noMatchingAdvertisement"}
    cluster.api.delete(path)
    wait_announced(speakers, None)
    assert speakers[SECOND].reasons() == {cluster.key: "noMatchingAdvertisement"}


def test_interface_that_is_not_there(cluster, speakers):
    path = "/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements/lan"
    cluster.api.patch(path, {"spec": {"interfaces": ["eth7"]}})
    wait_announced(speakers, None)
    assert speakers[FIRST].reasons() == {cluster.key: "noInterface"}
    assert speakers[SECOND].reasons() == {cluster.key: "notOwner"}
    wait_until(lambda: cluster.events("announceFailed"), 10)
    assert len(cluster.events("announceFailed")) == 1


def test_deleted_service_is_withdrawn(cluster, speakers):
    cluster.api.delete(cluster.sandbox.service_path("web"))
    wait_announced(speakers, None)
    assert cluster.answering() == []
    speakers[FIRST].process.wait_log("service withdrawn.*serviceDeleted", 5)


def test_service_of_another_type_is_withdrawn(cluster, speakers):
    cluster.api.patch(cluster.sandbox.service_path("web"), {"spec": {"type": "ClusterIP"}})
    wait_announced(speakers, None)
    assert speakers[FIRST].reasons() == {}
    speakers[FIRST].process.wait_log("service withdrawn.*notLoadBalancer", 5)


def test_heartbeats_cost_nothing(cluster, speakers):
    """A node's status changes all the time, and so do Services that are none of ours."""
    one = speakers[FIRST]
    before = plans(one)
    for beat in range(20):
        cluster.api.patch(f"/api/v1/nodes/{SECOND}/status", {"status": {
            "conditions": [{"type": "Ready", "status": "True", "reason": f"Beat{beat}"}]}})
    cluster.api.create({**objects.service("inner", cluster.sandbox.namespace),
                        "spec": {"type": "ClusterIP", "ports": [{"port": 80}]}})
    cluster.api.create(slice_of(cluster.sandbox.namespace, "inner", FIRST))
    # What is seen last, and does concern it, shows that all before was seen.
    cluster.label(SECOND, "")
    wait_until(lambda: plans(one) > before, 10, one.process.describe)
    assert plans(one) == before + 1


def test_outage_withdraws_nothing(cluster, speakers):
    """The API server is gone for the speakers; the address stays, and what changed meanwhile is
    seen when it is back."""
    cluster.relay.stop_accepting()
    cluster.relay.cut_all()
    cluster.label(FIRST, "")
    with cluster.lan.capture("client") as capture:
        for _ in range(3):
            assert cluster.answering() == [FIRST]
        assert not capture.frames(lambda f: f.arp and f.arp.sender_ip == VIP
                                  and f.source == cluster.lan[SECOND].namespace.mac())
    cluster.relay.accept()
    wait_announced(speakers, SECOND, 60)
    wait_until(lambda: cluster.answering() == [SECOND], 10)
