"""The guard against what gets slower, with runs that only say what they found."""

import json
import sys

import pytest

from benchmarks import check


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Have each round find the next ratio of a row."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(check, "BASELINE", tmp_path / "baseline.json")
    rounds = []

    def run(_command, **_options):
        folder = tmp_path / "build/benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{"name": "floor", "ratio": 1.0}, {"name": "publish", "ratio": rounds.pop(0)}]
        (folder / "bus.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")

    monkeypatch.setattr(check.subprocess, "run", run)
    return rounds


def checked(monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["check", "--rounds", "2", *options])
    with pytest.raises(SystemExit) as end:
        check.main()
    return end.value.code


def test_the_least_ratio_of_all_rounds_is_compared(found, monkeypatch, capsys):
    found += [2.5, 2.0, 2.4, 2.2, 2.4, 2.4]
    monkeypatch.setattr(sys, "argv", ["check", "--rounds", "2", "--store"])
    check.main()
    assert json.loads(check.BASELINE.read_text()) == {"bus: publish": 2.0}
    assert checked(monkeypatch) == 0
    assert "1 rows, none slower" in capsys.readouterr().out
    assert checked(monkeypatch) == 1
    assert capsys.readouterr().out == "bus: publish: 2.40 of its floor, 2.00 before\n"


def test_a_row_that_is_gone_is_told():
    assert check.slower({}, {"bus: publish": 2.0}) == ["bus: publish: no longer measured"]
