"""What speakers write on a real API server, with their own rights and no others."""

import pytest

from lab.wait import wait_until

STATUSES = "/apis/metallb.io/v1beta1/namespaces/metallb-system/servicel2statuses"
STATES = "/apis/metallb.io/v1beta1/namespaces/metallb-system/configurationstates"
CONFLICTS = "/apis/stentor.io/v1alpha1/namespaces/metallb-system/addressconflicts"


@pytest.fixture
def lab(cluster):
    one = cluster(2, api=True, hold_down="1s")
    one.add_services(1)
    return one


def statuses(lab):
    """(node, Service, interfaces, labels, beginning of the name) of each status object of this
    test's namespace."""
    found = []
    for one in lab.store.control_plane.api.items(STATUSES):
        status = one.get("status", {})
        if status.get("serviceNamespace") != lab.store.namespace:
            continue
        found.append((status["node"], status["serviceName"],
                      [entry["name"] for entry in status.get("interfaces", [])],
                      one["metadata"]["labels"], one["metadata"]["name"][:3]))
    return found


def wanted(lab, node):
    return [(node, "s1", ["eth0"],
             {"metallb.io/node": node, "metallb.io/service-name": "s1",
              "metallb.io/service-namespace": lab.store.namespace}, "l2-")]


def test_status_follows_the_owner(lab):
    """One object for the Service, by the node that answers; also when its node was killed, which
    deletes nothing itself."""
    (owner,) = lab.wait_owned().values()
    wait_until(lambda: statuses(lab) == wanted(lab, owner), 10, lambda: str(statuses(lab)))
    lab.kill_speaker(owner)
    (heir,) = lab.wait_owned(lambda owners: owner not in owners.values(), 10).values()
    wait_until(lambda: statuses(lab) == wanted(lab, heir), 10, lambda: str(statuses(lab)))
    lab.exclude(heir)
    wait_until(lambda: statuses(lab) == [], 10, lambda: str(statuses(lab)))
    lab.exclude(heir, None)
    lab.start_speaker(owner)
    lab.wait_settled()
    (again,) = lab.wait_owned().values()
    wait_until(lambda: statuses(lab) == wanted(lab, again), 10, lambda: str(statuses(lab)))
    assert "report cannot be written" not in lab.speakers[heir].process.log()


def test_status_outlives_a_restart(cluster):
    """A speaker that starts leaves its object alone until it knows what it announces: whoever
    watches it does not see the Service go."""
    lab = cluster(1, api=True)
    lab.add_services(1)
    lab.wait_owned()

    def versions():
        return [one["metadata"]["uid"] for one in lab.store.control_plane.api.items(STATUSES)
                if one.get("status", {}).get("serviceNamespace") == lab.store.namespace]
    wait_until(lambda: statuses(lab) == wanted(lab, "n1"), 10, lambda: str(statuses(lab)))
    before = versions()
    lab.kill_speaker("n1")
    lab.start_speaker("n1")
    lab.wait_owned()
    wait_until(lambda: statuses(lab) == wanted(lab, "n1"), 10, lambda: str(statuses(lab)))
    assert versions() == before


def test_configuration_state(lab):
    def of(node):
        one = next(s for s in lab.store.control_plane.api.items(STATES) if s["metadata"]["name"] == f"speaker-{node}")
        condition, = one["status"]["conditions"]
        return (one["status"]["result"], one["metadata"]["labels"], condition["type"],
                condition["status"], condition["reason"])
    for node in ("n1", "n2"):
        labels = {"metallb.io/component-type": "speaker", "metallb.io/node-name": node}
        wait_until(lambda: of(node) == ("Valid", labels, "configReconcilerValid", "True", "Reconciled"),
                   10, lab.describe, tolerate=(StopIteration, KeyError, ValueError, OSError))
