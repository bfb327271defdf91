"""The lab keeps its own promises: a real control plane, real rights, nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lab import run as lab_run
from lab.api import ApiError, History
from lab.controlplane import ADVERTISED, ControlPlane
from lab.objects import ingress_addresses, pool, service
from lab.process import run_command
from lab.programs import core
from lab.seed import seed
from lab.wait import TimedOut, wait_until

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def isolated(run):
    """A control plane of this module's own, in a network namespace, on the API server's
    address of the address plan; with a controller manager."""
    from lab.network import Network
    network = Network(run, nodes=1)
    plane = ControlPlane(run, network.control_plane, ADVERTISED)
    plane.start_manager()
    yield plane, network
    plane.stop()
    network.delete()


def test_api_server_is_ready_and_gives_cluster_addresses(sandbox):
    """kubectl create, kubectl get: the Service has a ClusterIP of each family it asked for."""
    sandbox.kubectl.apply(service("web", sandbox.namespace, ipFamilyPolicy="RequireDualStack"))
    stored = sandbox.kubectl.get("service", "web")
    v4, v6 = stored["spec"]["clusterIPs"]
    assert v4.startswith("198.18.") and v6.startswith("2001:db8:fd::")
    assert ingress_addresses(stored) == []


def test_sandbox_leaves_no_services_behind(sandbox, control_plane):
    """What an earlier test made is not seen by a later one."""
    assert [s["metadata"]["name"] for s in control_plane.api.items("/api/v1/services")] == ["kubernetes"]
    sandbox.service("left")
    sandbox.node("n1", "192.0.2.11")
    sandbox.clean()
    assert control_plane.api.items("/api/v1/nodes") == []
    assert sandbox.kubectl.get("service") == []


def test_controller_may_write_service_status_and_nothing_more_of_it(sandbox, control_plane):
    """The rights in rbac.yaml: one PATCH of the status carries address and annotation; the
    Service itself is out of reach."""
    sandbox.service("web")
    api = control_plane.api_as("controller")
    path = sandbox.service_path("web")
    change = {"metadata": {"annotations": {"example.test/pool": "a"}},
              "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.80"}]}}}
    stored = api.patch(path + "/status", change)
    assert ingress_addresses(stored) == ["192.0.2.80"]
    assert stored["metadata"]["annotations"] == {"example.test/pool": "a"}
    for attempt in (lambda: api.patch(path, {"metadata": {"labels": {"a": "b"}}}),
                    lambda: api.delete(path),
                    lambda: api.items("/api/v1/secrets")):
        with pytest.raises(ApiError) as refusal:
            attempt()
        assert refusal.value.status == 403


def test_stranger_may_read_nothing(control_plane):
    with pytest.raises(ApiError) as refusal:
        control_plane.api_as("stranger").items("/api/v1/services")
    assert refusal.value.status == 403


def test_history_holds_every_state_in_order(sandbox):
    """A watch history shows the states in between, which the end state does not."""
    path = f"/api/v1/namespaces/{sandbox.namespace}/services"
    with History(sandbox.api, path) as history:
        sandbox.service("web")
        for last in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
            stored = _set_address(sandbox.api, sandbox.service_path("web"), last)
        wait_until(lambda: history.reached(stored["metadata"]["resourceVersion"]), 10)
    seen = [ingress_addresses(obj) for obj in history.versions("web")]
    assert seen == [[], ["192.0.2.1"], ["192.0.2.2"], ["192.0.2.1"]]


def _set_address(api, path, address):
    return api.patch(path + "/status", {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}})


def test_control_plane_in_a_network_namespace_serves_nodes(isolated):
    """A node reaches it over the management bridge; from outside there is no way."""
    plane, network = isolated
    with network["n1"].namespace.connect((ADVERTISED, plane.port)):
        pass
    network.cut("n1", plane="mgmt")
    with pytest.raises(OSError):
        network["n1"].namespace.connect((ADVERTISED, plane.port), seconds=0.5)
    network.heal("n1", plane="mgmt")
    with network["n1"].namespace.connect((ADVERTISED, plane.port), seconds=10):
        pass


def test_api_server_outage_keeps_what_was_stored(isolated):
    """The data is there after it, and a history that was open goes on without a gap."""
    plane, _ = isolated
    path = "/api/v1/namespaces/default/services"
    with History(plane.api, path) as history:
        before = plane.api.create(service("kept"))
        plane.stop_apiserver()
        with pytest.raises(OSError):
            plane.api.get("/readyz")
        plane.restart_apiserver()
        after = _set_address(plane.api, f"{path}/kept", "192.0.2.1")
        wait_until(lambda: history.reached(after["metadata"]["resourceVersion"]), 10)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["clusterIPs"] == before["spec"]["clusterIPs"]
    assert [ingress_addresses(obj) for obj in history.versions("kept")] == [[], ["192.0.2.1"]]


def test_controller_manager_removes_a_namespace_with_its_content(isolated):
    plane, _ = isolated
    plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}})
    plane.api.create(service("web", "brief"))
    wait_until(lambda: plane.api.get_or_none("/api/v1/namespaces/brief/serviceaccounts/default"),
               30, plane.describe)
    plane.api.delete("/api/v1/namespaces/brief")
    wait_until(lambda: plane.api.get_or_none("/api/v1/namespaces/brief") is None, 60, plane.describe)


def test_seed_is_made_once_and_each_start_has_a_copy(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    core()  # found before the cache is another one
    made = []

    def fill(plane):
        made.append(plane.api.create(service("seeded"))["metadata"]["uid"])

    for _ in range(2):
        plane = ControlPlane(run, seed=seed(run, "one Service", fill))
        stored = plane.api.get("/api/v1/namespaces/default/services/seeded")
        assert [stored["metadata"]["uid"]] == made
        plane.api.delete("/api/v1/namespaces/default/services/seeded")
        plane.stop()


def test_crds_are_served(crds):
    """The schemas of crd/schemas are in force, and the sandbox cleans up objects of them."""
    crds.api.create(pool("a", "192.0.2.0/24"))
    with pytest.raises(ApiError) as refusal:
        crds.api.create({**pool("b"), "spec": {"addresses": 7}})
    assert refusal.value.status == 422
    crds.clean()
    assert crds.kubectl.get("ipaddresspools", namespace=crds.system) == []


def test_wait_until_tells_what_was_seen():
    with pytest.raises(TimedOut) as failure:
        wait_until(lambda: 0, 0.05, lambda: "the table is empty", "an address appears")
    assert str(failure.value) == ("not within 0.05 s: an address appears\n"
                                  "the last try returned 0\nthe table is empty")


def test_wait_until_returns_the_value_and_tolerates_what_it_is_told_to():
    answers = iter([OSError("refused"), "", "here"])

    def next_answer():
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert wait_until(next_answer, 5) == "here"


def test_process_is_stopped_with_its_whole_group(process):
    """A program's own children end with it, also when it ignores SIGTERM."""
    script = "trap '' TERM; sleep 1000 & echo child $!; while :; do sleep 1000; done"
    shell = process(["sh", "-c", script], name="stubborn")
    child = int(shell.wait_log(r"child (\d+)", 5)[1])
    assert shell.stop(seconds=0.2) == -signal.SIGKILL
    wait_until(lambda: lab_run.is_dead(child), 5)


