"""The responder on a hostile wire: floods as fast as the kernel sends them, frames that are broken
in every way, while those who ask honestly are still answered."""

import random
import re

import pytest
from scapy.layers import inet6 as ip6
from scapy.packet import Raw
from scapy.utils import wrpcap

from lab.controller import build_directory
from lab.layer2 import (ASKER, CLIENT_IP6, LAST, LAST6, OTHER, OURS, OURS6, OURS6_TOO, OURS_TOO,
                        Site, advertise, advertisement, arp, group, group_mac, ip, reply, solicit)
from lab.wait import wait_until

ENOUGH = 50_000  # frames of a flood


@pytest.fixture
def site(run):
    one = Site(run)
    yield one
    one.close()


class Flood:
    """Sends the frames over and over, from the client's port or another host's."""

    def __init__(self, run, process, host, name, frames):
        path = run.directory / f"{run.unique(name)}.pcap"
        wrpcap(str(path), frames)
        self.process = process([build_directory() / "arp" / "arp-flood", "eth0", path],
                               namespace=host.namespace)
        self._sent = host.namespace
        self.process.wait_log("^ready", 20)

    def frames_sent(self):
        """By the interface's own count."""
        return self._sent.ip_json("-s", "link", "show", "eth0")[0]["stats64"]["tx"]["packets"]

    def stop(self):
        self.process.stop()
        return int(re.search(r"sent (\d+)", self.process.log()).group(1))


@pytest.fixture
def flood(run, process, site):
    def start(name, frames):
        one = Flood(run, process, site.lan.client, name, frames)
        before = one.frames_sent()
        wait_until(lambda: one.frames_sent() - before > ENOUGH, 60)
        return one

    return start


def broken_frames():
    """Good frames about our addresses with one to four bytes changed, or cut short."""
    chance = random.Random(1)
    good = [bytes(f) for f in (arp(), arp(OURS, sender=OURS), arp(OURS, sender="0.0.0.0"), solicit(),
                               solicit(source="::", options=None), solicit(options=None),
                               advertise())]
    good.append(bytes(ip(CLIENT_IP6, group(OURS6), group_mac(OURS6)) /
                      ip6.IPv6ExtHdrDestOpt(options=[ip6.PadN(optdata=bytes(12))]) /
                      ip6.ICMPv6ND_NS(tgt=OURS6)))
    frames = []
    for _ in range(3000):
        frame = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            frame[chance.randrange(12, len(frame))] = chance.randrange(256)
        if chance.random() < 0.2:
            frame = frame[:chance.randrange(14, len(frame))]
        frames.append(Raw(bytes(frame)))
    return frames


def wait_answered(site):
    """Somebody asks honestly, again and again as neighbours do, and is answered in the end."""
    start = len(site.capture.frames())
    station = "02:00:00:00:00:dd"
    wanted = {reply(OURS, station), advertisement(OURS6, station)}

    def ask():
        site.send(arp(station=station, source=station),
                  solicit(options=ip6.ICMPv6NDOptSrcLLAddr(lladdr=station)))
        return wanted <= set(site.answers(start, to=station))

    wait_until(ask, 60, site.describe)


def test_broken_frames(site, flood):
    """Every answer that is given meanwhile is a good one: about an address of ours, from us."""
    one = flood("broken", broken_frames())
    wait_answered(site)
    assert one.stop() > ENOUGH
    seen = {(a[0], a[2], a[5] if a[0] == "arp" else a[7], a[4] if a[0] == "arp" else a[8])
            for a in site.answers()}
    asked = {("arp", "us", OURS, "us"), ("ndp", "us", OURS6, "us")}
    # A changed byte may make one of our addresses of another.
    others = {("arp", "us", one, "us") for one in (OURS_TOO, LAST)} | \
        {("ndp", "us", one, "us") for one in (OURS6_TOO, LAST6)}
    assert asked <= seen <= asked | others
    site.exchange()
    assert site.responder.process.alive


def test_requests_for_others_wake_nobody(site, flood):
    """Storms of requests for addresses that are not ours stay in the kernel's filter."""
    frames = [arp(f"192.0.2.{n}") for n in range(1, 200)]
    frames += [solicit(f"2001:db8:0:1::a{n:02x}", to=group_mac(OURS6)) for n in range(100)]

    def switches():
        with open(f"/proc/{site.responder.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"(?m)^voluntary_ctxt_switches:\s*(\d+)", status.read()).group(1))

    site.exchange()
    before = switches()
    one = flood("others", frames)
    assert one.stop() > ENOUGH
    assert switches() - before < 20  # timers that were still to come
    counts = site.responder.figures()
    assert (counts["dropped"], counts["lost"], counts["claims"]) == (0, 0, 0)


def test_requests_for_us(site, flood):
    """More of them than can be answered: some are lost, but who asks again is answered."""
    frames = [arp(station=f"02:00:00:00:01:{n:02x}") for n in range(200)]
    frames += [solicit(options=ip6.ICMPv6NDOptSrcLLAddr(lladdr=f"02:00:00:00:01:{n:02x}"))
               for n in range(200)]
    one = flood("ours", frames)
    wait_answered(site)
    assert one.stop() > ENOUGH
    assert site.responder.process.alive


def test_claims(site, flood):
    """Somebody says at any rate that our addresses are its own. They are answered for as before."""
    one = flood("claims", [arp(OURS, sender=OURS, station=OTHER), advertise(),
                           arp("192.0.2.250", sender=OURS, operation=2)])
    wait_answered(site)
    assert one.stop() > ENOUGH
    assert set(site.responder.heard()) == {
        (OURS, OTHER, "announced"), (OURS, ASKER, "answered"), (OURS6, ASKER, "announced")}
