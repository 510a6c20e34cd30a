"""``cascade run`` as a program: what it says of failures and values, and where it finds modules."""

import os
import re
import subprocess

import pytest

from cli.program import INSTALLED
from rows import each_row

PATIENCE = 60  # seconds: a bound for what goes wrong, not a measure of anything

FLOW = """
import asyncio
import cascade as cs

@cs.task
async def in_time():
    raise TimeoutError

@cs.task
async def again():
    raise OSError("no disk")

retried = again.with_retry(2)()

@cs.task
async def deep():
    return json_of("{")

def json_of(text):
    import json
    return json.loads(text)

@cs.task
async def steers():
    raise ValueError("red \x1b[31m \x9b \u202e")

@cs.task(mode="inline")
def render():
    return "rendered"

render = render.with_demands(gpu=2)
greedy = render.with_demands(gpu=5)()

@cs.task
async def wants(db=cs.inject("db")):
    return db

hears = cs.recv("go")
given = cs.task(lambda x: x)(cs.param("speed"))

@cs.task
async def fine():
    return {"a": [1, (2.5, None)], "b": "\x9b"}

@cs.task
async def value(kind):
    inner = []
    inner.append(inner)
    return {
        "set": {"a": [1, {2}]},
        "nan": [float("nan")],
        "bytes": b"x",
        "key": {"a": {1: 2}},
        "cycle": inner,
        "deep": nested(5000),
    }[kind]

def nested(depth):
    return [nested_in(depth)]

def nested_in(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value
"""


@pytest.fixture
def cascade(tmp_path):
    """Run the program in a folder with a workflow, and return its status, output and errors."""
    (tmp_path / "flow.py").write_text(FLOW, encoding="utf-8")

    def run(*arguments, status=0, **variables):
        done = subprocess.run(
            [INSTALLED, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, **variables},
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout, done.stderr

    return run


# --- failures -------------------------------------------------------------------------------------


@each_row(
    ("target", "said"),
    [
        ("in_time", "TimeoutError (in task 'in_time' of run 'run-1', flow.py:7)"),
        (
            "retried",
            "OSError: no disk (after 2 attempts, in task 'again' of run 'run-1', flow.py:11)",
        ),
        (
            "steers",
            "ValueError: red \\x1b[31m \\x9b \\u202e (in task 'steers' of run 'run-1', flow.py:25)",
        ),
    ],
)
def test_a_failure_is_one_sentence_with_type_task_and_line(cascade, target, said):
    assert cascade("run", f"flow:{target}", status=1) == ("", f"cascade: {said}\n")


def test_the_line_is_the_users_own_where_a_library_raised(cascade):
    _, said = cascade("run", "flow:deep", status=1)
    assert said.startswith("cascade: JSONDecodeError: ")
    assert said.endswith("(in task 'deep' of run 'run-1', flow.py:21)\n")


@each_row(
    ("target", "advice"),
    [
        ("render", "--capacity NAME=UNITS"),
        ("hears", "--connector URL"),
        ("given", "--param NAME=VALUE"),
        ("wants", "cs.inject(resource)"),
    ],
)
def test_what_can_be_done_is_said_for_the_command_line(cascade, target, advice):
    _, said = cascade("run", f"flow:{target}", status=1)
    assert said.rstrip().partition("; on the command line: ")[2].endswith(advice)


def test_capacities_are_given_on_the_command_line(cascade):
    assert cascade("run", "flow:render", "-c", "gpu=2") == ("'rendered'\n", "")
    _, said = cascade("run", "flow:greedy", "--capacity", "gpu=2", status=1)
    assert "demands 5 of 'gpu', and the engine has 2" in said


# --- values ---------------------------------------------------------------------------------------


def test_a_value_is_json_that_steers_no_terminal(cascade):
    shown, _ = cascade("run", "flow:fine", "--json")
    assert shown == '{"a": [1, [2.5, null]], "b": "\\u009b"}\n'


@each_row(
    ("kind", "reason"),
    [
        ("set", "value['a'][1] is set, which JSON has no form for"),
        ("nan", "value[0] is nan, which"),
        ("bytes", "value is bytes, which"),
        ("key", "value['a'] has the key 1, and keys in JSON are text"),
        ("cycle", "value[0] contains itself"),
        ("deep", "nested too deeply"),
    ],
)
def test_a_value_that_json_cannot_say_is_an_error_with_its_place(cascade, kind, reason):
    shown, said = cascade("run", "flow:value", "-p", f"kind={kind}", "--json", status=1)
    assert shown == ""
    assert reason in said
    assert len(said.splitlines()) == 1


# --- modules --------------------------------------------------------------------------------------


@each_row(
    ("text", "said"),
    [
        ("import cascade\n\nraise ValueError('no')", "ValueError: no (broken.py:3)"),
        (
            "import no_such_library",
            "ModuleNotFoundError: No module named 'no_such_library' (broken.py:1)",
        ),
        ("x = (", "SyntaxError: '(' was never closed (broken.py, line 1) (broken.py:1)"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_sentence(cascade, tmp_path, text, said):
    (tmp_path / "broken.py").write_text(text, encoding="utf-8")
    for command in ("run", "graph"):
        _, told = cascade(command, "broken:x", status=1)
        assert told == f"cascade: cannot import 'broken': {said}\n"


def test_its_traceback_is_shown_when_asked_for(cascade, tmp_path):
    (tmp_path / "broken.py").write_text(
        "def f():\n    raise ValueError('no')\nf()", encoding="utf-8"
    )
    _, told = cascade("run", "broken:x", "--traceback", status=1)
    files = re.findall(r'File "(.*)", line (\d+)', told)
    assert files == [(str(tmp_path / "broken.py"), "3"), (str(tmp_path / "broken.py"), "2")]


def test_nothing_else_in_the_folder_takes_the_place_of_a_module(cascade, tmp_path):
    mark = tmp_path / "mark"
    for name in ("json", "msgspec", "typer", "rich", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')", encoding="utf-8")
    assert cascade("run", "flow:render", "-c", "gpu=2", "--json") == ('"rendered"\n', "")
    assert not mark.exists()


def test_the_folder_is_not_searched_for_a_target_from_elsewhere(cascade, tmp_path):
    (tmp_path / "plugin.py").write_text("here = True", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.py").write_text("import plugin", encoding="utf-8")
    _, said = cascade("run", "other:x", status=1, PYTHONPATH=str(elsewhere))
    assert "No module named 'plugin'" in said


def test_a_module_that_another_one_hides_is_said(cascade, tmp_path):
    (tmp_path / "json.py").write_text("x = 1", encoding="utf-8")
    _, said = cascade("run", "json:x", status=2)
    assert "the module 'json' of this folder is hidden by" in said
    assert "PYTHONPATH=. cascade" in said


def test_neighbours_and_packages_of_the_folder_are_found(cascade, tmp_path):
    package = tmp_path / "parts"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").write_text("from flow import render", encoding="utf-8")
    assert cascade("run", "parts.inner:render", "-c", "gpu=2") == ("'rendered'\n", "")


def test_a_safe_path_leaves_the_folder_out_and_says_what_to_do(cascade):
    _, said = cascade("run", "flow:fine", status=2, PYTHONSAFEPATH="1")
    assert "this folder, which has one, is not searched" in said
    assert "PYTHONPATH=. cascade" in said
    shown, _ = cascade("run", "flow:fine", PYTHONSAFEPATH="1", PYTHONPATH=".")
    assert shown.startswith("{'a'")
    _, said = cascade("run", "nowhere:fine", status=2, PYTHONSAFEPATH="1")
    assert "there is no module 'nowhere' here or installed" in said