def test_program_restarts_and_its_log_goes_on(process):
    one = process(["sh", "-c", "echo started; exec sleep 1000"], name="again")
    one.wait_log("started", 5)
    one.kill()
    one.start()
    wait_until(lambda: one.log().count("started") == 2, 5, one.describe)


def test_sweep_removes_what_has_no_living_owner():
    """A namespace and a process of a run whose owner is gone; those of a run whose owner lives
    stay, and so do those of a container, whose process numbers mean nothing to us."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead = lab_run.name_of(gone.pid, 1)
    strangers = [lab_run.name_of(1, lab_run.start_time(1)), f"stentor-1-{gone.pid}-1"]
    marked = {name: subprocess.Popen(["sleep", "1000"], env={**os.environ, lab_run.ENVIRON: name})
              for name in (dead, *strangers)}
    for name in marked:
        run_command(["ip", "netns", "add", f"{name}-planted"])
    try:
        assert dead in lab_run.sweep_stale()
        assert marked[dead].wait(5) == -signal.SIGKILL
        assert lab_run.namespaces_of(dead) == []
        for name in strangers:
            assert marked[name].poll() is None
            assert lab_run.namespaces_of(name) == [f"{name}-planted"]
    finally:
        for process in marked.values():
            process.kill()
            process.wait()
        for name in strangers:
            run_command(["ip", "netns", "del", f"{name}-planted"])


_LONG_TEST = """
def test_long(run, %s, network, process):
    network(1)
    child = process(["sh", "-c", "sleep 1000 & echo forked; wait"])
    child.wait_log("forked", 10)
    print("UP", run.name, flush=True)
    child.wait(1000)
