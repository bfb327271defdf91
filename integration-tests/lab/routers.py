"""Routers for BGP: real daemons of others, each in a namespace of its own, behind the same calls
(lab.router).

    make = {"frr": Frr, "gobgp": GoBgp, "exabgp": ExaBgp, "openbgpd": OpenBgpd, "bird": BirdRouter}
"""

import json
import os
import pwd
import re
import shutil

from .frr import Frr
from .process import run_command
from .router import Route, Router, well_known
from .wait import wait_until


class GoBgp(Router):
    kind = "gobgp"

    def start(self):
        config = self.write("gobgp.yml", json.dumps(self._config()))
        self.api = 50051
        self.started(["gobgpd", "-f", config, "-t", "yaml", "--api-hosts", f"127.0.0.1:{self.api}",
                      "--pprof-disable", "-l", "debug"], name=f"gobgpd-{self.host.name}")
        wait_until(lambda: self.cli("global") is not None, 20, self.describe, "gobgpd answers")

    def _config(self):
        neighbors = []
        for n in self.neighbors:
            one = {"config": {"neighbor-address": n.address, "peer-as": n.asn},
                   "timers": {"config": {"hold-time": 9, "keepalive-interval": 3, "connect-retry": 1}},
                   "transport": {"config": {"passive-mode": n.passive, "remote-port": n.port}},
                   "afi-safis": [{"config": {"afi-safi-name": f"{family}-unicast"},
                                  "mp-graceful-restart": {"config": {"enabled": n.restart}}}
                                 for family in n.families]}
            if n.local_address:
                one["transport"]["config"]["local-address"] = n.local_address
            if n.password:
                one["config"]["auth-password"] = n.password
            if n.multihop:
                one["ebgp-multihop"] = {"config": {"enabled": True, "multihop-ttl": 255}}
            if n.restart:
                one["graceful-restart"] = {"config": {"enabled": True, "restart-time": 120}}
            neighbors.append(one)
        return {"global": {"config": {"as": self.asn, "router-id": self.router_id, "port": self.port}},
                "neighbors": neighbors}

    def cli(self, *arguments):
        out = run_command(["gobgp", "-p", str(self.api), "-j", *arguments], namespace=self.host.namespace).stdout
        return json.loads(out) if out.strip().startswith(("{", "[")) else []

    def state(self, address):
        names = {1: "Idle", 2: "Connect", 3: "Active", 4: "OpenSent", 5: "OpenConfirm", 6: "Established"}
        for one in self.cli("neighbor"):
            if one["state"].get("neighbor_address", one["conf"].get("neighbor_address")) == address:
                return names.get(one["state"].get("session_state", 0), "Idle")
        return "Idle"

    def restarts(self, address):
        families = self.cli("neighbor", address)["afi_safis"]
        return all(one["mp_graceful_restart"]["state"].get("received") for one in families)

    def routes(self):
        found = {}
        for family in ("ipv4", "ipv6"):
            table = self.cli("global", "rib", "-a", family)
            for prefix, paths in (table or {}).items():
                found[prefix] = [_gobgp_route(path) for path in paths]
        return found


def _gobgp_route(path):
    told = {"communities": (), "large": (), "as_path": ()}
    origins = {0: "igp", 1: "egp", 2: "incomplete"}
    for attribute in path["attrs"]:
        kind = attribute["type"]
        if kind == 1:
            told["origin"] = origins[attribute["value"]]
        elif kind == 2:
            told["as_path"] = tuple(n for segment in attribute["as_paths"] or () for n in segment["asns"])
        elif kind == 3:
            told["next_hop"] = attribute["nexthop"]
        elif kind == 4:
            told["med"] = attribute["metric"]
        elif kind == 5:
            told["local_pref"] = attribute["value"]
        elif kind == 8:
            told["communities"] = tuple(f"{value >> 16}:{value & 0xffff}" for value in attribute["communities"])
        elif kind == 14:
            told["next_hop"] = attribute["nexthop"]
        elif kind == 32:
            told["large"] = tuple(f"{one['ASN']}:{one['LocalData1']}:{one['LocalData2']}"
                                  for one in attribute["value"])
    return Route(**told)


