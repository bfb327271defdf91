"""One test's part of the session's control plane."""

import contextlib

import yaml

from . import objects
from .api import ApiError
from .controlplane import SYSTEM_NAMESPACE
from .kubectl import documents

OUR_GROUPS = ("metallb.io", "stentor.io")


class Sandbox:
    """A Kubernetes namespace for one test. clean() removes what tests and our programs leave
    in it and, since pools, nodes and leases are shared by all, everywhere.

    The namespace object itself stays: only a controller manager could remove it."""

    def __init__(self, control_plane, namespace):
        self.control_plane = control_plane
        self.namespace = namespace
        self.system = SYSTEM_NAMESPACE
        self.api = control_plane.api
        self.kubectl = control_plane.kubectl_as("admin", namespace=namespace)
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    def service(self, name, **options):
        """Creates a Service of type LoadBalancer. options: see objects.service."""
        return self.api.create(objects.service(name, self.namespace, **options))

    def service_path(self, name):
        return f"/api/v1/namespaces/{self.namespace}/services/{name}"

    def node(self, name, *addresses, labels=None):
        """Creates a Node that is Ready. Without addresses it has none."""
        return objects.create_node(self.api, name, *addresses, labels=labels)

    def clean(self):
        for collection in self._own_collections():
            self.api.delete(collection)
        for node in self.api.items("/api/v1/nodes"):
            self.api.delete(f"/api/v1/nodes/{node['metadata']['name']}", missing_ok=True)
        for group in OUR_GROUPS:
            for path in self._objects_of(group):
                self.api.delete(path, missing_ok=True)

    def describe(self):
        """All that a failure may hang on, as YAML. No Secrets."""
        found = []
        for collection in (*self._own_collections(), "/api/v1/nodes", "/apis/events.k8s.io/v1/events"):
            with contextlib.suppress(ApiError):
                found += self.api.items(collection)
        for group in OUR_GROUPS:
            found += [self.api.get(path) for path in self._objects_of(group)]
        for obj in found:
            obj["metadata"].pop("managedFields", None)
        return documents([yaml.safe_dump(obj, sort_keys=False) for obj in found])

    def _own_collections(self):
        inside = f"/api/v1/namespaces/{self.namespace}"
        return (f"{inside}/services", f"{inside}/pods", f"{inside}/secrets",
                f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices",
                f"/apis/coordination.k8s.io/v1/namespaces/{self.system}/leases")

    def _objects_of(self, group):
        """The path of every object of an API group of ours, none when it is not installed."""
        for kind, collection in self._collections_of(group).items():
            for obj in self.api.items(collection):
                namespace = obj["metadata"].get("namespace")
                inner = f"/namespaces/{namespace}" if namespace else ""
                base = collection.removesuffix(kind)
                yield f"{base.rstrip('/')}{inner}/{kind}/{obj['metadata']['name']}"

    def _collections_of(self, group):
        """{plural: path} of a group's kinds, each in one of the versions that it is served in."""
        found = {}
        for version in (self.api.get_or_none(f"/apis/{group}") or {"versions": []})["versions"]:
            base = f"/apis/{version['groupVersion']}"
            for resource in self.api.get(base)["resources"]:
                if "/" not in resource["name"]:
                    found.setdefault(resource["name"], f"{base}/{resource['name']}")
        return found
