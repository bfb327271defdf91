"""Fixtures of the system tests. Each names what it gives; lab/ does the work.

Scope: one run and one control plane for the session; everything else is a test's own. A
session may be split over several pytest processes (`-n`): each then has its own of everything.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab.cluster import Cluster  # noqa: E402
from lab.bgp import BgpLab  # noqa: E402
from lab.controller import Controller  # noqa: E402
from lab.controlplane import ADVERTISED, ControlPlane  # noqa: E402
from lab.evidence import Evidence  # noqa: E402
from lab.faultproxy import FaultProxy  # noqa: E402
from lab.kubeprobe import KubeProbe  # noqa: E402
from lab.maps import Maps  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.probe import Probe  # noqa: E402
from lab.process import Process  # noqa: E402
from lab.programs import REPOSITORY, core  # noqa: E402
from lab.relay import Relay  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.sandbox import Sandbox  # noqa: E402
from lab.speaker import Speaker  # noqa: E402
from lab.stores import ApiStore, DirectoryStore  # noqa: E402
from lab.story import tell  # noqa: E402

# Files that take minutes: begun first, none is left over when all others are done.
LONGEST = ("test_races.py", "test_kube_client.py", "test_outages.py", "test_allocation.py", "test_failover.py")

_EVIDENCE = pytest.StashKey[Evidence]()


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures times; beside two of its kind at most")


def pytest_collection_modifyitems(items):
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Collects the evidence of a failure before any fixture takes its part down."""
    report = (yield).get_result()
    if report.failed and call.when != "teardown" and _EVIDENCE in item.stash:
        directory = item.stash[_EVIDENCE].save(item.nodeid)
        report.sections.append(("evidence", f"logs and objects are kept in {directory}"))


@pytest.fixture(scope="session")
def run():
    """The owner of all that this session makes; see lab.run."""
    one = Run()
    yield one
    one.close()


@pytest.fixture(scope="session")
def session_evidence():
    """Evidence that any failed test keeps."""
    return Evidence()


@pytest.fixture(autouse=True)
def evidence(request, session_evidence):
    """What this test keeps if it fails: evidence.add(name, describe)."""
    mine = Evidence(session_evidence)
    request.node.stash[_EVIDENCE] = mine
    return mine


@pytest.fixture(scope="session")
def control_plane(run, session_evidence, pytestconfig):
    """The session's API server. Tests that stop it or fill it make a ControlPlane of their own."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        core()  # may build for minutes, and tells so
    plane = ControlPlane(run)
    session_evidence.add_process(plane.apiserver)
    session_evidence.add_process(plane.etcd)
    yield plane
    plane.stop()


@pytest.fixture
def sandbox(run, control_plane, evidence, request):
    """A Kubernetes namespace of this test's own, on the session's API server."""
    stem = request.node.originalname.replace("_", "-").lower()[:50].rstrip("-")
    box = Sandbox(control_plane, run.unique(stem))
    evidence.add("objects.yaml", box.describe)
    yield box
    box.clean()


@pytest.fixture(scope="session")
def installed_crds(control_plane):
    control_plane.install_crds(REPOSITORY / "crd" / "schemas")


@pytest.fixture
def crds(sandbox, installed_crds):
    """The sandbox, on an API server that knows our CRDs."""
    return sandbox


@pytest.fixture
def process(run, evidence):
    """process(ARGUMENTS, …) starts a program that ends with the test; see lab.process.Process."""
    started = []

    def start(arguments, **options):
        one = Process(run, arguments, **options)
        started.append(one)
        evidence.add_process(one)
        return one

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def controller(run, evidence, request):
    """controller(ARGUMENT, …) starts a stentor-controller with its own rights on the session's
    API server, and waits until it is ready. At the test's end it must stop cleanly. With
    --manifests among the arguments it gets no API server.

    kubeconfig: another way there, such as a fault proxy's. ready=False: do not wait.
    Other options: see lab.controller.Controller."""
    started = []

    def start(*arguments, kubeconfig=None, ready=True, **options):
        if kubeconfig is None and "--manifests" not in arguments:
            kubeconfig = request.getfixturevalue("control_plane").kubeconfig("controller")
        one = Controller(run, kubeconfig, arguments, **options)
        started.append(one)
        evidence.add_process(one.process)
        return one.wait_ready() if ready else one

    yield start
    for one in reversed(started):
        one.finish()


@pytest.fixture
def other_sandbox(run, control_plane, evidence):
    """A second Kubernetes namespace."""
    box = Sandbox(control_plane, run.unique("other"))
    evidence.add("other-objects.yaml", box.describe)
    yield box
    box.clean()


@pytest.fixture
def play(crds, controller, request):
    """play(STORY) tells a story to a controller of its own; see lab.story."""
    def start(story):
        second = request.getfixturevalue("other_sandbox") if story.uses_other else None
        tell(story, crds, controller, second)

    return start


@pytest.fixture
def speaker(run, evidence):
    """speaker(HOST, ARGUMENT, …) starts a stentor-speaker on that host of a network and waits
    until it is ready. At the test's end it must stop cleanly.

    kubeconfig: how it reaches the API server; without, it needs --manifests among the arguments.
    ready=False: do not wait."""
    started = []

    def start(host, *arguments, kubeconfig=None, ready=True, **options):
        one = Speaker(run, host, kubeconfig, arguments, **options)
        started.append(one)
        evidence.add_process(one.process)
        return one.wait_ready() if ready else one

    yield start
    for one in reversed(started):
        one.finish()


@pytest.fixture
def fault_proxy(run, control_plane, evidence):
    """An HTTP proxy in front of the session's API server; see lab.faultproxy."""
    proxy = FaultProxy(run, control_plane)
    evidence.add("fault-proxy.txt", proxy.describe)
    yield proxy
    proxy.close()


