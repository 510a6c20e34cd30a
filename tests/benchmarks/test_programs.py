"""Every benchmark program of our own still runs; what it measures is for people to read."""

import importlib

import pytest
from benchmarks.__main__ import OWN
from benchmarks.harness import Settings
from benchmarks.peers_heavy import main as heavy_peers

TINY = Settings(repeats=1, scale=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_a_program_runs_and_saves_its_tables(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    importlib.import_module(f"benchmarks.{name}").main(TINY)
    saved = list(tmp_path.glob("build/benchmarks/*.json"))
    assert capsys.readouterr().out.count("### ") == len(saved) > 0


def test_the_heavy_peers_do_without_what_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    installed = {"asyncio": object(), "cascade": object()}
    monkeypatch.setattr("benchmarks.peers_engine.peer", installed.get)
    monkeypatch.setattr("benchmarks.peers_engine_recorded.find_spec", installed.get)
    heavy_peers(TINY)
    printed = capsys.readouterr().out
    assert printed.count("| Cascade, 50 |") == 3
    assert printed.count("| prefect |  |  |  | not installed |") == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "says"),
    [("takeup", "all ended after"), ("sleepers", "woken by a signal, to its value")],
)
def test_a_program_about_durable_agents_runs(name, says, monkeypatch, capsys):
    program = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(program, "_FIRST", 10, raising=False)
    monkeypatch.setattr(program, "_WOKEN", 2, raising=False)
    monkeypatch.setattr("sys.argv", [name, "--agents", "20"])
    assert program.main() == 0
    assert says in capsys.readouterr().out
