"""Everything runs by one short command, and `make help` lists them."""

import re
import subprocess
import sys

import pytest

from repository.distributions import ROOT

TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][\w-]*):(?!=)", TEXT, re.MULTILINE)
EXPECTED = {"help", "fireflies", "test", "lint", "types", "bench", "wheels", "test-wheels", "ci"}
EXPECTED |= {"sdists", "test-lowest", "requirements", "changelog"}


@pytest.fixture(scope="module")
def listed():
    if sys.platform == "win32":
        pytest.skip("Windows has no make of its own: the workflow runs pip and pytest there")
    # make itself puts variables there that make a make within a make behave otherwise.
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["make", "--no-print-directory"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(line.split(None, 2)[1:] for line in done.stdout.splitlines())


def test_the_known_commands_are_there():
    assert EXPECTED - set(TARGETS) == set()


def test_the_default_command_lists_every_other_with_a_help_text(listed):
    assert list(listed) == TARGETS
    assert all(len(text.split()) > 1 for text in listed.values())


def test_no_command_is_taken_for_a_file():
    phony = set(re.search(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE)[1].split())
    assert phony == set(TARGETS)
