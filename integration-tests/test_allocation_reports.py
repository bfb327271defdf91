"""How people learn what happened: Events, conditions, counters and ConfigurationState, as the API
server has them, and the columns that kubectl shows."""

import pytest

from lab.faultproxy import Hold
from lab.objects import ingress_addresses, pool
from lab.story import CONDITION, POOL_ANNOTATION, Step, Story, given, is_judged, shown, waits, web
from lab.wait import stays, wait_until

A = pool("a", "192.0.2.0/30")
TINY = pool("a", "192.0.2.0/32")
DUAL = pool("dual", "203.0.113.0/30", "2001:db8:2::/126")
PREFER = {"ipFamilyPolicy": "PreferDualStack"}
NEW, OLD = "metallb.io/", "metallb.universe.tf/"


def asking(name, prefix=NEW, **annotations):
    return web(name, annotations={prefix + key: value for key, value in annotations.items()})


def normal(reason, note):
    return ("Normal", reason, note)


def warning(reason, note):
    return ("Warning", reason, note)


NO_V6 = "no available IPs in pool a: it has no IPv6 addresses"
FULL = "no available IPs: pool a has no free IPv4 address"
WORDS = 'invalid metallb.io/loadBalancerIPs "mine": "mine" is no IP address'
EVENTS = {
    "allocated": (
        Story(Step({"web": given("192.0.2.0", pool="a")}, [A, web("web")])),
        [normal("IPAllocated", 'Assigned IP ["192.0.2.0"]')]),
    "two_allocated": (
        Story(Step({"web": given("203.0.113.0", "2001:db8:2::", pool="dual")}, [DUAL, web("web", **PREFER)])),
        [normal("IPAllocated", 'Assigned IP ["203.0.113.0" "2001:db8:2::"]')]),
    "failed_and_allocated_later": (
        Story(Step({"first": given("192.0.2.0", pool="a")}, [TINY, web("first")]),
              Step({"web": waits("PoolExhausted", FULL)}, [web("web")]),
              Step({"web": given("192.0.2.0", pool="a")}, delete=["service/first"])),
        [warning("AllocationFailed", f'Failed to allocate IP for "{{ns}}/web": {FULL}'),
         normal("IPAllocated", 'Assigned IP ["192.0.2.0"]')]),
    "cleared_and_allocated_anew": (
        Story(Step({"web": given("192.0.2.0", pool="a")}, [A, web("web")]),
              Step({"web": given("192.0.2.8", pool="a")}, [pool("a", "192.0.2.8/30")])),
        [normal("IPAllocated", 'Assigned IP ["192.0.2.0"]'),
         normal("ClearAssignment", 'current IP ["192.0.2.0"] is not allowed by the configuration, a new '
                'one will be assigned: ["192.0.2.0"] is not allowed in config'),
         normal("IPAllocated", 'Assigned IP ["192.0.2.8"]')]),
    "cleared_for_good": (
        Story(Step({"web": given("192.0.2.0", pool="a")}, [A, web("web")]),
              Step({"web": waits("NoPool", "no available IPs: there are no address pools")},
                   delete=["ipaddresspool/a"])),
        [normal("IPAllocated", 'Assigned IP ["192.0.2.0"]'),
         normal("ClearAssignment", 'current IP ["192.0.2.0"] is not allowed by the configuration, a new '
                'one will be assigned: ["192.0.2.0"] is not allowed in config'),
         warning("AllocationFailed", 'Failed to allocate IP for "{ns}/web": no available IPs: there are '
                 "no address pools")]),
    "bad_wish": (
        Story(Step({"web": waits("InvalidRequest", f"invalid requested loadbalancer IPs: {WORDS}")},
                   [A, asking("web", loadBalancerIPs="mine")])),
        [warning("LoadBalancerFailed", f"invalid requested loadbalancer IPs: {WORDS}")]),
    "second_address_later": (
        Story(Step({"web": given("192.0.2.0", pool="a", remark=f"; no second address: {NO_V6}")},
                   [A, web("web", **PREFER)]),
              Step({"web": given("192.0.2.0", "2001:db8:1::", pool="a")},
                   [pool("a", "192.0.2.0/30", "2001:db8:1::/126")])),
        [normal("AdditionalAssignFailed", f"cannot assign additional IP in PreferDualStack: {NO_V6}"),
         normal("IPAllocated", 'Assigned IP ["192.0.2.0"]'),
         normal("IPAllocated", 'Assigned additional IP "2001:db8:1::"')]),
    "deprecated_annotation": (
        Story(Step({"web": given("192.0.2.1", pool="a")}, [A, asking("web", OLD, loadBalancerIPs="192.0.2.1")])),
        [warning("deprecatedAnnotation", "Service uses deprecated annotation metallb.universe.tf/loadBalancerIPs"),
         normal("IPAllocated", 'Assigned IP ["192.0.2.1"]')]),
}


