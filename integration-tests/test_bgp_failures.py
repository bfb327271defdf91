"""What must not take routes away, and what must take them away quickly."""

import os
import pathlib
import signal

import pytest

from lab.bgp import advertisement, metallb, node_object, peer
from lab.kernelroutes import KernelRoutes
from lab.process import Process
from lab.wait import stays, wait_until

V4 = "198.51.100.1"
TOR = "192.0.2.1"


@pytest.fixture
def watch_kernel():
    made = []

    def make(router):
        made.append(KernelRoutes(router.host.namespace))
        return made[-1]

    yield make
    for one in made:
        one.close()


def bird_pid(speaker):
    return speaker.bgp()["bird"]["pid"]


def wait_kernel(router, wanted, seconds=20):
    wait_until(lambda: router.kernel_routes() == wanted, seconds,
               [lambda: str(router.kernel_routes()), router.describe])


FAST = metallb("BFDProfile", "fast", receiveInterval=50, transmitInterval=50, detectMultiplier=3)


def wait_watched(lab):
    wait_until(lambda: lab.speakers["n1"].bgp_sessions()["tor"]["bfd"] == "Up", 20,
               [lab.speakers["n1"].process.describe, lab.tor.describe])


def make_restarting(bgp_lab, **options):
    lab = bgp_lab(1)
    lab.put(FAST, advertisement(), peer("tor", TOR, enableGracefulRestart=True, connectTime="1s", **options))
    lab.serve("web", V4)
    bfd = "bfdProfile" in options
    lab.tor = lab.router(neighbor={"restart": True, "bfd": bfd}, bfd=(50, 50, 3) if bfd else None)
    lab.speaker()
    lab.wait_up()
    wait_kernel(lab.tor, {f"{V4}/32": [lab["n1"].address]})
    wait_until(lambda: lab.tor.has_all(lab["n1"].address), 20, lab.tor.describe)
    if bfd:
        wait_watched(lab)
    return lab


@pytest.fixture
def restarting(bgp_lab):
    """A node and FRR that both know graceful restart; the route is in FRR's kernel."""
    return make_restarting(bgp_lab)


def restart_happened(lab, before):
    """Waits until the session has come up anew."""
    def again():
        established, _ = lab.tor.connections(lab["n1"].address)
        node = lab["n1"].address
        return established > before[0] and lab.tor.is_up(node) and lab.tor.has_all(node)
    wait_until(again, 30, [lab.tor.describe, lab.speakers["n1"].process.describe])


def test_bird_is_killed(restarting, watch_kernel):
    lab, one = restarting, restarting.speakers["n1"]
    before = lab.tor.connections(lab["n1"].address)
    kernel = watch_kernel(lab.tor)
    for _ in range(3):
        os.kill(bird_pid(one), signal.SIGKILL)
        restart_happened(lab, before)
        lab.wait_up()
        before = lab.tor.connections(lab["n1"].address)
    # End-of-RIB has come, and with it what FRR thinks of our routes.
    stays(lambda: lab.tor.kernel_routes() == {f"{V4}/32": [lab["n1"].address]}, 2)
    assert kernel.about(V4) == []
    assert one.bgp()["bird"]["crashes"] == 3


def test_bird_is_killed_while_bfd_watches_it(bgp_lab, watch_kernel):
    """The end of the connection is there before BFD misses its packets: the route stays."""
    lab = make_restarting(bgp_lab, bfdProfile="fast")
    kernel, before = watch_kernel(lab.tor), lab.tor.connections(lab["n1"].address)
    os.kill(bird_pid(lab.speakers["n1"]), signal.SIGKILL)
    restart_happened(lab, before)
    lab.wait_up()
    wait_watched(lab)
    assert kernel.about(V4) == []


def test_speaker_is_killed(restarting, watch_kernel):
    """BIRD goes on without it; the next one takes it over as it is."""
    lab, one = restarting, restarting.speakers["n1"]
    before, pid = lab.tor.connections(lab["n1"].address), bird_pid(one)
    kernel = watch_kernel(lab.tor)
    os.kill(one.process.pid, signal.SIGKILL)
    one.process.wait(10)
    one.process.start()
    one.wait_ready()
    lab.wait_up()
    assert bird_pid(one) == pid
    lab.serve("mail", "198.51.100.2")  # it takes commands
    wait_kernel(lab.tor, {f"{V4}/32": [lab["n1"].address], "198.51.100.2/32": [lab["n1"].address]})
    assert lab.tor.connections(lab["n1"].address) == before
    assert kernel.about(V4) == []


