"""controlplane/build finds the programs or builds them once. Go itself is played by a script
here: what is tested is the search, the cache and the lock."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.wait import wait_until

BUILD = Path(__file__).parent / "controlplane" / "build"
PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kubectl"]
TOOLS = ["basename", "cat", "chmod", "cut", "dirname", "flock", "getent", "grep", "id", "ln", "mkdir",
         "mv", "readlink", "rm", "sed", "sh", "sha256sum", "sleep", "tail", "wc"]

# Answers as `go` does, notes each build in $NOTES and builds for as long as $HOLD exists.
FAKE_GO = """#!/bin/sh
case $1 in
version) echo "go version go1.26.0 linux/amd64" ;;
list) echo one; echo two ;;
build)
    echo "$*" >>"$NOTES"
    while [ -e "$HOLD" ]; do sleep 0.05; done
    [ -z "$FAIL" ] || { echo "main.go:1: it is broken" >&2; exit 1; }
    while [ "$1" != -o ]; do shift; done
    echo program >"$2"
    chmod +x "$2" ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A machine with nothing but the tools that any Debian has, and a fake Go."""
    return Machine(tmp_path)


class Machine:
    def __init__(self, directory):
        self.directory = directory
        self.tools = self.make_directory("tools")
        self.cache = directory / "cache"
        self.notes = directory / "notes"
        self.hold = directory / "hold"
        for tool in TOOLS:
            (self.tools / tool).symlink_to(next(
                path for path in (f"/usr/bin/{tool}", f"/bin/{tool}") if os.path.exists(path)))
        self.put(self.tools, "go", FAKE_GO)
        self.environment = {"PATH": str(self.tools), "HOME": str(directory / "home"),
                            "XDG_CACHE_HOME": str(self.cache), "NOTES": str(self.notes),
                            "HOLD": str(self.hold), "FAIL": ""}

    def make_directory(self, name):
        path = self.directory / name
        path.mkdir()
        return path

    def put(self, directory, name, text="#!/bin/sh\n"):
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)

    def start(self, *arguments):
        return subprocess.Popen([BUILD, *arguments], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def build(self, *arguments):
        """Its exit status, the paths it printed and what it told."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, [Path(line) for line in out.splitlines()], err

    def builds(self):
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def in_cache(self):
        return sorted(path.name for path in (self.cache / "stentor").iterdir())


def test_builds_once_and_links_every_program(machine):
    status, paths, told = machine.build()
    assert status == 0, told
    assert [path.name for path in paths] == PROGRAMS
    assert {path.resolve() for path in paths} == {paths[0].parent / "controlplane"}
    assert "built" in told
    assert machine.build() == (0, paths, "")
    assert len(machine.builds()) == 1
    assert "gitVersion=v1.36.3" in machine.builds()[0] and "gitMinor=36 " in machine.builds()[0]
    assert machine.in_cache() == [paths[0].parent.name, "controlplane.lock"]


def test_prints_only_what_is_asked_for(machine):
    _, paths, _ = machine.build("kubectl", "etcd")
    assert [path.name for path in paths] == ["kubectl", "etcd"]
    status, paths, told = machine.build("kubelet")
    assert (status, paths) == (1, [])
    assert "no such program: kubelet" in told


def test_assets_directory_comes_first_then_path(machine):
    """Each only when it has all that is asked for."""
    assets = machine.make_directory("assets")
    machine.environment["KUBEBUILDER_ASSETS"] = str(assets)
    for name in ("etcd", "kubectl"):
        machine.put(assets, name)
        machine.put(machine.tools, name)
    machine.put(machine.tools, "kube-apiserver")
    assert machine.build("etcd", "kubectl") == (0, [assets / "etcd", assets / "kubectl"], "")
    assert machine.build("etcd", "kube-apiserver")[1] == [
        machine.tools / "etcd", machine.tools / "kube-apiserver"]
    assert machine.builds() == []
    assert machine.build("etcd", "kube-proxy")[1][0].parent.parent == machine.cache / "stentor"
    assert len(machine.builds()) == 1


def test_two_callers_make_one_build(machine):
    machine.hold.touch()
    first, second = machine.start(), machine.start()
    waiting = [process for process in (first, second) if _first_line_says(process, "waiting")]
    assert len(waiting) == 1
    machine.hold.unlink()
    outputs = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert outputs[0] == outputs[1] and outputs[0].count("\n") == len(PROGRAMS)
    assert len(machine.builds()) == 1


def _first_line_says(process, word):
    return word in process.stderr.readline()


def test_failed_build_says_why_and_leaves_nothing(machine):
    machine.environment["FAIL"] = "yes"
    status, paths, told = machine.build()
    assert (status, paths) == (1, [])
    assert "main.go:1: it is broken" in told
    assert machine.in_cache() == ["controlplane.lock"]
    machine.environment["FAIL"] = ""
    assert machine.build()[0] == 0


def test_interrupted_build_leaves_nothing(machine):
    machine.hold.touch()
    process = machine.start()
    wait_until(machine.builds, 10, process.poll)
    process.terminate()
    assert process.wait(10) != 0
    assert machine.in_cache() == ["controlplane.lock"]
    machine.hold.unlink()
    assert machine.build()[0] == 0
