"""Who may share an address with whom: MetalLB's rules of allow-shared-ip, each a row that goes
through a real API server."""

import pytest

from lab.objects import pool
from lab.story import Step, Story, given, waits, web

A = pool("a", "192.0.2.0/30")
FIRST, SECOND = given("192.0.2.0", pool="a"), given("192.0.2.1", pool="a")
LOCAL = {"externalTrafficPolicy": "Local"}


def key(name, text="k", ports=("TCP/80",), ip=None, prefix="metallb.io/", **spec):
    annotations = {prefix + "allow-shared-ip": text}
    if ip:
        annotations["metallb.io/loadBalancerIPs"] = ip
    return web(name, ports, annotations=annotations, **spec)


def in_use(name, *others):
    return waits("SharingKey", "can't change sharing key for \"{ns}/%s\", address also in use by %s"
                 % (name, ",".join("{ns}/" + other for other in others)))


def two(second, *services):
    """A Service "one" that has the first address, and what a second one shows then."""
    one, other = services
    return Story(Step({"one": FIRST}, [A, one]), Step({"two": second}, [other]))


HTTPS = ("TCP/443",)
RULES = {
    "same_key_other_port": two(FIRST, key("one"), key("two", ports=["TCP/443"])),
    "same_key_by_the_old_prefix": two(FIRST, key("one"),
                                      key("two", ports=["TCP/443"], prefix="metallb.universe.tf/")),
    "same_port_of_another_protocol": two(FIRST, key("one"), key("two", ports=["UDP/80"])),
    "same_key_same_port": two(SECOND, key("one"), key("two")),
    "one_port_of_several_clashes": two(SECOND, key("one", ports=["TCP/80", "TCP/81"]),
                                       key("two", ports=["TCP/81", "TCP/82"])),
    "other_key": two(SECOND, key("one"), key("two", "l", ["TCP/443"])),
    "keys_are_compared_exactly": two(SECOND, key("one"), key("two", "k ", ["TCP/443"])),
    "empty_key_shares_with_nobody": two(SECOND, key("one", ""), key("two", "", ["TCP/443"])),
    "no_key": two(SECOND, key("one"), web("two", ["TCP/443"])),
    "local_and_cluster": two(SECOND, key("one", selector={"app": "red"}),
                             key("two", ports=["TCP/443"], selector={"app": "red"}, **LOCAL)),
    "local_with_equal_selectors": two(
        FIRST, key("one", selector={"app": "red", "tier": "low"}, **LOCAL),
        key("two", ports=["TCP/443"], selector={"tier": "low", "app": "red"}, **LOCAL)),
    "local_with_other_selectors": two(SECOND, key("one", selector={"app": "red"}, **LOCAL),
                                      key("two", ports=["TCP/443"], selector={"app": "blue"}, **LOCAL)),
    "local_without_selector_and_cluster": two(FIRST, key("one", selector={"app": "red"}),
                                              key("two", ports=["TCP/443"], **LOCAL)),
    "asked_for_with_the_key": two(FIRST, key("one"), key("two", ports=["TCP/443"], ip="192.0.2.0")),
    "asked_for_with_another_key": two(in_use("two", "one"), key("one"),
                                      key("two", "l", ["TCP/443"], "192.0.2.0")),
    "asked_for_with_a_port_in_use": two(
        waits("PortInUse", 'port TCP/80 is already in use on "192.0.2.0" by {ns}/one'), key("one"),
        key("two", ip="192.0.2.0")),
    "not_forced_to_share": two(given("192.0.2.3", pool="a"), key("one"),
                               key("two", ports=["TCP/443"], ip="192.0.2.3")),
    "across_namespaces": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"other/two": FIRST}, [key("other/two", ports=["TCP/443"])])),
    "both_families": Story(Step(
        {name: given("203.0.113.0", "2001:db8:2::", pool="dual") for name in ("one", "two")},
        [pool("dual", "203.0.113.0/30", "2001:db8:2::/126"),
         key("one", ipFamilyPolicy="RequireDualStack"),
         key("two", ports=["TCP/443"], ipFamilyPolicy="RequireDualStack")])),
    "full_pool_still_shares": Story(
        Step({"one": given("192.0.2.9", pool="a")}, [pool("a", "192.0.2.9/32"), key("one")]),
        Step({"two": given("192.0.2.9", pool="a"),
              "three": waits("PoolExhausted", "no available IPs: pool a has no free IPv4 address")},
             [key("two", ports=["TCP/443"]), web("three")])),
}