class ExaBgp(Router):
    """Speaks BGP and keeps no table: the messages that it writes down are put together here."""

    kind = "exabgp"

    def start(self):
        # A process of ours gets each message as JSON; it must keep its own output open.
        sink = self.write("sink.sh", "#!/bin/sh\ncat > \"$1\"\n", 0o755)
        self.messages = self.directory / "messages.json"
        config = self.write("exabgp.conf", self._config(sink))
        self.directory.chmod(0o777)
        binary = shutil.which("exabgp") or "/usr/sbin/exabgp"
        environment = {"exabgp.daemon.user": "root", "exabgp.tcp.bind": self.host.address,
                       "exabgp.tcp.port": str(self.port), "exabgp.api.ack": "false",
                       "exabgp.daemon.daemonize": "false", "exabgp.log.level": "INFO",
                       "exabgp.api.cli": "false"}
        self.started(["env", *(f"{key}={value}" for key, value in environment.items()), binary, config],
                     name=f"exabgp-{self.host.name}")

    def _config(self, sink):
        text = [f"process table {{ run {sink} {self.messages}; encoder json; }}"]
        for n in self.neighbors:
            families = " ".join(f"{family} unicast;" for family in n.families)
            text.append(f"""neighbor {n.address} {{
  router-id {self.router_id}; local-address {n.local_address or self.host.address};
  local-as {self.asn}; peer-as {n.asn}; hold-time 9;
  {f'md5-password "{n.password}";' if n.password else ''}
  {'passive true;' if n.passive else ''}
  family {{ {families} }}
  capability {{ {'graceful-restart 120;' if n.restart else ''} }}
  api {{ processes [ table ]; neighbor-changes; receive {{ parsed; open; update; }} }}
}}""")
        return "\n".join(text) + "\n"

    def _events(self):
        if not self.messages.exists():
            return
        for line in self.messages.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue  # the last one, half written

    def state(self, address):
        state = "Idle"
        for event in self._events():
            if event["type"] == "state" and event["neighbor"]["address"]["peer"] == address:
                state = "Established" if event["neighbor"]["state"] == "up" else "Idle"
        return state

    def restarts(self, address):
        told = [event["neighbor"]["open"] for event in self._events()
                if event["type"] == "open" and event["neighbor"]["address"]["peer"] == address]
        return bool(told) and told[-1]["capabilities"].get("64", {}).get("time", 0) > 0

    def routes(self):
        table = {}
        for event in self._events():
            peer = event.get("neighbor", {}).get("address", {}).get("peer")
            if event["type"] == "state" and event["neighbor"]["state"] == "down":
                table = {key: value for key, value in table.items() if key[0] != peer}
            if event["type"] != "update":
                continue
            update = event["neighbor"]["message"].get("update", {})
            for prefixes in update.get("withdraw", {}).values():
                for one in prefixes:
                    table.pop((peer, one["nlri"]), None)
            for hops in update.get("announce", {}).values():
                for hop, prefixes in hops.items():
                    if hop.startswith("fe80:") and len(hops) > 1:
                        continue  # RFC 2545: beside the global one
                    for one in prefixes:
                        if isinstance(one, dict):
                            table[peer, one["nlri"]] = _exabgp_route(hop, update.get("attribute", {}))
        found = {}
        for (_, prefix), route in sorted(table.items()):
            found.setdefault(prefix, []).append(route)
        return found


def _exabgp_route(hop, told):
    path = told.get("as-path", [])
    if isinstance(path, dict):
        path = [number for segment in path.values() for number in segment["value"]]
    return Route(next_hop=hop, communities=tuple(":".join(map(str, one)) for one in told.get("community", ())),
                 large=tuple(":".join(map(str, one)) for one in told.get("large-community", ())),
                 local_pref=told.get("local-preference"), med=told.get("med"), as_path=tuple(path),
                 origin=told.get("origin", "igp"))


