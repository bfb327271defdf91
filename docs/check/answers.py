#!/usr/bin/python3
"""Asks a running stentor-controller everything that docs/openapi.yaml describes, and compares.

usage: answers.py PROGRAM ROOT

Every status code that is answered is described and every body obeys its schema; every property
that is described is in some answer. /metrics has the metrics of docs/metrics.md."""

import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from openapi import Document  # noqa: E402

PATIENCE_S = 20
SERVING = re.compile(r"msg=serving what=(\w+) .*port=(\d+)")
ONLY_A_STANDBY = {("GET", "/api/v1/explain/{namespace}/{name}", "503"), ("GET", "/readyz", "503")}


class Program:
    """stentor-controller on a copy of the examples, without a cluster."""

    def __init__(self, program, root, folder):
        self.log = folder / "log"
        shutil.copytree(root / "docs/examples", folder / "manifests")
        shutil.copytree(root / "docs/check/manifests", folder / "manifests/more")
        (folder / "status").mkdir()
        self.process = subprocess.Popen(
            [program, "--manifests", folder / "manifests", "--status", folder / "status",
             "--port", "0", "--health-probe-port", "0"], stderr=self.log.open("w"))

    def ports(self):
        return {what: int(port) for what, port in SERVING.findall(self.log.read_text())}

    def get(self, path, accept="application/json, text/plain"):
        """(status, media type, body) of a GET."""
        what = "health" if path in ("/healthz", "/readyz") else "api"
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports()[what]}{path}",
                                         headers={"Accept": accept})
        try:
            answer = urllib.request.urlopen(request, timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        media = answer.headers["Content-Type"].partition(";")[0]
        return str(answer.status), media, answer.read().decode()

    def wait_settled(self):
        """Until it leads and what it has written has come back to it."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"it ended by itself:\n{self.log.read_text()}")
            if len(self.ports()) == 2 and self.get("/readyz")[0] == "200" and self._has_judged():
                return
            time.sleep(0.02)
        sys.exit(f"it is not ready after {PATIENCE_S} s:\n{self.log.read_text()}")

    def _has_judged(self):
        pools = json.loads(self.get("/api/v1/pools")[2])["pools"]
        return pools and all(pool["accepted"] != "Unknown" for pool in pools)

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


def targets(path, operation):
    """The path with each combination of its parameters' examples."""
    choices = [[(parameter["name"], example["value"]) for example in parameter["examples"].values()]
               for parameter in operation.get("parameters", ())]
    for values in itertools.product(*choices):
        yield path.format(**dict(values))


def check_answer(document, operation, answer, target):
    status, media, body = answer
    if status not in operation["responses"]:
        return [f"{target}: status {status} is not described"]
    content = document.content(operation["responses"][status])
    if media not in content:
        return [f"{target}: {media} is not described for {status}"]
    if media != "application/json":
        return []
    return list(document.problems(content[media]["schema"], json.loads(body), target))


def check_operations(document, program):
    answered = set()
    for method, path, operation in document.operations():
        for target in targets(path, operation):
            answer = program.get(target)
            answered.add((method, path, answer[0]))
            yield from check_answer(document, operation, answer, target)
        told = {(method, path, status) for status in operation["responses"]}
        for _, _, status in sorted(told - answered - ONLY_A_STANDBY):
            yield f"{method} {path}: nothing was answered with {status}"
    yield from document.unseen()


def check_metrics(root, program):
    """Every metric in the answer is on the page with its kind; of those on the page, the ones
    without labels are in the answer (the others only once they have happened)."""
    page = (root / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", page, re.M)
    told = {(name, kind) for name, kind, _ in rows}
    always = {(name, kind) for name, kind, labels in rows if not labels}
    real = set(re.findall(r"^# TYPE (\w+) (\w+)$", program.get("/metrics")[2], re.M))
    for name, kind in sorted(real - told):
        yield f"/metrics: docs/metrics.md has no {kind} {name}"
    for name, kind in sorted(always - real):
        yield f"/metrics: the answer has no {kind} {name}"
    if program.get("/metrics", "application/openmetrics-text")[1] != "application/openmetrics-text":
        yield "/metrics: the Accept header has no effect"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root = Path(sys.argv[2])
    document = Document(root / "docs/openapi.yaml")
    with tempfile.TemporaryDirectory() as folder:
        program = Program(sys.argv[1], root, Path(folder))
        try:
            program.wait_settled()
            problems = [*check_operations(document, program), *check_metrics(root, program)]
        finally:
            status = program.stop()
        if status:
            problems.append(f"it ended with status {status}:\n{program.log.read_text()}")
    for problem in problems:
        print(problem)
    print(f"{len(list(document.operations()))} routes, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