OUR_APIS = {"ipaddresspool": "metallb.io/v1beta1", "configurationstate": "metallb.io/v1beta1",
            "ipreservation": "stentor.io/v1alpha1"}


def stored(box, kind, name, namespace=None):
    """The object as the API server has it."""
    return box.api.get(f"/apis/{OUR_APIS[kind]}/namespaces/{namespace or box.system}/{kind}s/{name}")


def events_of(box, name):
    """The Events about a Service in the order in which they were told."""
    events = [e for e in box.api.items(f"/apis/events.k8s.io/v1/namespaces/{box.namespace}/events")
              if e["regarding"]["name"] == name]
    for event in events:
        assert event["regarding"]["kind"] == "Service"
        assert event["reportingController"] == "metallb-controller"
    return sorted(events, key=lambda e: e["eventTime"])


def told(box, name):
    return [(e["type"], e["reason"], e["note"]) for e in events_of(box, name)]


@pytest.mark.parametrize("story, expected", EVENTS.values(), ids=EVENTS.keys())
def test_events(play, crds, story, expected):
    """Each change is told once, with MetalLB's reasons and words, and nothing else is told."""
    play(story)
    expected = [(kind, reason, note.replace("{ns}", crds.namespace)) for kind, reason, note in expected]
    wait_until(lambda: len(told(crds, "web")) >= len(expected), 10, lambda: told(crds, "web"))
    assert told(crds, "web") == expected


def test_events_are_told_on_transition_only(crds, controller):
    """Neither a change that concerns no address, nor a restart, nor a failure that lasts is told
    again."""
    crds.api.apply(TINY)
    one = controller()
    crds.service("first")
    wait_until(lambda: look(crds, "first") == given("192.0.2.0", pool="a"), 15)
    crds.service("second")
    wait_until(lambda: look(crds, "second").reason == "PoolExhausted", 15)
    for i in range(5):
        for name in ("first", "second"):
            crds.api.patch(crds.service_path(name), {"metadata": {"labels": {"n": str(i)}}})
    crds.api.apply(pool("b", "198.51.100.0/30", autoAssign=False))
    wait_until(lambda: is_judged(stored(crds, "ipaddresspool", "b")), 15)
    one.finish()
    controller()
    crds.service("marker")
    wait_until(lambda: told(crds, "marker"), 15)
    assert told(crds, "first") == [normal("IPAllocated", 'Assigned IP ["192.0.2.0"]')]
    failures = told(crds, "second")
    # What pools there are is part of the sentence, so that the new pool is told, but once.
    assert [(kind, reason) for kind, reason, _ in failures] == [("Warning", "AllocationFailed")] * len(failures)
    assert len({note for _, _, note in failures}) == len(failures) <= 2


def planned(one, box, name):
    """What the controller has decided that the Service is to have."""
    return [s["ips"] for s in one.rest("/api/v1/services")["services"]
            if (s["namespace"], s["name"]) == (box.namespace, name)]


