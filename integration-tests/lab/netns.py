"""Network namespaces, and sockets inside them for tests that live outside."""

import ctypes
import json
import os
import socket
import threading
from pathlib import Path

from .process import run_command
from .run import delete_namespace

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace with loopback up. The run's name is part of its name, so that the
    run's end, however it comes, removes it."""

    def __init__(self, run, name):
        """name: what tests call it, such as n1; `ip netns` knows it as RUN-n1."""
        self.name = name
        self.full_name = f"{run.name}-{name}"
        run_command(["ip", "netns", "add", self.full_name])
        # Addresses are usable at once. A test of duplicate address detection sets this back.
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)
        self.sysctl("net.ipv6.conf.all.accept_dad", 0)
        self.ip("link", "set", "lo", "up")

    @classmethod
    def existing(cls, full_name):
        """One that another process made, by the name that `ip netns` knows."""
        self = cls.__new__(cls)
        self.name = full_name.rpartition("-")[2]
        self.full_name = full_name
        return self

    def delete(self):
        delete_namespace(self.full_name)

    def exec_prefix(self):
        """What to put before a command line to run it in here."""
        return ["ip", "netns", "exec", self.full_name]

    def run(self, *arguments, **options):
        """Runs a short command in here. See process.run_command."""
        return run_command(arguments, namespace=self, **options)

    def ip(self, *arguments, check=True):
        """`ip ARGUMENTS` in here."""
        return run_command(["ip", "-n", self.full_name, *arguments], check=check)

    def ip_json(self, *arguments):
        """What `ip -j ARGUMENTS` says, decoded."""
        return json.loads(self.ip("-j", *arguments).stdout or "[]")

    def sysctl(self, name, value):
        """Sets net.… in here. Dots separate; a name with a dot in it is not of our making."""
        path = Path("/proc/sys") / name.replace(".", "/")
        self.call(lambda: path.write_text(str(value)))

    def neighbours(self):
        """The neighbour table: {address: (MAC or None, state)}. Read it, never flush it."""
        return {n["dst"]: (n.get("lladdr"), "/".join(n.get("state", [])))
                for n in self.ip_json("neigh", "show")}

    def mac(self, interface="eth0"):
        return self.ip_json("link", "show", interface)[0]["address"]

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        """A socket that belongs to this namespace for as long as it lives."""
        return self.call(lambda: socket.socket(family, kind, protocol))

    def connect(self, address, seconds=5):
        """A TCP connection made from in here. address: (host, port)."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        connection = self.socket(family)
        connection.settimeout(seconds)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection

    def call(self, function):
        """Calls it in a thread that has entered the namespace. Returns what it returns."""
        outcome = {}

        def work():
            try:
                enter(f"/run/netns/{self.full_name}")
                outcome["value"] = function()
            except BaseException as error:  # handed to the caller below
                outcome["error"] = error

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]

    def describe(self):
        text = [f"--- network namespace {self.name}"]
        for arguments in (["-br", "address"], ["neigh", "show"], ["route", "show"]):
            text.append(f"$ ip {' '.join(arguments)}\n" + self.ip(*arguments, check=False).stdout)
        return "\n".join(text)


def enter(path):
    """Moves the calling thread, and it alone, into the network namespace at that path."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), path)
    finally:
        os.close(descriptor)
