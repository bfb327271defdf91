"""Which addresses a Service gets, and why not: what people rely on in MetalLB, each promise a row
that goes through a real API server, with the whole of what the Service then shows."""

import pytest

from lab.objects import pool
from lab.story import UNTOUCHED, Step, Story, given, waits, web

NEW, OLD = "metallb.io/", "metallb.universe.tf/"
V4, V6 = {"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv6"]}
PREFER = {"ipFamilyPolicy": "PreferDualStack"}
PREFER_V6 = PREFER | {"ipFamilies": ["IPv6", "IPv4"]}
REQUIRE = {"ipFamilyPolicy": "RequireDualStack"}

A = pool("a", "192.0.2.0/30")
B = pool("b", "198.51.100.0/30")
A6 = pool("a6", "2001:db8:1::/126")
DUAL = pool("dual", "203.0.113.0/30", "2001:db8:2::/126")
BY_REQUEST = pool("a", "192.0.2.0/30", autoAssign=False)


def asking(name, prefix=NEW, **wishes):
    """A Service with annotations: ips, pool, key."""
    keys = {"ips": "loadBalancerIPs", "pool": "address-pool", "key": "allow-shared-ip"}
    spec = {k: v for k, v in wishes.items() if k not in keys}
    return web(name, annotations={prefix + keys[k]: v for k, v in wishes.items() if k in keys}, **spec)


def one(expect, *manifests, **story):
    """A story of one step about one Service, "web"."""
    return Story(Step({"web": expect}, list(manifests)), **story)


def pinned(name, *addresses, **allocation):
    return pool(name, *addresses, serviceAllocation=allocation)


def selector(**labels):
    return {"matchLabels": labels}


def bad(sentence, reason="InvalidRequest"):
    return waits(reason, f"invalid requested loadbalancer IPs: {sentence}")


