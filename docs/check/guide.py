#!/usr/bin/python3
"""What a reader of docs/controller.md would save and type.

usage: guide.py check|write PROGRAM ROOT

A yaml block that begins with "# NAME.yaml" is a file; a console block has commands behind "$ " and
what they print. Here every file goes through PROGRAM --check without an error, and commands that
begin with stentor-controller are run and compared; `write` puts in what they really print. The
commands for a cluster are run by integration-tests/test_guide.py."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = "docs/controller.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# ([\w-]+\.yaml)\n")
# What no two clusters have alike.
VARIABLE = (
    (re.compile(r"\b198\.18\.\d+\.\d+\b"), "CLUSTER-IP"),
    (re.compile(r":\d{5}/"), ":NODE-PORT/"),
    (re.compile(r"_[0-9a-f]{8}\b"), "_RANDOM"),
    (re.compile(r"(?<= )(\d+[smhd]){1,2}(?= |$)|^(\d+[smhd]){1,2}(?= )", re.M), "AGE"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r" $", re.M), ""),
)


def files(text):
    """{name: body} of the blocks that are files."""
    bodies = [body for language, body in FENCE.findall(text) if language == "yaml"]
    return {FILE.match(body)[1]: body for body in bodies}


def commands(text):
    """[(command, output)] of all console blocks, from top to bottom."""
    found = []
    for language, body in FENCE.findall(text):
        if language != "console":
            continue
        for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def alike(told, real):
    """Are two outputs the same but for what differs between clusters?"""
    for pattern, name in VARIABLE:
        told, real = pattern.sub(name, told), pattern.sub(name, real)
    return told.strip() == real.strip()


def renew(text, command, output, real):
    return text.replace(f"$ {command}\n{output}", f"$ {command}\n{real}")


def check_files(program, text):
    with tempfile.TemporaryDirectory() as folder:
        for name, body in files(text).items():
            (Path(folder) / name).write_text(body)
        # This one is there to be refused.
        (Path(folder) / "overlapping.yaml").unlink()
        done = subprocess.run([program, "--check", folder], capture_output=True, text=True)
    if done.returncode:
        yield f"{PAGE}: its files are refused:\n{done.stdout}{done.stderr}"


def run(program, root, command):
    path = f"{Path(program).resolve().parent}:{os.environ['PATH']}"
    done = subprocess.run(command, shell=True, cwd=root, env={**os.environ, "PATH": path},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    program, root = sys.argv[2], Path(sys.argv[3])
    text = (root / PAGE).read_text()
    problems, count = list(check_files(program, text)), 0
    for command, output in commands(text):
        if not command.startswith("stentor-controller "):
            continue
        count += 1
        real = run(program, root, command)
        if real != output and sys.argv[1] == "write":
            text = renew(text, command, output, real)
            (root / PAGE).write_text(text)
        elif real != output:
            problems.append(f"{PAGE}: $ {command}\nprints\n{real}")
    for problem in problems:
        print(problem)
    print(f"{len(files(text))} files, {count} commands, {len(problems)} differences")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