def test_events_of_a_newer_decision(crds, controller, fault_proxy):
    """A write is on its way when the pools change, and the Service is to have another address: what
    happened is told when that one is written, not when the former write is answered."""
    crds.api.apply(pool("a", "192.0.2.0/30"))
    one = controller(kubeconfig=fault_proxy.kubeconfig("controller"))
    former, newer = Hold(), Hold()
    sent, sent_again = [fault_proxy.rule(held, method="PATCH", path="/services/web/status$") for held in (former, newer)]
    crds.service("web")
    wait_until(lambda: sent.used, 15)
    crds.api.apply(pool("a", "198.51.100.0/30"))
    wait_until(lambda: planned(one, crds, "web") == [["198.51.100.0"]], 15)
    former.release()
    wait_until(lambda: sent_again.used, 15)
    assert look(crds, "web").ips == ("192.0.2.0",)
    crds.service("marker")
    wait_until(lambda: told(crds, "marker"), 15)
    assert told(crds, "web") == []
    newer.release()
    wait_until(lambda: look(crds, "web") == given("198.51.100.0", pool="a"), 15)
    wait_until(lambda: told(crds, "web"), 15)
    assert told(crds, "web") == [normal("IPAllocated", 'Assigned IP ["198.51.100.0"]')]


def look(box, name):
    return shown(box.api.get(box.service_path(name)))


def test_condition(crds, controller):
    """kubectl can wait for it; the time is that of the last change of its status; conditions of
    others stay."""
    crds.api.apply(TINY)
    controller()
    crds.service("first")
    crds.kubectl("wait", "service/first", f"--for=condition={CONDITION}", "--timeout=15s")
    crds.service("second")
    crds.kubectl("wait", "service/second", f"--for=condition={CONDITION}=false", "--timeout=15s")
    theirs = {"type": "example.org/Scanned", "status": "True", "reason": "Done", "message": "clean",
              "lastTransitionTime": "2024-01-01T00:00:00Z"}
    path = crds.service_path("second")
    ours = conditions(crds, "second")[CONDITION]
    crds.api.patch(path + "/status", {"status": {"conditions": [ours, theirs]}})
    crds.api.apply(pool("b", "198.51.100.0/30", autoAssign=False))
    wait_until(lambda: "pool b is only given on request" in conditions(crds, "second")[CONDITION]["message"], 15)
    assert conditions(crds, "second")[CONDITION]["lastTransitionTime"] == ours["lastTransitionTime"]
    crds.api.delete(crds.service_path("first"))
    crds.kubectl("wait", "service/second", f"--for=condition={CONDITION}", "--timeout=15s")
    assert conditions(crds, "second")["example.org/Scanned"] == theirs


def conditions(box, name):
    return {c["type"]: c for c in box.api.get(box.service_path(name))["status"]["conditions"]}


def test_leaving_the_type(crds, controller):
    """Everything of ours goes: address, annotation and condition. What others wrote stays."""
    crds.kubectl.apply(A)
    controller()
    service = web("web", annotations={"example.org/team": "red"})
    service["metadata"]["namespace"] = crds.namespace
    crds.kubectl.apply(service)
    wait_until(lambda: look(crds, "web") == given("192.0.2.0", pool="a"), 15)
    assert crds.kubectl.get("service", "web")["metadata"].get("finalizers", []) == []
    service["spec"] |= {"type": "ClusterIP", "allocateLoadBalancerNodePorts": None}
    crds.kubectl.apply(service)
    wait_until(lambda: look(crds, "web").ips == () and look(crds, "web").status is None, 15)
    stored = crds.kubectl.get("service", "web")
    assert POOL_ANNOTATION not in stored["metadata"]["annotations"]
    assert stored["metadata"]["annotations"]["example.org/team"] == "red"
    assert stored["status"] == {"loadBalancer": {}}


