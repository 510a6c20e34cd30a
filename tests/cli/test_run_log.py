"""The log of ``cascade run``: what started, ended, failed, was held, tried again, cached and skipped."""

import asyncio
import json
import os
import re
import subprocess

import pytest

import cascade as cs
from cascade.cli.run_log import LogForm, run_log
from cascade.common.messaging.secrets import Secret
from cascade.runtime.events import RunFinished, TaskSkipped, TaskStarted
from cli.program import INSTALLED
from rows import each_row


class Unshowable:
    def __repr__(self):
        raise ValueError("no")


@cs.task
async def work(*values, **named):
    return len(values)


@cs.task
async def breaks(text):
    raise LookupError(text)


def logged(target, form=LogForm.text, **options):
    """Run a target with a log, and return the lines, without times and spans."""
    lines = []

    async def go():
        engine = cs.Engine(**options)
        engine.events.listen(run_log(form, lines.append))
        try:
            return await engine.run(target, {"n": 3}, name="monday")
        except LookupError:
            return None

    cs.run(cs.task(go)())
    return [re.sub(r"^\d\d:\d\d:\d\d |(?<= in )[\d.]+ m?s", "", line) for line in lines]


def test_a_task_starts_and_is_done_with_its_arguments():
    assert logged(work(cs.param("n"), x="a")) == [
        "run       monday: work(param('n'), x='a')",
        "started   work(3, x='a')",
        "done      work(3, x='a') in ",
        "succeeded monday",
    ]


def test_a_failure_is_told_with_what_was_raised():
    assert logged(breaks("no\x1b page")) == [
        "run       monday: breaks('no\\x1b page')",
        "started   breaks('no\\x1b page')",
        "failed    breaks('no\\x1b page') in : LookupError: no\\x1b page",
        "failed    monday: LookupError: no\\x1b page",
    ]


def test_what_is_held_tried_again_cached_or_skipped_is_told(tmp_path):
    attempts = []

    @cs.task
    async def flaky():
        attempts.append(1)
        if len(attempts) < 2:
            raise OSError("no net")

    @cs.task(name="work")
    async def one(_):
        await asyncio.sleep(0)

    one = one.with_demands(hand=1)
    lines = logged([one(1), one(2)], capacities={"hand": 1})
    assert "held      work: capacity 'hand'" in lines
    assert "retry     flaky: attempt 1 failed, again in : OSError: no net" in logged(
        flaky.with_retry(2)()
    )
    cached = work.with_cache()
    lines = logged(work(cached(1), cached(1)))
    assert lines.count("cached    work(1)") == 1
    assert lines.count("started   work(1)") == 1
    written = work.with_outputs(tmp_path / "{x}.txt")
    (tmp_path / "1.txt").touch()
    lines = logged(work(written(x=1), written(x=1)))
    assert "skipped   work(x=1): its outputs are there, as it would write them" in lines
    assert logged(work.run_if(0)(5))[1:] == [
        "skipped   work(5): its condition is false",
        "succeeded monday",
    ]


@each_row(
    ("call", "shown"),
    [
        (work("a" * 10**6), "work('aaaaaaaaaaaaaaaaa...aaaaaaaaaaaaaaaaaa')"),
        (work(list(range(10**5))), "work([0, 1, 2, 3, ...])"),
        (
            work(Secret("open sesame"), {"token": Secret("open sesame")}),
            "work(***, {'token': ***})",
        ),
        (work(f"Bearer {Secret('open sesame')}"), "work('Bearer ***')"),
        (work(*range(100)), "work(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
    ],
)
def test_arguments_are_shortened_and_secrets_hidden(call, shown):
    line = logged(call)[1]
    assert line.startswith(f"started   {shown}")
    assert len(line) <= 110
    assert "sesame" not in "".join(logged(call, LogForm.json))


def test_a_value_that_cannot_be_shown_ends_nothing():
    make = cs.task(lambda: [Unshowable()])
    assert logged(work(make()))[3].startswith("started   work([<Unshowable instance at")


def test_json_has_an_object_a_line():
    lines = [json.loads(line) for line in logged(breaks("page"), LogForm.json)]
    assert [line["event"] for line in lines] == [
        "run-started",
        "task-started",
        "task-finished",
        "run-finished",
    ]
    assert {line["run"] for line in lines} == {"monday"}
    assert lines[2]["call"] == "breaks('page')"
    assert lines[2]["task_id"].endswith("breaks")
    assert lines[2]["outcome"] == "failed"
    assert lines[2]["error"] == "LookupError: page"
    assert lines[0]["time"] <= lines[-1]["time"]


async def test_events_carry_the_call():
    events = []
    engine = cs.Engine()
    engine.events.listen(events.append)
    await engine.run(work(work.run_if(False)(1)))
    (skipped,) = [each for each in events if isinstance(each, TaskSkipped)]
    assert (skipped.task, repr(skipped.call)) == ("work", "work(1)")
    started = [each.call for each in events if isinstance(each, TaskStarted)]
    assert repr(started[-1]) == "work(None)"
    assert isinstance(events[-1], RunFinished)


# --- the command ----------------------------------------------------------------------------------

FLOW = """
import cascade as cs

@cs.task
async def main(x: int = 1):
    return x
"""


@pytest.fixture
def cascade(tmp_path):
    (tmp_path / "flow.py").write_text(FLOW, encoding="utf-8")

    def run(*words):
        done = subprocess.run(
            [INSTALLED, "run", "flow:main", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={**os.environ},
        )
        assert done.stdout == "1\n"
        return done.stderr

    return run


def test_the_command_logs_to_standard_error_as_it_is_told(cascade):
    assert cascade() == ""  # no terminal
    assert cascade("--log", "text", "--quiet") == cascade("--log", "quiet") == ""
    assert "started   main()" in cascade("--log", "text")
    assert [json.loads(line)["event"] for line in cascade("--log", "json").splitlines()][1:3] == [
        "task-started",
        "task-finished",
    ]
