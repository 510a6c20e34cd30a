"""``cascade run`` as a program: what it says of failures and values, and where it finds modules."""

import json
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
async def scaled(length: float, by: int = 2):
    '''Scale a length.

    Args:
        length: in metres.
    '''
    return length * by

@cs.task
async def refuses(what):
    raise ValueError(f"not {what}")

@cs.task
async def doubled(n: int) -> int:
    return 2 * n

remembered = doubled.with_cache()(2)
several = [refuses(1), fine(), refuses(2)]
mapped = refuses.map([1, 2])
shielded = refuses(cs.env("FLOW_TOKEN", secret=True))

@cs.task
async def drawn(rng=cs.inject("rng")):
    return rng.random()

@cs.task
async def hearing():
    return cs.recv("said", timeout=5)

@cs.task
def thread(_):
    import threading, time
    time.sleep(0.01)
    return threading.current_thread().name

threads = thread.map(range(8))
said = [hearing(), cs.send("said", "hello")]

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


# --- inputs, and what the engine takes ------------------------------------------------------------


def test_the_signature_of_a_task_is_its_input(cascade):
    assert cascade("run", "flow:scaled", "--length", "1.5", "--by=3") == ("4.5\n", "")
    _, said = cascade("run", "flow:scaled", "--lenght", "1.5", status=2)
    assert said.endswith(
        "scaled has no parameter 'lenght'; it takes by, length. Did you mean 'length'?\n"
    )
    _, said = cascade("run", "flow:given", "--sped", "1", status=2)
    assert said.endswith(
        "this target has no parameter 'sped'; it takes speed. Did you mean 'speed'?\n"
    )


def test_a_file_of_parameters_is_read(cascade, tmp_path):
    (tmp_path / "p.toml").write_text("length = 2\nby = 4", encoding="utf-8")
    assert cascade("run", "flow:scaled", "--params", "p.toml", "-p", "by=5") == ("10.0\n", "")


def test_help_lists_the_inputs_of_the_target(cascade):
    for words in (("flow:scaled", "--help"), ("--help", "flow:scaled")):
        shown, _ = cascade("run", *words)
        assert "--keep-going" in shown
        assert "  --length  float  in metres. [needed]\n  --by      int    [default 2]\n" in shown


@each_row(("target", "count"), [("several", 2), ("mapped", 2)])
def test_one_failure_of_several_does_not_end_the_others_where_asked_for(cascade, target, count):
    shown, said = cascade("run", f"flow:{target}", "--keep-going", status=1)
    assert shown == ""
    assert [line.split(" (")[0] for line in said.splitlines()] == [
        f"cascade: ValueError: not {number}" for number in (1, 2)
    ]
    assert len(cascade("run", f"flow:{target}", status=1)[1].splitlines()) == 1
    assert cascade("run", "flow:fine", "-k")[0].startswith("{'a'")


def test_the_in_memory_bus_is_a_connector_and_filters_are_listened_on(cascade):
    words = (
        "run",
        "flow:said",
        "--connector",
        "local://",
        "--listen",
        "said",
        "--listen",
        "more/+",
    )
    assert cascade(*words) == ("['hello', None]\n", "")
    _, said = cascade("run", "flow:said", "--connector", "local://elsewhere", status=2)
    assert "the in-memory bus is 'local://'" in said


def test_random_numbers_follow_from_the_seed_and_the_name(cascade):
    one, two, other = [cascade("run", "flow:drawn", "--seed", seed)[0] for seed in ("1", "1", "2")]
    assert one == two != other


def test_jobs_bound_what_works_at_once(cascade):
    names = cascade("run", "flow:threads", "-j", "1", "--json")[0]
    assert len(set(json.loads(names))) == 1
    _, said = cascade("run", "flow:threads", "-j", "0", status=2)
    assert "greater than or equal to 1" in said


def test_pyproject_sets_options_and_the_command_line_wins(cascade, tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text(
        "[tool.cascade]\nkeep-going = true\nseed = 1\ncapacity = {gpu = 2}\n", encoding="utf-8"
    )
    assert cascade("run", "flow:render") == ("'rendered'\n", "")
    assert len(cascade("run", "flow:several", status=1)[1].splitlines()) == 2
    seeded = cascade("run", "flow:drawn")[0]
    assert seeded == cascade("run", "flow:drawn", "--seed", "1")[0]
    assert seeded != cascade("run", "flow:drawn", "--seed", "2")[0]
    assert "has 1" in cascade("run", "flow:render", "-c", "gpu=1", status=1)[1]


@each_row(
    ("text", "said"),
    [
        ("[tool.cascade]\nsede = 1", "has no setting 'sede'. Did you mean 'seed'?"),
        ("[tool.cascade]\ntarget = 'x'", "has no setting 'target'."),
        ("[tool.cascade", "cannot be read"),
        ("[tool.cascade]\nseed = 'x'", "should be a valid integer"),
    ],
)
def test_settings_that_cannot_be_used_are_said(cascade, tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert said in cascade("run", "flow:fine", status=2)[1]
    assert "Usage" in cascade("run", "--help")[0]


def test_a_dry_run_says_what_would_run_and_runs_nothing(cascade):
    shown, _ = cascade("run", "flow:several", "--dry-run")
    assert shown.splitlines() == [
        "would run  refuses(1)",
        "would run  fine()",
        "would run  refuses(2)",
        "in all: 3 would run",
    ]
    shown, _ = cascade("run", "flow:scaled", "--length", "2", "--dry-run", "--json")
    assert json.loads(shown) == [{"state": "would run", "task": "scaled", "reason": ""}]
    shown, _ = cascade("run", "flow:shielded", "-n", FLOW_TOKEN="sesame")
    assert shown.startswith("would run  refuses(***)")
    assert "--param NAME=VALUE" in cascade("run", "flow:given", "-n", status=1)[1]


def test_a_dry_run_looks_into_the_cache_and_begins_none(cascade, tmp_path):
    would_run = "would run  doubled(2): the cache has no value for it"
    for words in (("--cache", "kept"), ()):
        shown, _ = cascade("run", "flow:remembered", "-n", *words)
        assert shown.splitlines() == [would_run, "in all: 1 would run"]
    assert not (tmp_path / "kept").exists()
    (tmp_path / "pyproject.toml").write_text('[tool.cascade]\ncache = "kept"\n', encoding="utf-8")
    assert cascade("run", "flow:remembered") == ("4\n", "")
    shown, _ = cascade("run", "flow:remembered", "-n")
    assert shown.splitlines() == ["cached     doubled(2)", "in all: 1 cached"]


def test_a_secret_is_hidden_in_failures(cascade):
    for words in ((), ("--traceback",)):
        _, said = cascade("run", "flow:shielded", *words, status=1, FLOW_TOKEN="sesame")
        assert "not ***" in said
        assert "sesame" not in said
    assert "NAME=VALUE cascade" in cascade("run", "flow:shielded", status=1)[1]
