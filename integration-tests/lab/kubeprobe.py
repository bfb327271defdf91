"""kube-probe, our Kubernetes client by hand: what the source tells, and commands to it."""

import json
import os
import subprocess
import threading

from .controller import build_directory
from .process import Process, _die_with
from .wait import wait_until


class KubeProbe(Process):
    """A kube-probe that runs. Lines that it printed are dicts in `said`, in order.

    arguments: its command line without the program: "--kubeconfig", FILE, "Service@ns", …"""

    def __init__(self, run, *arguments, **options):
        program = build_directory() / "common" / "source" / "kube-probe"
        assert program.exists(), f"{program} is not built; STENTOR_BUILD names the build directory"
        self.said = []
        options.setdefault("env", {}).setdefault("KUBECONFIG", None)
        super().__init__(run, [program, *arguments], **options)

    def start(self):
        environment = {**os.environ, **self.env, **self.run.environment()}
        environment = {k: str(v) for k, v in environment.items() if v is not None}
        parent = os.getpid()
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=environment, start_new_session=True, preexec_fn=lambda: _die_with(parent))
        threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True).start()
        return self

    def do(self, command, **members):
        """Sends one command. Returns how many lines had been said before it."""
        before = len(self.said)
        line = json.dumps({"do": command, **members}).encode() + b"\n"
        self._child.stdin.write(line)
        self._child.stdin.flush()
        return before

    def wait_said(self, condition, seconds=20, after=0, what=None):
        """Waits for a line (from that number on) of which condition holds, and returns it."""
        return wait_until(lambda: next((l for l in self.said[after:] if condition(l)), None),
                          seconds, self.describe, what or "kube-probe says what is waited for")

    def synced(self, seconds=20, after=0):
        self.wait_said(lambda line: line.get("synced"), seconds, after, "kube-probe is synced")
        return self

    def told(self, name, version, seconds=20):
        """Waits until it has told of the object at that resourceVersion, None for its end.
        name: "Kind/namespace/name"."""
        return self.wait_said(lambda l: l.get("changed") == name and l["after"] == version,
                              seconds, what=f"{name} is told at {version}")

    def versions(self, name):
        """The versions of an object as told, None for its end."""
        return [l["after"] for l in list(self.said) if l.get("changed") == name]

    def objects(self, kind):
        """What its cache holds of a kind: {"namespace/name": resourceVersion}."""
        before = self.do("list", kind=kind)
        return self.wait_said(lambda l: "objects" in l, after=before)["objects"]

    def counts(self):
        before = self.do("counts")
        return self.wait_said(lambda l: "counts" in l, after=before)["counts"]

    def write(self, verb, kind, namespace, name, body, identity="w", seconds=30):
        """A write. Returns (result, line)."""
        before = self.do("write", id=identity, verb=verb, kind=kind, namespace=namespace, name=name,
                         body=body)
        line = self.wait_said(lambda l: l.get("wrote") == identity, seconds, before, "a write ends")
        return line["result"], line

    def findings(self):
        """The last list of findings told: {object: message}."""
        last = [l for l in list(self.said) if "findings" in l][-1:]
        return {f["object"]: f["message"] for line in last for f in line["findings"]}

    def wait_finding(self, name, text, seconds=20):
        """Waits for a finding on `name` with that text in it; text None: for it to go."""
        def there():
            message = self.findings().get(name)
            return message is None if text is None else text in (message or "")
        return wait_until(there, seconds, self.describe, f"a finding of {name}: {text}")

    def finish(self):
        """Ends it. It must end well, and have given back all it took."""
        if not self.alive:
            return
        self.do("quit")
        status = self.wait(10)
        assert status == 0, self.describe()

    def describe(self):
        lines = "\n".join(json.dumps(line) for line in list(self.said)[-60:])
        return f"{super().describe()}\n--- the last lines it said:\n{lines}"

    def _read(self, stream):
        for line in stream:
            self.said.append(json.loads(line))
