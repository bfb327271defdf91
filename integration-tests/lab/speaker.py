"""stentor-speaker, as the lab starts it."""

from pathlib import Path

import yaml

from .controlplane import SYSTEM_NAMESPACE, free_ports
from .daemon import Daemon, program
from .process import Process

_MANIFEST = Path(__file__).resolve().parents[2] / "docs" / "manifests" / "speaker.yaml"


def _manifest_capabilities():
    """Those that the manifest leaves a speaker, as setpriv names them."""
    sets = [container["securityContext"]["capabilities"]
            for obj in yaml.safe_load_all(_MANIFEST.read_text()) if obj["kind"] == "DaemonSet"
            for container in obj["spec"]["template"]["spec"]["containers"]]
    assert len(sets) == 1 and sets[0]["drop"] == ["ALL"], sets
    return tuple(name.lower() for name in sets[0]["add"])


# What a speaker of the lab has unless a test says otherwise, so that every test proves that the
# manifest's suffice.
MANIFEST = _manifest_capabilities()
# The same where an operator has removed the line.
WITHOUT_ADMIN = tuple(name for name in MANIFEST if name != "net_admin")


def _only(capabilities):
    """What to put before a command line to leave it these capabilities and no others."""
    these = "".join(f",+{name}" for name in capabilities)
    return ("setpriv", "--no-new-privs", f"--bounding-set=-all{these}", f"--inh-caps=-all{these}")


def _unconfined(path):
    """A sanitizer looks into the process at its end, which the speaker forbids itself."""
    return ["--seccomp", "off"] if b"__asan_init" in path.read_bytes() else []


class Speaker(Daemon):
    """One stentor-speaker on a node. It is started by the constructor; wait_ready() awaits it."""

    def __init__(self, run, host, kubeconfig=None, arguments=(), env=None, capabilities=MANIFEST):
        """host: the network.Host it runs on, whose name is the node's.
        kubeconfig: how it reaches the API server, None for not at all (--manifests).
        arguments: further ones; a flag given twice counts as given last.
        capabilities: those it is left with."""
        port, health_port = free_ports(2)
        process = Process(run, [
            *_only(capabilities), program("stentor-speaker"),
            "--node-name", host.name,
            *(["--kubeconfig", kubeconfig] if kubeconfig else []),
            "--namespace", SYSTEM_NAMESPACE,
            "--port", port,
            "--health-probe-port", health_port,
            "--log-level", "debug",
            "--bird-dir", run.directory / run.unique(f"bird-{host.name}"),
            *_unconfined(program("stentor-speaker")),
            *arguments,
        ], name=f"speaker-{host.name}", namespace=host.namespace, env={"KUBECONFIG": None, **(env or {})})
        super().__init__(process, port, health_port, host.namespace)

    def announcements(self):
        return self.rest("/api/v1/announcements")

    def announced(self):
        """The addresses that it announces now."""
        return [address["ip"] for address in self.announcements()["addresses"]
                if address["state"] == "owning"]

    def reasons(self):
        """{"namespace/name": reason} of all Services that it knows; "announced" for some."""
        return {f"{service['namespace']}/{service['name']}": service["reason"]
                for service in self.announcements()["services"]}

    def bgp(self):
        return self.rest("/api/v1/bgp")

    def bgp_sessions(self):
        """{BGPPeer: its session as the REST API has it}."""
        return {session["peer"]: session for session in self.bgp()["sessions"]}

    def bgp_reasons(self):
        """{"namespace/name": reason} of all Services; "announced" for some."""
        return {f"{service['namespace']}/{service['name']}": service["reason"]
                for service in self.bgp()["services"]}

    def interfaces(self):
        """{name: state} of the node's interfaces as it sees them."""
        return {one["name"]: one["state"] for one in self.announcements()["interfaces"]}
