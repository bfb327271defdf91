"""Who the Kubernetes client (common/kube and the source on it) says it is, and whom it believes, driven
by kube-probe.

Promise: no credential is used beyond its life, none is shown, and nothing is said to a server that
cannot be trusted."""

import base64
import json
import time

import pytest

from lab.controlplane import kubeconfig_object
from lab.faultproxy import Answer
from lab.process import run_command
from lab.relay import Relay
from lab.wait import wait_until


def test_token_file_rotates(kube_probe, control_plane, fault_proxy, maps, run):
    """A token is read again when its file changes, also between a refusal and a second try."""
    directory = run.make_directory("token")
    token = directory / "token"
    token.write_text("wrong\n")
    kubeconfig = _kubeconfig(directory, fault_proxy.url, fault_proxy.ca_file, {"tokenFile": "token"})
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "Unauthorized")
    token.write_text(control_plane.token("admin") + "\n")
    one.synced()
    maps.create("a")

    rule = fault_proxy.rule(Answer(401), method="PATCH", times=1)
    token.write_text(control_plane.token("controller"))  # may not, but is somebody else
    result, line = one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "y"}})
    assert rule.used == 1 and "system:serviceaccount:metallb-system:controller" in line["message"]
    assert result == "the other side reported an error"
    assert "Bearer" not in one.log() and control_plane.token("admin") not in one.log()


def test_exec_plugin(kube_probe, control_plane, fault_proxy, maps, run):
    """A credential program is run once, and again when its token expires or is refused; one that
    fails is told and tried again."""
    directory = run.make_directory("exec")
    program = directory / "login"
    program.write_text("""#!/bin/sh
echo run >> "$COUNT"
test -e "$(dirname "$0")/token" || exit 3
cat <<END
{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
 "status": {"token": "$(cat "$(dirname "$0")/token")"}}
END
""")
    program.chmod(0o755)
    runs = directory / "count"
    kubeconfig = _kubeconfig(directory, fault_proxy.url, fault_proxy.ca_file, {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./login",
        "env": [{"name": "COUNT", "value": str(runs)}], "interactiveMode": "Never"}})
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "there are no credentials")
    (directory / "token").write_text(control_plane.token("admin"))
    one.synced(seconds=30)
    count = runs.read_text().count("run")
    maps.create("a")
    assert one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "y"}})[0] == "ok"
    assert runs.read_text().count("run") == count, "run again without need"
    wait_until(lambda: _seconds_since(fault_proxy) > 1.2, 5)  # a token this fresh is not doubted
    fault_proxy.rule(Answer(401), method="PATCH", times=1)
    assert one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {"d": "z"}})[0] == "ok"
    assert runs.read_text().count("run") == count + 1
    assert control_plane.token("admin") not in one.log()


def test_exec_plugin_expiry(kube_probe, control_plane, maps, run):
    """A token that is about to expire is replaced before it does."""
    directory = run.make_directory("exec")
    program = directory / "login"
    program.write_text("""#!/bin/sh
echo run >> "$(dirname "$0")/count"
cat <<END
{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1",
 "status": {"token": "TOKEN", "expirationTimestamp": "$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)"}}
END
""".replace("TOKEN", control_plane.token("admin")))
    program.chmod(0o755)
    kubeconfig = _kubeconfig(directory, control_plane.url, control_plane.ca_file, {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(program)}})
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow).synced()
    maps.create("a")

    def renewed():
        assert one.write("patch", "ConfigMap", maps.namespace, "a", {"data": {}})[0] == "ok"
        return (directory / "count").read_text().count("run") >= 2
    wait_until(renewed, 15, one.describe, "the program is run again before the expiry")


def test_client_certificate(kube_probe, run, evidence, control_plane, maps):
    """A certificate instead of a token: a server that does not know its issuer says who it is not."""
    directory = run.make_directory("cert")
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=me",
                 "-keyout", directory / "key.pem", "-out", directory / "cert.pem"])
    kubeconfig = _kubeconfig(directory, control_plane.url, control_plane.ca_file, {
        "client-certificate": "cert.pem",
        "client-key-data": base64.b64encode((directory / "key.pem").read_bytes()).decode()})
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "system:anonymous")


def test_in_cluster(kube_probe, control_plane, maps, run):
    """A pod finds its way by environment and service account files alone."""
    directory = run.make_directory("serviceaccount")
    (directory / "token").write_text(control_plane.token("admin"))
    (directory / "namespace").write_text(maps.namespace)
    (directory / "ca.crt").write_bytes(control_plane.ca_file.read_bytes())
    environment = {"KUBERNETES_SERVICE_HOST": control_plane.address,
                   "KUBERNETES_SERVICE_PORT": control_plane.port}
    version = maps.create("a")
    one = kube_probe("--in-cluster", directory, maps.follow, env=environment).synced()
    one.told(maps.id("a"), version)


def test_authority_file_rotates(kube_probe, control_plane, fault_proxy, maps, run):
    """A new authority in the file is used for the next connection."""
    directory = run.make_directory("ca")
    authority = directory / "ca.crt"
    authority.write_bytes(control_plane.ca_file.read_bytes())  # not the proxy's
    kubeconfig = _kubeconfig(directory, fault_proxy.url, None, {"token": control_plane.token("admin")},
                             {"certificate-authority": "ca.crt"})
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "certificate")
    authority.write_bytes(fault_proxy.ca_file.read_bytes())
    one.synced()


def test_wrong_authority_is_refused(kube_probe, control_plane, fault_proxy, maps):
    """Nothing is said to a server that our authority has not signed, unless told so."""
    kubeconfig = control_plane.kubeconfig(server=fault_proxy.url)  # its CA is the API server's
    one = kube_probe("--kubeconfig", kubeconfig, maps.follow)
    one.wait_finding("ConfigMap", "certificate")
    assert not fault_proxy.requests() and not one.objects("ConfigMap")
    text = json.loads(kubeconfig.read_text())
    text["clusters"][0]["cluster"] = {"server": fault_proxy.url, "insecure-skip-tls-verify": True}
    kubeconfig.write_text(json.dumps(text))
    kube_probe("--kubeconfig", kubeconfig, maps.follow).synced()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_server_name(kube_probe, control_plane, maps, run, address):
    """tls-server-name is verified instead of the address, and only it."""
    directory = run.make_directory("name")
    relay = Relay((control_plane.address, control_plane.port), address=address)
    server = f"https://[{address}]:{relay.port}" if ":" in address else relay.url
    for name, good in (("kubernetes.default.svc", True), ("example.net", False)):
        kubeconfig = _kubeconfig(directory, server, control_plane.ca_file,
                                 {"token": control_plane.token("admin")}, {"tls-server-name": name})
        one = kube_probe("--kubeconfig", kubeconfig, maps.follow)
        if good:
            one.synced()
        else:
            one.wait_finding("ConfigMap", "example.net")
    relay.close()


def _seconds_since(proxy):
    return time.monotonic() - proxy.requests()[-1].seconds


def _kubeconfig(directory, server, ca_file, user, cluster=None):
    """Writes a kubeconfig with that user and those further fields of the cluster."""
    content = kubeconfig_object(server, ca_file.read_bytes() if ca_file else b"", "", "default")
    content["users"][0]["user"] = user
    if not ca_file:
        del content["clusters"][0]["cluster"]["certificate-authority-data"]
    content["clusters"][0]["cluster"].update(cluster or {})
    path = directory / "kubeconfig"
    path.write_text(json.dumps(content))
    return path
