"""What is common to our programs as the lab runs them: REST, metrics, readiness, a clean end."""

import http.client
import json
import os
import re
from pathlib import Path

from .programs import REPOSITORY
from .wait import wait_until

# What a sanitizer writes when it has found something.
_SANITIZER = re.compile(r"^==\d+==\s*ERROR: \w+Sanitizer|runtime error: |WARNING: ThreadSanitizer",
                        re.MULTILINE)


def build_directory():
    """Where our programs are: $STENTOR_BUILD, as seen from the repository; else build/dev."""
    return (REPOSITORY / os.environ.get("STENTOR_BUILD", "build/dev")).resolve()


def program(name):
    """The path of one of our programs, such as stentor-controller."""
    folder = {"stentorctl": "ctl"}.get(name, name.removeprefix("stentor-"))
    path = build_directory() / folder / name
    assert path.exists(), f"{path} is not built; STENTOR_BUILD names the build directory"
    return path


class Daemon:
    """One of our programs, running."""

    def __init__(self, process, port, health_port, namespace=None):
        """process: the process.Process. port, health_port: where it serves on 127.0.0.1 of
        namespace, a netns.Namespace or None for the one we are in."""
        self.process = process
        self.port = port
        self.health_port = health_port
        self._namespace = namespace

    def ask(self, path, method="GET", headers=None, port=None):
        """(status, headers, body) of an HTTP answer on its port for metrics and REST."""
        where = ("127.0.0.1", port or self.port)
        connection = http.client.HTTPConnection(*where, timeout=5)
        if self._namespace:
            connection.sock = self._namespace.connect(where)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"{path}: {error!r}") from error
        finally:
            connection.close()

    def get(self, path, port=None):
        """The body of an answer that must be 200."""
        status, _, body = self.ask(path, port=port)
        if status != 200:
            raise OSError(f"{path}: status {status}: {body}")
        return body

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
        wait_until(ready, seconds, self.process.describe, f"{self.process.name} is ready")
        return self

    def finish(self):
        """Stops it. Fails when it does not end with status 0 or a sanitizer has complained."""
        was_alive = self.process.alive
        status = self.process.stop()
        log = self.process.log()
        assert not _SANITIZER.search(log), self.process.describe()
        assert status == 0 or not was_alive, f"stopped with status {status}\n{self.process.describe()}"
