"""What stentor-controller answers over HTTP: whole answers, compared as they are."""

import http.client
import json
import ssl
import time

import pytest

from lab.objects import pool
from lab.process import run_command
from lab.programs import REPOSITORY
from lab.story import is_judged, web
from lab.wait import wait_until

NEW = "metallb.io/"
PATHS = ["/api/v1/pools", "/api/v1/services", "/api/v1/config", "/metrics"]
GAUGES = {
    "addresses_total": {"a": 4, "dual": 8}, "addresses_in_use_total": {"a": 2, "dual": 2},
    "ipv4_addresses_total": {"a": 4, "dual": 4}, "ipv4_addresses_in_use_total": {"a": 2, "dual": 1},
    "ipv6_addresses_total": {"a": 0, "dual": 4}, "ipv6_addresses_in_use_total": {"a": 0, "dual": 1},
    "services_allocated_total": {"a": 3, "dual": 1},
}
OVERLAP = ('spec.addresses[0]: CIDR "192.0.2.2/32" in pool "overlap" overlaps with already defined CIDR '
           '"192.0.2.0/30" of IPAddressPool/metallb-system/a')


def populate(box):
    """Three pools, of which one is refused, and Services that have an address, two, a shared one
    and none."""
    pools = [pool("a", "192.0.2.0/30"), pool("overlap", "192.0.2.2/32", avoidBuggyIPs=True),
             pool("dual", "203.0.113.0/30", "2001:db8:2::/126", autoAssign=False)]
    shared = {NEW + "allow-shared-ip": "key", NEW + "loadBalancerIPs": "192.0.2.1"}
    services = [
        web("any"), web("share-1", ["TCP/81"], annotations=shared), web("share-2", ["TCP/82"], annotations=shared),
        web("both", annotations={NEW + "address-pool": "dual"}, ipFamilyPolicy="RequireDualStack"),
        web("lost", annotations={NEW + "loadBalancerIPs": "198.51.100.7"}),
        web("foreign", loadBalancerClass="example.org/other"),
    ]
    for one in services:
        one["metadata"]["namespace"] = box.namespace
    box.kubectl.apply(*pools)
    for one in pools:
        wait_until(lambda one=one: is_judged(box.api.get(box.api.path_of(one))), 15, what="the pools are judged")
    box.kubectl.apply(*services)


@pytest.fixture
def world(crds, controller):
    """A controller on the API server with all of that, once it has come to rest."""
    one = controller("--no-leader-elect")
    populate(crds)
    wait_until(lambda: expected_pools() == one.rest("/api/v1/pools"), 15, lambda: one.get("/api/v1/pools"))
    wait_until(lambda: at_rest(one), 10, lambda: one.get("/metrics"))
    return one


def at_rest(one):
    metrics = one.metrics()
    return metrics["stentor_controller_queue_waiting"] == metrics["stentor_controller_queue_in_flight"] == 0


@pytest.fixture
def site(controller):
    """A controller on the examples."""
    return controller("--manifests", REPOSITORY / "docs" / "examples")


def expected_pools():
    def row(name, addresses, auto, assigned, available, buggy=False, why=None):
        return {"name": name, "addresses": addresses, "autoAssign": auto, "avoidBuggyIPs": buggy,
                "assignedIPv4": assigned[0], "assignedIPv6": assigned[1], "availableIPv4": available[0],
                "availableIPv6": available[1], "accepted": "False" if why else "True",
                "message": why or "the object is in force"}

    return {"pools": [
        row("a", ["192.0.2.0/30"], True, (2, 0), (2, 0)),
        row("dual", ["203.0.113.0/30", "2001:db8:2::/126"], False, (1, 1), (3, 3)),
        row("overlap", ["192.0.2.2/32"], True, (0, 0), (0, 0), True, OVERLAP)]}


def expected_services(namespace):
    def row(name, ips, pool_name, reason, message):
        return {"namespace": namespace, "name": name, "ips": ips, "pool": pool_name, "reason": reason,
                "message": message, "owner": "", "backups": []}

    return {"services": [
        row("any", ["192.0.2.0"], "a", "Allocated", '192.0.2.0 from pool "a"'),
        row("both", ["203.0.113.0", "2001:db8:2::"], "dual", "Allocated",
            '203.0.113.0 and 2001:db8:2:: from pool "dual"'),
        row("foreign", [], "", "ForeignClass", "the Service is of another load balancer's class"),
        row("lost", [], "", "NotInAnyPool", '["198.51.100.7"] is not allowed in config'),
        row("share-1", ["192.0.2.1"], "a", "Allocated", '192.0.2.1 from pool "a"'),
        row("share-2", ["192.0.2.1"], "a", "Allocated", '192.0.2.1 from pool "a"')]}


