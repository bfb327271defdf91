"""FRR as a router, whose kernel follows what BGP has learnt."""

import json
import shutil

from .process import run_command
from .router import Route, Router, well_known
from .wait import wait_until


class Frr(Router):
    """zebra, bgpd and bfdd: the kernel's table of the host follows what BGP has learnt."""

    kind = "frr"
    bfd_options = ""

    def start(self):
        self.directory.chmod(0o777)
        zebra = self.write("zebra.conf", f"hostname {self.host.name}\nip nht resolve-via-default\n"
                           "ipv6 nht resolve-via-default\n")
        bgpd = self.write("bgpd.conf", self._bgpd())
        bfdd = self.write("bfdd.conf", self._bfdd())
        for path in (zebra, bgpd, bfdd):
            shutil.chown(path, "frr", "frr")
        for daemon, config, options in (
                ("zebra", zebra, []), ("bfdd", bfdd, ["--bfdctl", self.directory / "bfdd.sock"]),
                ("bgpd", bgpd, ["-p", str(self.port)])):
            self.started([f"/usr/lib/frr/{daemon}", "-f", config, "-i", self.directory / f"{daemon}.pid",
                          "-z", self.directory / "zserv.api", "--vty_socket", self.directory,
                          "--log", "stdout", *options], name=f"{daemon}-{self.host.name}")
            wait_until((self.directory / f"{daemon}.vty").exists, 20, self.describe, f"{daemon} runs")

    def _bgpd(self):
        lines = ["log stdout", f"router bgp {self.asn}", f" bgp router-id {self.router_id}",
                 " no bgp ebgp-requires-policy", " no bgp network import-check",
                 " no bgp default ipv4-unicast", " timers bgp 3 9", *self.options.get("lines", ())]
        for n in self.neighbors:
            name = n.address
            lines.append(f" neighbor {name} remote-as {n.asn}")
            lines.append(f" neighbor {name} timers connect 1")
            if n.password:
                lines.append(f" neighbor {name} password {n.password}")
            if n.bfd:
                lines.append(f" neighbor {name} bfd{' profile lab' if self.options.get('bfd') else ''}")
            if n.restart:
                lines.append(f" neighbor {name} graceful-restart")
            if n.multihop:
                lines.append(f" neighbor {name} ebgp-multihop 255")
            if n.passive:
                lines.append(f" neighbor {name} passive")
            if n.local_address:
                lines.append(f" neighbor {name} update-source {n.local_address}")
            lines += [f" {line}" for line in n.extra.splitlines()]
        for family in ("ipv4", "ipv6"):
            lines.append(f" address-family {family} unicast")
            lines.append("  maximum-paths 8")
            lines.append("  maximum-paths ibgp 8")
            for n in self.neighbors:
                if family in n.families:
                    lines.append(f"  neighbor {n.address} activate")
                    lines.append(f"  neighbor {n.address} soft-reconfiguration inbound")
            lines.append(" exit-address-family")
        return "\n".join(lines) + "\n"

    def _bfdd(self):
        timers = self.options.get("bfd")
        if not timers:
            return "log stdout\n"
        receive, transmit, multiplier = timers
        return (f"log stdout\nbfd\n profile lab\n  receive-interval {receive}\n  transmit-interval {transmit}\n"
                f"  detect-multiplier {multiplier}\n exit\nexit\n")

    def vtysh(self, *commands):
        arguments = ["vtysh", "--vty_socket", self.directory]
        for command in commands:
            arguments += ["-c", command]
        return run_command(arguments, namespace=self.host.namespace).stdout

    def json(self, command):
        return json.loads(self.vtysh(f"{command} json") or "{}")

    def configure(self, *lines):
        self.vtysh("configure terminal", *lines)

    def neighbor(self, address):
        """FRR's own record of the session."""
        return self.json(f"show bgp neighbors {address}").get(address, {})

    def state(self, address):
        return self.neighbor(address).get("bgpState", "Idle")

    def restarts(self, address):
        return self.neighbor(address).get("gracefulRestartInfo", {}).get("remoteGrMode") == "Restart"

    def has_all(self, address):
        """Has the neighbour sent all it has (End-of-RIB)? Whoever restarts before has no promise of
        routes that stay: those of before are stale already (RFC 4724 section 4.2)."""
        families = self.neighbor(address).get("gracefulRestartInfo", {}).get("endOfRibRecv", {})
        return bool(families) and all(families.values())

    def connections(self, address):
        """(established, dropped): how often the session has come up and gone down."""
        told = self.neighbor(address)
        return told["connectionsEstablished"], told["connectionsDropped"]

    def bfd_peers(self):
        return self.json("show bfd peers")

    def routes(self, family=None):
        found = {}
        for one in (family,) if family else ("ipv4", "ipv6"):
            for prefix in self.json(f"show bgp {one} unicast").get("routes", {}):
                told = self.json(f"show bgp {one} unicast {prefix}")
                found[prefix] = [_frr_route(path) for path in told.get("paths", ())]
        return found

    def prefixes(self, family="ipv4"):
        return sorted(self.json(f"show bgp {family} unicast").get("routes", {}))

    def kernel_routes(self, family=4):
        """{prefix: sorted next hops} of the host's kernel that came by BGP."""
        table = {}
        for route in self.host.namespace.ip_json(f"-{family}", "route", "show", "proto", "bgp"):
            hops = [hop.get("gateway") or hop.get("via", {}).get("host") for hop in route.get("nexthops", [route])]
            prefix = route["dst"] if "/" in route["dst"] else route["dst"] + ("/32" if family == 4 else "/128")
            table[prefix] = sorted(hop or route.get("via", {}).get("host") for hop in hops)
        return table


def _frr_route(path):
    hops = [hop for hop in path.get("nexthops", []) if hop.get("scope") != "link-local"] or path.get("nexthops", [])
    segments = path.get("aspath", {}).get("segments", [])
    return Route(
        next_hop=hops[0]["ip"] if hops else "",
        communities=tuple(well_known(c) for c in path.get("community", {}).get("list", ())),
        large=tuple(path.get("largeCommunity", {}).get("list", ())),
        local_pref=path.get("locPrf", path.get("localpref")),
        med=path.get("metric", path.get("med")),
        as_path=tuple(number for segment in segments for number in segment["list"]),
        origin=path.get("origin", "IGP").lower(),
        extended=tuple(path.get("extendedCommunity", {}).get("string", "").split()),
    )
