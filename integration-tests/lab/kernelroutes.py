"""The routes of a router's kernel, as it tells them by netlink: what matters to packets, and each
change of it, however short."""

import subprocess
import threading
import time


class KernelRoutes:
    """Notes every change from when the constructor returns until close()."""

    def __init__(self, namespace):
        self._child = subprocess.Popen([*namespace.exec_prefix(), "ip", "-ts", "monitor", "route"],
                                       stdout=subprocess.PIPE, text=True)
        self.lines = []  # (seconds, line)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self._await_first(namespace)

    def _await_first(self, namespace):
        """It hears nothing before it has subscribed: something is changed until it does."""
        while not self.lines:
            for verb in ("add", "delete"):
                namespace.ip("route", verb, "blackhole", "192.0.2.254/32", "metric", "4242")

    def _read(self):
        for line in self._child.stdout:
            self.lines.append((time.time(), line.strip()))

    def about(self, address):
        """[(seconds, line)] of the changes of routes to that very address."""
        return [(at, line) for at, line in list(self.lines) if f" {address} " in f" {line} "]

    def deleted(self, address):
        """When it was that routes to the address went."""
        return [at for at, line in self.about(address) if "Deleted " in line]

    def close(self):
        self._child.terminate()
        self._child.wait()
        self._thread.join()