ANNOTATIONS = {
    "pool_by_new_prefix": one(given("198.51.100.0", pool="b"), A, B, asking("web", pool="b")),
    "pool_by_old_prefix": one(given("198.51.100.0", pool="b"), A, B, asking("web", OLD, pool="b")),
    "new_prefix_wins": one(given("198.51.100.0", pool="b"), A, B, web("web", annotations={
        NEW + "address-pool": "b", OLD + "address-pool": "a"})),
    "new_prefix_wins_when_empty": one(given("192.0.2.0", pool="a"), A, B, web("web", annotations={
        NEW + "address-pool": "", OLD + "address-pool": "b"})),
    "pool_unknown": one(waits("UnknownPool", 'unknown pool "c"'), A, asking("web", pool="c")),
    "pool_in_spite_of_autoassign": one(given("192.0.2.0", pool="a"), BY_REQUEST, asking("web", pool="a")),
    "pool_not_in_spite_of_serviceallocation": one(
        waits("PoolNotCompatible", "pool a not compatible for ip assignment: its serviceAllocation "
              "does not admit {ns}/web"),
        pinned("a", "192.0.2.0/30", namespaces=["elsewhere"]), B, asking("web", pool="a")),
    "ip_by_new_prefix": one(given("192.0.2.2", pool="a"), A, asking("web", ips="192.0.2.2")),
    "ip_by_old_prefix": one(given("192.0.2.2", pool="a"), A, asking("web", OLD, ips="192.0.2.2")),
    "ip_with_blanks": one(given("192.0.2.2", pool="a"), A, asking("web", ips="  192.0.2.2 ")),
    "ip_by_spec": one(given("192.0.2.2", pool="a"), A, web("web", loadBalancerIP="192.0.2.2")),
    "ip_in_spite_of_autoassign": one(given("192.0.2.2", pool="a"), BY_REQUEST,
                                     asking("web", ips="192.0.2.2")),
    "ip_not_in_spite_of_serviceallocation": one(
        waits("PoolNotCompatible", "pool a not compatible for ip assignment: its serviceAllocation "
              "does not admit {ns}/web"),
        pinned("a", "192.0.2.0/30", namespaces=["elsewhere"]), B, asking("web", ips="192.0.2.2")),
    "ip_in_no_pool": one(waits("NotInAnyPool", '["203.0.113.9"] is not allowed in config'), A,
                         asking("web", ips="203.0.113.9")),
    "ip_of_another_pool": one(
        waits("PoolMismatch", '["192.0.2.1"] from pool a is not compatible with requested address '
              "pool b"), A, B, asking("web", ips="192.0.2.1", pool="b")),
    "ip_of_the_wrong_family": one(
        waits("FamilyMismatch", 'requested loadBalancer IP(s) ["2001:db8:1::1"] does not match the '
              "ipFamily of the service"), A6, asking("web", ips="2001:db8:1::1", **V4)),
    "both_forms": one(bad("service can not have both metallb.io/loadBalancerIPs and "
                          "spec.loadBalancerIP"), A,
                      asking("web", ips="192.0.2.1", loadBalancerIP="192.0.2.1")),
    "ips_of_one_family": one(bad('invalid metallb.io/loadBalancerIPs "192.0.2.1,192.0.2.2": two '
                                 "addresses must be of different IP families"), A,
                             asking("web", ips="192.0.2.1,192.0.2.2")),
    "three_ips": one(bad('invalid metallb.io/loadBalancerIPs "192.0.2.1,2001:db8:1::1,192.0.2.2": '
                         "more than two addresses"), A,
                     asking("web", ips="192.0.2.1,2001:db8:1::1,192.0.2.2")),
    "words_for_an_ip": one(bad('invalid metallb.io/loadBalancerIPs "mine": "mine" is no IP address'),
                           A, asking("web", ips="mine")),
    "bad_wish_takes_nothing": Story(
        Step({"web": given("192.0.2.0", pool="a")}, [A, web("web")]),
        Step({"web": given("192.0.2.0", pool="a", reason="InvalidRequest", remark=", kept; invalid "
                           'requested loadbalancer IPs: invalid metallb.io/loadBalancerIPs "mine": '
                           '"mine" is no IP address')}, [asking("web", ips="mine")])),
    "wish_added_later": Story(
        Step({"web": given("192.0.2.0", pool="a")}, [A, B, web("web")]),
        Step({"web": given("192.0.2.3", pool="a")}, [asking("web", ips="192.0.2.3")]),
        Step({"web": given("198.51.100.0", pool="b")}, [asking("web", pool="b")]),
        Step({"web": given("198.51.100.0", pool="b")}, [web("web")])),
    "wish_for_what_another_has": Story(
        Step({"one": given("192.0.2.0", pool="a")}, [A, web("one")]),
        Step({"two": waits("SharingKey", "can't change sharing key for \"{ns}/two\", address also in "
                           "use by {ns}/one")}, [asking("two", ips="192.0.2.0")]),
        Step({"two": given("192.0.2.0", pool="a")}, delete=["service/one"])),
}

CLASSES = {
    "no_flag_and_no_class": one(given("192.0.2.0", pool="a"), A, web("web")),
    "no_flag_and_a_class": Story(Step(
        {"web": UNTOUCHED, "marker": given("192.0.2.0", pool="a")},
        [A, web("web", loadBalancerClass="example.org/foo"), web("marker")])),
    "flag_and_its_class": one(given("192.0.2.0", pool="a"), A,
                              web("web", loadBalancerClass="example.org/foo"),
                              arguments=["--lb-class", "example.org/foo"]),
    "flag_and_others": Story(Step(
        {"none": UNTOUCHED, "bar": UNTOUCHED, "web": given("192.0.2.0", pool="a")},
        [A, web("none"), web("bar", loadBalancerClass="example.org/bar"),
         web("web", loadBalancerClass="example.org/foo")]),
        arguments=["--lb-class", "example.org/foo"]),
}

