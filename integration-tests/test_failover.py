"""A node dies, and another answers for its addresses."""

from lab.wait import wait_until


def test_killed_speaker_is_replaced(cluster):
    """Its addresses answer from another node; the others stay where they are."""
    lab = cluster(3)
    lab.add_services(6)
    before = lab.wait_owned()
    victim = before[lab.vip("s1")]
    lab.kill_speaker(victim)
    after = lab.wait_owned(lambda owners: victim not in owners.values(), 10)
    assert {ip: node for ip, node in before.items() if node != victim} == {
        ip: node for ip, node in after.items() if before[ip] != victim}


def test_returned_speaker_has_its_addresses_again(cluster):
    """After the hold-down, which here is over at once."""
    lab = cluster(2, speaker_arguments=["--hold-down", "0s"])
    lab.add_services(4)
    before = lab.wait_owned(lambda owners: len(set(owners.values())) == 2)
    lab.kill_speaker("n1")
    lab.wait_owned(lambda owners: set(owners.values()) == {"n2"}, 10)
    lab.start_speaker("n1")
    wait_until(lambda: lab.wait_owned() == before, 10, lab.describe, "the addresses are where they were")
