"""Mutants: each is the module with one change, and only what runs is changed."""

import ast
import sys

import pytest
from benchmarks.mutation import Overlay, main, mutants

MODULE = '''"""A module with 1 docstring."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    number = 1


def f(a: int | None = 3) -> bool:
    if not a:
        raise ValueError(f"{1 + 1}")
    a += 1
    return a < 5 and True
'''


def test_each_mutant_is_one_change_of_what_runs():
    found = [(each.line, each.old, each.new) for each in mutants(MODULE)]
    assert sorted(found) == sorted(
        [
            (8, "3", "4"),
            (8, "3", "2"),
            (9, "not a", "not not a"),
            (9, "not a", "a"),
            (10, "raise ValueError(f'{1 + 1}')", "pass"),
            (11, "a += 1", "a -= 1"),
            (11, "a += 1", "pass"),
            (11, "1", "2"),
            (11, "1", "0"),
            (12, "return a < 5 and True", "return None"),
            (12, "a < 5 and True", "a < 5 or True"),
            (12, "a < 5", "a <= 5"),
            (12, "a < 5", "a >= 5"),
            (12, "5", "6"),
            (12, "5", "4"),
            (12, "True", "False"),
        ]
    )
    for each in mutants(MODULE):
        assert ast.dump(ast.parse(each.source)) != ast.dump(ast.parse(MODULE))


@pytest.fixture
def checkout(tmp_path):
    """A checkout of one module, with a test that notices some of its mutants."""
    package = tmp_path / "packages" / "cascade-x" / "src" / "x"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "y.py").write_text("def add(a, b):\n    return a + b\n\n\nunused = 1 < 2\n")
    (tmp_path / "test_y.py").write_text(
        "from x.y import add\ndef test_add(): assert add(1, 2) == 3"
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return tmp_path


@pytest.mark.slow
def test_what_no_test_notices_is_told_and_the_checkout_stays_as_it_is(
    checkout, monkeypatch, capsys
):
    file = checkout / "packages" / "cascade-x" / "src" / "x" / "y.py"
    before = file.read_text()
    options = ["x.y", "--checkout", str(checkout), "--tests", "test_y.py"]
    monkeypatch.setattr(sys, "argv", ["mutation", *options])
    main()
    first, *survivors = capsys.readouterr().out.splitlines()
    assert first == "x.y: 2 of 8 killed"
    assert len(survivors) == 6
    assert "  x/y.py:5  1 < 2  →  1 >= 2" in survivors
    assert file.read_text() == before


@pytest.mark.slow
def test_tests_that_take_too_long_have_not_passed(checkout, tmp_path):
    (checkout / "test_long.py").write_text("import time\ndef test_long(): time.sleep(600)\n")
    overlay = Overlay(checkout, tmp_path / "copy")
    assert overlay.passes(["test_y.py"], 60)
    assert not overlay.passes(["test_long.py"], 0.5)
