"""AddressConflict: a speaker has seen that somebody else answers for an address. The controller then
gives it to nobody, moves who did not ask for just this one, and tells who did."""

from datetime import datetime, timedelta, timezone

import pytest

from lab.api import ApiError
from lab.objects import pool
from lab.story import given, shown, waits, web
from lab.wait import wait_until

KIND = "/apis/stentor.io/v1alpha1/namespaces/metallb-system/addressconflicts"
TYPE = "stentor.io/AddressConflict"
MAC = "02:00:5e:10:00:01"
A = pool("a", "192.0.2.0/30")


def ago(seconds):
    return (datetime.now(timezone.utc) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def conflict(address, seen=0, node="n1"):
    """seen: so many seconds ago."""
    return {"apiVersion": "stentor.io/v1alpha1", "kind": "AddressConflict",
            "metadata": {"name": address.replace(":", "-"), "namespace": "metallb-system"},
            "spec": {"address": address, "node": node, "interface": "eth0", "mac": MAC, "seen": ago(seen)}}


def sentence(address, node="n1"):
    return f"{address} is answered for by {MAC}, seen by node {node} on interface eth0"


def look(box, name):
    return shown(box.api.get(box.service_path(name)))


def condition(box, name):
    """(status, reason, message) of the condition, or None."""
    conditions = box.api.get(box.service_path(name))["status"].get("conditions", [])
    return next(((c["status"], c["reason"], c["message"]) for c in conditions if c["type"] == TYPE), None)


def told(box, name):
    """The Events about conflicts of a Service, in order."""
    events = [e for e in box.kubectl.get("events.events.k8s.io")
              if e["regarding"]["name"] == name and e["reason"].startswith("AddressConflict")]
    return [(e["type"], e["reason"], e["note"]) for e in sorted(events, key=lambda e: e["eventTime"])]


def names(box):
    """Of the AddressConflicts that there are."""
    return sorted(item["metadata"]["name"] for item in box.api.get(KIND)["items"])


def ask(box, name, **spec):
    made = web(name, **spec)
    made["metadata"]["namespace"] = box.namespace
    box.api.create(made)


@pytest.fixture
def speaker_api(control_plane):
    return control_plane.api_as("speaker")


def test_who_did_not_ask_gets_another(crds, controller, speaker_api):
    """One move, one Event, no condition; nobody is given the address; the end moves nobody."""
    crds.kubectl.apply(A)
    one = controller()
    ask(crds, "web")
    wait_until(lambda: look(crds, "web") == given("192.0.2.0", pool="a"), 15)
    made = speaker_api.create(conflict("192.0.2.0"))
    wait_until(lambda: look(crds, "web") == given("192.0.2.1", pool="a"), 15, lambda: look(crds, "web"))
    ask(crds, "next")
    wait_until(lambda: look(crds, "next") == given("192.0.2.2", pool="a"), 15)
    assert condition(crds, "web") is None
    assert one.metrics()["stentor_controller_addresses_in_quarantine"] == 1
    wait_until(lambda: told(crds, "web") == [
        ("Warning", "AddressConflict", f"{sentence('192.0.2.0')}; a new one will be assigned")], 10,
        lambda: told(crds, "web"))
    crds.api.delete(crds.api.path_of(made))
    ask(crds, "last")
    wait_until(lambda: look(crds, "last") == given("192.0.2.0", pool="a"), 15)
    assert look(crds, "web") == given("192.0.2.1", pool="a")
    assert one.metrics()["stentor_controller_addresses_in_quarantine"] == 0


def test_who_asked_keeps_it_and_is_told(crds, controller, speaker_api):
    """The condition and the Events name who, and where; explain shows it; the object may be renewed,
    and the controller restarted, and nothing is told twice."""
    crds.kubectl.apply(A)
    one = controller()
    ask(crds, "web", loadBalancerIP="192.0.2.2")
    wait_until(lambda: look(crds, "web") == given("192.0.2.2", pool="a"), 15)
    made = speaker_api.create(conflict("192.0.2.2"))
    wanted = ("True", "AddressInUse", sentence("192.0.2.2"))
    wait_until(lambda: condition(crds, "web") == wanted, 15, lambda: condition(crds, "web"))
    assert look(crds, "web") == given("192.0.2.2", pool="a")
    seen = made["spec"]["seen"]
    until = (datetime.fromisoformat(seen) + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert one.rest(f"/api/v1/explain/{crds.namespace}/web")["conflicts"] == [
        {"ip": "192.0.2.2", "mac": MAC, "node": "n1", "interface": "eth0", "seen": seen, "until": until}]
    ask(crds, "two", loadBalancerIP="192.0.2.2")
    wait_until(lambda: look(crds, "two") == waits(
        "Quarantined", '["192.0.2.2"] is in quarantine and not given to anybody for now'), 15)
    assert condition(crds, "two") == wanted
    speaker_api.patch(crds.api.path_of(made), {"spec": {"seen": ago(-1)}})
    one.finish()
    controller()
    version = crds.api.get(crds.service_path("web"))["metadata"]["resourceVersion"]
    ask(crds, "marker")
    wait_until(lambda: look(crds, "marker") == given("192.0.2.0", pool="a"), 15)
    assert crds.api.get(crds.service_path("web"))["metadata"]["resourceVersion"] == version
    crds.api.delete(crds.api.path_of(made))
    wait_until(lambda: condition(crds, "web") is None and condition(crds, "two") is None, 15)
    ended = ("Normal", "AddressConflictEnded", "nobody else is known to answer for its addresses any more")
    for name in ("web", "two"):
        wait_until(lambda name=name: told(crds, name) == [
            ("Warning", "AddressConflict", sentence("192.0.2.2")), ended], 10,
            lambda name=name: told(crds, name))


def test_it_ends_by_itself(crds, controller, speaker_api):
    """Ten minutes after the stranger was seen; who waits for the address has it then, and the object
    is deleted. One that lasts longer stays."""
    crds.kubectl.apply(pool("a", "192.0.2.0/32"))
    speaker_api.create(conflict("192.0.2.0", seen=590))
    speaker_api.create(conflict("192.0.2.1", seen=0))
    controller()
    ask(crds, "web")
    wait_until(lambda: look(crds, "web") == waits(
        "PoolExhausted", "no available IPs: pool a has no free IPv4 address (1 in quarantine)"), 8,
        lambda: look(crds, "web"))
    wait_until(lambda: look(crds, "web") == given("192.0.2.0", pool="a"), 20, lambda: look(crds, "web"))
    wait_until(lambda: names(crds) == ["192.0.2.1"], 15, lambda: names(crds))


def test_what_is_over_does_nothing(crds, controller, speaker_api):
    """Neither an object that is too old, which is deleted, nor one in another namespace, which is not."""
    crds.kubectl.apply(A)
    speaker_api.create(conflict("192.0.2.0", seen=601))
    other = conflict("192.0.2.1")
    other["metadata"]["namespace"] = crds.namespace
    crds.api.create(other)
    one = controller()
    for name, ip in (("one", "192.0.2.0"), ("two", "192.0.2.1")):
        ask(crds, name)
        wait_until(lambda name=name, ip=ip: look(crds, name) == given(ip, pool="a"), 15)
    assert one.metrics()["stentor_controller_addresses_in_quarantine"] == 0
    wait_until(lambda: names(crds) == [], 15, lambda: names(crds))
    assert crds.api.get(crds.api.path_of(other))["metadata"]["name"] == "192.0.2.1"


def test_speakers_may_tell_and_no_more(crds, speaker_api, control_plane):
    """The speaker's rights suffice to make and renew an AddressConflict; others have none."""
    made = speaker_api.create(conflict("2001:db8::7"))
    assert made["metadata"]["name"] == "2001-db8--7"
    renewed = speaker_api.patch(crds.api.path_of(made), {"spec": {"node": "n2"}})
    assert renewed["spec"]["node"] == "n2"
    with pytest.raises(ApiError, match="forbidden"):
        speaker_api.delete(crds.api.path_of(made))
    with pytest.raises(ApiError, match="forbidden"):
        control_plane.api_as("stranger").create(conflict("192.0.2.9"))
