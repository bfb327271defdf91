"""docs/controller.md for its reader: every file of the guide is applied and every command run, in
the order of the page, on an API server of its own; each prints what the page says. The manifests of
docs/manifests are accepted, too."""

import os
import shlex
import subprocess
import sys

import pytest

from lab.controlplane import ControlPlane
from lab.programs import REPOSITORY
from lab.wait import wait_until

sys.path.insert(0, str(REPOSITORY / "docs" / "check"))

import guide  # noqa: E402

PAGE = (REPOSITORY / guide.PAGE).read_text()


@pytest.fixture
def fresh(run, evidence):
    """An API server that nobody has used yet: the page names the first addresses of a pool."""
    plane = ControlPlane(run)
    evidence.add_process(plane.apiserver)
    plane.install_crds(REPOSITORY / "crd" / "schemas")
    yield plane
    plane.stop()


@pytest.fixture
def shell(fresh, tmp_path):
    """shell(COMMAND): what it prints, in a directory with the files of the page."""
    for name, body in guide.files(PAGE).items():
        (tmp_path / name).write_text(body)
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text("#!/bin/sh\nexec " + shlex.join(map(str, fresh.kubectl.command())) + ' "$@"\n')
    kubectl.chmod(0o755)
    environment = {**os.environ, "PATH": f"{kubectl.parent}:{os.environ['PATH']}"}

    def run_command(command):
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout

    return run_command


def is_for_a_cluster(command):
    return command.startswith(("kubectl ", "curl "))


def test_every_command_prints_what_the_page_says(fresh, shell, controller):
    one = controller(kubeconfig=fresh.kubeconfig("controller"))
    commands = [(command, told) for command, told in guide.commands(PAGE) if is_for_a_cluster(command)]
    assert len(commands) > 15
    for command, told in commands:
        seen = []

        def prints_it(command=command.replace(":9120/", f":{one.port}/"), told=told, seen=seen):
            # What changes something is run once; what looks is repeated until it shows.
            if not seen or " apply " not in command:
                seen.append(shell(command))
            return guide.alike(told, seen[-1])

        wait_until(prints_it, 20, lambda seen=seen: seen[-1], f"$ {command}\nprints\n{told}")


def test_the_manifests_are_accepted(fresh):
    for name in ("controller.yaml", "speaker.yaml"):
        path = REPOSITORY / "docs" / "manifests" / name
        fresh.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", str(path))
    deployment = fresh.kubectl.get("deployment", "controller", "metallb-system")
    assert deployment["spec"]["replicas"] == 2
    speaker = fresh.kubectl.get("daemonset", "speaker", "metallb-system")["spec"]["template"]["spec"]
    assert speaker["hostNetwork"] is True
