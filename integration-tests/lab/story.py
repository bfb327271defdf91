"""Stories: manifests applied to a real API server, step by step, and what every Service shows after each.

    Story(Step(apply=[pool("a", "192.0.2.0/30"), web("one")], expect={"one": given("192.0.2.0", pool="a")}),
          Step(delete=["ipaddresspool/a"], expect={"one": waits("NoPool", "no available IPs: …")}))

What is no Service is applied first and awaited: the controller learns of every kind by itself,
and would else decide by chance with the pools or without them. The controller is started after
the first of these.

A step is over when each Service that it names shows just that: addresses, annotation and
condition. At the end the watch history must hold the addresses of the steps in this order and no
others, so that one which moved for a moment, or was lost and found again, is seen.

A Service's name may stand behind "other/": it is then in a second namespace. Wherever a text holds
"{ns}" or "{other}", the names of the namespaces are put there.
"""

import contextlib
import json
from dataclasses import dataclass, field

from .api import History
from .objects import ingress_addresses, service
from .wait import wait_until

POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool"
CONDITION = "stentor.io/Allocated"
SECONDS = 15


@dataclass(frozen=True)
class Shown:
    """What a Service shows of us. status, reason and message are the condition's, None for no
    condition at all."""
    ips: tuple = ()
    pool: str | None = None
    status: str | None = None
    reason: str | None = None
    message: str | None = None


UNTOUCHED = Shown()


def given(*ips, pool, remark="", reason="Allocated"):
    """The Service has these addresses, in this order. remark: what the sentence adds."""
    return Shown(ips, pool, "True", reason, f'{" and ".join(ips)} from pool "{pool}"{remark}')


def waits(reason, message):
    """The Service has no address, and the condition says why."""
    return Shown((), None, "False", reason, message)


@dataclass
class Step:
    """apply: manifests. delete: "kind/name", after applying. do: called with the sandbox.
    expect: {Service: Shown} of those that are as told from here on; others stay as they were."""
    expect: dict
    apply: list = field(default_factory=list)
    delete: list = field(default_factory=list)
    do: object = None


class Story:
    """Steps in their order. arguments: of the controller."""

    def __init__(self, *steps, arguments=()):
        self.steps = steps
        self.arguments = arguments
        self.uses_other = any(name.startswith("other/") for step in steps for name in step.expect)


def web(name, ports=("TCP/80",), labels=None, annotations=None, **spec):
    """A Service. ports: "PROTOCOL/NUMBER"."""
    made = service(name, "other" if name.startswith("other/") else "", annotations=annotations, **spec)
    made["metadata"]["name"] = name.removeprefix("other/")
    made["metadata"]["labels"] = labels or {}
    made["spec"]["ports"] = [_port(text) for text in ports]
    return made


def _port(text):
    protocol, number = text.split("/")
    return {"name": text.lower().replace("/", "-"), "protocol": protocol, "port": int(number)}


def shown(obj):
    """What a Service shows of us now."""
    metadata, status = obj["metadata"], obj.get("status", {})
    condition = next((c for c in status.get("conditions", []) if c["type"] == CONDITION), {})
    return Shown(tuple(ingress_addresses(obj)), metadata.get("annotations", {}).get(POOL_ANNOTATION),
                 condition.get("status"), condition.get("reason"), condition.get("message"))


def tell(story, sandbox, start, other=None):
    """Runs a story in a sandbox. start(ARGUMENT, …) starts the controller. other: the second
    sandbox, where the story has Services there."""
    boxes = {"": sandbox, "other/": other} if other else {"": sandbox}
    names = {"ns": sandbox.namespace, "other": other.namespace if other else ""}
    with contextlib.ExitStack() as stack:
        histories = {prefix: stack.enter_context(History(box.api, _services(box)))
                     for prefix, box in boxes.items()}
        expected = []
        for i, step in enumerate(story.steps):
            ready = _await_judged if i else lambda *_: start(*story.arguments)
            expected.append(_step(step, sandbox, boxes, names, ready))
        for prefix, box in boxes.items():
            _check_history(histories[prefix], box, prefix, expected)


