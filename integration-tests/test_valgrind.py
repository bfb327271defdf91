"""Memory: the programs start, do their work and stop under valgrind without an error or a leak."""

import json
import shutil

import pytest

from lab.controlplane import SYSTEM_NAMESPACE, free_ports
from lab.process import Process
from lab.programs import REPOSITORY
from lab.wait import wait_until

BUILD = REPOSITORY / "build" / "dev"  # valgrind and a sanitizer exclude each other
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible", "--error-exitcode=99"]


def start(run, name, *arguments, **options):
    program = BUILD / name / f"stentor-{name}"
    assert program.exists(), f"{program} is not built: valgrind needs the build without sanitizers"
    port, health = free_ports(2)
    return Process(run, [*VALGRIND, program, "--namespace", SYSTEM_NAMESPACE, "--port", port,
                         "--health-probe-port", health, *arguments], **options)


def finish(process):
    """Ends it in good order; valgrind answers 99 when it has anything to say."""
    status = process.stop(seconds=60)
    assert status == 0, process.describe()


@pytest.fixture
def site(tmp_path):
    """The example's manifests, and a place for status."""
    shutil.copytree(REPOSITORY / "docs" / "examples", tmp_path / "manifests")
    (tmp_path / "status").mkdir()
    return tmp_path


def written(site, name):
    path = site / "status" / "services" / "default" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def arguments(site):
    return ["--manifests", site / "manifests", "--status", site / "status"]


def test_controller_on_a_directory(run, site):
    controller = start(run, "controller", *arguments(site))
    for name in ("web", "mail", "legacy"):
        wait_until(lambda name=name: written(site, name), 60, controller.describe, f"{name} is decided")
    path = site / "manifests" / "30-services.yaml"
    path.write_text(path.read_text().replace("203.0.113.5", "203.0.113.6"))
    wait_until(lambda: "203.0.113.6" in json.dumps(written(site, "mail")), 60, controller.describe,
               "mail has moved")
    finish(controller)


def test_controller_on_an_api_server(run, control_plane, crds):
    controller = start(run, "controller", "--kubeconfig", control_plane.kubeconfig("controller"))
    crds.kubectl.apply_file(REPOSITORY / "docs" / "examples" / "20-pools.yaml")
    crds.kubectl.apply_file(REPOSITORY / "docs" / "examples" / "30-services.yaml")
    wait_until(lambda: crds.kubectl.get("service", "web", "default")["status"]["loadBalancer"], 90,
               controller.describe, "web has an address")
    finish(controller)
    for name in ("20-pools.yaml", "30-services.yaml"):
        crds.kubectl("delete", "-f", REPOSITORY / "docs" / "examples" / name)


def test_check(run, site):
    program = start(run, "controller", "--check", site / "manifests")
    assert program.wait(60) == 0, program.describe()


def test_speaker(run, site, network):
    lan = network(nodes=1)
    controller = start(run, "controller", *arguments(site))
    wait_until(lambda: written(site, "web"), 60, controller.describe, "web has an address")
    # valgrind knows neither seccomp nor landlock, and makes calls of its own.
    speaker = start(run, "speaker", "--node-name", "n1", "--seccomp", "off", *arguments(site),
                    namespace=lan["n1"].namespace)
    wait_until(lambda: lan.client.namespace.run(
        "arping", "-I", "eth0", "-c", "1", "-w", "1", "192.0.2.240", check=False).returncode == 0,
        60, speaker.describe, "the speaker answers")
    finish(speaker)
    finish(controller)