MEDDLING = {
    "ingress_removed": {"status": {"loadBalancer": {"ingress": None}}},
    "other_address": {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.99"}]}}},
    "no_address_at_all": {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}]}}},
    "annotation_removed": {"metadata": {"annotations": {POOL_ANNOTATION: None}}},
    "annotation_changed": {"metadata": {"annotations": {POOL_ANNOTATION: "other"}}},
    "condition_removed": {"status": {"conditions": []}},
}


@pytest.mark.parametrize("patch", MEDDLING.values(), ids=MEDDLING.keys())
def test_status_written_by_others_is_put_right(crds, controller, patch):
    """The address is the one that was given, whatever somebody writes into the status."""
    crds.api.apply(A)
    controller()
    crds.service("web")
    wait_until(lambda: look(crds, "web") == given("192.0.2.0", pool="a"), 15)
    crds.api.patch(crds.service_path("web") + "/status", patch)
    wait_until(lambda: look(crds, "web") == given("192.0.2.0", pool="a"), 15, lambda: look(crds, "web"))


def counters(assigned4, assigned6, available4, available6):
    return {"assignedIPv4": assigned4, "assignedIPv6": assigned6,
            "availableIPv4": available4, "availableIPv6": available6}


def counters_of(box, name):
    status = stored(box, "ipaddresspool", name).get("status", {})
    return {key: value for key, value in status.items() if key != "conditions"}


MOST = 2**63 - 1
SIZES = {
    "prefix": (["192.0.2.0/24"], {}, counters(0, 0, 256, 0)),
    "host_bits": (["192.0.2.77/24"], {}, counters(0, 0, 256, 0)),
    "range": (["192.0.2.5-192.0.2.9"], {}, counters(0, 0, 5, 0)),
    "both_families": (["192.0.2.0/30", "2001:db8::/120"], {}, counters(0, 0, 4, 256)),
    "no_buggy_ones": (["192.0.2.0/23", "203.0.113.128/25"], {"avoidBuggyIPs": True},
                      counters(0, 0, 512 - 4 + 128 - 1, 0)),
    "excluded": (["192.0.2.0/29"], {"excludeAddresses": ["192.0.2.1", "192.0.2.2-192.0.2.3"]},
                 counters(0, 0, 5, 0)),
    "huge": (["10.0.0.0/8", "2001:db8::/66"], {}, counters(0, 0, 2**24, 2**62)),
    "too_large_to_count": (["2001:db8::/64", "2001:db9::/32"], {}, counters(0, 0, 0, MOST)),
}


def test_counters_of_pools_of_all_sizes(crds, controller):
    """Capacity in the pool's status, without an overflow however large it is."""
    controller()
    for addresses, spec, expected in SIZES.values():
        crds.api.apply(pool("a", *addresses, **spec))
        wait_until(lambda expected=expected: counters_of(crds, "a") == expected, 15,
                   lambda: counters_of(crds, "a"))


def test_counters_follow_services(crds, controller):
    """Distinct addresses count, not Services; who edits them finds them put right."""
    controller()
    crds.api.apply(pool("a", "192.0.2.0/30", "2001:db8::/126"))

    def count(*expected):
        wait_until(lambda: counters_of(crds, "a") == counters(*expected), 15, lambda: counters_of(crds, "a"))

    shared = {"metallb.io/allow-shared-ip": "k", "metallb.io/loadBalancerIPs": "192.0.2.2"}
    count(0, 0, 4, 4)
    crds.service("dual", **PREFER)
    count(1, 1, 3, 3)
    crds.service("one", annotations=shared)
    crds.service("two", annotations=shared, ports=(443,))
    wait_until(lambda: look(crds, "two").ips == ("192.0.2.2",), 15)
    count(2, 1, 2, 3)
    crds.api.delete(crds.service_path("one"))
    crds.api.delete(crds.service_path("dual"))
    count(1, 0, 3, 4)
    crds.api.apply({"apiVersion": "stentor.io/v1alpha1", "kind": "IPReservation",
                        "metadata": {"name": "r", "namespace": crds.namespace},
                        "spec": {"addresses": ["192.0.2.2", "192.0.2.3"], "owner": {"name": "two"}}})
    count(1, 0, 2, 4)
    reserved = stored(crds, "ipreservation", "r", crds.namespace)["status"]
    assert reserved["assignedAddresses"] == ["192.0.2.2"]
    path = f"/apis/metallb.io/v1beta1/namespaces/{crds.system}/ipaddresspools/a"
    crds.api.patch(path + "/status", {"status": counters(9, 9, 9, 9)})
    count(1, 0, 2, 4)
    crds.api.apply(pool("a", "192.0.2.0/29", "2001:db8::/126"))
    count(1, 0, 6, 4)


