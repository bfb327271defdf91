"""labctl: the lab by hand.

    labctl up [--nodes N]        a control plane; with nodes, a LAN with N of them and a client
        [--cluster]              and a controller, and speaker, kube-proxy and a pod on each node
    labctl status                what is up, and where
    labctl kubectl ARGUMENTS     kubectl as the cluster's admin
    labctl env                   KUBECONFIG and PATH, to eval in a shell
    labctl shell HOST [COMMAND]  a shell, or a command, in a host's network namespace
    labctl cut HOST              drop every frame from and to the host (its carrier stays up)
    labctl heal HOST             undo cut
    labctl unplug HOST           pull the host's cable: its carrier goes
    labctl plug HOST             undo unplug
    labctl down                  end it all

with --cluster:

    labctl services N            make N Services with addresses
    labctl who                   who answers for each address, asked on the LAN
    labctl kill HOST             SIGKILL to its speaker; labctl start HOST: another one
    labctl pause HOST            SIGSTOP to its speaker; labctl resume HOST
    labctl crash HOST            as when its power goes; labctl boot HOST
    labctl delay HOST MS [MS]    every frame from and to it late; and a random part of the second
    labctl probe SECONDS TARGET… ask arp:ADDRESS, tcp:ADDRESS:80, open:ADDRESS:80 each 10 ms; gaps

cut, heal, unplug and plug take --plane mgmt for the management network.
"""

import argparse
import os
import signal
import subprocess
import sys

from . import keeper, programs
from .daemon import build_directory
from .network import MAX_NODES, PLANES, Network
from .probe import Report
from .wait import TimedOut, wait_until


def main(arguments):
    parser = argparse.ArgumentParser(prog="labctl", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up")
    up.add_argument("--nodes", type=int, default=0, choices=range(MAX_NODES + 1), metavar="N")
    up.add_argument("--cluster", action="store_true")
    kubectl = verbs.add_parser("kubectl", add_help=False)
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER)
    shell = verbs.add_parser("shell")
    shell.add_argument("host")
    shell.add_argument("command", nargs=argparse.REMAINDER)
    for verb in ("cut", "heal", "unplug", "plug"):
        one = verbs.add_parser(verb)
        one.add_argument("host")
        one.add_argument("--plane", choices=sorted(PLANES), default="lan")
    for verb, names in ASKED.items():
        one = verbs.add_parser(verb)
        for name in names:
            one.add_argument(name.strip("?"), nargs="?" if name.endswith("?") else None)
    probe_parser = verbs.add_parser("probe")
    probe_parser.add_argument("seconds", type=int)
    probe_parser.add_argument("targets", nargs="+")
    for verb in ("status", "env", "down"):
        verbs.add_parser(verb)
    options = parser.parse_args(arguments)
    return VERBS[options.verb](options)


def up(options):
    if keeper.read_state():
        return fail("a lab is up already: labctl status")
    if options.nodes and os.geteuid() != 0:
        return fail("network namespaces need root; without --nodes, a user can do")
    if options.cluster and not options.nodes:
        return fail("a cluster needs --nodes")
    programs.core()  # here and not in the background: it may take minutes and tells so
    keeper.DIRECTORY.mkdir(parents=True, exist_ok=True)
    with open(keeper.LOG, "wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "lab.keeper", str(options.nodes),
                                  "cluster" if options.cluster else "bare"],
                                 cwd=programs.INTEGRATION_TESTS, start_new_session=True,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(lambda: keeper.read_state() or child.poll() is not None, 180)
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


def ask_keeper(options):
    demand_state()
    values = [getattr(options, name.strip("?")) for name in ASKED[options.verb]]
    if not keeper.SOCKET.exists():
        return fail("this lab has no cluster: labctl up --nodes N --cluster")
    try:
        print(keeper.ask(options.verb, *[value for value in values if value is not None]))
    except RuntimeError as error:
        return fail(error)
    return 0


def probe(options):
    client = find_host(demand_state(), "client")
    output = client.namespace.run(build_directory() / "bench" / "probe_client", "--seconds",
                                  options.seconds, *options.targets, seconds=options.seconds + 30)
    print(Report(output.stdout))
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


# What the keeper does: the verb, and its arguments' names; a question mark where one may be missing.
ASKED = {
    "services": ["number"], "who": [], "kill": ["host"], "start": ["host"], "crash": ["host"],
    "boot": ["host"], "pause": ["host"], "resume": ["host"], "delay": ["host", "delay", "jitter?"],
}
VERBS = {
    **dict.fromkeys(ASKED, ask_keeper), "probe": probe,
    "up": up, "status": status, "kubectl": kubectl, "env": env, "shell": shell, "down": down,
    "cut": change_link, "heal": change_link, "unplug": change_link, "plug": change_link,
}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except TimedOut as error:
        sys.exit(fail(error))
