"""ConfigMaps: the smallest objects that an API server has, for tests of our Kubernetes client."""


def config_map(name, namespace, data="x"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"d": data},
            "metadata": {"name": name, "namespace": namespace}}


class Maps:
    """ConfigMaps of one Kubernetes namespace: the smallest objects there are."""

    def __init__(self, api, namespace):
        self.api = api
        self.namespace = namespace
        self.follow = f"ConfigMap@{namespace}"
        self.path = f"/api/v1/namespaces/{namespace}/configmaps"

    def id(self, name):
        return f"ConfigMap/{self.namespace}/{name}"

    def create(self, name, data="x"):
        """Returns its resourceVersion, as the others do."""
        return version_of(self.api.create(config_map(name, self.namespace, data)))

    def change(self, name, data):
        return version_of(self.api.patch(f"{self.path}/{name}", {"data": {"d": data}}))

    def delete(self, name):
        self.api.delete(f"{self.path}/{name}")

    def all(self):
        """{"namespace/name": resourceVersion}, as the API server holds them."""
        return {f"{self.namespace}/{m['metadata']['name']}": version_of(m)
                for m in self.api.items(self.path)}


def version_of(obj):
    return obj["metadata"]["resourceVersion"]
