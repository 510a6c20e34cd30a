"""Every requirement is wanted by a short file, pinned and hashed."""

import re

import pytest

from repository.requirements import FOLDER, pins, requirement, wanted

PINNED = sorted(FOLDER.glob("*.txt"))
EACH = pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)


def test_every_short_file_has_its_pins_and_no_pins_lack_one():
    assert {path.stem for path in PINNED} == {path.stem for path in FOLDER.glob("*.in")}


@EACH
def test_every_requirement_is_pinned_and_has_a_hash(path):
    found = pins(path)
    assert found
    loose = [line for line in found if not re.match(r"\S+?(\[.*\])?==\S+ .*--hash=sha256:", line)]
    assert loose == []


@EACH
def test_what_is_wanted_directly_is_among_the_pins(path):
    assert wanted(path.with_suffix(".in")) - {requirement(line)[0] for line in pins(path)} == set()


@EACH
def test_no_name_is_pinned_twice_for_every_machine(path):
    names = [requirement(line)[0] for line in pins(path) if " ; " not in line]
    assert len(names) == len(set(names))


def test_the_reader_of_requirements_can_read():
    assert requirement("a_B.c[x, y]==1.2 ; python_version < '3'") == ("a-b-c", "==1.2")
    assert requirement("cascade-py[http,cli]") == ("cascade-py", "")
    assert requirement("msgspec>=0.19,<1") == ("msgspec", ">=0.19,<1")