def nowhere(message, services=0):
    return {"owner": "", "backups": [], "epoch": 0, "reason": "nowhere", "message": message, "services": services}


def expected_explanation(service, **differs):
    return {
        "service": service, "allocated": True, "reason": "Allocated", "pool": "a",
        "asksFor": {"ips": ["192.0.2.1"], "pool": "", "sharingKey": "key", "loadBalancerClass": ""},
        "placement": nowhere("no node may answer for it now", 2),
        "message": '192.0.2.1 from pool "a"', "ips": ["192.0.2.1"], "shows": ["192.0.2.1"], "conflicts": [],
        "pools": [
            {"name": "a", "availableIPv4": 2, "availableIPv6": 0, "message": "open to every Service"},
            {"name": "dual", "availableIPv4": 3, "availableIPv6": 3,
             "message": "gives addresses only to those who ask for it (autoAssign is false)"}],
    } | differs


def test_lists(crds, world):
    """Pools with their counters, Services with addresses and reasons, and what is refused."""
    assert world.rest("/api/v1/services") == expected_services(crds.namespace)
    assert world.rest("/api/v1/config") == {"leader": True, "valid": False, "findings": [{
        "object": "IPAddressPool/metallb-system/overlap", "field": "spec.addresses[0]", "severity": "error",
        "message": OVERLAP.removeprefix("spec.addresses[0]: ")}]}


def test_explain(crds, world):
    """Who shares the address, and why another Service has none."""
    ns = crds.namespace
    assert world.rest(f"/api/v1/explain/{ns}/share-1") == expected_explanation(
        f"{ns}/share-1", usedBy=[{"ip": "192.0.2.1", "services": [f"{ns}/share-1", f"{ns}/share-2"]}])
    assert world.rest(f"/api/v1/explain/{ns}/lost") == expected_explanation(
        f"{ns}/lost", allocated=False, reason="NotInAnyPool", ips=[], shows=[], pool="",
        placement=nowhere("it has no address to answer for"),
        message='["198.51.100.7"] is not allowed in config', usedBy=[{"ip": "198.51.100.7", "services": []}],
        asksFor={"ips": ["198.51.100.7"], "pool": "", "sharingKey": "", "loadBalancerClass": ""})


def test_metrics_of_metallb(crds, world):
    """Every name that dashboards and alerts use, with what it counts."""
    metrics = world.metrics()
    wanted = {f'metallb_allocator_{name}{{pool="{of}"}}': count
              for name, pools in GAUGES.items() for of, count in pools.items()}
    assert {name: value for name, value in metrics.items() if name.startswith("metallb_allocator")} == wanted
    assert metrics["metallb_k8s_client_config_loaded_bool"] == 1
    assert metrics["metallb_k8s_client_config_stale_bool"] == 1
    assert metrics["metallb_k8s_client_update_errors_total"] == 0
    before = metrics["metallb_k8s_client_updates_total"]
    crds.api.delete(crds.api.path_of(pool("overlap")))
    wait_until(lambda: world.metrics()["metallb_k8s_client_config_stale_bool"] == 0, 10)
    wait_until(lambda: world.metrics()["metallb_k8s_client_updates_total"] > before, 10,
               what="the write of the ConfigurationState is counted")


def test_reading_writes_nothing(crds, controller, fault_proxy):
    """Whatever is read, no request reaches the API server."""
    one = controller("--no-leader-elect", kubeconfig=fault_proxy.kubeconfig("controller"))
    populate(crds)
    wait_until(lambda: expected_pools() == one.rest("/api/v1/pools"), 15, lambda: one.get("/api/v1/pools"))
    wait_until(lambda: at_rest(one), 10)
    start = time.monotonic()
    for _ in range(20):
        for path in (*PATHS, f"/api/v1/explain/{crds.namespace}/any"):
            assert one.get(path)
        assert one.ask("/api/v1/pools", "DELETE")[0] == 405
        assert one.get("/readyz", one.health_port).strip() == "ok: leading"
    assert [str(request) for request in fault_proxy.requests(since=start)] == []


