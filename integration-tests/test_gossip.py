"""The failure detector by itself (gossip-probe): five members on a LAN, judged by what the others
report. How fast it is, is a matter of the simulator and of the fail-over tests; here it is what."""

import json
import signal
import socket
import struct

import pytest

from lab.member import PORT, KeyDirectory, Member, ever_lost
from lab.wait import stays, wait_until

SECRET = "a secret of the members, one\n"
NEXT = "a secret of the members, two\n"
OTHER = "a secret of somebody else\n"
FIVE = ["n1", "n2", "n3", "n4", "n5"]


@pytest.fixture
def lan(network):
    return network(5)


@pytest.fixture
def member(process, lan, tmp_path):
    """member(NAME) starts a member on that node, with all nodes as its peers."""
    peers = [host.address for host in lan.nodes]
    dirs = {}

    def start(name, secret=SECRET, **options):
        if name not in dirs:
            dirs[name] = KeyDirectory(tmp_path / name, secretkey=secret)
        return Member(process, lan[name], dirs[name], peers, **options)

    return start


@pytest.fixture
def five(member):
    """Five members that have met, by name."""
    members = {name: member(name) for name in FIVE}
    for one in members.values():
        one.wait_alive(FIVE)
    return members


def others(members, *names):
    return [one for name, one in members.items() if name not in names]


def gossip_payloads(capture):
    """(source, payload) of each datagram to the port of the gossip."""
    found = []
    for frame in capture.frames(lambda f: f.ethertype == 0x0800 and f.data[23] == 17):
        header = (frame.data[14] & 15) * 4 + 14
        if int.from_bytes(frame.data[header + 2:header + 4], "big") == PORT:
            found.append((socket.inet_ntoa(frame.data[26:30]), frame.data[header + 8:]))
    return found


def send_as(host, source, destination, payload):
    """A UDP datagram with a source address of our choice."""
    udp = struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(destination))
    with host.namespace.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(ip + udp, (destination, 0))


def test_killed_member_is_dead_to_all(five):
    """kill -9: everyone else counts it dead, and nobody else; it comes back held, and all see that
    alike until its hold-down is over."""
    five["n3"].process.kill()
    for one in others(five, "n3"):
        wait_until(lambda o=one: o.states()["n3"] == "dead", 20, one.process.describe)
        one.wait_alive(["n1", "n2", "n4", "n5"])
    marks = {name: one.mark() for name, one in five.items()}
    five["n3"].process.start()
    for one in five.values():
        one.wait_alive(FIVE)
        wait_until(lambda o=one: any(r["members"].get("n3", [0, 0, 0])[2] for r in
                                     o.reports(marks[o.name])), 20, one.process.describe)
        wait_until(lambda o=one: o.held() == [], 20, one.process.describe)
        assert ever_lost(one, ["n1", "n2", "n4", "n5"]) == []


def test_leaving_member_is_left_without_being_missed(five):
    """A member that says that it goes is left, for all, before its process has ended."""
    assert five["n2"].process.stop() == 0
    for one in others(five, "n2"):
        wait_until(lambda o=one: o.states()["n2"] == "left", 20, one.process.describe)
        assert all(report["members"].get("n2", ["alive"])[0] in ("alive", "left")
                   for report in one.reports()), one.process.describe()
        assert ever_lost(one, ["n1", "n3", "n4", "n5"]) == []


def test_stopped_process_yields_when_it_goes_on(five):
    """SIGSTOP: dead to the others. SIGCONT: from its first report on it knows that it was stopped,
    and only stops saying so together with knowing that it is held. It never takes the others for
    dead."""
    five["n4"].process.send(signal.SIGSTOP)
    for one in others(five, "n4"):
        one.wait_alive(["n1", "n2", "n3", "n5"])
    mark = five["n4"].mark()
    five["n4"].process.send(signal.SIGCONT)
    for one in five.values():
        one.wait_alive(FIVE)
        wait_until(lambda o=one: o.held() == [], 20, one.process.describe)
    reports = five["n4"].reports(mark)
    assert reports[0]["stalled"], five["n4"].process.describe()
    back = next(report for report in reports if not report["stalled"])
    assert any(report["members"]["n4"][2] for report in reports[:reports.index(back) + 1])
    assert ever_lost(five["n4"], ["n1", "n2", "n3", "n5"]) == []