CHANGES = {
    "the_only_user_may_change_its_key": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"one": FIRST, "two": FIRST}, [key("one", "l"), key("two", "l", HTTPS)])),
    "key_taken_away_while_shared": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": FIRST}, [key("two", ports=HTTPS)]),
        Step({"one": FIRST, "two": SECOND}, [web("two", HTTPS)])),
    "port_that_clashes_while_shared": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": FIRST}, [key("two", ports=HTTPS)]),
        Step({"one": FIRST, "two": SECOND}, [key("two", ports=["TCP/80"])])),
    "policy_changed_while_shared": Story(
        Step({"one": FIRST}, [A, key("one", selector={"app": "red"})]),
        Step({"two": FIRST}, [key("two", ports=HTTPS, selector={"app": "red"})]),
        Step({"one": FIRST, "two": SECOND},
             [key("two", ports=HTTPS, selector={"app": "red"}, **LOCAL)])),
    "selector_changed_while_shared": Story(
        Step({"one": FIRST}, [A, key("one", selector={"app": "red"}, **LOCAL)]),
        Step({"two": FIRST}, [key("two", ports=HTTPS, selector={"app": "red"}, **LOCAL)]),
        Step({"one": FIRST, "two": SECOND},
             [key("two", ports=HTTPS, selector={"app": "blue"}, **LOCAL)])),
    "waiting_one_gets_in_by_its_own_change": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": in_use("two", "one")}, [key("two", "l", HTTPS, "192.0.2.0")]),
        Step({"two": FIRST}, [key("two", "k", HTTPS, "192.0.2.0")])),
    "waiting_one_gets_in_by_anothers_key": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": in_use("two", "one")}, [key("two", "l", HTTPS, "192.0.2.0")]),
        Step({"one": FIRST, "two": FIRST}, [key("one", "l")])),
    "waiting_one_gets_in_by_anothers_port": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": waits("PortInUse", 'port TCP/80 is already in use on "192.0.2.0" by {ns}/one')},
             [key("two", ip="192.0.2.0")]),
        Step({"one": FIRST, "two": FIRST}, [key("one", ports=["TCP/8080"])])),
    "port_of_a_deleted_one_is_free": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": FIRST}, [key("two", ports=HTTPS)]),
        Step({"three": waits("PortInUse", 'port TCP/443 is already in use on "192.0.2.0" by {ns}/two')},
             [key("three", ports=HTTPS, ip="192.0.2.0")]),
        Step({"one": FIRST, "three": FIRST}, delete=["service/two"])),
    "key_outlives_one_of_two": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": FIRST}, [key("two", ports=HTTPS)]),
        Step({"two": FIRST}, delete=["service/one"]),
        Step({"three": FIRST}, [key("three")])),
    "address_is_free_after_the_last": Story(
        Step({"one": FIRST}, [A, key("one")]),
        Step({"two": FIRST}, [key("two", ports=HTTPS)]),
        Step({"three": in_use("three", "one", "two")}, [key("three", "l", ip="192.0.2.0")]),
        Step({"three": FIRST}, delete=["service/one", "service/two"])),
}


@pytest.mark.parametrize("story", RULES.values(), ids=RULES.keys())
def test_who_may_share(play, story):
    """The sharing key, the traffic policy's key and the ports decide."""
    play(story)


@pytest.mark.parametrize("story", CHANGES.values(), ids=CHANGES.keys())
def test_change_while_shared(play, story):
    """Who no longer fits loses the address, who waits gets it, and the others keep it."""
    play(story)
