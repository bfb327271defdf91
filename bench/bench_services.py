#!/usr/bin/python3
"""Ten thousand Services on a real API server: how long until all have addresses, against a plain
client that writes the same statuses; the controller's memory; and a restart that changes nothing.

usage: bench/bench_services.py [--services N] [--build DIR]

Making the Services takes minutes the first time; the etcd data is kept in the user's cache.
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "integration-tests"))

POOL = {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
        "metadata": {"name": "bench", "namespace": "metallb-system"},
        "spec": {"addresses": ["198.19.0.0/16"]}}


def service(number):
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": f"s{number:05}", "namespace": "default"},
            "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False,
                     "selector": {"app": f"s{number}"}, "ports": [{"port": 80}]}}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--services", type=int, default=10000)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    return parser.parse_args()


ARGS = parse()
os.environ["STENTOR_BUILD"] = ARGS.build

from lab.controller import Controller  # noqa: E402: the build directory comes first
from lab.controlplane import ControlPlane  # noqa: E402
from lab.run import Run  # noqa: E402
from lab.seed import seed  # noqa: E402
from lab.wait import wait_until  # noqa: E402


def fill(plane):
    from concurrent.futures import ThreadPoolExecutor
    plane.install_crds(ROOT / "crd" / "schemas")
    with ThreadPoolExecutor(8) as pool:
        for done, _ in enumerate(pool.map(plane.api.create, map(service, range(ARGS.services)))):
            if done % 1000 == 0:
                print(f"  {done} Services made", flush=True)


def resident_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def metric(controller, name):
    return sum(value for key, value in controller.metrics().items() if key.split("{")[0] == name)


def allocated(controller):
    return controller.metrics().get('stentor_controller_services{reason="Allocated"}', 0)


def quiet(controller):
    """No write waits or is under way."""
    return metric(controller, "stentor_controller_queue_waiting") + \
        metric(controller, "stentor_controller_queue_in_flight") == 0


def plain(run, data):
    plane = ControlPlane(run, seed=data)
    out = subprocess.run([f"{ARGS.build}/bench/patch_client", plane.kubeconfig()], check=True,
                         capture_output=True, text=True).stdout
    plane.stop()
    print(f"plain client, 64 in flight:   {out.strip()}", flush=True)
    return float(out.split("seconds=")[1])


def start(run, plane, name):
    return Controller(run, kubeconfig=plane.kubeconfig("controller"), name=name,
                      arguments=["--log-level", "warn",
                                 "--leader-elect-lease-duration", "15s",
                                 "--leader-elect-renew-deadline", "10s",
                                 "--leader-elect-retry-period", "2s"])


def main():
    run = Run()
    print(f"{ARGS.services} Services (made once, then kept)", flush=True)
    data = seed(run, f"{ARGS.services} Services, no pool, v2", fill)
    baseline = plain(run, data)
    plane = ControlPlane(run, seed=data)
    controller = start(run, plane, "first").wait_ready(120)
    plane.api.create(POOL)
    begin = time.monotonic()
    wait_until(lambda: allocated(controller) == ARGS.services, 600, lambda: "", "all are planned")
    planned = time.monotonic() - begin
    wait_until(lambda: quiet(controller), 600, lambda: "", "all are written")
    took = time.monotonic() - begin
    print(f"stentor-controller:           planned after {planned:.3f} s, written after {took:.3f} s")
    print(f"ratio to the plain client:    {took / baseline:.2f}")
    print(f"its processor time:           {controller.process.cpu_seconds():.1f} s")
    time.sleep(25)  # memory is given back some seconds after the storm
    print(f"resident:                     {resident_mb(controller.process.pid):.1f} MB", flush=True)
    controller.process.kill()
    begin = time.monotonic()
    again = start(run, plane, "second").wait_ready(120)
    wait_until(lambda: allocated(again) == ARGS.services, 600, lambda: "", "all are adopted")
    ready = time.monotonic() - begin
    wait_until(lambda: quiet(again), 60, lambda: "", "nothing is to be written")
    writes = metric(again, "metallb_k8s_client_updates_total")
    print(f"restart after kill -9:        all adopted after {ready:.2f} s "
          f"(15 s of them the dead leader's lease), {writes:.0f} writes")
    time.sleep(3)
    print(f"resident after the restart:   {resident_mb(again.process.pid):.1f} MB")
    again.finish()
    plane.stop()


if __name__ == "__main__":
    main()