FAMILIES = {
    "v4_of_a_dual_pool": one(given("203.0.113.0", pool="dual"), DUAL, web("web", **V4)),
    "v6_of_a_dual_pool": one(given("2001:db8:2::", pool="dual"), DUAL, web("web", **V6)),
    "v6_has_no_v4_pool": one(
        waits("PoolExhausted", "no available IPs: pool a has no IPv6 addresses"), A, web("web", **V6)),
    "single_family_takes_the_first_pool_that_has_it": one(
        given("2001:db8:1::", pool="a6"), A, A6, web("web", **V6)),
    "require_both_from_one_pool": one(given("203.0.113.0", "2001:db8:2::", pool="dual"), A, A6, DUAL,
                                      web("web", **REQUIRE)),
    "require_never_mixes_pools": one(
        waits("PoolExhausted", "no available IPs: pool a has no free IPv4 address and no IPv6 "
              "addresses, pool a6 has no IPv4 addresses and no free IPv6 address"),
        A, A6, web("web", **REQUIRE)),
    "prefer_both_from_one_pool": one(given("203.0.113.0", "2001:db8:2::", pool="dual"), A, A6, DUAL,
                                     web("web", **PREFER)),
    "prefer_falls_back_to_the_first_family": one(
        given("192.0.2.0", pool="a", remark="; no second address: no available IPs in pool a: it has "
              "no IPv6 addresses"), A, A6, web("web", **PREFER)),
    "prefer_falls_back_to_the_first_family_v6": one(
        given("2001:db8:1::", pool="a6", remark="; no second address: no available IPs in pool a6: it "
              "has no IPv4 addresses"), A, A6, web("web", **PREFER_V6)),
    "prefer_falls_back_to_the_second_family": one(
        given("2001:db8:1::", pool="a6", remark="; no second address: no available IPs in pool a6: it "
              "has no IPv4 addresses"), A6, web("web", **PREFER)),
    "second_family_added_later": Story(
        Step({"web": given("192.0.2.0", pool="a", remark="; no second address: no available IPs in "
                           "pool a: it has no IPv6 addresses")}, [A, web("web", **PREFER)]),
        Step({"web": given("192.0.2.0", "2001:db8:1::", pool="a")},
             [pool("a", "192.0.2.0/30", "2001:db8:1::/126")])),
    "better_pool_later_moves_nothing": Story(
        Step({"web": given("192.0.2.0", pool="a", remark="; no second address: no available IPs in "
                           "pool a: it has no IPv6 addresses")}, [A, web("web", **PREFER)]),
        Step({"web": given("192.0.2.0", pool="a", remark="; no second address: no available IPs in "
                           "pool a: it has no IPv6 addresses"),
              "marker": given("203.0.113.0", "2001:db8:2::", pool="dual")},
             [DUAL, web("marker", **REQUIRE)])),
    "policy_changed_later": Story(
        Step({"web": given("203.0.113.0", pool="dual")}, [DUAL, web("web", **V4)]),
        Step({"web": given("203.0.113.0", "2001:db8:2::", pool="dual")}, [web("web", **PREFER)])),
    "policy_changed_back": Story(
        Step({"web": given("203.0.113.0", "2001:db8:2::", pool="dual")}, [DUAL, web("web", **REQUIRE)]),
        Step({"web": given("203.0.113.0", pool="dual")},
             [web("web", ipFamilyPolicy="SingleStack", **V4)])),
    "pool_loses_a_family_require": Story(
        Step({"web": given("203.0.113.0", "2001:db8:2::", pool="dual")}, [DUAL, web("web", **REQUIRE)]),
        Step({"web": waits("PoolExhausted", "no available IPs: pool dual has no free IPv4 address and "
                           "no IPv6 addresses")}, [pool("dual", "203.0.113.0/30")])),
    "pool_loses_a_family_prefer": Story(
        Step({"web": given("203.0.113.0", "2001:db8:2::", pool="dual")}, [DUAL, web("web", **PREFER)]),
        Step({"web": given("203.0.113.0", pool="dual", remark="; no second address: no available IPs "
                           "in pool dual: it has no IPv6 addresses")}, [pool("dual", "203.0.113.0/30")])),
    "both_asked_for_in_their_order": one(
        given("2001:db8:2::3", "203.0.113.3", pool="dual"), DUAL,
        asking("web", ips="2001:db8:2::3, 203.0.113.3", **REQUIRE)),
    "both_asked_for_of_two_pools": one(
        waits("PoolsDiffer", '["192.0.2.1" "2001:db8:1::1"] is not allowed in config: the addresses '
              "are in different pools"), A, A6, asking("web", ips="192.0.2.1,2001:db8:1::1", **REQUIRE)),
    "one_asked_for_by_a_dual_service": one(
        waits("FamilyMismatch", 'requested loadBalancer IP(s) ["203.0.113.1"] does not match the '
              "ipFamily of the service"), DUAL, asking("web", ips="203.0.113.1", **PREFER)),
    "spec_ip_of_a_dual_service": one(
        waits("FamilyMismatch", 'requested loadBalancer IP(s) ["203.0.113.1"] does not match the '
              "ipFamily of the service"), DUAL, web("web", loadBalancerIP="203.0.113.1", **REQUIRE)),
}

