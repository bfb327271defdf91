"""Where the programs of the control plane are, building them if need be."""

import functools
import subprocess
from pathlib import Path

INTEGRATION_TESTS = Path(__file__).resolve().parent.parent
REPOSITORY = INTEGRATION_TESTS.parent


@functools.lru_cache(maxsize=None)
def find(*names):
    """The paths of the programs of those names, all from one source, as a dict. May build
    them, which takes minutes and tells its progress on standard error."""
    output = subprocess.run([INTEGRATION_TESTS / "controlplane" / "build", *names],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(zip(names, output.splitlines(), strict=True))


def core():
    """etcd, kube-apiserver and kubectl: what envtest's directories hold too."""
    return find("etcd", "kube-apiserver", "kubectl")
