"""etcd data that is slow to make and always the same, such as ten thousand Services (the API
server needs minutes for them), made once and kept in the user's cache."""

import hashlib
import os
import shutil
from pathlib import Path

from .controlplane import ControlPlane
from .programs import core


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stentor"


def seed(run, what, fill):
    """The etcd data directory that a ControlPlane has after fill(control_plane), to be given to
    ControlPlane(seed=…), which starts from a copy.

    what: says what is in it and how it was made; another text is another directory, and so is
    another build of the programs."""
    mark = hashlib.sha256(f"{core()['kube-apiserver']}\n{what}".encode()).hexdigest()[:16]
    path = cache_directory() / f"etcd-{mark}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        plane = ControlPlane(run)
        fill(plane)
        plane.apiserver.kill()
        plane.etcd.stop()  # in good form: what it says it has stored must be in the files
        partial = path.with_name(f"{path.name}.partial.{os.getpid()}")
        shutil.copytree(plane.data_directory, partial)
        partial.rename(path)
        plane.stop()
    return path