@pytest.fixture
def relay(control_plane):
    """A TCP relay in front of the session's API server; see lab.relay."""
    one = Relay((control_plane.address, control_plane.port))
    yield one
    one.close()


@pytest.fixture
def network(run, evidence):
    """network(NODES) makes nodes n1… and a client on a LAN of their own; see lab.network."""
    made = []

    def make(nodes):
        one = Network(run, nodes)
        made.append(one)
        evidence.add(f"network-{len(made)}.txt", one.describe)
        return one

    yield make
    for one in made:
        one.delete()


@pytest.fixture
def api_for_nodes(control_plane):
    """api_for_nodes(network) puts the API server at 198.51.100.1:6443 on its management plane.
    Returns the lab.relay.Relay there; kubeconfig("speaker", server=…) leads nodes to it."""
    made = []

    def make(network):
        made.append(Relay((control_plane.address, control_plane.port), network.control_plane,
                          ADVERTISED, 6443))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def cluster(run, network, evidence, request):
    """cluster(NODES) starts a lab.cluster.Cluster: with its objects in a directory, or with
    api=True on the session's API server and with kube-proxy on every node. At the test's end our
    programs must stop cleanly. Other options: see Cluster."""
    started = []

    def start(nodes, api=False, **options):
        lan = network(nodes)
        if api:
            box = request.getfixturevalue("crds")
            store = ApiStore(box.control_plane, box.namespace, request.getfixturevalue("api_for_nodes")(lan))
        else:
            store = DirectoryStore(run)
        one = Cluster(run, lan, store, **options)
        started.append(one)
        for process in one.processes():
            evidence.add_process(process)
        return one

    yield start
    for one in started:
        one.finish()


@pytest.fixture
def probe(run, evidence):
    """probe(HOST, TARGET, …) starts to probe addresses from a host; see lab.probe.Probe."""
    started = []

    def start(host, *targets, **options):
        one = Probe(run, host, *targets, **options)
        started.append(one)
        evidence.add(f"probe-{len(started)}.txt", one.describe)
        return one

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def kube_probe(run, evidence):
    """kube_probe(ARGUMENT, …) starts a kube-probe; it must end well. See lab.kubeprobe."""
    started = []

    def start(*arguments, **options):
        one = KubeProbe(run, *arguments, **options)
        started.append(one)
        evidence.add_process(one)
        return one

    yield start
    for one in reversed(started):
        one.finish()


@pytest.fixture
def maps(sandbox):
    """ConfigMaps of the sandbox; see lab.maps."""
    return Maps(sandbox.api, sandbox.namespace)


@pytest.fixture
def bgp_lab(run, evidence, network):
    """bgp_lab(NODES) makes nodes, a directory of objects and room for routers; see lab.bgp."""
    made = []

    def make(nodes=1):
        made.append(BgpLab(run, evidence, network(nodes)))
        return made[-1]

    yield make
    for one in made:
        one.close()