REFUSALS = {
    "unknown_path": ("GET", "/api/v1/nothing", 404, "there is nothing at this path"),
    "too_short": ("GET", "/api/v1/explain/default", 404, "there is nothing at this path"),
    "too_long": ("GET", "/api/v1/explain/default/web/more", 404, "there is nothing at this path"),
    "unknown_service": ("GET", "/api/v1/explain/default/none", 404, "there is no Service default/none"),
    "post": ("POST", "/api/v1/pools", 405, "this path has no such method"),
    "delete": ("DELETE", "/api/v1/explain/default/web", 405, "this path has no such method"),
    "no_text": ("GET", "/api/v1/explain/%ff/web", 400, "the path is malformed"),
}


@pytest.mark.parametrize("method, path, status, sentence", REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals_are_json(site, method, path, status, sentence):
    got, headers, body = site.ask(path, method)
    assert (got, headers["Content-Type"], json.loads(body)) == (status, "application/json", {"error": sentence})
    assert headers.get("Allow") == ("GET, HEAD" if status == 405 else None)


def test_head_is_a_get_without_the_body(site):
    status, headers, body = site.ask("/api/v1/services", "HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) == len(site.get("/api/v1/services"))


def test_both_formats_of_metrics(site):
    """Prometheus text, or OpenMetrics for who asks for it."""
    _, plain, text = site.ask("/metrics")
    _, modern, open_text = site.ask("/metrics", headers={
        "Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
    assert plain["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert modern["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert "# TYPE metallb_k8s_client_updates_total counter\n" in text
    assert "# TYPE metallb_k8s_client_updates counter\n" in open_text
    assert open_text.endswith("# EOF\n") and "# EOF" not in text


def test_health_before_it_is_ready(controller, tmp_path):
    """Without its objects it lives and is not ready; it is as soon as they are there."""
    one = controller("--manifests", tmp_path / "later", ready=False)
    wait_until(lambda: one.get("/healthz", one.health_port), 10, one.process.describe)
    status, headers, body = one.ask("/readyz", port=one.health_port)
    assert (status, body.strip(), headers["Content-Type"].partition(";")[0]) == (
        503, "listing objects", "text/plain")
    (tmp_path / "later").mkdir()
    one.wait_ready()
    assert one.get("/readyz", one.health_port).strip() == "ok: leading"
    assert one.ask("/api/v1/pools", port=one.health_port)[0] == 404
    assert one.ask("/readyz")[0] == 404


def make_certificate(directory, name):
    """A certificate for 127.0.0.1 with that common name, in tls.crt and tls.key."""
    directory.mkdir(exist_ok=True)
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-keyout", directory / "tls.key", "-out", directory / "tls.crt"])


def common_name(one, context):
    """Who answers by TLS, after a request that must have been served."""
    connection = http.client.HTTPSConnection("127.0.0.1", one.port, timeout=5, context=context)
    try:
        connection.request("GET", "/api/v1/services")
        subject = dict(pair for part in connection.sock.getpeercert()["subject"] for pair in part)
        assert len(json.loads(connection.getresponse().read())["services"]) == 3
        return subject["commonName"]
    finally:
        connection.close()


def test_tls(controller, tmp_path):
    """--metrics-cert-dir: REST and metrics by TLS alone; a renewed certificate is taken up."""
    make_certificate(tmp_path, "first")
    one = controller("--manifests", REPOSITORY / "docs" / "examples", "--metrics-cert-dir", tmp_path)
    assert common_name(one, ssl.create_default_context(cafile=tmp_path / "tls.crt")) == "first"
    with pytest.raises(ssl.SSLCertVerificationError):
        common_name(one, ssl.create_default_context())
    with pytest.raises(OSError):
        one.get("/metrics")
    make_certificate(tmp_path, "second")
    renewed = ssl.create_default_context(cafile=tmp_path / "tls.crt")
    wait_until(lambda: common_name(one, renewed) == "second", 30, one.process.describe)


def test_tls_without_a_certificate(controller, tmp_path):
    """It does not start, and does not fall back to plain text."""
    one = controller("--manifests", REPOSITORY / "docs" / "examples", "--metrics-cert-dir", tmp_path / "none",
                     ready=False)
    assert one.process.wait(10) == 1
    assert 'msg="cannot start"' in one.process.log()
    assert "cannot serve api" in one.process.log()