class OpenBgpd(Router):
    kind = "openbgpd"

    def start(self):
        # Its parts lock themselves up in the home of its user, which its service would make.
        os.makedirs(pwd.getpwnam("_openbgpd").pw_dir, exist_ok=True)
        self.socket = self.directory / "bgpd.sock"
        config = self.write("bgpd.conf", self._config(), 0o600)
        self.started(["/usr/sbin/bgpd", "-d", "-f", config], name=f"openbgpd-{self.host.name}")
        wait_until(self.socket.exists, 20, self.describe, "openbgpd runs")

    def _config(self):
        text = [f"AS {self.asn}", f"router-id {self.router_id}", f'socket "{self.socket}"',
                "fib-update no", f"listen on {self.host.address} port {self.port}",
                f"listen on {self.host.address6} port {self.port}",
                "holdtime 9", "connect-retry 1"]
        for n in self.neighbors:
            text.append(f"neighbor {n.address} {{")
            text.append(f"  remote-as {n.asn}")
            if n.password:
                text.append(f'  tcp md5sig password "{n.password}"')
            if n.multihop:
                text.append("  multihop 255")
            if n.passive:
                text.append("  passive")
            for family in ("ipv4", "ipv6"):
                text.append(f"  announce {family.upper().replace('IPV', 'IPv')} "
                            f"{'unicast' if family in n.families else 'none'}")
            text.append(f"  announce restart {'yes' if n.restart else 'no'}")
            text.append("}")
        text += ["allow from any", "allow to any"]
        return "\n".join(text) + "\n"

    def ctl(self, *arguments):
        out = run_command(["/usr/sbin/bgpctl", "-s", self.socket, "-j", *arguments], check=False).stdout
        return json.loads(out) if out.strip() else {}

    def state(self, address):
        for one in self.ctl("show", "neighbor").get("neighbors", []):
            if one.get("remote_addr") == address:
                return one["state"]
        return "Idle"

    def restarts(self, address):
        (one,) = self.ctl("show", "neighbor", address)["neighbors"]
        return one.get("session", {}).get("capabilities", {}).get("graceful_restart", {}).get("timeout", 0) > 0

    def routes(self):
        found = {}
        for one in self.ctl("show", "rib", "detail").get("rib", []):
            found.setdefault(one["prefix"], []).append(Route(
                next_hop=one["exit_nexthop"],
                communities=tuple(well_known(c) for c in one.get("communities", ())),
                large=tuple(one.get("large_communities", ())),
                local_pref=one.get("localpref"), med=one.get("metric"),
                as_path=tuple(int(n) for n in one.get("aspath", "").split()),
                origin={"IGP": "igp"}.get(one.get("origin"), one.get("origin", "")).lower()))
        return found


class BirdRouter(Router):
    kind = "bird"

    def start(self):
        config = self.write("bird.conf", self._config())
        self.socket = self.directory / "bird.ctl"
        self.started(["/usr/sbin/bird", "-f", "-c", config, "-s", self.socket], name=f"bird-{self.host.name}")
        wait_until(self.socket.exists, 20, self.describe, "bird runs")

    def _config(self):
        text = ["log stderr all;", f"router id {self.router_id};", "protocol device { }", "protocol bfd { }",
                "protocol kernel { ipv4 { export all; }; }", "protocol kernel { ipv6 { export all; }; }"]
        for index, n in enumerate(self.neighbors):
            channels = "".join(f" {family} {{ import all; export none; }};" for family in n.families)
            text.append(f"""protocol bgp node{index} {{
  local {f'{n.local_address} ' if n.local_address else ''}port {self.port} as {self.asn}; neighbor {n.address} port {n.port} as {n.asn};
  hold time 9; connect delay time 1; error wait time 1, 2; {'passive;' if n.passive else ''}
  {f'password "{n.password}";' if n.password else ''} {'multihop;' if n.multihop else ''}
  {'bfd on;' if n.bfd else ''} {'graceful restart on;' if n.restart else ''} {channels}
}}""")
        return "\n".join(text) + "\n"

    def ctl(self, command):
        return run_command(["/usr/sbin/birdc", "-s", self.socket, command], check=False).stdout

    def _told(self, address):
        index = [n.address for n in self.neighbors].index(address)
        return self.ctl(f"show protocols all node{index}")

    def state(self, address):
        told = re.search(r"BGP state:\s+(\w+)", self._told(address))
        return told[1] if told else "Idle"

    def restarts(self, address):
        return "Restart time:" in self._told(address).partition("Neighbor capabilities")[2]

    def routes(self):
        found, prefix = {}, None
        told = None
        for line in self.ctl("show route all").splitlines():
            head = re.match(r"(\S+/\d+)?\s+(?:unicast|unreachable) \[(\S+)", line)
            if head:
                prefix = head[1] or prefix
                told = {"communities": (), "large": (), "as_path": ()}
                found.setdefault(prefix, []).append(told)
                continue
            if told is None:
                continue
            name, _, value = line.strip().partition(": ")
            numbers = tuple(":".join(re.findall(r"\d+", one)) for one in re.findall(r"\([^)]*\)", value))
            if name == "BGP.origin":
                told["origin"] = value.lower()
            elif name == "BGP.as_path":
                told["as_path"] = tuple(int(n) for n in value.split())
            elif name == "BGP.next_hop":
                told["next_hop"] = value.split()[0]
            elif name == "BGP.med":
                told["med"] = int(value)
            elif name == "BGP.local_pref":
                told["local_pref"] = int(value)
            elif name == "BGP.community":
                told["communities"] = numbers
            elif name == "BGP.large_community":
                told["large"] = numbers
        return {key: [Route(**one) for one in routes] for key, routes in found.items()}


ROUTERS = {one.kind: one for one in (Frr, GoBgp, ExaBgp, OpenBgpd, BirdRouter)}
