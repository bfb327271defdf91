"""./test with arguments runs only the system tests that they select, and nothing else."""

import os
import re

import pytest

from lab.daemon import build_directory
from lab.process import run_command
from lab.programs import REPOSITORY

HELP = "integration-tests/test_check.py::test_help_and_version"


def run(*arguments):
    """(status, lines) of ./test."""
    ours = [f"--unset={name}" for name in os.environ if name.startswith("PYTEST_")]
    build = build_directory().relative_to(REPOSITORY)
    done = run_command(["env", *ours, f"STENTOR_BUILD={build}", REPOSITORY / "test", *arguments],
                       check=False, seconds=120)
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


def test_quick_stands_alone():
    assert run("--quick", HELP)[0] == 1


def test_help():
    status, lines = run("--help")
    assert status == 0
    assert lines[0].startswith("usage: ./test ")
    assert any("FILE[::TEST]" in line for line in lines)
