"""Starts under a bad star: a Lease that is gone or may not be used, an API server that is cut off, a
port that somebody has. The controller says so, and serves as soon as it can."""

import pytest

from lab import promises
from lab.api import ApiError, History
from lab.controller import Controller
from lab.faultproxy import FaultProxy
from lab.objects import pool
from lab.story import given, shown
from lab.wait import wait_until

LEADS, STANDS_BY = "ok: leading\n", "ok: standing by\n"


def state(replica):
    """What /readyz says, "" when there is no answer."""
    try:
        return replica.get("/readyz", replica.health_port)
    except OSError:
        return ""


def look(box, name):
    return shown(box.api.get(box.service_path(name)))


def lease_path(box):
    return f"/apis/coordination.k8s.io/v1/namespaces/{box.system}/leases/stentor-controller"


@pytest.fixture
def replica(run, control_plane, evidence):
    """replica(name) starts one. What still runs at the end must stop cleanly."""
    started = []

    def start(name, kubeconfig=None):
        started.append(Controller(run, kubeconfig or control_plane.kubeconfig("controller"), name=name))
        evidence.add_process(started[-1].process)
        return started[-1]

    yield start
    for one in started:
        one.finish()


@pytest.fixture
def history(crds):
    """The Services' history, which at the end must keep the promises."""
    with History(crds.api, f"/api/v1/namespaces/{crds.namespace}/services") as one:
        yield one
        assert promises.given_twice(one) == []
        assert promises.moved(one) == []


def test_leader_that_cannot_renew_stops_in_time(crds, control_plane, run, replica, history):
    """Cut off from the API server, the leader steps down before the standby takes over."""
    crds.kubectl.apply(pool("a", "192.0.2.0/24"))
    proxy = FaultProxy(run, control_plane)
    leader = replica("first", proxy.kubeconfig("controller"))
    wait_until(lambda: state(leader) == LEADS, 15, leader.process.describe)
    standby = replica("second")
    wait_until(lambda: state(standby) == STANDS_BY, 15, standby.process.describe)
    proxy.stop_accepting()
    proxy.cut_all()
    seen = []

    def handed_over():
        seen.append((state(standby), state(leader)))  # in this order: whoever led may have ended since
        return seen[-1][0] == LEADS

    wait_until(handed_over, 15, [leader.process.describe, standby.process.describe])
    assert (LEADS, LEADS) not in seen
    crds.service("s0")
    wait_until(lambda: look(crds, "s0") == given("192.0.2.0", pool="a"), 15)
    proxy.accept()
    wait_until(lambda: len(leader.rest("/api/v1/services")["services"]) == 1, 30, leader.process.describe,
               "the former leader follows again")
    assert state(leader) == STANDS_BY
    proxy.close()


def test_lease_deleted_by_somebody(crds, replica, history):
    """Again exactly one leads, and serves."""
    crds.kubectl.apply(pool("a", "192.0.2.0/24"))
    two = [replica("first").wait_ready(), replica("second").wait_ready()]
    crds.api.delete(lease_path(crds))
    crds.service("s0")
    wait_until(lambda: look(crds, "s0") == given("192.0.2.0", pool="a"), 15)
    wait_until(lambda: crds.api.get_or_none(lease_path(crds)), 15)
    wait_until(lambda: sorted(map(state, two)) == [LEADS, STANDS_BY], 15)


def test_lease_may_not_be_used(crds, control_plane, replica):
    """Without the right to its Lease a replica leads nobody, and says why."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{crds.system}/rolebindings/controller"
    kept = crds.api.get(path)
    crds.api.delete(path)
    try:
        one = replica("poor")
        one.process.wait_log("(?i)lease.*forbidden", 15)
        wait_until(lambda: state(one) == STANDS_BY, 15)
        with pytest.raises(ApiError):
            control_plane.api_as("controller").get(lease_path(crds))
    finally:
        crds.api.create(kept | {"metadata": {"name": "controller", "namespace": crds.system}})
    wait_until(lambda: state(one) == LEADS, 30, one.process.describe)


def test_not_ready_while_the_api_server_is_away(crds, replica, relay, control_plane):
    """It lives, and says what it waits for."""
    relay.freeze()
    one = replica("early", control_plane.kubeconfig("controller", server=relay.url))
    wait_until(lambda: one.get("/healthz", one.health_port) == "ok\n", 15)
    with pytest.raises(OSError, match="status 503: listing objects"):
        one.get("/readyz", one.health_port)
    relay.thaw()
    one.wait_ready()


def test_port_in_use(controller, tmp_path):
    """A port that somebody has is an error with a sentence, and no half-started controller."""
    one = controller("--manifests", tmp_path)
    second = controller("--manifests", tmp_path, "--port", one.port, ready=False)
    assert second.process.wait(10) == 1
    assert "cannot start" in second.process.log()
    assert f"port {one.port}" in second.process.log()
    assert one.is_ready()