def test_split_and_heal(five, lan):
    """Each side counts the other dead. Healed, all are alive again, and the smaller side is held."""
    lan.partition(["n1", "n2"], ["n3", "n4", "n5"])
    for name, one in five.items():
        one.wait_alive(["n1", "n2"] if name in ("n1", "n2") else ["n3", "n4", "n5"])
    stays(lambda: all(len(one.alive()) in (2, 3) for one in five.values()), 2)
    marks = {name: one.mark() for name, one in five.items()}
    lan.join(["n1", "n2"], ["n3", "n4", "n5"])
    for one in five.values():
        one.wait_alive(FIVE)
    for one in five.values():
        wait_until(lambda o=one: o.held() == [], 20, one.process.describe)
        held = {name for report in one.reports(marks[one.name])
                for name, facts in report["members"].items() if facts[2]}
        assert held == {"n1", "n2"}, one.process.describe()


def test_wrong_key_is_no_member(five, member, lan):
    """A member with another secret is not let in and disturbs nobody; it is counted, and named."""
    before = five["n1"].figures()["key"]
    five["n5"].process.kill()
    five["n1"].wait_alive(["n1", "n2", "n3", "n4"])
    five["n5"].keys.write(secretkey=OTHER)
    stranger = member("n5")
    wait_until(lambda: five["n1"].figures()["key"] >= before + 3, 20)
    wait_until(lambda: stranger.reports()[-1]["settled"], 20, stranger.process.describe)
    assert stranger.alive() == ["n5"]
    assert five["n1"].alive() == ["n1", "n2", "n3", "n4"]
    five["n1"].process.wait_log(
        rf'not taken" reason=key address={lan["n5"].address}', 20)
    # Named, not with every datagram.
    assert five["n1"].process.log().count("reason=key") < five["n1"].figures()["key"]


def test_without_a_key_it_is_off_and_begins_with_one(member):
    one, two = member("n1"), member("n2")
    two.wait_alive(["n1", "n2"])
    three = member("n3", secret="")
    three.process.wait_log("gossip is off until there is a key", 20)
    assert three.reports()[-1]["on"] is False and three.alive() == ["n3"]
    three.keys.write(secretkey=SECRET)
    for each in (one, two, three):
        each.wait_alive(["n1", "n2", "n3"])
    assert three.reports()[-1]["on"] is True


def rotate(five, names, **files):
    for name in names:
        start = five[name].mark()
        five[name].keys.write(**files)
        five[name].process.wait_log("gossip key read", 20, after=start)


def test_key_rotation_in_steps_loses_nobody(five):
    """The new key is accepted everywhere, then used, then alone: nobody is ever lost."""
    rotate(five, FIVE, secretkey=SECRET, secretkey_old=NEXT)
    rotate(five, FIVE, secretkey=NEXT, secretkey_old=SECRET)
    rotate(five, FIVE, secretkey=NEXT)
    assert_none_lost(five)


def test_key_replaced_at_once_loses_nobody(five):
    """The Secret is simply replaced, and reaches the nodes one after another, as mounted Secrets
    do: who has the new key goes on with those that do not."""
    for name in FIVE:
        rotate(five, [name], secretkey=NEXT)
        stays(lambda: all(one.alive() == FIVE for one in five.values()), 1.5)
    assert_none_lost(five)


def assert_none_lost(five):
    stays(lambda: all(one.alive() == FIVE for one in five.values()), 1)
    for one in five.values():
        assert ever_lost(one, FIVE) == [], one.process.describe()
    five["n1"].process.send(signal.SIGUSR2)
    five["n2"].process.wait_log("(?m)^message n1 hello$", 20)


