"""labctl: the lab by hand.

    labctl up [--nodes N]        a control plane; with nodes, a LAN with N of them and a client
    labctl status                what is up, and where
    labctl kubectl ARGUMENTS     kubectl as the cluster's admin
    labctl env                   KUBECONFIG and PATH, to eval in a shell
    labctl shell HOST [COMMAND]  a shell, or a command, in a host's network namespace
    labctl cut HOST              drop every frame from and to the host (its carrier stays up)
    labctl heal HOST             undo cut
    labctl unplug HOST           pull the host's cable: its carrier goes
    labctl plug HOST             undo unplug
    labctl down                  end it all

cut, heal, unplug and plug take --plane mgmt for the management network.
"""

import argparse
import os
import signal
import subprocess
import sys

from . import keeper, programs
from .network import MAX_NODES, PLANES, Network
from .wait import TimedOut, wait_until


def main(arguments):
    parser = argparse.ArgumentParser(prog="labctl", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up")
    up.add_argument("--nodes", type=int, default=0, choices=range(MAX_NODES + 1), metavar="N")
    kubectl = verbs.add_parser("kubectl", add_help=False)
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER)
    shell = verbs.add_parser("shell")
    shell.add_argument("host")
    shell.add_argument("command", nargs=argparse.REMAINDER)
    for verb in ("cut", "heal", "unplug", "plug"):
        one = verbs.add_parser(verb)
        one.add_argument("host")
        one.add_argument("--plane", choices=sorted(PLANES), default="lan")
    for verb in ("status", "env", "down"):
        verbs.add_parser(verb)
    options = parser.parse_args(arguments)
    return VERBS[options.verb](options)


def up(options):
    if keeper.read_state():
        return fail("a lab is up already: labctl status")
    if options.nodes and os.geteuid() != 0:
        return fail("network namespaces need root; without --nodes, a user can do")
    programs.core()  # here and not in the background: it may take minutes and tells so
    keeper.DIRECTORY.mkdir(parents=True, exist_ok=True)
    with open(keeper.LOG, "wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "lab.keeper", str(options.nodes)],
                                 cwd=programs.INTEGRATION_TESTS, start_new_session=True,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(lambda: keeper.read_state() or child.poll() is not None, 120)
    if child.poll() is not None:
        return fail(f"the lab did not come up:\n{keeper.LOG.read_text()}")
    return status(options)


def status(_options):
    state = demand_state()
    print(f"API server  {state['server']}")
    for user, path in state["kubeconfig"].items():
        print(f"kubeconfig  {user:<10}  {path}")
    for user, path in state.get("node_kubeconfig", {}).items():
        print(f"from nodes  {user:<10}  {path}")
    if "network" in state:
        for host in Network.existing(state["network"], state["hosts"]).hosts.values():
            print(f"host        {host.name:<10}  {host.address}  {host.address6}  "
                  f"ip netns exec {host.namespace.full_name}")
    return 0


def kubectl(options):
    state = demand_state()
    os.execv(state["kubectl"], ["kubectl", f"--kubeconfig={state['kubeconfig']['admin']}",
                                *options.arguments])


def env(_options):
    state = demand_state()
    print(f"export KUBECONFIG={state['kubeconfig']['admin']}")
    print(f"export PATH={os.path.dirname(state['kubectl'])}:$PATH")
    return 0


def shell(options):
    state = demand_state()
    host = find_host(state, options.host)
    command = options.command or [os.environ.get("SHELL", "/bin/sh")]
    environment = {**os.environ, "KUBECONFIG": state["node_kubeconfig"]["admin"],
                   "LAB_HOST": host.name}
    prefix = host.namespace.exec_prefix()
    os.execvpe(prefix[0], [*prefix, *command], environment)


def change_link(options):
    state = demand_state()
    find_host(state, options.host)
    network = Network.existing(state["network"], state["hosts"])
    {
        "cut": lambda: network.cut(options.host, options.plane),
        "heal": lambda: network.heal(options.host, options.plane),
        "unplug": lambda: network.carrier(options.host, False, options.plane),
        "plug": lambda: network.carrier(options.host, True, options.plane),
    }[options.verb]()
    return 0


def down(_options):
    state = keeper.read_state()
    if state is None:
        print("no lab is up")
        return 0
    os.kill(state["pid"], signal.SIGTERM)
    wait_until(lambda: not keeper.read_state() and not os.path.exists(f"/proc/{state['pid']}"), 60)
    return 0


def demand_state():
    state = keeper.read_state()
    if state is None:
        sys.exit(fail("no lab is up: labctl up"))
    return state


def find_host(state, name):
    if name not in state.get("hosts", {}):
        sys.exit(fail(f"no host {name}; there are: {' '.join(state.get('hosts', {})) or 'none'}"))
    return Network.existing(state["network"], state["hosts"])[name]


def fail(message):
    print(f"labctl: {message}", file=sys.stderr)
    return 1


VERBS = {
    "up": up, "status": status, "kubectl": kubectl, "env": env, "shell": shell, "down": down,
    "cut": change_link, "heal": change_link, "unplug": change_link, "plug": change_link,
}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except TimedOut as error:
        sys.exit(fail(error))
