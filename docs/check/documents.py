#!/usr/bin/python3
"""Keeps the documents equal to what they describe.

usage: documents.py check|write ROOT FACTS SPEAKER_FACTS

These are the files that docs_facts and docs_facts_speaker have written. `write` renews the generated tables in place;
`check` names every difference, one a line, and fails when there is one."""

import json
import re
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from openapi import LOADER, Document  # noqa: E402

LEFT_OUT = {"build", "__pycache__"}  # folders that are not the product's
ROUTE = re.compile(r'\{"([A-Z]+)", "(/[^"]*)", \w+\}')
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MENTION = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.\w+)`")
FLAG = re.compile(r'\{\s*"([\w-]+)",\s*(?:"(\w+)"|NULL),\s*OPTION_\w+,\s*(?:(?:PROGRAM_)?AT\(\w+\)|'
                  r'\(at\) \+ offsetof\(struct \w+, \w+\))'
                  r'(?:,\s*\.fallback = "([^"]*)")?')
ROWS = re.compile(r"^#define (PROGRAM_ROWS_\w+)(.*)$", re.M)
VERDICT = re.compile(r'\[WANT_\w+\] = \{"(\w+)"|set_result\([^;"]*"(\w+)"')


# --- generated tables --------------------------------------------------------------------------

def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines)


def code(text):
    return f"`{text}`" if text else ""


def annotations_table(facts):
    return table(("annotation", "read also as", "who writes it", "meaning"), [
        (code(row["key"]), code(row["deprecated"]), "you" if row["read"] else "Stentor", row["help"])
        for row in facts["annotations"]])


def flags_table(facts):
    return table(("flag", "environment", "default", "meaning"), [
        (code(f"--{row['flag']} {row['value']}".strip()), code(row["environment"]),
         code(row["default"]), row["help"]) for row in facts["flags"]])


def metrics_table(facts):
    return table(("name", "kind", "labels", "meaning"), [
        (code(row["name"]), row["kind"], ", ".join(map(code, row["labels"])), row["help"])
        for row in facts["metrics"]])


GENERATED = {  # name in the marker: the file that has it, and what it shows
    "annotations": ("README.md", annotations_table),
    "flags": ("docs/controller.md", flags_table),
    "metrics": ("docs/metrics.md", metrics_table),
    "flags of the speaker": ("docs/speaker.md", lambda facts: flags_table(facts["speaker"])),
    "metrics of the speaker": ("docs/speaker.md", lambda facts: metrics_table(facts["speaker"])),
}


def block(name):
    return re.compile(f"(<!-- generated: {name} -->\n).*?(<!-- end of {name} -->)", re.S)


def renew(text, name, facts):
    """The text with that table as it should be; None when it has no place for it."""
    body = GENERATED[name][1](facts)
    new, count = block(name).subn(lambda found: f"{found[1]}{body}\n{found[2]}", text)
    return new if count == 1 else None


def check_generated(root, facts):
    for name, (file, _) in GENERATED.items():
        text = (root / file).read_text()
        wanted = renew(text, name, facts)
        if wanted is None:
            yield f"{file}: needs the markers of the table of {name} once"
        elif wanted != text:
            yield f"{file}: the table of {name} is not what the program has: run documents.py write"


def write_generated(root, facts):
    for name, (file, _) in GENERATED.items():
        text = renew((root / file).read_text(), name, facts)
        if text is None:
            sys.exit(f"{file}: no place for the table of {name}")
        (root / file).write_text(text)


# --- what the documents say by hand --------------------------------------------------------------

def pages(root):
    for path in sorted(root.rglob("*.md")):
        if not LEFT_OUT & set(path.relative_to(root).parts):
            yield path


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            text = line.lstrip("#").strip().lower()
            yield re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def check_links(root):
    for page in pages(root):
        for target in LINK.findall(page.read_text()):
            if "://" in target or target.startswith("mailto:"):
                continue
            file, _, anchor = target.partition("#")
            path = (page.parent / file) if file else page
            if not path.exists():
                yield f"{page.relative_to(root)}: {target} leads nowhere"
            elif anchor and anchor not in anchors(path):
                yield f"{page.relative_to(root)}: {target}: no such heading"


def check_mentions(root):
    """Files of the tree that README and docs/ name in backticks are there."""
    for page in pages(root):
        if page.parent not in (root, root / "docs"):
            continue
        for name in MENTION.findall(page.read_text()):
            if name.split("/")[0] in folders(root) and not (root / name).exists():
                yield f"{page.relative_to(root)}: {name} is not there"


def folders(root):
    """The folders that the map must have: those of the root, and those of common/ one by one."""
    top = {path.name for path in root.iterdir()
           if path.is_dir() and path.name not in LEFT_OUT and not path.name.startswith(".")}
    parts = {f"common/{path.name}" for path in root.glob("common/*") if path.is_dir()}
    return (top - {"common"}) | parts


def check_map(root):
    text = (root / "README.md").read_text()
    section = re.search(r"^## The tree$(.*?)^## ", text, re.M | re.S)
    if not section:
        yield 'README.md: no section "The tree"'
        return
    told = set(re.findall(r"^\| `([\w./-]+)/` \|", section[1], re.M))
    for name in sorted(folders(root) - told):
        yield f'README.md: {name}/ has no line in "The tree"'
    for name in sorted(told - folders(root)):
        yield f'README.md: "The tree" has {name}/, which is not there'


def check_reasons(root, facts):
    source = (root / "controller/decide.c").read_text()
    real = set(facts["reasons"]) | {a or b for a, b in VERDICT.findall(source)}
    section = re.search(r"^### Reasons$(.*?)^##", (root / "docs/controller.md").read_text(), re.M | re.S)
    told = set(re.findall(r"^\| `(\w+)` \|", section[1], re.M)) if section else set()
    for name in sorted(real - told):
        yield f"docs/controller.md: reason {name} has no line"
    for name in sorted(told - real):
        yield f"docs/controller.md: reason {name} does not exist"


# --- the REST API ------------------------------------------------------------------------------

APIS = {  # document: the file with its program's table of routes
    "docs/openapi.yaml": "controller/rest.c",
    "docs/openapi-speaker.yaml": "speaker/rest.c",
}


def check_routes(root):
    shared = set(ROUTE.findall((root / "common/program/program_servers.c").read_text()))
    for file, source in APIS.items():
        routes = set(ROUTE.findall((root / source).read_text()))
        document = Document(root / file)
        told = {(method, path) for method, path, _ in document.operations()}
        if not routes:
            yield f"{source}: no row of a table of routes was found"
        routes |= shared
        for method, path in sorted(routes - told):
            yield f"{file}: {method} {path} of {source} is missing"
        for method, path in sorted(told - routes):
            yield f"{file}: {method} {path} has no row in {source}"
        yield from (f"{file}: {problem}" for problem in document.own_problems())


def check_route_table(root):
    """The table of routes in docs/speaker.md has those of its API, those for health left aside."""
    routes = set(ROUTE.findall((root / "speaker/rest.c").read_text()))
    told = set(re.findall(r"^\| `([A-Z]+) (/[^`]*)` \|", (root / "docs/speaker.md").read_text(), re.M))
    for method, path in sorted(routes - told):
        yield f"docs/speaker.md: {method} {path} has no line"
    for method, path in sorted(told - routes):
        yield f"docs/speaker.md: {method} {path} has no row in speaker/rest.c"


# --- the manifests -----------------------------------------------------------------------------

def documents(path):
    return [tree for tree in yaml.load_all(path.read_text(), LOADER) if tree]


def identity(tree):
    return tree["kind"], tree["metadata"].get("namespace", ""), tree["metadata"]["name"]


def manifests(root):
    """(program, path) of each."""
    return [(path.stem, path) for path in sorted((root / "docs/manifests").glob("*.yaml"))]


def check_rights(root):
    """The manifests give the rights that the lab gives, and no others."""
    lab = {identity(tree): tree for tree in documents(root / "integration-tests/lab/rbac.yaml")}
    ours = {identity(tree): tree for _, path in manifests(root) for tree in documents(path)
            if tree["apiVersion"].startswith("rbac.") or tree["kind"] == "ServiceAccount"}
    for key in sorted(set(lab) | set(ours)):
        if lab.get(key) != ours.get(key):
            yield f"docs/manifests: {' '.join(key)} is not as in integration-tests/lab/rbac.yaml"


def flag_rows(root, program):
    """The rows of a program's table of flags: its own, and the common ones that it takes in."""
    own = (root / program / "settings.c").read_text()
    common = "\n".join(path.read_text().replace("\\\n", " ")
                       for path in sorted((root / "common/program").glob("*.h")))
    taken = (body for name, body in ROWS.findall(common) if re.search(rf"\b{name}\b", own))
    return FLAG.findall("\n".join((own, *taken)))


def check_workload(root, program, path):
    """Flags, environment and ports of the program's Deployment or DaemonSet are its own."""
    where = path.relative_to(root)
    rows = {flag: (variable, default) for flag, variable, default in flag_rows(root, program)}
    variables = {variable for variable, _ in rows.values()}
    [tree] = [tree for tree in documents(path) if tree["kind"] in ("Deployment", "DaemonSet")]
    [container] = tree["spec"]["template"]["spec"]["containers"]
    for argument in container["args"]:
        if argument.removeprefix("--").partition("=")[0] not in rows:
            yield f"{where}: the program has no flag {argument}"
    for variable in container["env"]:
        if variable["name"] not in variables:
            yield f"{where}: the program does not read {variable['name']}"
    mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
    volumes = {volume["name"] for volume in tree["spec"]["template"]["spec"].get("volumes", [])}
    if mounts != volumes:
        yield f"{where}: volumes {sorted(volumes)}, mounted are {sorted(mounts)}"
    told = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    real = {"metrics": rows["port"][1], "health": rows["health-probe-port"][1]}
    if "ml-bindport" in rows:
        real["members"] = rows["ml-bindport"][1]
    if told != real:
        yield f"{where}: ports {told}, the program's are {real}"


def check_excluded(root):
    """The list of excluded interfaces that is shipped is the one that is built in."""
    table = re.search(r"shipped\[\] = \{(.*?)\};", (root / "speaker/excludes.c").read_text(), re.S)
    [shipped] = [tree for tree in documents(root / "docs/manifests/speaker.yaml") if tree["kind"] == "ConfigMap"]
    told = yaml.safe_load(shipped["data"]["excludel2.yaml"])["announcedInterfacesToExclude"]
    if told != re.findall(r'"([^"]+)"', table[1]):
        yield "docs/manifests/speaker.yaml: the list of excluded interfaces is not that of speaker/excludes.c"


def check(root, facts):
    yield from check_generated(root, facts)
    yield from check_links(root)
    yield from check_mentions(root)
    yield from check_map(root)
    yield from check_reasons(root, facts)
    yield from check_routes(root)
    yield from check_route_table(root)
    yield from check_rights(root)
    yield from check_excluded(root)
    for program, path in manifests(root):
        yield from check_workload(root, program, path)


def read_facts(ours, speaker):
    return {**json.loads(Path(ours).read_text()), "speaker": json.loads(Path(speaker).read_text())}


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    root, facts = Path(sys.argv[2]), read_facts(*sys.argv[3:])
    if sys.argv[1] == "write":
        write_generated(root, facts)
    problems = list(check(root, facts))
    for problem in problems:
        print(problem)
    print(f"{len(list(pages(root)))} pages, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
