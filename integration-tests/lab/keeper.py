"""A lab that stays up until it is told to go: what `labctl up` starts in the background.

It writes state.json when all is up; whoever reads that file knows the lab. What only the owner of
the processes can do is asked of it over a socket, a JSON object a line: {"verb", "arguments"}, and
for an answer {"text"} or {"error"}."""

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from .cluster import Cluster
from .controlplane import ADVERTISED, ControlPlane
from .network import Network
from .objects import create_node
from .programs import REPOSITORY, core, find
from .relay import Relay
from .run import Run
from .stores import ApiStore

DIRECTORY = Path(os.environ.get("STENTOR_LAB_DIR", REPOSITORY / "build" / "lab")).resolve()
STATE = DIRECTORY / "state.json"
LOG = DIRECTORY / "keeper.log"
SOCKET = DIRECTORY / "control"
API_PORT = 6443


def read_state():
    """The state of the lab that is up, or None."""
    try:
        state = json.loads(STATE.read_text())
        os.kill(state["pid"], 0)
        return state
    except (OSError, ValueError):
        return None


def ask(verb, *arguments):
    """Asks the keeper of the lab that is up. Returns its text; RuntimeError for its complaint."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(SOCKET))
        with connection.makefile("rw") as stream:
            print(json.dumps({"verb": verb, "arguments": arguments}), file=stream, flush=True)
            answer = json.loads(stream.readline())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["text"]


def keep(nodes, with_cluster):
    """Brings up a control plane and, for nodes > 0, a network, with or without our programs on it;
    returns after SIGTERM."""
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
            network, relay = _bring_up_network(run, control_plane, nodes)
            if with_cluster:
                _serve(_bring_up_cluster(run, control_plane, network, relay))
            else:
                _make_nodes(control_plane, network)
            state |= _network_state(control_plane, network, relay)
        _write_state(state)
        stop.wait()
    finally:
        STATE.unlink(missing_ok=True)
        SOCKET.unlink(missing_ok=True)
        run.close()


def _bring_up_network(run, control_plane, nodes):
    """Nodes reach the API server at 198.51.100.1:6443 through a relay, so that one control
    plane on loopback serves namespaces that have no way out."""
    network = Network(run, nodes)
    return network, Relay((control_plane.address, control_plane.port), network.control_plane,
                          ADVERTISED, API_PORT)


def _make_nodes(control_plane, network):
    for host in network.nodes:
        create_node(control_plane.api, host.name, host.address, host.address6)


def _bring_up_cluster(run, control_plane, network, relay):
    control_plane.install_crds(REPOSITORY / "crd" / "schemas")
    find("kube-proxy")
    return Cluster(run, network, ApiStore(control_plane, "default", relay))


def _network_state(control_plane, network, relay):
    return {
        "network": network.full_prefix,
        "hosts": {name: host.number for name, host in network.hosts.items()},
        "node_kubeconfig": {user: str(control_plane.kubeconfig(user, server=relay.url))
                            for user in ("admin", "speaker", "alb")},
    }


def _serve(cluster):
    """Answers what ask() asks, one after another, in a thread."""
    SOCKET.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(SOCKET))
    listener.listen()
    verbs = {
        "services": lambda count: (cluster.add_services(int(count)), cluster.wait_owned())[0],
        "kill": cluster.kill_speaker, "start": cluster.start_speaker,
        "crash": cluster.kill_node, "boot": cluster.revive_node,
        "pause": cluster.pause, "resume": cluster.resume,
        "delay": lambda name, delay, jitter=0: cluster.network.delay(name, int(delay), int(jitter)),
        "who": lambda: None,
    }

    def answer(request):
        try:
            verbs[request["verb"]](*request["arguments"])
            return {"text": cluster.table()}
        except Exception as error:  # told to who asked
            return {"error": f"{type(error).__name__}: {error}"}

    def serve():
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rw") as stream:
                print(json.dumps(answer(json.loads(stream.readline()))), file=stream, flush=True)

    threading.Thread(target=serve, daemon=True).start()


def _write_state(state):
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    partial = Path(f"{STATE}.partial")
    partial.write_text(json.dumps(state, indent=1))
    partial.chmod(0o600)
    partial.rename(STATE)


if __name__ == "__main__":
    keep(int(sys.argv[1]), sys.argv[2] == "cluster")