"""


@pytest.mark.parametrize("number, fixture", [
    (signal.SIGKILL, "control_plane"), (signal.SIGINT, "evidence"), (signal.SIGTERM, "evidence")])
def test_nothing_outlives_a_session(tmp_path, number, fixture):
    """However a pytest session ends, its processes, namespaces and files go."""
    session = _start_pytest(tmp_path, _LONG_TEST % fixture)
    try:
        output = iter(session.stdout.readline, "")
        name = next(line for line in output if "UP " in line).split("UP ")[1].strip()
        assert lab_run.namespaces_of(name) and len(lab_run.processes_of(name)) >= 2
        session.send_signal(number)
        session.wait(60)
    finally:
        session.kill()
        session.communicate()

    def leftovers():
        return (lab_run.processes_of(name) + lab_run.namespaces_of(name)
                + [path for path in [Path(tempfile.gettempdir()) / name] if path.exists()])

    wait_until(lambda: not leftovers(), 30, leftovers, "nothing is left of the session")


def test_failed_test_keeps_logs_and_objects(tmp_path):
    """A failure leaves what it takes to understand it under build/test-output/TEST/."""
    session = _start_pytest(tmp_path, """
        def test_that_fails(sandbox, network, process):
            sandbox.service("seen")
            network(1)
            process(["sh", "-c", "echo hello"], name="greeter").wait(5)
            assert False
    """.replace("\n        ", "\n"))
    output, _ = session.communicate(timeout=120)
    assert session.returncode == 1, output
    kept = Path(output.split("are kept in ")[1].split()[0])
    names = {path.name.rstrip("0123456789") for path in kept.iterdir()}
    texts = {path.name: path.read_text() for path in kept.iterdir()}
    assert "name: seen" in texts["objects.yaml"]
    assert "192.0.2.11" in texts["network-1.txt"]
    assert any(n.startswith("greeter-") and text == "hello\n" for n, text in texts.items())
    assert any(n.startswith("kube-apiserver-") for n in names)
    assert not any(n.endswith(".failed") for n in names)


def _start_pytest(directory, source):
    """A pytest session of its own with our fixtures, for one test file."""
    (directory / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(HERE)!r})\n"
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('lab_conftest', {str(HERE / 'conftest.py')!r})\n"
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        "globals().update({k: v for k, v in vars(module).items() if not k.startswith('__')})\n")
    (directory / "test_inner.py").write_text(source)
    environment = {k: v for k, v in os.environ.items() if k != lab_run.ENVIRON}
    return subprocess.Popen([sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider",
                             str(directory)], cwd=directory, text=True, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            # A shell that starts us in the background has Ctrl-C ignored.
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def test_lab_by_hand(tmp_path):
    """labctl: up, kubectl, shell, cut, heal, down."""
    environment = {"STENTOR_LAB_DIR": str(tmp_path)}

    kubectl = core()["kubectl"]

    def labctl(*arguments, check=True):
        return run_command([HERE / "labctl", *arguments], env=environment, check=check, seconds=120)

    assert "no lab is up" in labctl("status", check=False).stderr
    try:
        assert "192.0.2.11" in labctl("up", "--nodes", "2").stdout
        assert labctl("kubectl", "get", "nodes", "-o", "name").stdout == "node/n1\nnode/n2\n"
        from_node = labctl("shell", "n1", kubectl, "get", "--raw", "/readyz")
        assert from_node.stdout == "ok"
        ping = ["shell", "client", sys.executable, "-c", "import socket; socket.create_connection"
                "(('192.0.2.11', 9), 1)"]
        assert "ConnectionRefusedError" in labctl(*ping, check=False).stderr  # n1 answers
        labctl("cut", "n1")
        assert "TimeoutError" in labctl(*ping, check=False).stderr
        labctl("heal", "n1")
        assert "ConnectionRefusedError" in labctl(*ping, check=False).stderr
    finally:
        labctl("down")
    assert "no lab is up" in labctl("status", check=False).stderr


def test_cluster_by_hand(tmp_path):
    """labctl up --cluster, and what can be done to its nodes then."""
    environment = {"STENTOR_LAB_DIR": str(tmp_path / "lab")}

    def labctl(*arguments, check=True):
        return run_command([HERE / "labctl", *arguments], env=environment, check=check, seconds=180)

    labctl("up", "--nodes", "2", "--cluster")
    try:
        assert re.search(r"^192\.0\.2\.208 +s1 +n[12]$", labctl("services", "2").stdout, re.M)
        owner = labctl("who").stdout.split()[2]
        labctl("pause", owner)
        assert owner not in labctl("who").stdout.splitlines()[0]
        labctl("resume", owner)
        assert "arp:192.0.2.208: " in labctl("probe", "1", "arp:192.0.2.208").stdout
        assert labctl("kill", "n9", check=False).stderr == "labctl: KeyError: 'n9'\n"
    finally:
        labctl("down")
