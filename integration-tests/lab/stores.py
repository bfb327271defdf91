"""Where a lab's objects are: on an API server, or in a directory of manifests. The same calls for
both, so that one test runs with each."""

import json
import os

import yaml

from .objects import node_status


class ApiStore:
    """Objects on a control plane, which the programs reach over a network's management plane."""

    def __init__(self, control_plane, namespace, relay):
        """namespace: where Services go; it must exist. relay: a relay.Relay to the API server that
        listens in the network."""
        self.namespace = namespace
        self.relay = relay
        self.control_plane = control_plane
        self._api = control_plane.api
        self.arguments = []

    def kubeconfig(self, user):
        return self.control_plane.kubeconfig(user, server=self.relay.url)

    def put(self, obj):
        """Creates an object, with its status for a kind that has one of its own."""
        self._api.create(obj)
        if "status" in obj:
            self._api.patch(f"{self._api.path_of(obj)}/status", {"status": obj["status"]})

    def get(self, obj):
        """The object as it is now. obj: any with its kind and name."""
        return self._api.get(self._api.path_of(obj))

    def edit(self, obj, patch):
        """Applies a merge patch. obj: any with its kind and name."""
        self._api.patch(self._api.path_of(obj), patch)

    def remove(self, obj):
        self._api.delete(self._api.path_of(obj))

    def events(self, reason):
        """[(message, name of the object)] of the Events of that reason."""
        events = self._api.items(f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events")
        return sorted((event["note"], event["regarding"]["name"]) for event in events
                      if event["reason"] == reason)

    def conflicts(self):
        """The addresses that speakers say are a stranger's."""
        path = "/apis/stentor.io/v1alpha1/namespaces/metallb-system/addressconflicts"
        return sorted(conflict["spec"]["address"] for conflict in self._api.items(path))

    def node_events(self, name):
        """The reasons of the Events about that node, as it is since it was made, in order."""
        uid = self._api.get(f"/api/v1/nodes/{name}")["metadata"]["uid"]
        events = self._api.items("/apis/events.k8s.io/v1/namespaces/default/events")
        return [event["reason"] for event in sorted(events, key=lambda event: event["eventTime"])
                if event["regarding"].get("uid") == uid]


class DirectoryStore:
    """Objects in files, one in each, and the status that the controller writes beside them."""

    namespace = "default"
    relay = None
    control_plane = None

    def __init__(self, run):
        self.manifests = run.make_directory("manifests")
        self.status = run.make_directory("status")
        self.arguments = ["--manifests", self.manifests, "--status", self.status]

    def kubeconfig(self, _user):
        return None

    def put(self, obj):
        path = self._path(obj)
        partial = path.with_name(f".{path.name}")
        partial.write_text(yaml.safe_dump(obj))
        partial.rename(path)

    def get(self, obj):
        """The manifest, with what was written over it."""
        meta = obj["metadata"]
        kind = {"Service": "services", "IPAddressPool": "ipaddresspools"}.get(obj["kind"], "")
        stored = yaml.safe_load(self._path(obj).read_text())
        written = self.status / kind / meta.get("namespace", "default") / f"{meta['name']}.json"
        if kind and written.exists():
            merge(stored, json.loads(written.read_text()))
        return stored

    def edit(self, obj, patch):
        stored = yaml.safe_load(self._path(obj).read_text())
        merge(stored, patch)
        self.put(stored)

    def remove(self, obj):
        os.unlink(self._path(obj))

    def _path(self, obj):
        meta = obj["metadata"]
        return self.manifests / f"{obj['kind']}-{meta.get('namespace', '')}-{meta['name']}.yaml".lower()


def merge(target, patch):
    """RFC 7396, in place, for objects."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def node_object(host, labels=None):
    """The Node of a network.Host, with its status."""
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": host.name,
                         "labels": {"kubernetes.io/hostname": host.name, **(labels or {})}},
            **node_status(host.address, host.address6)}
