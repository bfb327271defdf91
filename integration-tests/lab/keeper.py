"""A lab that stays up until it is told to go: what `labctl up` starts in the background.

It writes state.json when all is up; whoever reads that file knows the lab."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from .controlplane import ADVERTISED, ControlPlane
from .network import Network
from .objects import create_node
from .programs import REPOSITORY, core
from .relay import Relay
from .run import Run

DIRECTORY = Path(os.environ.get("STENTOR_LAB_DIR", REPOSITORY / "build" / "lab")).resolve()
STATE = DIRECTORY / "state.json"
LOG = DIRECTORY / "keeper.log"
API_PORT = 6443


def read_state():
    """The state of the lab that is up, or None."""
    try:
        state = json.loads(STATE.read_text())
        os.kill(state["pid"], 0)
        return state
    except (OSError, ValueError):
        return None


def keep(nodes):
    """Brings up a control plane and, for nodes > 0, a network; returns after SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    run = Run(keep_signals=True)
    try:
        control_plane = ControlPlane(run)
        state = {
            "pid": os.getpid(), "run": run.name, "kubectl": str(core()["kubectl"]),
            "server": control_plane.url,
            "kubeconfig": {user: str(control_plane.kubeconfig(user))
                           for user in ("admin", "controller", "speaker", "alb")},
        }
        if nodes:
            state |= _bring_up_network(run, control_plane, nodes)
        _write_state(state)
        stop.wait()
    finally:
        STATE.unlink(missing_ok=True)
        run.close()


def _bring_up_network(run, control_plane, nodes):
    """Nodes reach the API server at 198.51.100.1:6443 through a relay, so that one control
    plane on loopback serves namespaces that have no way out."""
    network = Network(run, nodes)
    relay = Relay((control_plane.address, control_plane.port), network.control_plane,
                  ADVERTISED, API_PORT)
    for host in network.nodes:
        create_node(control_plane.api, host.name, host.address, host.address6)
    return {
        "network": network.full_prefix,
        "hosts": {name: host.number for name, host in network.hosts.items()},
        "node_kubeconfig": {user: str(control_plane.kubeconfig(user, server=relay.url))
                            for user in ("admin", "speaker", "alb")},
    }


def _write_state(state):
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    partial = Path(f"{STATE}.partial")
    partial.write_text(json.dumps(state, indent=1))
    partial.chmod(0o600)
    partial.rename(STATE)


if __name__ == "__main__":
    keep(int(sys.argv[1]))
