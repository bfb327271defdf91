"""A Kubernetes control plane: etcd and kube-apiserver as on any cluster, with kubelets and
scheduler left out, and kube-controller-manager only where a test needs it.

Without the controller manager no default ServiceAccount appears and a deleted namespace
stays "Terminating"; see README.md.
"""

import base64
import json
import random
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from .api import Api
from .kubectl import Kubectl
from .process import Process, run_command
from .programs import core, find
from .wait import wait_until

SERVICE_CIDRS = "198.18.0.0/16,2001:db8:fd::/108"
ADVERTISED = "198.51.100.1"  # the API server's address on a network lab's management bridge
SYSTEM_NAMESPACE = "metallb-system"
RBAC_FILE = Path(__file__).with_name("rbac.yaml")
MANAGER_CONTROLLERS = ("namespace-controller", "serviceaccount-controller",
                       "endpointslice-controller", "garbage-collector-controller")


@dataclass(frozen=True)
class User:
    """Who a program is to the API server. A service account's rights come from the manifests
    that ship with the program, so that tests prove those rights suffice."""
    name: str
    groups: str = "system:authenticated"

    @staticmethod
    def service_account(name, namespace=SYSTEM_NAMESPACE):
        return User(f"system:serviceaccount:{namespace}:{name}",
                    f"system:serviceaccounts,system:serviceaccounts:{namespace},system:authenticated")


USERS = {
    "admin": User("lab-admin", "system:masters"),
    "controller": User.service_account("controller"),
    "speaker": User.service_account("speaker"),
    "alb": User.service_account("alb"),
    "proxy": User("system:kube-proxy"),  # bound to its role by the API server itself
    "stranger": User("lab-stranger"),
}


