"""stentor-controller as a command: --check, --help, --version and flags it does not know."""

import json
import re

import pytest
import yaml

from lab.daemon import program
from lab.objects import pool
from lab.process import run_command
from lab.programs import REPOSITORY
from lab.story import web

EXAMPLES = REPOSITORY / "docs" / "examples"
HEADER = ["SERVICE", "ADDRESSES", "OWNER", "BACKUPS", "REASON", "MESSAGE"]
TEXT = """\
SERVICE         ADDRESSES    OWNER  BACKUPS  REASON        MESSAGE
default/legacy  -            -      -        NotInAnyPool  ["198.51.100.77"] is not allowed in config
default/mail    203.0.113.5  n2     n1       Allocated     203.0.113.5 from pool "by-request"
default/web     192.0.2.240  n1     n2       Allocated     192.0.2.240 from pool "office"
"""
USAGE = 2


def row(name, ips, pool_name, reason, message, *nodes):
    """nodes: the owner and the backups."""
    return {"namespace": "default", "name": name, "ips": ips, "pool": pool_name, "reason": reason,
            "message": message, "owner": nodes[0] if nodes else "", "backups": list(nodes[1:])}


SERVICES = [
    row("legacy", [], "", "NotInAnyPool", '["198.51.100.77"] is not allowed in config'),
    row("mail", ["203.0.113.5"], "by-request", "Allocated", '203.0.113.5 from pool "by-request"',
        "n2", "n1"),
    row("web", ["192.0.2.240"], "office", "Allocated", '192.0.2.240 from pool "office"', "n1", "n2"),
]


def run(*arguments, env=None):
    """(status, standard output, standard error) of the program."""
    done = run_command([program("stentor-controller"), *arguments], check=False, seconds=30, env=env)
    return done.returncode, done.stdout, done.stderr


def check(directory, *arguments, status=0, env=None):
    """What --check --output json says, which must end with that status."""
    got, out, err = run("--check", directory, "--output", "json", *arguments, env=env)
    assert (got, err) == (status, "")
    return json.loads(out)


def write(directory, name, *objects):
    (directory / name).write_text(yaml.safe_dump_all(objects))


def an(name, ip=None, **options):
    """A Service in the namespace default. ip: what its status shows."""
    made = web(name, **options)
    made["metadata"]["namespace"] = "default"
    if ip:
        made["status"] = {"loadBalancer": {"ingress": [{"ip": ip}]}}
    return made


def test_examples_as_text():
    assert run("--check", EXAMPLES) == (0, TEXT, "")
    assert run("--check", EXAMPLES, "--output=text") == (0, TEXT, "")


def test_examples_as_json():
    assert check(EXAMPLES) == {"services": SERVICES, "findings": []}


