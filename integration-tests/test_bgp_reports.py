"""BGP on a real API server, with the speaker's own rights and no others: ServiceBGPStatus objects,
Events, and layer 2 beside it."""

import os
import signal

import pytest

from lab.bgp import advertisement, metallb, peer
from lab.frr import Frr
from lab.kernelroutes import KernelRoutes
from lab.router import Neighbor
from lab.routers import GoBgp
from lab.wait import stays, wait_until

STATUSES = "/apis/metallb.io/v1beta1/namespaces/metallb-system/servicebgpstatuses"
TOR, TOR2 = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def lab(cluster, run, evidence):
    """Two nodes with a Service that both announce: on the local segment by one, over BGP by both."""
    one = cluster(2, api=True, hold_down="1s")
    one.add_services(1)
    one.routers = []
    for name, number, kind in (("tor", 1, Frr), ("tor2", 2, GoBgp)):
        host = one.network.add_host(name, number, planes=("lan",))
        router = kind(run, host, 64513, [Neighbor(node.address, 64512) for node in one.network.nodes])
        evidence.add(f"{name}.txt", router.describe)
        one.routers.append(router)
    yield one
    for router in one.routers:
        router.stop()


def statuses(lab):
    """(node, peers, labels, beginning of the name) of each status object of this test's Service."""
    found = []
    for one in lab.store.control_plane.api.items(STATUSES):
        status = one.get("status", {})
        if status.get("serviceNamespace") == lab.store.namespace:
            found.append((status["node"], status["peers"], one["metadata"]["labels"], one["metadata"]["name"][:4]))
    return sorted(found, key=lambda entry: entry[0])


def wanted(lab, **peers):
    return [(node, names, {"metallb.io/node": node, "metallb.io/service-name": "s1",
                           "metallb.io/service-namespace": lab.store.namespace}, "bgp-")
            for node, names in sorted(peers.items())]


def wait_statuses(lab, **peers):
    wait_until(lambda: statuses(lab) == wanted(lab, **peers), 20,
               [lambda: str(statuses(lab)), lab.describe])


def events(lab):
    return [message for message, name in lab.store.events("nodeAssigned") if name == "s1" and '"bgp"' in message]


def prefix(lab):
    (address,) = [entry["ip"] for entry in
                  lab.store.get(lab.services["s1"])["status"]["loadBalancer"]["ingress"]]
    return f"{address}/32"


def test_statuses_and_events(lab):
    lab.wait_owned()
    assert statuses(lab) == []
    lab.store.put(advertisement())
    lab.store.put(peer("tor", TOR))
    wait_statuses(lab, n1=["tor"], n2=["tor"])
    route = prefix(lab)
    hops = sorted(node.address for node in lab.network.nodes)
    wait_until(lambda: lab.routers[0].kernel_routes().get(route) == hops, 30, lab.routers[0].describe)
    told = sorted(f'announcing from node "{node}" with protocol "bgp"' for node in ("n1", "n2"))
    wait_until(lambda: sorted(events(lab)) == told, 20, lambda: str(events(lab)))
    lab.store.put(peer("tor2", TOR2))
    wait_statuses(lab, n1=["tor", "tor2"], n2=["tor", "tor2"])
    # The local segment has its one owner all the while.
    assert len(lab.wait_owned()) == 1
    # A speaker that is started again tells nothing anew.
    lab.kill_speaker("n1")
    lab.start_speaker("n1")
    wait_until(lambda: lab.routers[0].kernel_routes().get(route) == hops, 30, lab.routers[0].describe)
    stays(lambda: sorted(events(lab)) == told and len(statuses(lab)) == 2, 2, lambda: str(events(lab)))
    lab.exclude("n1")
    wait_statuses(lab, n2=["tor", "tor2"])
    lab.exclude("n1", None)
    wait_statuses(lab, n1=["tor", "tor2"], n2=["tor", "tor2"])
    lab.store.remove(advertisement())
    wait_statuses(lab)
    assert len(lab.wait_owned()) == 1