class ControlPlane:
    """Starts in the constructor and is ready when that returns. Its data directory is fresh
    and its own; the run that owns it removes it."""

    def __init__(self, run, namespace=None, address="127.0.0.1", rbac=RBAC_FILE, seed=None):
        """namespace: the network namespace to run in; None is the one we are in.
        address: where the API server listens; it must be up in that namespace.
        rbac: the manifest with the programs' ServiceAccounts and roles, applied at start.
        seed: an etcd data directory to start from a copy of; see lab.seed."""
        self.run = run
        self.namespace = namespace
        self.address = address
        self.directory = run.make_directory("controlplane")
        self.port, self._etcd_port, self._peer_port = free_ports(3)
        self._tokens = {name: secrets.token_hex(16) for name in USERS}
        self.manager = None
        self._write_credentials()
        if seed:
            shutil.copytree(seed, self.data_directory)
        self.etcd = self._start_etcd()
        self.apiserver = self._start_apiserver()
        self.wait_ready()
        self.api = self.api_as("admin")
        self.kubectl = self.kubectl_as("admin")
        self._prepare(rbac)

    @property
    def url(self):
        return f"https://{self.address}:{self.port}"

    @property
    def data_directory(self):
        """Where etcd keeps everything."""
        return self.directory / "etcd"

    @property
    def ca_file(self):
        """The API server's own certificate, which is its own CA."""
        return self.directory / "certs" / "apiserver.crt"

    def token(self, user):
        return self._tokens[user]

    def kubeconfig(self, user="admin", server=None, ca_file=None, namespace="default"):
        """Writes a kubeconfig for one of USERS and returns its path.
        server, ca_file: another way to the API server, such as a fault proxy."""
        path = self.directory / self.run.unique(f"kubeconfig-{user}")
        path.write_text(json.dumps(kubeconfig_object(
            server or self.url, Path(ca_file or self.ca_file).read_bytes(), self.token(user),
            namespace), indent=1))
        path.chmod(0o600)
        return path

    def api_as(self, user, **options):
        """A plain HTTP client with that user's token. options: see api.Api."""
        options.setdefault("server", self.url)
        options.setdefault("ca_file", self.ca_file)
        options.setdefault("namespace", self.namespace)
        return Api(token=self.token(user), **options)

    def kubectl_as(self, user, namespace="default"):
        return Kubectl(core()["kubectl"], self.kubeconfig(user, namespace=namespace),
                       cache=self.directory / "kubectl-cache", netns=self.namespace)

    def install_crds(self, directory):
        """Applies the CRDs of a directory and waits until the API server serves each version:
        for a moment after "Established" it may still answer 429."""
        self.kubectl.apply_file(directory)
        self.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=30s")
        crds = self.api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        for crd in crds:
            for version in (v["name"] for v in crd["spec"]["versions"] if v["served"]):
                path = f"/apis/{crd['spec']['group']}/{version}/{crd['spec']['names']['plural']}"
                wait_until(lambda path=path: self.api.get(path), 30, what=f"{path} is served")

    def start_manager(self):
        """Starts kube-controller-manager, once."""
        if self.manager is None:
            program = find("kube-controller-manager")["kube-controller-manager"]
            kubeconfig = self.kubeconfig("admin")
            self.manager = Process(self.run, [
                program, f"--kubeconfig={kubeconfig}", "--leader-elect=false",
                f"--service-account-private-key-file={self.directory}/sa.key",
                "--bind-address=127.0.0.1", f"--secure-port={free_ports(1)[0]}",
                f"--cert-dir={self.directory}/manager-certs",
                f"--controllers={','.join(MANAGER_CONTROLLERS)}",
            ], namespace=self.namespace)
        return self.manager

    def wait_ready(self, seconds=60):
        """Waits until the API server says that it is ready, or has ended."""
        def ready():
            if not (self.apiserver.alive and self.etcd.alive):
                raise RuntimeError(f"{self.describe()}\nthe control plane did not start")
            return self.api_as("admin").raw("GET", "/readyz")[0] == 200
        wait_until(ready, seconds, self.describe, "the API server is ready")

    def stop_apiserver(self):
        """An outage, as of a crashed node: connections are reset, then refused."""
        self.apiserver.kill()

    def restart_apiserver(self):
        """Ends an outage. Data, certificates and port are as before."""
        self.apiserver.start()
        self.wait_ready()

    def stop(self):
        for process in (self.manager, self.apiserver, self.etcd):
            if process is not None:
                process.kill()  # the data is thrown away: nothing to gain from a slow end

    def describe(self):
        parts = [self.etcd, self.apiserver] + ([self.manager] if self.manager else [])
        return "\n".join(part.describe() for part in parts)

    def _write_credentials(self):
        (self.directory / "certs").mkdir()
        run_command(["openssl", "genrsa", "-out", self.directory / "sa.key", "2048"])
        lines = [f'{self._tokens[name]},{user.name},{name},"{user.groups}"\n'
                 for name, user in USERS.items()]
        tokens = self.directory / "tokens.csv"
        tokens.write_text("".join(lines))
        tokens.chmod(0o600)

    def _start_etcd(self):
        client, peer = (f"http://127.0.0.1:{p}" for p in (self._etcd_port, self._peer_port))
        return Process(self.run, [
            core()["etcd"], "--data-dir", self.data_directory,
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}", "--unsafe-no-fsync", "--log-level", "warn",
        ], namespace=self.namespace)

    def _start_apiserver(self):
        key = self.directory / "sa.key"
        return Process(self.run, [
            core()["kube-apiserver"], f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--bind-address={self.address}", f"--secure-port={self.port}",
            f"--advertise-address={ADVERTISED}", f"--cert-dir={self.directory}/certs",
            f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={SERVICE_CIDRS}",
            f"--token-auth-file={self.directory}/tokens.csv", "--authorization-mode=RBAC",
            "--allow-privileged=true", "--endpoint-reconciler-type=none",
        ], namespace=self.namespace)

    def _prepare(self, rbac):
        """The default namespace comes a moment after readiness; tests may count on it."""
        wait_until(lambda: self.api.get_or_none("/api/v1/namespaces/default"), 30, self.describe,
                   "the default namespace is there", tolerate=(OSError,))
        self.kubectl.apply({"apiVersion": "v1", "kind": "Namespace",
                            "metadata": {"name": SYSTEM_NAMESPACE}})
        self.kubectl.apply_file(rbac)


def kubeconfig_object(server, ca, token, namespace):
    """The content of a kubeconfig with one cluster, one user, one context. ca: PEM bytes."""
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {
            "server": server, "certificate-authority-data": base64.b64encode(ca).decode()}}],
        "users": [{"name": "lab", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {
            "cluster": "lab", "user": "lab", "namespace": namespace}}],
    }


def free_ports(count):
    """TCP ports that nobody on 127.0.0.1 uses now. They are below the range from which the
    kernel gives ports to outgoing connections, so that none is taken before we listen."""
    ports = []
    while len(ports) < count:
        port = random.randint(15000, 31999)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports
