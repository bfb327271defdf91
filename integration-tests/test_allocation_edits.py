"""What happens to addresses in use when pools, namespaces, reservations and Services change: a valid
address never moves, one that is no longer allowed is replaced, and who waits is tried again whenever
anything becomes free. Each promise is a row that goes through a real API server."""

import datetime

import pytest

from lab.objects import ingress_addresses, pool
from lab.story import Step, Story, UNTOUCHED, given, waits, web

A, B = pool("a", "192.0.2.0/30"), pool("b", "198.51.100.0/30")
TINY = pool("a", "192.0.2.0/32")
FIRST, SECOND = given("192.0.2.0", pool="a"), given("192.0.2.1", pool="a")
FULL = waits("PoolExhausted", "no available IPs: pool a has no free IPv4 address")
HERE = {"namespaces": ["{ns}"]}


def asking(name, ip, **spec):
    return web(name, annotations={"metallb.io/loadBalancerIPs": ip}, **spec)


def namespace(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def reservation(name, *addresses, **spec):
    return {"apiVersion": "stentor.io/v1alpha1", "kind": "IPReservation",
            "metadata": {"name": name, "namespace": ""}, "spec": {"addresses": list(addresses), **spec}}


def merge(path, patch):
    """A step's change by a merge patch, of what an applied manifest cannot reach."""
    return lambda box: box.api.patch(path.format(ns=box.namespace), patch)


POOLS = {
    "grows": Story(Step({"web": given("192.0.2.0", pool="a")}, [A, web("web")]),
                   Step({"web": FIRST}, [pool("a", "203.0.113.0/30", "192.0.2.0/29")])),
    "shrinks_around_the_address": Story(
        Step({"web": FIRST}, [A, web("web")]), Step({"web": FIRST}, [TINY])),
    "loses_the_address": Story(
        Step({"web": FIRST}, [A, web("web")]),
        Step({"web": given("192.0.2.8", pool="a")}, [pool("a", "192.0.2.8/30")])),
    "loses_the_address_to_excludes": Story(
        Step({"web": FIRST}, [A, web("web")]),
        Step({"web": SECOND}, [pool("a", "192.0.2.0/30", excludeAddresses=["192.0.2.0"])])),
    "loses_the_address_to_avoidbuggyips": Story(
        Step({"web": FIRST}, [A, web("web")]),
        Step({"web": SECOND}, [pool("a", "192.0.2.0/30", avoidBuggyIPs=True)])),
    "loses_an_address_that_was_asked_for": Story(
        Step({"web": SECOND}, [A, asking("web", "192.0.2.1")]),
        Step({"web": waits("NotInAnyPool", '["192.0.2.1"] is not allowed in config')}, [TINY])),
    "is_renamed": Story(
        Step({"web": FIRST}, [A, web("web")]),
        Step({"web": given("192.0.2.0", pool="renamed")}, [pool("renamed", "192.0.2.0/30")],
             ["ipaddresspool/a"])),
    "is_split": Story(
        Step({"one": FIRST}, [A, web("one")]),
        Step({"two": given("192.0.2.2", pool="a")}, [asking("two", "192.0.2.2")]),
        Step({"one": FIRST, "two": waits("NotInAnyPool", '["192.0.2.2"] is not allowed in config')},
             [pool("a", "192.0.2.0/31")]),
        Step({"one": FIRST, "two": given("192.0.2.2", pool="b")}, [pool("b", "192.0.2.2/31")])),
    "is_split_through_a_pair": Story(
        Step({"web": given("192.0.2.0", "2001:db8::", pool="a")},
             [pool("a", "192.0.2.0/30", "2001:db8::/126"), web("web", ipFamilyPolicy="RequireDualStack")]),
        Step({"web": waits("PoolExhausted", "no available IPs: pool a has no free IPv4 address and no "
                           "IPv6 addresses, pool b has no IPv4 addresses and no free IPv6 address")},
             [pool("a", "192.0.2.0/30"), pool("b", "2001:db8::/126")])),
    "is_deleted_and_another_is_there": Story(
        Step({"web": FIRST}, [A, B, web("web")]),
        Step({"web": given("198.51.100.0", pool="b")}, delete=["ipaddresspool/a"])),
    "is_deleted_and_none_is_left": Story(
        Step({"web": FIRST}, [A, web("web")]),
        Step({"web": waits("NoPool", "no available IPs: there are no address pools")},
             delete=["ipaddresspool/a"]),
        Step({"web": FIRST}, [A])),
    "autoassign_moves_nobody": Story(
        Step({"web": FIRST}, [A, B, web("web")]),
        Step({"web": FIRST, "marker": given("198.51.100.0", pool="b")},
             [pool("a", "192.0.2.0/30", autoAssign=False), web("marker")])),
    "priority_moves_nobody": Story(
        Step({"web": FIRST}, [pool("a", "192.0.2.0/30", serviceAllocation={"priority": 1}),
                              pool("b", "198.51.100.0/30", serviceAllocation={"priority": 2}), web("web")]),
        Step({"web": FIRST, "marker": given("198.51.100.0", pool="b")},
             [pool("a", "192.0.2.0/30", serviceAllocation={"priority": 3}), web("marker")])),
    "serviceallocation_that_still_matches_moves_nobody": Story(
        Step({"web": FIRST}, [A, B, web("web")]),
        Step({"web": FIRST, "marker": SECOND},
             [pool("a", "192.0.2.0/30", serviceAllocation=HERE), web("marker")])),
    "serviceallocation_that_excludes_takes_away": Story(
        Step({"web": FIRST}, [A, B, web("web")]),
        Step({"web": given("198.51.100.0", pool="b")},
             [pool("a", "192.0.2.0/30", serviceAllocation={"namespaces": ["elsewhere"]})])),
    "service_label_that_no_longer_matches": Story(
        Step({"web": FIRST},
             [pool("a", "192.0.2.0/30", serviceAllocation={"serviceSelectors": [{"matchLabels": {"c": "d"}}]}),
              B, web("web", labels={"c": "d"})]),
        Step({"web": given("198.51.100.0", pool="b")}, [web("web", labels={"c": "e"})])),
    "namespace_label_that_no_longer_matches": Story(
        Step({"web": FIRST},
             [namespace("{ns}", team="red"), B, web("web"), pool("a", "192.0.2.0/30", serviceAllocation={
                 "namespaceSelectors": [{"matchLabels": {"team": "red"}}]})]),
        Step({"web": given("198.51.100.0", pool="b")},
             do=merge("/api/v1/namespaces/{ns}", {"metadata": {"labels": {"team": "blue"}}}))),
}

WAITING = {
    "service_deleted": Story(
        Step({"one": FIRST}, [TINY, web("one")]),
        Step({"two": FULL}, [web("two")]),
        Step({"two": FIRST}, delete=["service/one"])),
    "service_leaves_the_type": Story(
        Step({"one": FIRST}, [TINY, web("one")]),
        Step({"two": FULL}, [web("two")]),
        Step({"one": UNTOUCHED, "two": FIRST},
             [web("one", type="ClusterIP", allocateLoadBalancerNodePorts=None)])),
    "service_moves_away_by_its_wish": Story(
        Step({"one": FIRST}, [TINY, B, web("one")]),
        Step({"two": waits("SharingKey", "can't change sharing key for \"{ns}/two\", address also in "
                           "use by {ns}/one")}, [asking("two", "192.0.2.0")]),
        Step({"one": given("198.51.100.3", pool="b"), "two": FIRST}, [asking("one", "198.51.100.3")])),
    "pool_grows": Story(
        Step({"one": FIRST}, [TINY, web("one")]),
        Step({"two": FULL}, [web("two")]),
        Step({"one": FIRST, "two": SECOND}, [A])),
    "pool_added": Story(
        Step({"one": FIRST}, [TINY, web("one")]),
        Step({"two": FULL}, [web("two")]),
        Step({"one": FIRST, "two": given("198.51.100.0", pool="b")}, [B])),
    "pool_opened": Story(
        Step({"web": waits("NoPool", "no available IPs: pool a is only given on request")},
             [pool("a", "192.0.2.0/30", autoAssign=False), web("web")]),
        Step({"web": FIRST}, [pool("a", "192.0.2.0/30", autoAssign=True)])),
    "exclude_taken_back": Story(
        Step({"web": waits("PoolExhausted", "no available IPs: pool a has no IPv4 addresses")},
             [pool("a", "192.0.2.0/32", excludeAddresses=["192.0.2.0"]), web("web")]),
        Step({"web": FIRST}, [TINY | {"spec": {"addresses": ["192.0.2.0/32"], "excludeAddresses": []}}])),
    "namespace_label": Story(
        Step({"web": waits("NoPool", "no available IPs: pool a is for other Services")},
             [namespace("{ns}", team="blue"), web("web"), pool("a", "192.0.2.0/30", serviceAllocation={
                 "namespaceSelectors": [{"matchLabels": {"team": "red"}}]})]),
        Step({"web": FIRST}, do=merge("/api/v1/namespaces/{ns}", {"metadata": {"labels": {"team": "red"}}}))),
    "explicit_before_oldest": Story(
        Step({"one": FIRST}, [TINY, web("one")]),
        Step({"old": FULL}, [web("old")]),
        Step({"asks": waits("SharingKey", "can't change sharing key for \"{ns}/asks\", address also in "
                            "use by {ns}/one")}, [asking("asks", "192.0.2.0")]),
        Step({"asks": FIRST, "old": FULL}, delete=["service/one"])),
}

KEPT = waits("Reserved", '["192.0.2.1"] is reserved for {ns}/kept by IPReservation/{ns}/r')
OWNED = reservation("r", "192.0.2.1", owner={"name": "kept"})
RESERVATIONS = {
    "kept_for_its_owner": Story(
        Step({"one": FIRST, "two": given("192.0.2.2", pool="a"), "kept": SECOND, "asks": KEPT},
             [A, OWNED, web("one"), web("two"), web("kept"), asking("asks", "192.0.2.1")])),
    "outlives_the_service": Story(
        Step({"kept": SECOND}, [A, OWNED, web("kept")]),
        Step({"one": FIRST, "asks": KEPT}, [web("one"), asking("asks", "192.0.2.1")], ["service/kept"]),
        Step({"kept": SECOND, "asks": KEPT}, [web("kept")])),
    "without_owner_for_the_namespace": Story(
        Step({"other/web": FIRST, "web": SECOND},
             [A, reservation("r", "192.0.2.1-192.0.2.2"), web("other/web"), web("web")])),
    "takes_nothing_away": Story(
        Step({"one": FIRST, "web": SECOND}, [A, asking("web", "192.0.2.1"), web("one")]),
        Step({"web": SECOND, "marker": given("192.0.2.2", pool="a")}, [OWNED, web("marker")])),
    "deleted": Story(
        Step({"asks": KEPT}, [A, OWNED, asking("asks", "192.0.2.1")]),
        Step({"asks": SECOND}, delete=["ipreservation/r"])),
    "reserved_in_a_pool_by_request": Story(
        Step({"kept": SECOND, "web": waits("NoPool", "no available IPs: pool a is only given on request")},
             [pool("a", "192.0.2.0/30", autoAssign=False), OWNED, web("kept"), web("web")])),
}


def rows(table):
    return pytest.mark.parametrize("story", table.values(), ids=table.keys())


@rows(POOLS)
def test_pool_changes_while_in_use(play, story):
    """Edits win; what is still valid stays; renamed and split pools leave addresses alone."""
    play(story)


@rows(WAITING)
def test_who_waits_is_tried_again(play, story):
    """Whenever something becomes free, without anybody touching the waiting Service."""
    play(story)


@rows(RESERVATIONS)
def test_reservations(play, story):
    """An IPReservation keeps an address for its owner, also while there is no such Service."""
    play(story)


def test_reservation_ends_by_its_time(play):
    """expiresAt needs no further event: the address is given out a moment later."""
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
    brief = reservation("r", "192.0.2.1", owner={"name": "kept"},
                        expiresAt=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    play(Story(Step({"asks": KEPT}, [A, brief, asking("asks", "192.0.2.1")]), Step({"asks": SECOND})))


def test_entries_of_others_stay(crds, controller):
    """A hostname that somebody else wrote into the ingress list survives each change of ours."""
    controller()
    crds.kubectl.apply(A, web("web") | {"metadata": {"name": "web", "namespace": crds.namespace}})
    path = crds.service_path("web")
    crds.kubectl.wait_for("service", "web", ingress_addresses, 10)
    theirs = {"hostname": "lb.example.org"}
    crds.api.patch(path + "/status", {"status": {"loadBalancer": {"ingress": [
        {"ip": "192.0.2.0"}, theirs]}}})

    def entries(service):
        return [{k: v for k, v in entry.items() if k != "ipMode"}
                for entry in service["status"]["loadBalancer"].get("ingress", [])]

    crds.kubectl.apply(pool("a", "192.0.2.8/30"))
    crds.kubectl.wait_for("service", "web", lambda s: entries(s) == [{"ip": "192.0.2.8"}, theirs], 10)
    crds.kubectl.delete("ipaddresspool", "a", crds.system)
    crds.kubectl.wait_for("service", "web", lambda s: entries(s) == [theirs], 10)