def verdict(box):
    """What ConfigurationState says: result, summary, and the condition's status and reason."""
    state = stored(box, "configurationstate", "controller")
    status = state["status"]
    condition = next(c for c in status["conditions"] if c["type"] == "poolReconcilerValid")
    assert state["metadata"]["labels"] == {"metallb.io/component-type": "controller"}
    return status["result"], status["errorSummary"], condition["status"], condition["reason"]


VALID = ("Valid", "", "True", "Reconciled")
OVERLAP = ('CIDR "192.0.2.0/29" in pool "b" overlaps with already defined CIDR "192.0.2.0/30" of '
           "IPAddressPool/metallb-system/a")
INVALID = ("Invalid", f"IPAddressPool/metallb-system/b spec.addresses[0]: {OVERLAP}", "False",
           "ConfigurationError")


def accepted(box, kind, name, namespace=None):
    judged = stored(box, kind, name, namespace)
    found = next((c for c in judged.get("status", {}).get("conditions", []) if c["type"] == "Accepted"), None)
    if not found or found["observedGeneration"] != judged["metadata"]["generation"]:
        return None
    return found["status"], found["reason"], found["message"]


def test_refused_object_is_named_and_the_rest_is_served(crds, controller):
    """In its own condition and in ConfigurationState; when it is put right, both say so."""
    controller()
    crds.api.apply(A)
    wait_until(lambda: verdict(crds) == VALID, 15)
    crds.api.apply(pool("b", "192.0.2.0/29"))
    wait_until(lambda: verdict(crds) == INVALID, 15, lambda: verdict(crds))
    refused = ("False", "Invalid", f"spec.addresses[0]: {OVERLAP}")
    assert accepted(crds, "ipaddresspool", "b") == refused
    assert accepted(crds, "ipaddresspool", "a") == ("True", "Accepted", "the object is in force")
    crds.service("web")
    wait_until(lambda: look(crds, "web") == given("192.0.2.0", pool="a"), 15)
    crds.api.apply(pool("b", "198.51.100.0/29"))
    wait_until(lambda: verdict(crds) == VALID, 15, lambda: verdict(crds))
    wait_until(lambda: accepted(crds, "ipaddresspool", "b") == ("True", "Accepted", "the object is in force"), 15)


def test_last_good_version_stays_in_force(crds, controller):
    """A pool that is edited into a mistake goes on as before it; addresses stay where they are."""
    controller()
    crds.api.apply(A)
    wait_until(lambda: accepted(crds, "ipaddresspool", "a"), 15)
    crds.api.apply(pool("b", "198.51.100.0/30"))
    wait_until(lambda: accepted(crds, "ipaddresspool", "b"), 15)
    crds.api.apply(asking("web", **{"address-pool": "b"}) | {
        "metadata": {"name": "web", "namespace": crds.namespace, "annotations": {NEW + "address-pool": "b"}}})
    wait_until(lambda: look(crds, "web") == given("198.51.100.0", pool="b"), 15)
    version = crds.api.get(crds.service_path("web"))["metadata"]["resourceVersion"]
    crds.api.apply(pool("b", "192.0.2.0/29"))
    wait_until(lambda: verdict(crds) == INVALID, 15, lambda: verdict(crds))
    crds.service("next", annotations={NEW + "address-pool": "b"})
    wait_until(lambda: look(crds, "next") == given("198.51.100.1", pool="b"), 15)
    assert crds.api.get(crds.service_path("web"))["metadata"]["resourceVersion"] == version


