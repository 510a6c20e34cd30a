"""``cascade cache``: what is remembered, why a call is computed again, and forgetting."""

import json
import subprocess
import sys

import pytest

from cascade.cli import main
from cli.program import INSTALLED

PATIENCE = 60  # seconds: a bound for what goes wrong, not a measure of anything

PIPELINE = """
import cascade as cs
from rates import RATE, rounded

@cs.task(mode="inline")
def load(year: int, scale: int = 1) -> int:
    with open("ran", "a") as file:
        file.write(f"load {year}\\n")
    return rounded(year * RATE * scale)

@cs.task(mode="inline")
def show(value: int) -> str:
    with open("ran", "a") as file:
        file.write("show\\n")
    return f"it is {value}"

kept = load.with_cache()
call = kept(2024)
target = show.with_cache()(call)
pinned = load.with_cache(version=1)
pinned_call = pinned(1)
by_key = load.with_cache(key=lambda year: year % 10)
nothing = 5
several = [call, call]
lock = load(object())
"""

RATES = """
RATE = 2

def rounded(x):
    return round(x)
"""


@pytest.fixture
def cascade(tmp_path):
    """Run the installed program in a folder with a pipeline; return what it says."""
    write(tmp_path)

    def run(*arguments, status=0):
        done = subprocess.run(
            [INSTALLED, *arguments, "--cache", "kept"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    return run


def write(folder, old="", new="", *, rates=False):
    flow, helper = PIPELINE, RATES
    if rates:
        helper = helper.replace(old, new)
    else:
        flow = flow.replace(old, new)
    (folder / "flow.py").write_text(flow)
    (folder / "rates.py").write_text(helper)
    for each in folder.glob("__pycache__/*"):
        each.unlink()


def ran(folder):
    file = folder / "ran"
    text = file.read_text() if file.exists() else ""
    file.unlink(missing_ok=True)
    return text.split("\n")[:-1]


def test_a_second_run_does_nothing_and_a_third_what_a_changed_helper_touches(cascade, tmp_path):
    assert [cascade("run", "flow:target") for _ in range(2)] == ["'it is 4048'\n"] * 2
    assert ran(tmp_path) == ["load 2024", "show"]
    write(tmp_path, "round(x)", "round(x, 0)", rates=True)
    assert cascade("run", "flow:target") == "'it is 4048'\n"
    assert ran(tmp_path) == ["load 2024"]


def test_why_names_the_function_the_constant_and_the_version_that_differ(cascade, tmp_path):
    cascade("run", "flow:target")
    for target in ("flow:load", "flow:kept", "flow:call"):
        assert "is as it was when it was remembered last" in cascade("cache", "why", target)
    write(tmp_path, "round(x)", "round(x, 0)", rates=True)
    assert cascade("cache", "why", "flow:load").splitlines() == [
        "flow:load differs from what was remembered last in",
        "  its code: rates:rounded (changed)",
    ]
    write(tmp_path, "RATE = 2", "RATE = 3", rates=True)
    assert "  its code: flow:RATE (changed)" in cascade("cache", "why", "flow:load")
    write(tmp_path, "rounded(year * RATE * scale)", "year * scale")
    said = cascade("cache", "why", "flow:load").splitlines()[1:]
    parts = [line.partition("code: ")[2] for line in said]
    assert {"flow:load (changed)", "flow:RATE (gone)", "rates:rounded (gone)"} <= {*parts}
    write(tmp_path, 'inline")\ndef load', 'inline", version=2)\ndef load')
    assert "  its version: none before, 2 now" in cascade("cache", "why", "flow:load")


def test_why_names_the_argument_that_differs(cascade):
    cascade("run", "flow:call")
    cascade("cache", "clear")
    assert "Nothing is remembered of flow:load." in cascade("cache", "why", "flow:load")
    for year in (2023, 2024):
        cascade("run", "flow:kept", "-p", f"year={year}")
    said = cascade("cache", "why", "flow:load")
    assert "no arguments were compared" in said
    assert said.endswith("Its last two values differ in\n  its argument year (changed)\n")
    assert "  its argument year (changed)" in cascade("cache", "why", "flow:kept", "-p", "year=1")
    for year in (2023, 2024):
        said = cascade("cache", "why", "flow:kept", "-p", f"year={year}")
        assert "is as it was" in said
    shown = json.loads(cascade("cache", "why", "flow:kept", "-p", "year=1", "--json"))
    assert shown["now"]["arguments"] == ["year (changed)"]
    assert (shown["is_remembered"], shown["arguments_compared"]) == (True, True)


def test_why_compares_no_code_that_a_version_stands_for(cascade):
    cascade("run", "flow:pinned_call")
    assert "stands for: not compared" in cascade("cache", "why", "flow:load")
    assert "is as it was" in cascade("cache", "why", "flow:pinned")
    cascade("cache", "clear")
    cascade("run", "flow:by_key", "-p", "year=11")
    assert "key" not in cascade("cache", "why", "flow:by_key", "-p", "year=21")


def test_why_says_what_it_cannot_compare(cascade):
    assert "a target is" in cascade("cache", "why", "flow:nothing", status=2)
    assert "asked of a task or of a call" in cascade("cache", "why", "flow:several", status=2)
    assert "cannot be compared" in cascade("cache", "why", "flow:lock", status=2)


def test_what_is_remembered_is_listed_and_cleared(cascade):
    cascade("run", "flow:target")
    lines = cascade("cache", "list").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["flow:show", "flow:load"]
    assert "bytes of json" in lines[0]
    (shown,) = map(
        json.loads, cascade("cache", "list", "--task", "flow:load", "--json").split("\n")[:-1]
    )
    assert (shown["task"], shown["form"]) == ("flow:load", "json")
    assert "rates:rounded" in shown["code"]
    assert cascade("cache", "clear", "flow:load") == "Removed: 1 values\n"
    assert cascade("cache", "clear") == "Removed: 1 values\n"
    assert cascade("cache", "list") == "Nothing is remembered.\n"
    assert cascade("cache", "list", "--json") == ""


def test_where_no_cache_is_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["cache", "list", "--cache", "nowhere"]) == 1
    assert (
        "there is no cache at nowhere; 'cascade run --cache' begins one" in capsys.readouterr().err
    )
    assert not (tmp_path / "nowhere").exists()
    assert main(["cache", "list"]) == 2


def test_the_commands_in_one_process(tmp_path, monkeypatch, capsys):
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def said(*arguments):
        assert main([*arguments, "--cache", "kept"]) == 0
        return capsys.readouterr().out

    assert said("run", "flow:kept", "-p", "year=2024") == "4048\n"
    assert "flow:load" in said("cache", "list")
    assert json.loads(said("cache", "list", "--json"))["task"] == "flow:load"
    assert "is as it was" in said("cache", "why", "flow:kept", "-p", "year=2024")
    assert "its argument year (changed)" in said("cache", "why", "flow:kept", "-p", "year=1")
    assert json.loads(said("cache", "why", "flow:load", "--json"))["is_remembered"]
    assert said("cache", "clear", "flow:load")
    assert "Nothing is remembered of flow:load." in said("cache", "why", "flow:load")
    for name in ("flow", "rates"):
        sys.modules.pop(name, None)