def test_what_is_refused_is_named(lab):
    """In the speaker's ConfigurationState, and nothing else suffers."""
    api = lab.store.control_plane.api
    lab.store.put(advertisement())
    lab.store.put(peer("tor", TOR))
    wait_statuses(lab, n1=["tor"], n2=["tor"])
    lab.store.put(peer("bad", TOR2, bfdProfile="missing"))

    def summary():
        path = "/apis/metallb.io/v1beta1/namespaces/metallb-system/configurationstates/speaker-n1"
        return api.get(path)["status"].get("errorSummary", "")
    wait_until(lambda: "peer bad referencing non existing bfd profile missing" in summary(), 20, summary)
    lab.store.put(metallb("BFDProfile", "missing"))
    wait_until(lambda: summary() == "", 20, summary)
    wait_statuses(lab, n1=["bad", "tor"], n2=["bad", "tor"])


def test_annotations(lab):
    """A change of an annotation alone, which has no new generation, is carried out; one that cannot be
    is told by the controller and the speakers, and what was before stays."""
    api, name = lab.store.control_plane.api, "stentor.io/bgp-med"
    path = "/apis/metallb.io/v1beta1/namespaces/metallb-system/bgpadvertisements/all"

    def accepted():
        (condition,) = [c for c in api.get(path).get("status", {}).get("conditions", []) if c["type"] == "Accepted"]
        return condition["status"], condition["message"]

    def meds():
        return {route.med for route in lab.routers[0].routes("ipv4").get(prefix(lab), [])}
    lab.store.put(advertisement())
    lab.store.put(peer("tor", TOR))
    wait_statuses(lab, n1=["tor"], n2=["tor"])
    wait_until(lambda: meds() == {None}, 30, lab.routers[0].describe)
    generation = api.get(path)["metadata"]["generation"]
    api.patch(path, {"metadata": {"annotations": {name: "5"}}})
    wait_until(lambda: meds() == {5}, 20, lab.routers[0].describe)
    api.patch(path, {"metadata": {"annotations": {name: "five"}}})
    sentence = f'metadata.annotations[{name}]: must be a number from 0 to 4294967295, not "five"'
    wait_until(lambda: accepted() == ("False", sentence), 20, lambda: str(accepted()))
    state = "/apis/metallb.io/v1beta1/namespaces/metallb-system/configurationstates/speaker-n1"
    wait_until(lambda: "five" in api.get(state)["status"].get("errorSummary", ""), 20)
    assert meds() == {5} and api.get(path)["metadata"]["generation"] == generation
    api.patch(path, {"metadata": {"annotations": {name: None}}})
    wait_until(lambda: meds() == {None} and accepted()[0] == "True", 20, lambda: str((meds(), accepted())))


def test_api_server_goes(lab):
    """Routes stay without it, in the router's kernel, also when speaker and BIRD are started again
    meanwhile."""
    lab.store.put(advertisement())
    lab.store.put(peer("tor", TOR, enableGracefulRestart=True))
    wait_statuses(lab, n1=["tor"], n2=["tor"])
    route, hops = prefix(lab), sorted(node.address for node in lab.network.nodes)
    wait_until(lambda: lab.routers[0].kernel_routes().get(route) == hops, 30, lab.routers[0].describe)
    kernel = KernelRoutes(lab.routers[0].host.namespace)
    try:
        lab.store.relay.stop_accepting()
        lab.store.relay.cut_all()
        before = lab.speakers["n1"].bgp()["bird"]["pid"]
        os.kill(before, signal.SIGKILL)
        lab.kill_speaker("n1")
        lab.speakers["n1"].process.start()
        n1 = lab.network["n1"].address
        wait_until(lambda: lab.routers[0].is_up(n1) and lab.routers[0].connections(n1)[1] > 0, 30, lab.describe)
        lab.store.relay.accept()
        wait_until(lambda: lab.speakers["n1"].is_ready(), 60, lab.describe)
        wait_statuses(lab, n1=["tor"], n2=["tor"])
        assert lab.routers[0].kernel_routes().get(route) == hops
        assert kernel.about(route.removesuffix("/32")) == []
    finally:
        kernel.close()