def test_configuration_state_comes_back(crds, controller):
    """Deleted or changed by somebody, it is made again with the verdict it had."""
    controller()
    crds.api.apply(A)
    wait_until(lambda: accepted(crds, "ipaddresspool", "a"), 15)
    crds.api.apply(pool("b", "192.0.2.0/29"))
    wait_until(lambda: verdict(crds) == INVALID, 15)
    crds.kubectl.delete("configurationstate", "controller", crds.system)
    wait_until(lambda: verdict(crds) == INVALID, 15)
    path = f"/apis/metallb.io/v1beta1/namespaces/{crds.system}/configurationstates/controller/status"
    crds.api.patch(path, {"status": {"result": "Valid", "errorSummary": ""}})
    wait_until(lambda: verdict(crds) == INVALID, 15)


def table(box, *arguments):
    """kubectl get as rows of {column: text}; columns are parted by two blanks and more."""
    header, *lines = box.kubectl("get", *arguments).stdout.splitlines()
    starts = [i for i in range(len(header)) if header[i] != " " and (i == 0 or header[i - 2:i] == "  ")]
    ends = [*starts[1:], None]

    def cut(line):
        return [line[start:end].strip() for start, end in zip(starts, ends)]

    return [dict(zip(cut(header), cut(line))) for line in lines]


def test_columns(crds, controller):
    """kubectl get shows what one looks for first."""
    controller()
    crds.api.apply(A, pool("b", "198.51.100.0/24", autoAssign=False, avoidBuggyIPs=True))
    crds.api.apply({"apiVersion": "stentor.io/v1alpha1", "kind": "IPReservation",
                        "metadata": {"name": "r", "namespace": crds.namespace},
                        "spec": {"address": "192.0.2.0", "owner": {"name": "web"}}})
    wait_until(lambda: accepted(crds, "ipreservation", "r", crds.namespace), 15)
    crds.service("web")
    wait_until(lambda: stored(crds, "ipreservation", "r", crds.namespace)["status"].get("assignedAddresses"), 15)
    assert table(crds, "services", "web")[0]["EXTERNAL-IP"] == "192.0.2.0"
    assert table(crds, "ipaddresspools", "-n", crds.system, "-o", "wide") == [
        {"NAME": "a", "AUTO ASSIGN": "true", "AVOID BUGGY IPS": "false",
         "ADDRESSES": '["192.0.2.0/30"]', "ACCEPTED": "True"},
        {"NAME": "b", "AUTO ASSIGN": "false", "AVOID BUGGY IPS": "true",
         "ADDRESSES": '["198.51.100.0/24"]', "ACCEPTED": "True"}]
    row = table(crds, "ipreservations")[0]
    assert (row["ADDRESS"], row["OWNER"], row["ASSIGNED"], row["ACCEPTED"]) == (
        "192.0.2.0", "web", '["192.0.2.0"]', "True")
    state = table(crds, "configurationstates", "-n", crds.system)[0]
    assert (state["NAME"], state["RESULT"]) == ("controller", "Valid")


def test_other_namespaces_pools_do_not_count(crds, controller):
    """Configuration is taken from our namespace alone."""
    controller()
    crds.api.apply(pool("a", "192.0.2.0/30", namespace=crds.namespace))
    crds.service("web")
    wait_until(lambda: look(crds, "web") == waits("NoPool", "no available IPs: there are no address pools"), 15)
    stays(lambda: ingress_addresses(crds.api.get(crds.service_path("web"))) == [], 1)
    crds.api.delete(f"/apis/metallb.io/v1beta1/namespaces/{crds.namespace}/ipaddresspools/a")
