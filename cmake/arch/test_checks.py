#!/usr/bin/env python3
"""Plants one violation of each kind and sees the two checks refuse it, and a clean tree pass.

usage: test_checks.py CC
"""
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EDGES = "base:\ntop: base\n<uv.h>: base\n"
CLEAN = {
    "base/a.h": "int a(void);\n",
    "base/a.c": '#include "base/a.h"\nint a(void) { return 1; }\n',
    "base/shell.h": "int shell(void);\n",
    "base/shell.c": '#include "base/shell.h"\n#include <uv.h>\nint shell(void) { return 2; }\n',
    "top/b.c": '#include "base/a.h"\nint b(void);\nint b(void) { return a(); }\n',
}
PURE = ["base/a.c", "top/b.c"]
INCLUDE_CASES = [  # name, changed file, its text, fragment of the complaint (None: must pass)
    ("clean", None, None, None),
    ("upward edge", "base/a.c", '#include "top/b.h"\n', "base may not include top"),
    ("foreign library", "top/b.c", "#include <uv.h>\n", "<uv.h> belongs to base"),
    ("relative include", "top/b.c", '#include "b.h"\n', "not written from the root"),
    ("pure uses shell", "top/b.c", '#include "base/shell.h"\n', "whose code is in a shell"),
    ("unknown folder", "new/c.c", "int c;\n", "new is not in"),
]
SYMBOL_CASES = [
    ("clean", "int f(int a);\nint f(int a) { return a + 1; }\nextern int g(void); int h(void); int h(void) { return g(); }\n", None),
    ("clock", "#include <time.h>\nlong f(void);\nlong f(void) { return (long)time(0); }\n", "time"),
    ("socket", "int socket(int,int,int);\nint f(void);\nint f(void) { return socket(1,2,3); }\n", "socket"),
    ("library", "int uv_run(void *, int);\nint f(void);\nint f(void) { return uv_run(0, 0); }\n", "uv_run"),
    ("environment", "#include <stdlib.h>\nchar *f(void);\nchar *f(void) { return getenv(\"A\"); }\n", "getenv"),
]


def run(*command):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def expect(name, code, output, fragment):
    if fragment is None:
        good = code == 0
    else:
        good = code == 1 and fragment in output
    print(("ok   " if good else "FAIL ") + name + ("" if good else f": exit {code}\n{output}"))
    return good


def includes_case(name, changed, text, fragment):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = dict(CLEAN, **{"top/b.h": "int b(void);\n"})
        if changed:
            files[changed] = text
        for path, body in files.items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(body)
        (root / "edges.txt").write_text(EDGES)
        (root / "pure.txt").write_text("\n".join(PURE))
        return expect(f"includes: {name}",
                      *run(HERE / "check_includes.py", root, root / "edges.txt", root / "pure.txt"), fragment)


def symbols_case(cc, name, source, fragment):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "x.c").write_text(source)
        subprocess.run([cc, "-c", root / "x.c", "-o", root / "x.o"], check=True)
        subprocess.run(["ar", "rcs", root / "libx_pure.a", root / "x.o"], check=True)
        return expect(f"symbols: {name}", *run(HERE / "check_symbols.py", root / "libx_pure.a"), fragment)


def main():
    results = [includes_case(*case) for case in INCLUDE_CASES]
    results += [symbols_case(sys.argv[1], *case) for case in SYMBOL_CASES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
