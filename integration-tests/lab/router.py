"""What the routers of the lab have in common: lab.routers has them.

A router is told its neighbours before it starts; what it has learnt is read in its own words (JSON
where it speaks JSON) and told in the same form by all:

    routes()  {prefix: [Route]}     what its BGP table holds, by every neighbour that sent it
    state(address)                  "Established", or another word of RFC 4271
    restarts(address)               has it been told to keep that neighbour's routes (RFC 4724)?
"""

from dataclasses import dataclass, field

from .process import Process
from .wait import wait_until


@dataclass
class Neighbor:
    """What a router is told of one of our nodes."""

    address: str
    asn: int
    local_address: str = ""   # the router's own; needed by some
    password: str = ""
    families: tuple = ("ipv4",)
    bfd: bool = False
    restart: bool = False     # graceful restart (RFC 4724)
    multihop: bool = False
    port: int = 179           # of ours, for routers that open sessions
    passive: bool = False     # waits for us to open the session
    extra: str = ""           # lines in the daemon's own words


@dataclass(frozen=True)
class Route:
    """One path to a prefix, as a router has it."""

    next_hop: str = ""
    communities: tuple = ()
    large: tuple = ()
    local_pref: int = None
    med: int = None
    as_path: tuple = ()
    origin: str = "igp"
    extended: tuple = field(default=(), compare=False)


class Router:
    """What is common to all. It is started by the constructor."""

    def __init__(self, run, host, asn, neighbors, router_id=None, port=179, **options):
        """host: a network.Host. neighbors: a list of Neighbor. port: where it listens."""
        self.run = run
        self.host = host
        self.asn = asn
        self.neighbors = list(neighbors)
        self.router_id = router_id or host.address
        self.port = port
        self.options = options
        self.directory = run.make_directory(f"{self.kind}-{host.name}")
        self.processes = []
        self.start()

    def started(self, arguments, name, **options):
        process = Process(self.run, arguments, name=name, namespace=self.host.namespace, **options)
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def describe(self):
        return "\n".join(process.describe() for process in self.processes)

    def is_up(self, address):
        return self.state(address) == "Established"

    def wait_up(self, *addresses, seconds=30, describe=()):
        """Waits until the sessions with those neighbours (all) are established."""
        wanted = addresses or [n.address for n in self.neighbors]
        wait_until(lambda: all(self.is_up(a) for a in wanted), seconds,
                   [self.describe, *describe], f"{self.kind} has sessions with {', '.join(wanted)}")
        return self

    def prefixes(self):
        return sorted(self.routes())

    def write(self, name, text, mode=0o644):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path


# Names that daemons give to values of RFC 1997 and RFC 8326.
_NAMES = {"NO_EXPORT": "65535:65281", "NO_ADVERTISE": "65535:65282", "GRACEFUL_SHUTDOWN": "65535:0",
          "noExport": "65535:65281", "noAdvertise": "65535:65282", "gracefulShutdown": "65535:0"}


def well_known(text):
    return _NAMES.get(text, text)
