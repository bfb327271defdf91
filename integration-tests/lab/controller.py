"""stentor-controller, as the lab starts it."""

from .controlplane import SYSTEM_NAMESPACE, free_ports
from .daemon import Daemon, build_directory, program  # noqa: F401: tests take build_directory from here
from .process import Process


class Controller(Daemon):
    """One stentor-controller. It is started by the constructor; wait_ready() awaits it."""

    def __init__(self, run, kubeconfig=None, arguments=(), namespace=None, env=None, name="controller"):
        """kubeconfig: how it reaches the API server, None for not at all (--manifests).
        arguments: further ones; a flag given twice counts as given last.
        namespace: the netns.Namespace to run in. name: of this replica, in its log and Lease."""
        port, health_port = free_ports(2)
        process = Process(run, [
            program("stentor-controller"), *self._arguments(kubeconfig, port, health_port), *arguments,
        ], name=name, namespace=namespace, env={"METALLB_POD_NAME": name, "KUBECONFIG": None, **(env or {})})

        super().__init__(process, port, health_port, namespace)

    @staticmethod
    def _arguments(kubeconfig, port, health_port):
        """The arguments that every test gives. Lease times are short, so that a take-over is
        seen in seconds."""
        cluster = [
            "--kubeconfig", kubeconfig,
            "--leader-elect-lease-duration", "3s",
            "--leader-elect-renew-deadline", "2s",
            "--leader-elect-retry-period", "500ms",
        ]
        return [
            *(cluster if kubeconfig else []),
            "--namespace", SYSTEM_NAMESPACE,
            "--port", port,
            "--health-probe-port", health_port,
            "--log-level", "debug",
        ]

    def role(self):
        """"leading" or "standing by" as /readyz says, "not ready", or "away"."""
        try:
            status, _, body = self.ask("/readyz", port=self.health_port)
        except OSError:
            return "away"
        return body.strip().removeprefix("ok: ") if status == 200 else "not ready"
