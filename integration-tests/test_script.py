"""./test with arguments runs only the system tests that they select, and nothing else."""

import os
import re
import signal
import subprocess

import pytest

from lab.daemon import build_directory
from lab.process import run_command
from lab.programs import REPOSITORY

HELP = "integration-tests/test_check.py::test_help_and_version"


def command(*arguments):
    """The command line of ./test, without what pytest tells its children."""
    ours = [f"--unset={name}" for name in os.environ if name.startswith("PYTEST_")]
    build = build_directory().relative_to(REPOSITORY)
    return ["env", *ours, f"STENTOR_BUILD={build}", REPOSITORY / "test", *arguments]


def run(*arguments):
    """(status, lines) of ./test."""
    done = run_command(command(*arguments), check=False, seconds=120)
    return done.returncode, re.sub(r"\x1b\[\d*m", "", done.stdout).splitlines()


@pytest.mark.parametrize("arguments", [[HELP], ["-k", "help", HELP.split("::")[0]]])
def test_a_file(arguments):
    status, lines = run(*arguments)
    assert (status, lines[-1]) == (0, "1 passed, 0 failed")
    assert [line for line in lines if re.search(r"unit tests|side by side|that measure", line)] == []


def test_a_word_that_is_also_a_folder():
    """speaker/ is no folder of system tests, so all of them are searched."""
    assert (REPOSITORY / "speaker").is_dir()
    _, lines = run("--collect-only", "-k", "speaker")
    files = {line.split("::")[0] for line in lines if "::" in line}
    assert files > {"integration-tests/test_speaker.py", "integration-tests/test_bgp_speaker.py"}


def test_nothing_selected_is_a_failure():
    status, lines = run("-k", "no_test_has_this_name", HELP)
    assert (status, lines[-1]) == (1, "0 passed, 1 failed")


def test_interrupted_is_no_success():
    """By Ctrl-C, on which pytest ends in good form, with a report of what it has done so far."""
    slow = "integration-tests/test_gossip.py::test_lossy_network_kills_nobody"
    child = subprocess.Popen(command(HELP, slow), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    told = b""
    while b"." not in told.partition(b"as asked for")[2]:  # the first test has passed
        more = os.read(child.stdout.fileno(), 4096)
        assert more, told.decode()
        told += more
    os.killpg(child.pid, signal.SIGINT)
    rest, _ = child.communicate(timeout=60)
    assert child.returncode == 130, (told + rest).decode()
    assert not re.search(rb"^\d+ passed, \d+ failed", told + rest, re.M)


def test_quick_stands_alone():
    assert run("--quick", HELP)[0] == 1


def test_help():
    status, lines = run("--help")
    assert status == 0
    assert lines[0].startswith("usage: ./test ")
    assert any("FILE[::TEST]" in line for line in lines)
