"""The speaker confines itself once it runs. That it still does all its work is shown by all other
tests, which run it so; here is the confinement as the kernel tells it, and the paths that the
others do not take: names that must be resolved, a credential program, and TLS files that change."""

import json
import re
from pathlib import Path

import pytest

from lab import objects
from lab.controlplane import kubeconfig_object
from lab.relay import Relay
from lab.wait import wait_until

VIP = "192.0.2.240"
FIRST = "n1"
NET_RAW, NET_ADMIN = 1 << 13, 1 << 12  # CAP_NET_RAW is 13, CAP_NET_ADMIN 12


@pytest.fixture
def lan(crds, network, controller):
    """One node that has an address to announce."""
    made = network(1)
    crds.node(FIRST, made[FIRST].address)
    crds.api.create(objects.pool("office", f"{VIP}/32"))
    crds.api.create({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
                     "metadata": {"name": "lan", "namespace": "metallb-system"}, "spec": {}})
    controller()
    crds.service("web")
    crds.api.create({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                     "metadata": {"name": "web-1", "namespace": crds.namespace,
                                  "labels": {"kubernetes.io/service-name": "web"}},
                     "endpoints": [{"addresses": ["198.18.1.1"], "nodeName": FIRST,
                                    "conditions": {"ready": True}}],
                     "ports": [{"name": "port-80", "port": 80, "protocol": "TCP"}]})
    return made


def status(one):
    """What the kernel says of the process: {field: value}."""
    lines = Path(f"/proc/{one.process.pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def announced(one):
    wait_until(lambda: one.announced() == [VIP], 20, one.process.describe)


def test_confined(lan, speaker, api_for_nodes, control_plane):
    """Filter, no new privileges, and of all capabilities the two, however many it was given."""
    kubeconfig = control_plane.kubeconfig("speaker", server=api_for_nodes(lan).url)
    one = speaker(lan[FIRST], kubeconfig=kubeconfig,
                  capabilities=("net_raw", "net_admin", "sys_admin", "dac_override", "setpcap"))
    announced(one)
    told = status(one)
    assert (told["Seccomp"], told["NoNewPrivs"]) == ("2", "1")
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        assert int(told[kind], 16) == NET_RAW | NET_ADMIN
    assert int(told["CapInh"], 16) == int(told["CapAmb"], 16) == 0
    line = one.process.wait_log("msg=confined", 5).string
    assert re.search(r"calls=[1-9]\d+ landlock=\d+ netAdmin=true programs=false", line)


def test_off_and_log(lan, speaker, api_for_nodes, control_plane):
    kubeconfig = control_plane.kubeconfig("speaker", server=api_for_nodes(lan).url)
    one = speaker(lan[FIRST], "--seccomp", "off", kubeconfig=kubeconfig)
    announced(one)
    assert status(one)["Seccomp"] == "0" and int(status(one)["CapEff"], 16) == NET_RAW | NET_ADMIN
    one.finish()
    two = speaker(lan[FIRST], "--seccomp", "log", kubeconfig=kubeconfig)
    announced(two)
    assert status(two)["Seccomp"] == "2"


def test_server_by_name(lan, speaker, control_plane, tmp_path):
    """A name is resolved in a thread of its own, at each connection."""
    relay = Relay((control_plane.address, control_plane.port), lan[FIRST].namespace)
    try:
        content = kubeconfig_object(f"https://localhost:{relay.port}",
                                    Path(control_plane.ca_file).read_bytes(),
                                    control_plane.token("speaker"), "default")
        content["clusters"][0]["cluster"]["tls-server-name"] = control_plane.address
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(content))
        one = speaker(lan[FIRST], kubeconfig=path)
        announced(one)
        relay.cut_all()
        wait_until(lambda: relay.open_connections >= 2, 60, one.process.describe)
        assert one.announced() == [VIP]
    finally:
        relay.close()


def test_credential_program(lan, speaker, api_for_nodes, control_plane, tmp_path):
    """It is run again and again, so programs may be run; the rest of the worst is still refused."""
    program = tmp_path / "login"
    program.write_text(f"""#!/bin/sh
date >> {tmp_path}/runs
cat <<END
{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
  "status": {{"token": "{control_plane.token("speaker")}",
              "expirationTimestamp": "$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)"}}}}
END
""")
    program.chmod(0o755)
    content = kubeconfig_object(api_for_nodes(lan).url, Path(control_plane.ca_file).read_bytes(), "", "default")
    content["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
                                            "command": str(program), "interactiveMode": "Never"}}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content))
    one = speaker(lan[FIRST], kubeconfig=path)
    announced(one)
    assert status(one)["Seccomp"] == "2"
    one.process.wait_log("msg=confined calls=0 landlock=0.*programs=true", 5)