def test_both_are_killed(restarting, watch_kernel):
    lab, one = restarting, restarting.speakers["n1"]
    before, pid = lab.tor.connections(lab["n1"].address), bird_pid(one)
    kernel = watch_kernel(lab.tor)
    os.kill(one.process.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    one.process.wait(10)
    one.process.start()
    one.wait_ready()
    restart_happened(lab, before)
    lab.wait_up()
    stays(lambda: lab.tor.kernel_routes() == {f"{V4}/32": [lab["n1"].address]}, 2)
    assert kernel.about(V4) == []


def launcher_pid(speaker):
    with open(f"/proc/{bird_pid(speaker)}/status", encoding="ascii") as status:
        pid = int(next(line.split()[1] for line in status if line.startswith("PPid:")))
    with open(f"/proc/{pid}/comm", encoding="ascii") as name:
        assert name.read() == "bird-launcher\n"
    return pid


def test_launcher_is_killed(restarting, watch_kernel):
    """BIRD goes on and takes commands. When it ends as well, so does the speaker, and the next one
    brings it back; a clean stop needs no launcher."""
    lab, one = restarting, restarting.speakers["n1"]
    before, pid = lab.tor.connections(lab["n1"].address), bird_pid(one)
    both = {f"{ip}/32": [lab["n1"].address] for ip in (V4, "198.51.100.2")}
    kernel = watch_kernel(lab.tor)
    os.kill(launcher_pid(one), signal.SIGKILL)
    one.process.wait_log("the launcher of bird has ended", 10)
    lab.serve("mail", "198.51.100.2")
    wait_kernel(lab.tor, both)
    assert lab.tor.connections(lab["n1"].address) == before
    os.kill(pid, signal.SIGKILL)
    assert one.process.wait(15) == 1
    assert "bird is out of reach without its launcher" in one.process.log()
    one.process.start()
    one.wait_ready()
    restart_happened(lab, before)
    lab.wait_up()
    os.kill(launcher_pid(one), signal.SIGKILL)
    assert one.process.stop() == 0
    stays(lambda: lab.tor.kernel_routes() == both, 2)
    assert kernel.about(V4) == []


def test_upgrade(restarting, watch_kernel):
    """A clean stop and a new start: routes stay with who knows graceful restart; what has changed
    meanwhile is put right."""
    lab, one = restarting, restarting.speakers["n1"]
    before = lab.tor.connections(lab["n1"].address)
    kernel = watch_kernel(lab.tor)
    assert one.process.stop() == 0
    lab.serve("mail", "198.51.100.2")
    one.process.start()
    one.wait_ready()
    restart_happened(lab, before)
    wait_kernel(lab.tor, {f"{V4}/32": [lab["n1"].address], "198.51.100.2/32": [lab["n1"].address]})
    assert kernel.about(V4) == []


def test_start_without_a_source(restarting, watch_kernel):
    """What was announced is again before anything is known of it: the configuration is on the disk."""
    lab, one = restarting, restarting.speakers["n1"]
    before = lab.tor.connections(lab["n1"].address)
    kernel = watch_kernel(lab.tor)
    pid = bird_pid(one)
    os.kill(one.process.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    one.process.wait(10)
    # An API server that does not answer, in the place of the directory.
    arguments = [a for a in one.process.arguments]
    at = arguments.index("--manifests")
    del arguments[at:at + 4]
    nobody = lab.run.directory / "nobody.kubeconfig"
    nobody.write_text("apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                      "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
                      "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
                      "users: [{name: u, user: {token: t}}]\n")
    blind = Process(lab.run, [*arguments, "--kubeconfig", nobody], name="blind",
                    namespace=lab["n1"].namespace)
    try:
        restart_happened(lab, before)
        stays(lambda: lab.tor.kernel_routes() == {f"{V4}/32": [lab["n1"].address]}, 2, blind.describe)
        assert kernel.about(V4) == []
    finally:
        assert blind.stop() == 0


def test_last_peer_is_removed(bgp_lab):
    """Nothing of it is left on the disk, with which the next speaker would begin."""
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    lab.router()
    one = lab.speaker()
    lab.wait_up()
    files = pathlib.Path(one.process.arguments[one.process.arguments.index("--bird-dir") + 1])
    assert {"bird.conf", "routes.conf"} < {file.name for file in files.iterdir()}
    lab.remove(peer("tor", TOR))
    wait_until(lambda: one.bgp()["bird"]["state"] == "off", 20, one.process.describe)
    assert [file.name for file in files.iterdir()] == ["listen"]
    assert one.process.stop() == 0
    one.process.start()
    one.wait_ready()
    assert one.process.log().count("bird started") == 1


def test_stop_without_graceful_restart(bgp_lab):
    """Peers are told, and take their routes elsewhere at once."""
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    router = lab.router()
    one = lab.speaker()
    wait_kernel(router, {f"{V4}/32": [lab["n1"].address]})
    assert one.process.stop() == 0
    wait_kernel(router, {}, 5)


def test_link_is_cut(bgp_lab, watch_kernel):
    """The router's kernel lets go of the route because BFD says so, long before the hold time is over.
    How long that takes is measured by bench/bench_bgp_failures.py."""
    lab = bgp_lab(1)
    lab.put(FAST, advertisement(), peer("tor", TOR, bfdProfile="fast", holdTime="60s"))
    lab.serve("web", V4)
    lab.tor = lab.router(neighbor={"bfd": True, "extra": f"neighbor {lab['n1'].address} timers 20 60"}, bfd=(50, 50, 3))
    lab.speaker()
    wait_kernel(lab.tor, {f"{V4}/32": [lab["n1"].address]})
    wait_watched(lab)
    kernel = watch_kernel(lab.tor)
    lab.network.cut("n1")
    wait_kernel(lab.tor, {})
    assert len(kernel.deleted(V4)) == 1
    assert lab.tor.neighbor(lab["n1"].address)["lastNotificationReason"] == "Cease/BFD Down"
    lab.network.heal("n1")
    wait_kernel(lab.tor, {f"{V4}/32": [lab["n1"].address]}, 40)


def test_drain(bgp_lab):
    """Peers are asked to go elsewhere (RFC 8326), then there is nothing to come here for; the session
    stays. Undone, it is as before."""
    lab = bgp_lab(2)
    lab.put(advertisement(communities=["64512:1"]), peer("tor", TOR), peer("in", "192.0.2.2", peerASN=64512))
    lab.serve("web", V4)
    router = lab.router(nodes=("n1", "n2"))
    inside = lab.router("gobgp", "in", 2, nodes=("n1",), asn=64512)
    lab.speaker("n1", "--bgp-drain", "2s")
    lab.speaker("n2")
    both = {f"{V4}/32": sorted([lab["n1"].address, lab["n2"].address])}
    lab.wait_routes(router, both)
    wait_until(lambda: inside.prefixes() == [f"{V4}/32"], 20, inside.describe)
    before = router.connections(lab["n1"].address)
    lab.put(node_object(lab["n1"], annotations={"stentor.io/drain": "now"}))

    def marked():
        paths = {path.next_hop: path.communities for path in router.routes("ipv4")[f"{V4}/32"]}
        return paths[lab["n1"].address] == ("64512:1", "65535:0") and paths[lab["n2"].address] == ("64512:1",)
    wait_until(marked, 10, router.describe)
    (path,) = inside.routes()[f"{V4}/32"]
    assert (path.local_pref, path.communities) == (0, ("64512:1", "65535:0"))
    lab.wait_routes(router, {f"{V4}/32": [lab["n2"].address]})
    assert lab.speakers["n1"].bgp_reasons() == {"default/web": "nodeDrained"}
    lab.put(node_object(lab["n1"]))
    lab.wait_routes(router, both)
    assert router.connections(lab["n1"].address) == before


@pytest.mark.parametrize("change", ["label", "condition"])
def test_node_goes_out_of_service(bgp_lab, change):
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    router = lab.router()
    one = lab.speaker()
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
    if change == "label":
        lab.put(node_object(lab["n1"], {"node.kubernetes.io/exclude-from-external-load-balancers": ""}))
    else:
        lab.put(node_object(lab["n1"], conditions=[{"type": "NetworkUnavailable", "status": "True"}]))
    lab.wait_routes(router, {})
    assert one.bgp_reasons() == {"default/web": {"label": "nodeLabeledExcludeBalancers",
                                                 "condition": "nodeNetworkUnavailable"}[change]}
    lab.put(node_object(lab["n1"]))
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})


