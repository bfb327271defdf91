"""stentor-controller, as the lab starts it."""

import json
import os
import re
import urllib.request
from pathlib import Path

from .controlplane import SYSTEM_NAMESPACE, free_ports
from .process import Process
from .programs import REPOSITORY
from .wait import wait_until

# What a sanitizer writes when it has found something.
_SANITIZER = re.compile(r"^==\d+==\s*ERROR: \w+Sanitizer|runtime error: |WARNING: ThreadSanitizer",
                        re.MULTILINE)


def build_directory():
    """Where our programs are: $STENTOR_BUILD, else build/dev."""
    return Path(os.environ.get("STENTOR_BUILD", REPOSITORY / "build" / "dev")).resolve()


def program(name):
    """The path of one of our programs, such as stentor-controller."""
    path = build_directory() / name.removeprefix("stentor-") / name
    assert path.exists(), f"{path} is not built; STENTOR_BUILD names the build directory"
    return path


class Controller:
    """One stentor-controller. It is started by the constructor; wait_ready() awaits it."""

    def __init__(self, run, kubeconfig=None, arguments=(), namespace=None, env=None, name="controller"):
        """kubeconfig: how it reaches the API server, None for not at all (--manifests).
        arguments: further ones; a flag given twice counts as given last.
        namespace: the netns.Namespace to run in. name: of this replica, in its log and Lease."""
        self.port, self.health_port = free_ports(2)
        self._namespace = namespace
        self.process = Process(run, [
            program("stentor-controller"), *self._arguments(kubeconfig), *arguments,
        ], name=name, namespace=namespace, env={"METALLB_POD_NAME": name, "KUBECONFIG": None, **(env or {})})

    def _arguments(self, kubeconfig):
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
            "--port", self.port,
            "--health-probe-port", self.health_port,
            "--log-level", "debug",
        ]

    def get(self, path, port=None):
        """The body of an HTTP answer on its port for metrics and REST."""
        url = f"http://127.0.0.1:{port or self.port}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def rest(self, path):
        return json.loads(self.get(path))

    def metrics(self):
        """{'name{label="value"}': number} of /metrics."""
        samples = (line.rpartition(" ") for line in self.get("/metrics").splitlines()
                   if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def is_ready(self):
        """Whether /readyz says so; False as well when it does not answer."""
        try:
            self.get("/readyz", self.health_port)
            return True
        except OSError:
            return False

    def wait_ready(self, seconds=20):
        def ready():
            if not self.process.alive:
                raise RuntimeError(self.process.describe())
            return self.is_ready()
        wait_until(ready, seconds, self.process.describe, "the controller is ready")
        return self

    def finish(self):
        """Stops it. Fails when it does not end with status 0 or a sanitizer has complained."""
        was_alive = self.process.alive
        status = self.process.stop()
        log = self.process.log()
        assert not _SANITIZER.search(log), self.process.describe()
        assert status == 0 or not was_alive, f"stopped with status {status}\n{self.process.describe()}"
