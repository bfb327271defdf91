"""What must hold of every state that Services went through, told from a watch history."""

from dataclasses import dataclass

from .objects import ingress_addresses

_WISHES = ("metallb.io/loadBalancerIPs", "metallb.io/address-pool", "metallb.io/allow-shared-ip",
           "metallb.universe.tf/loadBalancerIPs", "metallb.universe.tf/address-pool",
           "metallb.universe.tf/allow-shared-ip")


@dataclass(frozen=True)
class State:
    """One version of a Service, as far as addresses go."""
    uid: str
    ips: tuple
    wanted: tuple  # the addresses it asks for, sorted; none: any
    asks: tuple  # all that it says, to tell whether somebody has changed it
    key: str
    backend: str
    ports: frozenset
    is_load_balancer: bool

    @staticmethod
    def of(obj):
        metadata, spec = obj["metadata"], obj["spec"]
        annotations = metadata.get("annotations", {})
        wishes = tuple(annotations.get(name) for name in _WISHES)
        wanted = wishes[0] or wishes[3] or spec.get("loadBalancerIP") or ""
        is_local = spec.get("externalTrafficPolicy") == "Local"
        return State(
            uid=metadata["uid"],
            ips=tuple(ingress_addresses(obj)),
            wanted=tuple(sorted(part.strip() for part in wanted.split(",") if part.strip())),
            asks=(wishes, str(spec)),
            key=wishes[2] or wishes[5] or "",
            backend=str(sorted(spec.get("selector", {}).items())) if is_local else "",
            ports=frozenset((port.get("protocol", "TCP"), port["port"]) for port in spec["ports"]),
            is_load_balancer=spec["type"] == "LoadBalancer")

    def may_share_with(self, other):
        return bool(self.key and self.key == other.key and self.backend == other.backend
                    and not self.ports & other.ports)

    def wants_other_than(self, ips):
        return not self.is_load_balancer or self.wanted not in ((), tuple(sorted(ips)))


def states(history):
    """(name, State or None when it is gone) of every change, in the API server's order."""
    for kind, obj in list(history.events):
        if kind != "BOOKMARK":
            metadata = obj["metadata"]
            yield (f"{metadata['namespace']}/{metadata['name']}@{metadata['resourceVersion']}",
                   metadata["uid"], None if kind == "DELETED" else State.of(obj))


def given_twice(history):
    """Sentences about each moment when two Services showed one address that they may not share."""
    now, found = {}, []
    for name, uid, state in states(history):
        before = now.pop(uid, None)
        if state is None:
            continue
        fresh = set(state.ips) - set(before[1].ips if before else ())
        for other_name, other in now.values():
            for ip in fresh & set(other.ips):
                if not state.may_share_with(other):
                    found.append(f"{ip}: {other_name} has it when {name} gets it")
        now[uid] = (name, state)
    return found


def moved(history):
    """Sentences about each Service that lost or changed an address although it was left alone, or
    wanted no other. Pools must not change meanwhile."""
    now, found = {}, []
    for name, uid, state in states(history):
        before = now.pop(uid, None)
        if state is None:
            continue
        if before and before.ips and before.ips != state.ips:
            added = len(before.ips) == 1 and len(state.ips) == 2 and before.ips[0] in state.ips
            if not added and not state.wants_other_than(before.ips):
                found.append(f"{name}: {before.ips} became {state.ips}")
        now[uid] = state
    return found


def assigned(history):
    """How often a Service was given addresses."""
    now, count = {}, 0
    for _, uid, state in states(history):
        before = now.pop(uid, ())
        if state is not None:
            count += bool(state.ips and state.ips != before)
            now[uid] = state.ips
    return count