def _step(step, sandbox, boxes, names, ready):
    manifests = [_placed(manifest, names) for manifest in step.apply]
    services = [m for m in manifests if m["kind"] == "Service"]
    ground = [m for m in manifests if m["kind"] != "Service"]
    if ground:
        sandbox.api.apply(*ground)
    ready(sandbox, ground)
    if services:
        sandbox.api.apply(*services)
    for name in step.delete:
        kind, _, rest = name.partition("/")
        namespace = sandbox.system if kind == "ipaddresspool" else sandbox.namespace
        sandbox.kubectl("delete", kind, rest, "--namespace", namespace)
    if step.do:
        step.do(sandbox)
    expect = {name: _filled(what, names) for name, what in step.expect.items()}
    _await(expect, boxes)
    gone = {name.removeprefix("service/"): UNTOUCHED for name in step.delete if name.startswith("service/")}
    return expect | gone


def _await_judged(sandbox, manifests):
    """Waits until the controller has judged these versions of pools and reservations."""
    paths = [sandbox.api.path_of(manifest) for manifest in manifests
             if manifest["kind"] in ("IPAddressPool", "IPReservation")]
    for path in paths:
        wait_until(lambda path=path: is_judged(sandbox.api.get(path)), SECONDS, what=f"{path} is judged")


def is_judged(obj):
    """Has the controller said what it makes of the object's present version?"""
    return any(condition.get("observedGeneration") == obj["metadata"]["generation"]
               for condition in obj.get("status", {}).get("conditions", []))


def _placed(manifest, names):
    """The manifest with the namespaces' names in it."""
    manifest = json.loads(_fill(json.dumps(manifest), names))
    metadata = manifest["metadata"]
    if not metadata.get("namespace"):
        metadata["namespace"] = names["ns"]
    elif metadata["namespace"] == "other":
        metadata["namespace"] = names["other"]
    return manifest


def _fill(text, names):
    for name, value in names.items():
        text = text.replace("{%s}" % name, value)
    return text


def _filled(what, names):
    message = what.message and _fill(what.message, names)
    return Shown(what.ips, what.pool, what.status, what.reason, message)


def _await(expect, boxes):
    """Waits until every Service shows what it should."""
    seen = {}

    def all_as_expected():
        seen.update((prefix + obj["metadata"]["name"], shown(obj))
                    for prefix, box in boxes.items() for obj in box.api.items(_services(box)))
        return all(seen.get(name) == what for name, what in expect.items())

    def describe():
        wrong = {name: (what, seen.get(name)) for name, what in expect.items()
                 if seen.get(name) != what}
        return "\n".join(f"{name}\n  expected {want}\n  shows    {got}"
                         for name, (want, got) in wrong.items())

    wait_until(all_as_expected, SECONDS, describe, "every Service shows what it should")


def _services(box):
    return f"/api/v1/namespaces/{box.namespace}/services"


def _check_history(history, box, prefix, expected):
    """Each Service went through the addresses of the steps, one after the other."""
    wait_until(lambda: history.reached(_last_version(box)), 10, what="the history is complete")
    for name in {name for expect in expected for name in expect}:
        if name.startswith("other/") != bool(prefix):
            continue
        wanted = _without_repeats([()] + [expect[name].ips for expect in expected if name in expect])
        went = addresses_in_order(history, name.removeprefix("other/"))
        assert went == wanted, f"{name} went through {went}, wanted {wanted}"


def _last_version(box):
    """The version of the Service that changed last."""
    return max((int(obj["metadata"]["resourceVersion"]) for obj in box.api.items(_services(box))), default=0)


def addresses_in_order(history, name):
    """The addresses that a Service went through, repetitions left out. One that is deleted has
    none."""
    return _without_repeats([
        () if kind == "DELETED" else tuple(ingress_addresses(obj))
        for kind, obj in list(history.events)
        if kind != "BOOKMARK" and obj["metadata"]["name"] == name])


def _without_repeats(states):
    return [state for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
