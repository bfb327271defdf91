#!/usr/bin/python3
"""Plants one difference of each kind in a copy of the tree and sees the checks name it.

usage: test_documents.py ROOT FACTS SPEAKER_FACTS PROGRAM"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

import documents  # noqa: E402
import guide  # noqa: E402

HERE = Path(__file__).parent
GUIDE, REST, API = "docs/controller.md", "controller/rest.c", "docs/openapi.yaml"
MANIFEST = "docs/manifests/controller.yaml"

CASES = [  # file, what is in it, what is put there instead, fragment of the complaint
    ("README.md", "take the address from this pool only", "x", "table of annotations is not what"),
    ("README.md", "<!-- end of annotations -->", "", "needs the markers of the table of annotations"),
    (GUIDE, "| `9120` |", "| `9121` |", "table of flags is not what"),
    ("docs/metrics.md", "| gauge | `pool` |", "| counter | `pool` |", "table of metrics is not what"),
    ("README.md", "(docs/controller.md)", "(docs/controler.md)", "docs/controler.md leads nowhere"),
    ("README.md", "#reasons", "#causes", "#causes: no such heading"),
    ("README.md", "`crd/annotations.h`", "`crd/annotation.h`", "crd/annotation.h is not there"),
    ("README.md", "| `arp/` |", "| `arm/` |", "arp/ has no line"),
    ("README.md", "| `arp/` |", "| `arm/` |", "arm/, which is not there"),
    (GUIDE, "| `Reserved` |", "| `Kept` |", "reason Reserved has no line"),
    (GUIDE, "| `Reserved` |", "| `Kept` |", "reason Kept does not exist"),
    (REST, '{"GET", "/api/v1/pools", list_pools}', '{"PUT", "/api/v1/pools", list_pools}',
     "PUT /api/v1/pools of controller/rest.c is missing"),
    (REST, '{"GET", "/api/v1/pools", list_pools}', "", "GET /api/v1/pools has no row"),
    ("docs/speaker.md", "| `10s` |", "| `11s` |", "table of flags of the speaker is not what"),
    ("docs/speaker.md", "| gauge | `state` |", "| counter | `state` |", "table of metrics of the speaker is not"),
    ("docs/speaker.md", "| `GET /api/v1/bgp` |", "| `GET /api/v1/peers` |", "GET /api/v1/bgp has no line"),
    ("docs/speaker.md", "| `GET /api/v1/bgp` |", "| `GET /api/v1/peers` |", "GET /api/v1/peers has no row"),
    ("speaker/rest.c", '{"GET", "/api/v1/bgp", show_bgp}', '{"GET", "/api/v1/peers", show_bgp}',
     "GET /api/v1/peers of speaker/rest.c is missing"),
    ("docs/openapi-speaker.yaml", "                stale: false\n", "", "stale is missing"),
    (API, "openapi: 3.1.0", "openapi: 3.0.3", "is not 3.1"),
    (API, "operationId: listPools", "x: y", "no operationId"),
    (API, "name: namespace\n", "name: ns\n", "parameters ['name', 'ns']"),
    (API, "                  autoAssign: true\n", "", "autoAssign is missing"),
    (API, "autoAssign: true", 'autoAssign: "yes"', "is not of type boolean"),
    (API, 'accepted: "True"', "accepted: maybe", "is none of"),
    (API, "pool: office", "pools: office", "pools is not described"),
    (API, "enum: [error,", "maxLength: 9\n          enum: [error,", "keyword maxLength is not known"),
    (MANIFEST, "verbs: [get, create, update, patch]", "verbs: [get]", "is not as in"),
    (MANIFEST, "--log-level=", "--loglevel=", "no flag --loglevel"),
    (MANIFEST, "METALLB_POD_NAME", "POD_NAME", "does not read POD_NAME"),
    (MANIFEST, "containerPort: 17472", "containerPort: 17473", "the program's are"),
    ("docs/manifests/speaker.yaml", "resources: [services, nodes]", "resources: ['*']", "is not as in"),
    ("docs/manifests/speaker.yaml", "METALLB_NODE_NAME", "NODE_NAME", "does not read NODE_NAME"),
    ("docs/manifests/speaker.yaml", "containerPort: 7946", "containerPort: 7947", "the program's are"),
    ("docs/manifests/speaker.yaml", "- name: state\n          mountPath", "- name: status\n          mountPath",
     "mounted are"),
    ("docs/manifests/speaker.yaml", "    - ^cni.*\n", "", "not that of speaker/excludes.c"),
]
PROGRAM_CASES = [  # script, its arguments before ROOT, file, text, replacement, fragment
    ("guide.py", ("check",), GUIDE, "203.0.113.5  n2", "203.0.113.6  n2", "prints"),
    ("guide.py", ("check",), GUIDE, "  - 192.0.2.0/27\n", "  - 192.0.2.0/127\n", "its files are refused"),
    ("answers.py", (), API, "avoidBuggyIPs: {type: boolean}", "avoidBuggyIPs: {type: string}",
     "is not of type string"),
    ("answers.py", (), API, "            error: {type: string,", "            fault: {type: string,",
     "error is not described"),
    ("answers.py", (), API, "            error: {type: string,", "            fault: {type: string,",
     "no answer has fault"),
    ("answers.py", (), API, '        "404":', '        "410":', "status 404 is not described"),
    ("answers.py", (), "docs/metrics.md", "| `process_open_fds` | gauge |", "| `process_fds` | gauge |",
     "docs/metrics.md has no gauge process_open_fds"),
]
OUTPUTS = [  # what the guide says, what a cluster prints, whether that is the same
    ("web  198.18.1.2   80:30123/TCP   2s\n", "web 198.18.77.1  80:31999/TCP  1m3s\n", True),
    ("x  controller_08d1b6f2   12s\n", "x   controller_ffffffff   7s\n", True),
    ("12s   Warning\n", "3s   Warning\n", True),
    ("web  192.0.2.2\n", "web  192.0.2.3\n", False),
    ("80:30123/TCP\n", "81:30123/TCP\n", False),
    ("web\n", "", False),
]


def planted(root, file, text, replacement, check):
    """What check() complains of while the difference is there."""
    path = root / file
    before = path.read_text()
    if text not in before:
        return f"{file} has no {text!r} to change"
    path.write_text(before.replace(text, replacement))
    try:
        return check()
    finally:
        path.write_text(before)


def expect(name, output, fragment):
    good = fragment in output if fragment else not output
    print(("ok   " if good else "FAIL ") + name + ("" if good else f": want {fragment!r}, got\n{output}"))
    return good


def static_cases(root, facts):
    def check():
        return "\n".join(documents.check(root, facts))

    yield expect("clean", check(), None)
    for file, text, replacement, fragment in CASES:
        yield expect(f"{file}: {fragment}", planted(root, file, text, replacement, check), fragment)


def program_cases(root, program):
    for script, arguments, file, text, replacement, fragment in PROGRAM_CASES:
        def check():
            done = subprocess.run([HERE / script, *arguments, program, root], capture_output=True, text=True)
            return done.stdout + done.stderr if done.returncode else ""

        yield expect(f"{script}: {fragment}", planted(root, file, text, replacement, check), fragment)


def output_cases():
    for told, real, same in OUTPUTS:
        yield expect(f"guide: {told.strip()}", "" if guide.alike(told, real) == same else "wrong", None)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        shutil.copytree(sys.argv[1], root, ignore=shutil.ignore_patterns("build", ".git", "testdata", "__pycache__"))
        results = [*output_cases(), *static_cases(root, documents.read_facts(*sys.argv[2:4])),
                   *program_cases(root, sys.argv[4])]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
