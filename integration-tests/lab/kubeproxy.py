"""kube-proxy on a node, the real one, in its nftables mode."""

import json

from .controlplane import free_ports
from .process import Process
from .programs import find
from .wait import wait_until


class KubeProxy:
    """Started by the constructor; wait_ready() awaits its first rules."""

    def __init__(self, run, host, kubeconfig):
        """host: the network.Host, whose name is the node's and whose Node object must have its
        address. kubeconfig: how it reaches the API server, as the user "proxy"."""
        self.namespace = host.namespace
        self._health_port, metrics_port = free_ports(2)
        for family in ("ipv4", "ipv6"):
            forwarding = "ip_forward" if family == "ipv4" else "conf.all.forwarding"
            self.namespace.sysctl(f"net.{family}.{forwarding}", 1)
        config = run.make_directory("kube-proxy") / "config.json"
        config.write_text(json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
            "mode": "nftables", "hostnameOverride": host.name,
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "healthzBindAddress": f"127.0.0.1:{self._health_port}",
            "metricsBindAddress": f"127.0.0.1:{metrics_port}",
            # These are the machine's, not the namespace's: not to be touched.
            "conntrack": {"maxPerCore": 0, "tcpCloseWaitTimeout": "0s",
                          "tcpEstablishedTimeout": "0s"},
        }))
        self.process = Process(run, [find("kube-proxy")["kube-proxy"], f"--config={config}"],
                               name=f"kube-proxy-{host.name}", namespace=self.namespace)

    def rules(self):
        """The rules that it made for IPv4, as nft prints them."""
        return self.namespace.run("nft", "list", "table", "ip", "kube-proxy", check=False).stdout

    def forwards(self, address, port):
        """Whether it sends on what comes for that Service address."""
        return f"{address} . tcp . {port} : goto" in self.rules()

    def wait_ready(self, seconds=60):
        def healthy():
            if not self.process.alive:
                raise RuntimeError(self.process.describe())
            with self.namespace.connect(("127.0.0.1", self._health_port)) as connection:
                connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                return b" 200 " in connection.recv(64)
        wait_until(healthy, seconds, self.process.describe, f"{self.process.name} is healthy")
        return self