def test_replayed_and_forged_datagrams_do_nothing(five, lan):
    """Everything that was said for a while is said again, to the same member from the same
    address, and to others; and noise, damaged and cut datagrams beside it. All is counted by
    reason, and nobody's view changes."""
    n1 = five["n1"]
    with lan.capture("n1") as capture:
        wait_until(lambda: len(gossip_payloads(capture)) > 200, 20)
        payloads = gossip_payloads(capture)
    to_n1 = [(source, data) for source, data in payloads if source != lan["n1"].address][:80]
    before, marks = n1.figures(), {name: one.mark() for name, one in five.items()}
    for source, data in to_n1:
        send_as(lan.client, source, lan["n1"].address, data)
        send_as(lan.client, source, lan["n2"].address, data)
        damaged = bytearray(data)
        damaged[len(data) // 2] ^= 1
        send_as(lan.client, source, lan["n1"].address, bytes(damaged))
        send_as(lan.client, source, lan["n1"].address, data[:len(data) // 2])
        send_as(lan.client, source, lan["n1"].address, b"")
    wait_until(lambda: n1.figures()["key"] >= before["key"] + 3 * len(to_n1), 20,
               lambda: json.dumps(n1.figures()))
    after = n1.figures()
    assert after["key"] == before["key"] + 3 * len(to_n1)
    assert after["replay"] == before["replay"] + len(to_n1)
    assert after["malformed"] == 0 and after["deaths"] == 0
    assert five["n2"].figures()["target"] > 0
    stays(lambda: all(one.alive() == FIVE for one in five.values()), 1)
    for one in five.values():
        for report in one.reports(marks[one.name]):
            assert {name: (state in ("alive", "suspect"), address, held)
                    for name, (state, address, held) in report["members"].items()} == \
                {name: (True, lan[name].address, False) for name in FIVE}


def test_replay_to_a_restarted_member(five, lan):
    """What was for a member's earlier life is not taken by the next."""
    with lan.capture("n1") as capture:
        wait_until(lambda: len(gossip_payloads(capture)) > 100, 20)
        payloads = [(s, d) for s, d in gossip_payloads(capture) if s != lan["n1"].address]
    five["n1"].process.kill()
    five["n2"].wait_alive(["n2", "n3", "n4", "n5"])
    five["n1"].process.start()
    for one in five.values():
        one.wait_alive(FIVE)
        wait_until(lambda o=one: o.held() == [], 20, one.process.describe)
    mark, before = five["n1"].mark(), five["n1"].figures()
    for source, data in payloads:
        send_as(lan.client, source, lan["n1"].address, data)
    wait_until(lambda: five["n1"].figures()["target"] >= before["target"] + len(payloads), 20)
    assert ever_lost(five["n1"], FIVE, mark) == [] and five["n1"].held() == []


def test_lossy_network_kills_nobody(five, lan):
    """Every third datagram or so is lost, for each member: all stay alive for all, and one that
    really dies is found."""
    lan.lose(**{name: 30 for name in FIVE})
    stays(lambda: all(one.alive() == FIVE for one in five.values()), 15)
    for one in five.values():
        assert ever_lost(one, FIVE) == [], one.process.describe()
    five["n2"].process.kill()
    for one in others(five, "n2"):
        one.wait_alive(["n1", "n3", "n4", "n5"])


def test_ipv6(process, lan, tmp_path):
    """The same over IPv6."""
    names = FIVE[:3]
    peers = [lan[name].address6 for name in names]
    keys = KeyDirectory(tmp_path / "keys", secretkey=SECRET)
    members = [Member(process, lan[name], keys, peers, address=lan[name].address6)
               for name in names]
    for one in members:
        one.wait_alive(names)
    members[0].process.kill()
    for one in members[1:]:
        one.wait_alive(names[1:])