def test_local_policy_follows_the_endpoints(bgp_lab):
    lab = bgp_lab(2)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4, nodes=["n1"], externalTrafficPolicy="Local")
    router = lab.router(nodes=("n1", "n2"))
    lab.speaker("n1")
    lab.speaker("n2")
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
    lab.serve("web", V4, nodes=["n1", "n2"], externalTrafficPolicy="Local")
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address, lab["n2"].address]})
    lab.serve("web", V4, nodes=["n2"], externalTrafficPolicy="Local")
    lab.wait_routes(router, {f"{V4}/32": [lab["n2"].address]})
    assert lab.speakers["n1"].bgp_reasons() == {"default/web": "noLocalEndpoints"}


def extras(text):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bgpextras", "namespace": "metallb-system"},
            "data": {"extras": text}}


def test_extras(bgp_lab):
    """A user's own lines for BIRD: used when BIRD takes them, told when it does not, and what was
    good before stays."""
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    router = lab.router()
    one = lab.speaker()
    lab.wait_up()
    before = router.connections(lab["n1"].address)
    own = ('protocol static own { ipv4; route 203.0.113.0/24 blackhole; }\n'
           'protocol bgp second { local as 64512; neighbor 192.0.2.2 as 64599; connect delay time 1; '
           'ipv4 { import none; export where proto = "own"; }; }\n')
    second = lab.router("gobgp", "second", 2, asn=64599)
    lab.put(extras(own))
    lab.wait_routes(second, {"203.0.113.0/24": [lab["n1"].address]})
    lab.put(extras(own + "nonsense;\n"))
    wait_until(lambda: "syntax error" in one.bgp()["bird"]["extrasRefusal"], 10, one.process.describe)
    lab.serve("mail", "198.51.100.2")
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address], "198.51.100.2/32": [lab["n1"].address]})
    lab.wait_routes(second, {"203.0.113.0/24": [lab["n1"].address]})
    lab.remove(extras(""))
    wait_until(lambda: not second.is_up(lab["n1"].address), 20, second.describe)
    assert router.connections(lab["n1"].address) == before


