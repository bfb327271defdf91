"""kubectl, as a person would call it."""

import json

import yaml

from .process import run_command
from .wait import wait_until


class Kubectl:
    """program: the path of kubectl. cache: a directory for its discovery cache, so that
    nothing is written into anybody's home. netns: the network namespace to run in, or None."""

    def __init__(self, program, kubeconfig, cache, netns=None):
        self.kubeconfig = kubeconfig
        self._command = [program, f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}"]
        self._netns = netns

    def __call__(self, *arguments, check=True, input_text=None, seconds=60):
        """Runs `kubectl ARGUMENTS`. Returns the CompletedProcess; see process.run_command."""
        return run_command([*self._command, *arguments], namespace=self._netns,
                           input_text=input_text, seconds=seconds, check=check)

    def command(self, *arguments):
        """The command line, for who runs it himself."""
        prefix = self._netns.exec_prefix() if self._netns else []
        return [*prefix, *self._command, *arguments]

    def apply(self, *manifests, check=True):
        """Applies manifests: each YAML text, an object, or a list of objects."""
        return self("apply", "-f", "-", input_text=documents(manifests), check=check)

    def apply_file(self, path, check=True):
        """Applies a manifest file, or all those of a directory."""
        return self("apply", "-f", str(path), check=check)

    def get(self, kind, name=None, namespace=None):
        """An object as a dict, or with no name the list of all objects of that kind."""
        arguments = ["get", kind, *([name] if name else []), "-o", "json"]
        answer = json.loads(self(*arguments, *_in(namespace)).stdout)
        return answer if name else answer["items"]

    def delete(self, kind, name, namespace=None):
        self("delete", kind, name, "--ignore-not-found", "--wait=false", *_in(namespace))

    def wait_for(self, kind, name, condition, seconds, namespace=None):
        """Waits until condition(object) is true and returns the object; on time-out shows the
        object and its events."""
        seen = {}

        def holds():
            seen["object"] = self.get(kind, name, namespace)
            return condition(seen["object"])

        def describe():
            events = self("events", "--for", f"{kind}/{name}", *_in(namespace), check=False)
            return yaml.safe_dump(seen.get("object")) + events.stdout

        wait_until(holds, seconds, describe, f"{kind}/{name} is as the test wants it")
        return seen["object"]


def documents(manifests):
    """One YAML text of several documents."""
    parts = []
    for manifest in manifests:
        if isinstance(manifest, str):
            parts.append(manifest)
        elif isinstance(manifest, dict):
            parts.append(yaml.safe_dump(manifest))
        else:
            parts.append(documents(manifest))
    return "\n---\n".join(parts)


def _in(namespace):
    return ["--namespace", namespace] if namespace else []
