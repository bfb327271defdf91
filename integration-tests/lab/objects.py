"""Kubernetes objects that many tests need, as dicts."""


def service(name, namespace="default", ports=(80,), annotations=None, **spec):
    """A Service of type LoadBalancer. spec: further fields, such as ipFamilyPolicy."""
    return {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations or {}},
        "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False,
                 "ports": [{"name": f"port-{port}", "port": port} for port in ports], **spec},
    }


def pool(name, *addresses, namespace="metallb-system", **spec):
    """An IPAddressPool of those ranges."""
    return {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"addresses": list(addresses), **spec}}


def node(name, labels=None):
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}}}


def node_status(*addresses, ready=True):
    """What a kubelet would say: a merge patch for /status, which a create does not take."""
    return {"status": {
        "addresses": [{"type": "InternalIP", "address": address} for address in addresses],
        "conditions": [{"type": "Ready", "status": "True" if ready else "False",
                        "reason": "KubeletReady", "message": "the lab says so"}]}}


def create_node(api, name, *addresses, labels=None):
    """Creates a Node that is Ready and has those addresses."""
    api.create(node(name, labels))
    return api.patch(f"/api/v1/nodes/{name}/status", node_status(*addresses))


def ingress_addresses(obj):
    """The addresses in a Service's status, in their order."""
    balancer = obj.get("status", {}).get("loadBalancer", {})
    return [entry["ip"] for entry in balancer.get("ingress", []) if "ip" in entry]