def test_port_is_taken(bgp_lab, process):
    """Another BGP daemon on the node (a network plugin's): ours listens elsewhere, and its sessions
    come up because it opens them."""
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    router = lab.router()
    lab.run.directory.joinpath("other.conf").write_text("router id 1.1.1.1; protocol device {}\n"
                                                        "protocol bgp x { local as 1; neighbor 192.0.2.99 as 2; "
                                                        "ipv4 { import none; export none; }; }\n")
    process(["/usr/sbin/bird", "-f", "-c", lab.run.directory / "other.conf", "-s", lab.run.directory / "other.ctl"],
            name="other-bird", namespace=lab["n1"].namespace)
    wait_until((lab.run.directory / "other.ctl").exists, 10)
    one = lab.speaker()
    lab.wait_routes(router, {f"{V4}/32": [lab["n1"].address]})
    assert "does not listen on port 179" in one.process.log()


def test_without_bird(bgp_lab):
    """The rest of the speaker works; what is missing is told, and tried again."""
    lab = bgp_lab(1)
    lab.put(advertisement(), peer("tor", TOR))
    lab.serve("web", V4)
    one = lab.speaker("n1", "--bird", "/nonexistent/bird")
    wait_until(lambda: one.bgp()["bird"]["state"] == "waiting", 20, one.process.describe)
    assert "bird cannot be started" in one.process.log()
    assert one.bgp_sessions()["tor"]["why"] == "bird does not run"
    off = lab.speaker("n1", "--bird", "")
    assert off.bgp()["ready"] is False