def test_nothing_is_left_behind(tmp_path):
    """A dry run: it writes neither to the directory nor beside it."""
    write(tmp_path, "a.yaml", pool("a", "192.0.2.0/30"), an("one"))
    check(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.yaml"]


def test_status_counts_as_assigned(tmp_path):
    """As in a dump of a cluster: nobody else gets the address, whatever the order of names."""
    write(tmp_path, "a.yaml", pool("a", "192.0.2.0/30"), an("early"), an("later", ip="192.0.2.0"),
          an("outside", ip="198.51.100.1"))
    assert check(tmp_path)["services"] == [
        row("early", ["192.0.2.1"], "a", "Allocated", '192.0.2.1 from pool "a"'),
        row("later", ["192.0.2.0"], "a", "Allocated", '192.0.2.0 from pool "a"'),
        row("outside", ["192.0.2.2"], "a", "Allocated", '192.0.2.2 from pool "a"')]


def test_findings_end_with_status_1(tmp_path):
    """The rest is planned all the same, and both formats say the same."""
    write(tmp_path, "a.yaml", pool("a", "192.0.2.0/30"), pool("b", "192.0.2.2/32"), an("one"))
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: Srvice\nmetadata: {name: x}\n")
    (tmp_path / "note.yaml").write_text("apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x}\n")
    told = check(tmp_path, status=1)
    assert told["services"] == [row("one", ["192.0.2.0"], "a", "Allocated", '192.0.2.0 from pool "a"')]
    errors = [found for found in told["findings"] if found["severity"] == "error"]
    assert errors == [
        {"object": "bad.yaml:1", "field": "kind", "severity": "error",
         "message": 'kind "Srvice" of "v1" is unknown; did you mean "Service"?'},
        {"object": "IPAddressPool/metallb-system/b", "field": "spec.addresses[0]", "severity": "error",
         "message": 'CIDR "192.0.2.2/32" in pool "b" overlaps with already defined CIDR "192.0.2.0/30" of '
                    "IPAddressPool/metallb-system/a"}]
    (note,) = [found for found in told["findings"] if found not in errors]
    assert (note["object"], note["severity"]) == ("note.yaml:1", "note")
    status, out, _ = run("--check", tmp_path)
    lines = out.splitlines()
    assert (status, lines[0].split(), lines[1].split()[:5]) == (
            1, HEADER, ["default/one", "192.0.2.0", "-", "-", "Allocated"])
    assert lines[2:] == [
        f"{f['severity']}: {f['object']}{': ' if f['field'] else ''}{f['field']}: {f['message']}"
        for f in told["findings"]]


def test_notes_are_no_errors(tmp_path):
    (tmp_path / "note.yaml").write_text("apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x}\n")
    assert [found["severity"] for found in check(tmp_path)["findings"]] == ["note"]


def test_directory_that_is_not_there(tmp_path):
    """Said at once; --check waits for nothing."""
    assert check(tmp_path / "none", status=1) == {"services": [], "findings": [{
        "object": str(tmp_path / "none"), "field": "", "severity": "error", "message": "No such file or directory"}]}


def test_namespace(tmp_path):
    """By flag or by variable; objects in another namespace do not count, and are named."""
    write(tmp_path, "a.yaml", pool("a", "192.0.2.0/30", namespace="lb"), an("one"))
    served = {"services": [row("one", ["192.0.2.0"], "a", "Allocated", '192.0.2.0 from pool "a"')], "findings": []}
    assert check(tmp_path, "--namespace", "lb") == served
    assert check(tmp_path, env={"METALLB_NAMESPACE": "lb"}) == served
    assert check(tmp_path, "--namespace", "lb", env={"METALLB_NAMESPACE": "other"}) == served
    assert check(tmp_path, "--namespace", "other", status=1) == {
        "services": [row("one", [], "", "NoPool", "no available IPs: there are no address pools")],
        "findings": [{"object": "IPAddressPool/lb/a", "field": "metadata.namespace", "severity": "error",
                      "message": "resource must be created in other namespace"}]}


def test_load_balancer_class(tmp_path):
    write(tmp_path, "a.yaml", pool("a", "192.0.2.0/30"), an("classless"),
          an("mine", loadBalancerClass="example.org/mine"))

    def foreign(name):
        return row(name, [], "", "ForeignClass", "the Service is of another load balancer's class")

    def served(name):
        return row(name, ["192.0.2.0"], "a", "Allocated", '192.0.2.0 from pool "a"')

    assert check(tmp_path)["services"] == [served("classless"), foreign("mine")]
    assert check(tmp_path, "--lb-class", "example.org/mine")["services"] == [foreign("classless"), served("mine")]


def test_help_and_version():
    """--help names every flag of the guide."""
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage: stentor-controller [flags]\n\nGives the addresses of IPAddressPools")
    told = re.findall(r"^\| `(--[\w-]+)", (REPOSITORY / "docs" / "controller.md").read_text(), re.M)
    assert len(told) > 15
    assert re.findall(r"^  (--[\w-]+)", out, re.M) == [*told, "--help", "--version"]
    status, out, err = run("--version")
    assert (status, bool(re.fullmatch(r"stentor-controller \d+\.\d+\.\d+\n", out)), err) == (0, True, "")


WRONG = {
    "unknown": (["--nope"], "unknown flag --nope"),
    "misspelt": (["--outptu", "json"], "unknown flag --outptu: did you mean --output?"),
    "operand": (["web"], 'unexpected argument "web"'),
    "no_value": (["--port"], "--port needs a value"),
    "no_port": (["--port", "99999"], '--port: "99999" is not a number from 0 to 65535'),
    "no_format": (["--output", "xml"], '--output: "xml" is not one of text, json'),
    "no_boolean": (["--leader-elect=maybe"], '--leader-elect: "maybe" is not true or false'),
    "status_alone": (["--status", "s"], "--status needs --manifests"),
    "check_and_manifests": (["--check", "m", "--manifests", "m"], "--check reads one directory by itself; "
                            "leave out --manifests and --status"),
    "lease_times": (["--leader-elect-lease-duration", "1s"], "the lease duration must be longer than the "
                    "renew deadline, and that longer than the retry period"),
}


@pytest.mark.parametrize("arguments, sentence", WRONG.values(), ids=WRONG.keys())
def test_wrong_flags(arguments, sentence):
    """One sentence, where to look, and status 2."""
    assert run(*arguments) == (USAGE, "", f"stentor-controller: {sentence}\nSee stentor-controller --help.\n")
