#!/usr/bin/env python3
"""Runs stentorctl on the manifests under testdata/ and compares what it says, word for word.

usage: golden.py check|write STENTORCTL TESTDATA

Each file testdata/golden/NAME.txt begins with a line "$ ARGUMENTS", run in TESTDATA; behind it is
the output (standard error behind standard output), and at the end a line "status N". `write`
renews what follows the first line."""

import shlex
import subprocess
import sys
from pathlib import Path


def say(program, data, line):
    """What a run with the arguments of "$ …" says, with its status."""
    arguments = shlex.split(line.removeprefix("$ "))
    done = subprocess.run([program, *arguments], cwd=data, text=True, capture_output=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin"}, check=False)
    return f"{line}\n{done.stdout}{done.stderr}status {done.returncode}\n"


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    program, data = Path(sys.argv[2]).resolve(), Path(sys.argv[3])
    paths = sorted((data / "golden").glob("*.txt"))
    wrong = 0
    for path in paths:
        wanted = path.read_text()
        said = say(program, data, wanted.splitlines()[0])
        if sys.argv[1] == "write":
            path.write_text(said)
        elif said != wanted:
            wrong += 1
            print(f"--- {path.name}: wanted\n{wanted}--- said\n{said}")
    print(f"{len(paths)} cases, {wrong} differ")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