HERE = {"namespaces": ["{ns}"]}
THERE = {"namespaces": ["elsewhere"]}
CHOICE = {
    "no_pools": one(waits("NoPool", "no available IPs: there are no address pools"), web("web")),
    "pools_in_the_order_of_names": one(given("198.51.100.0", pool="a"), pool("b", "192.0.2.0/30"),
                                       pool("a", "198.51.100.0/30"), web("web")),
    "autoassign_false_is_not_tried": one(
        waits("NoPool", "no available IPs: pool a is only given on request"), BY_REQUEST, web("web")),
    "pinned_before_unpinned": one(given("198.51.100.0", pool="b"), A,
                                  pinned("b", "198.51.100.0/30", **HERE), web("web")),
    "pinned_elsewhere_is_never_used": one(
        waits("NoPool", "no available IPs: pool a is for other Services"),
        pinned("a", "192.0.2.0/30", **THERE), web("web")),
    "pinned_but_not_autoassign": one(
        waits("NoPool", "no available IPs: pool a is only given on request"),
        pool("a", "192.0.2.0/30", autoAssign=False, serviceAllocation=HERE), web("web")),
    "priority_1_before_2_before_none": Story(Step(
        {f"web{i}": given(f"198.51.100.{i}", pool=name) for i, name in enumerate(["c", "b", "a"])},
        [pinned("a", "198.51.100.2/32", **HERE), pinned("b", "198.51.100.1/32", priority=2, **HERE),
         pinned("c", "198.51.100.0/32", priority=1, **HERE), web("web0"), web("web1"), web("web2")])),
    "equal_priority_by_name": one(
        given("198.51.100.1", pool="a"), pinned("b", "198.51.100.0/32", priority=1, **HERE),
        pinned("a", "198.51.100.1/32", priority=1, **HERE), web("web")),
    "full_pinned_then_unpinned": Story(Step(
        {"one": given("198.51.100.0", pool="b"), "two": given("192.0.2.0", pool="a")},
        [A, pinned("b", "198.51.100.0/32", **HERE), web("one"), web("two")])),
    "only_a_priority_pins_for_all": one(given("198.51.100.0", pool="b"), A,
                                        pinned("b", "198.51.100.0/30", priority=5), web("web")),
    "pinned_by_namespace_label": one(
        given("198.51.100.0", pool="b"), A, pinned("b", "198.51.100.0/30", namespaceSelectors=[
            selector(team="none"), selector(**{"kubernetes.io/metadata.name": "{ns}"})]), web("web")),
    "namespace_label_that_matches_nothing_closes_the_pool": one(
        waits("PoolNotCompatible", "pool b not compatible for ip assignment: its serviceAllocation "
              "does not admit {ns}/web"), A,
        pinned("b", "198.51.100.0/30", namespaceSelectors=[selector(team="none")]),
        asking("web", ips="198.51.100.1")),
    "pinned_by_service_label": Story(Step(
        {"blue": given("198.51.100.0", pool="b"), "red": given("198.51.100.1", pool="b"),
         "plain": given("192.0.2.0", pool="a")},
        [A, pinned("b", "198.51.100.0/30", serviceSelectors=[selector(color="red"), selector(color="blue")]),
         web("blue", labels={"color": "blue"}), web("red", labels={"color": "red"}), web("plain")])),
    "namespace_and_label_must_both_hold": Story(
        Step({"red": given("198.51.100.0", pool="b"), "plain": given("192.0.2.0", pool="a")},
             [A, pinned("b", "198.51.100.0/30", serviceSelectors=[selector(color="red")], **HERE),
              web("red", labels={"color": "red"}), web("plain")]),
        Step({"other/red": given("192.0.2.1", pool="a")}, [web("other/red", labels={"color": "red"})])),
    "first_range_first_and_network_address_too": Story(Step(
        {"web0": given("192.0.2.8", pool="a"), "web1": given("192.0.2.9", pool="a"),
         "web2": given("192.0.2.0", pool="a")},
        [pool("a", "192.0.2.8-192.0.2.9", "192.0.2.3/30"), web("web0"), web("web1"), web("web2")])),
    "freed_address_is_the_next_given": Story(
        Step({"one": given("192.0.2.0", pool="a"), "two": given("192.0.2.1", pool="a")},
             [A, web("one"), web("two")]),
        Step({}, delete=["service/one"]),
        Step({"three": given("192.0.2.0", pool="a")}, [web("three")])),
    "no_buggy_addresses": Story(Step(
        {"one": given("192.0.2.1", pool="a"), "two": given("192.0.2.254", pool="a"),
         "ask": waits("NotInAnyPool", '["192.0.2.255"] is not allowed in config')},
        [pool("a", "192.0.2.0/31", "192.0.2.254/31", avoidBuggyIPs=True), web("one"), web("two"),
         asking("ask", ips="192.0.2.255")])),
    "excluded_addresses": Story(Step(
        {"one": given("192.0.2.1", pool="a"), "two": given("192.0.2.5", pool="a"),
         "ask": waits("NotInAnyPool", '["192.0.2.3"] is not allowed in config')},
        [pool("a", "192.0.2.0/29", excludeAddresses=["192.0.2.0", "192.0.2.2-192.0.2.3", "192.0.2.4/32"]),
         web("one"), web("two"), asking("ask", ips="192.0.2.3")])),
    "huge_pools_cost_nothing": Story(Step(
        {"v4": given("10.0.0.0", pool="a"), "v6": given("2001:db8::", pool="b")},
        [pool("a", "10.0.0.0/8"), pool("b", "2001:db8::/32"), web("v4"), web("v6", **V6)])),
}


def rows(table):
    return pytest.mark.parametrize("story", table.values(), ids=table.keys())


@rows(ANNOTATIONS)
def test_wishes(play, story):
    """metallb.io/ and metallb.universe.tf/ annotations, spec.loadBalancerIP."""
    play(story)


@rows(CLASSES)
def test_load_balancer_class(play, story):
    """Services of another class are left alone."""
    play(story)


@rows(FAMILIES)
def test_ip_families(play, story):
    """Families follow the cluster IPs and ipFamilyPolicy, and never mix two pools."""
    play(story)


@rows(CHOICE)
def test_choice_of_pool_and_address(play, story):
    """Pinned pools by priority, then unpinned ones, each from its first free address."""
    play(story)
