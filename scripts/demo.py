"""What ./demo shows, once the programs are built.

usage: demo.py directory|kubernetes

Two hosts and a client in network namespaces of their own; everything is removed at the end,
however it comes (integration-tests/lab/run.py).
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "integration-tests"))

from lab.controller import Controller  # noqa: E402
from lab.controlplane import ADVERTISED, ControlPlane  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.page import fetch, serve_page  # noqa: E402
from lab.programs import core  # noqa: E402
from lab.relay import Relay  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.speaker import Speaker  # noqa: E402
from lab.wait import wait_until  # noqa: E402

EXAMPLES = REPOSITORY / "docs" / "examples"
VIP = "192.0.2.240"  # what default/web gets: the first address of the pool "office"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
SECONDS = 20


def say(text):
    print(f"\n\033[1m== {text}\033[0m", flush=True)


def show(text):
    for line in text.rstrip().splitlines():
        print(f"   {line}", flush=True)


def table(rows):
    """Columns as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    show("\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                   for row in rows))


class Directory:
    """The programs read manifests from one directory and write status to another."""

    title = "the manifests of docs/examples, in a directory"

    def __init__(self, run, _network):
        self._manifests = run.make_directory("manifests")
        self._status = run.make_directory("status")
        self.arguments = ["--manifests", self._manifests, "--status", self._status]

    def kubeconfig(self, _user):
        return None

    def apply(self):
        for path in sorted(EXAMPLES.glob("*.yaml")):
            shutil.copy(path, self._manifests)
            kinds = re.findall(r"^kind: (\w+)$", path.read_text(), re.M)
            show(f"{path.name:<20} {', '.join(dict.fromkeys(kinds))}")

    def show_services(self, controller):
        show("GET /api/v1/services")
        rows = [(f"{one['namespace']}/{one['name']}", ",".join(one["ips"]) or "-", one["reason"])
                for one in controller.rest("/api/v1/services")["services"]]
        table([("SERVICE", "ADDRESS", "REASON"), *rows])

    def exclude(self, node):
        path = self._manifests / "10-nodes.yaml"
        show(f"10-nodes.yaml: label {EXCLUDE} on {node}")
        line = f"    kubernetes.io/hostname: {node}\n"
        path.write_text(path.read_text().replace(line, f'{line}    {EXCLUDE}: ""\n'))

    def explain(self, controller, namespace, name):
        show(f"GET /api/v1/explain/{namespace}/{name}")
        show(json.dumps(controller.rest(f"/api/v1/explain/{namespace}/{name}"), indent=2))


class Kubernetes:
    """The programs use an API server, a person uses kubectl."""

    title = "kubectl apply -f docs/examples, on a real API server"
    arguments = ()

    def __init__(self, run, network):
        core()  # the first time this builds etcd and kube-apiserver, and tells how far it is
        self._plane = ControlPlane(run)
        self._plane.install_crds(REPOSITORY / "crd" / "schemas")
        self._relay = Relay((self._plane.address, self._plane.port), network.control_plane,
                            ADVERTISED, 6443)

    def kubeconfig(self, user):
        """The speakers reach the API server over the nodes' management network."""
        server = self._relay.url if user == "speaker" else None
        return self._plane.kubeconfig(user, server=server)

    def _kubectl(self, *arguments):
        show(f"$ kubectl {shlex.join(arguments)}")
        result = self._plane.kubectl(*arguments)
        show(result.stdout)

    def apply(self):
        self._kubectl("apply", "-f", "docs/examples")

    def show_services(self, _controller):
        self._kubectl("get", "services")
        self._kubectl("get", "ipaddresspools", "-n", "metallb-system")

    def exclude(self, node):
        self._kubectl("label", "node", node, f"{EXCLUDE}=")

    def explain(self, _controller, _namespace, name):
        self._kubectl("events", "--for", f"service/{name}")
        self._kubectl("get", "service", name, "-o",
                      'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}')


def make_network(run):
    network = Network(run, 2)
    for host in network.nodes:
        serve_page(run, host, VIP)
    table([(host.name, host.address, "a host with a page" if host in network.nodes else "")
           for host in network.hosts.values()])
    return network


def start(run, world, network):
    """The controller, and a speaker on each host."""
    def ended():
        return [one.process.describe for one in (controller, *speakers)]

    controller = Controller(run, world.kubeconfig("controller"), world.arguments)
    speakers = [Speaker(run, host, world.kubeconfig("speaker"), world.arguments)
                for host in network.nodes]
    for one in (controller, *speakers):
        one.wait_ready()
    wait_until(lambda: any(VIP in one.announced() for one in speakers), SECONDS, ended(),
               f"{VIP} is announced")
    return controller, speakers


def show_announcements(network, speakers):
    rows = []
    for host, speaker in zip(network.nodes, speakers):
        for address in speaker.announcements()["addresses"]:
            rows.append((address["ip"], host.name, host.namespace.mac(), *address["services"]))
    table([("ADDRESS", "NODE", "ETHERNET ADDRESS", "SERVICE"), *rows])


def show_page(network, name):
    """Fetches the page until it comes from that node; the client's own kernel says who has it."""
    def page():
        return fetch(network.client.namespace, VIP, seconds=1) == f"Hello from {name}"

    wait_until(page, SECONDS, network.describe, f"the page comes from {name}")
    show(f"client$ curl http://{VIP}/\nHello from {name}")
    show(f"client$ ip neigh show {VIP}\n{network.client.namespace.ip('neigh', 'show', VIP).stdout}")


def demonstrate(run, make_world):
    say("two hosts and a client on a network of their own")
    network = make_network(run)
    world = make_world(run, network)
    say(world.title)
    world.apply()
    controller, speakers = start(run, world, network)
    say("stentor-controller has given addresses")
    world.show_services(controller)
    say("stentor-speaker answers for them on the node that owns them")
    show_announcements(network, speakers)
    say("the client fetches a page through the address")
    show_page(network, "n1")
    say("n1 is taken out: n2 answers, the page goes on")
    changed = time.monotonic()
    world.exclude("n1")
    wait_until(lambda: VIP in speakers[1].announced(), SECONDS, speakers[1].process.describe)
    show(f"n2 announced {VIP} after {time.monotonic() - changed:.2f} s")
    show_page(network, "n2")
    say("and why has default/legacy no address?")
    world.explain(controller, "default", "legacy")
    for one in (controller, *speakers):
        one.finish()


def main():
    make_world = {"directory": Directory, "kubernetes": Kubernetes}[sys.argv[1]]
    started = time.monotonic()
    run = Run()
    try:
        demonstrate(run, make_world)
    finally:
        run.close()
    say(f"done in {time.monotonic() - started:.1f} s; nothing is left behind")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"\nerror: {error}")
