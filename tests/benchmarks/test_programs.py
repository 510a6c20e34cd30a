"""Every benchmark program of our own still runs; what it measures is for people to read."""

import importlib

import pytest
from benchmarks.__main__ import OWN
from benchmarks.harness import Settings

TINY = Settings(repeats=1, scale=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_a_program_runs_and_saves_its_tables(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    importlib.import_module(f"benchmarks.{name}").main(TINY)
    saved = list(tmp_path.glob("build/benchmarks/*.json"))
    assert capsys.readouterr().out.count("### ") == len(saved) > 0
