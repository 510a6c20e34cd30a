"""A task that says what it writes is skipped where that is there, as it would write it."""

import os
from pathlib import Path

import pytest

import cascade as cs
from cascade.caches.memory import MemoryCache
from cascade.interfaces.errors import InvalidTaskError, MissingOutputError
from cascade.runtime.events import TaskCached, TaskFinished, TaskSkipped

ran = []


@cs.task(mode="inline")
def build(source: cs.File, name: str) -> str:
    ran.append(name)
    Path(f"{name}.html").write_text(f"<p>{source.path.read_text()}</p>")
    return f"built {name}"


@cs.task(mode="inline")
def idle(name: str) -> None:
    ran.append(name)


built = build.with_outputs("{name}.html")


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran.clear()
    (tmp_path / "a.txt").write_text("one")
    return cs.File("a.txt")


@pytest.fixture
def run(tmp_path):
    return lambda call: cs.run(call, cache=tmp_path / ".cache")


def test_what_is_there_is_not_written_again_and_its_value_is_what_it_was(run, source):
    assert [run(built(source, "x")) for _ in range(2)] == ["built x"] * 2
    assert ran == ["x"]
    os.utime("a.txt")
    os.utime("x.html", (0, 0))
    assert run(built(source, "x")) == "built x"
    assert ran == ["x"], "what counts is what they hold, not when it was written"


def test_what_was_changed_or_removed_or_has_another_source_is_written_again(run, source):
    changes = [
        lambda: Path("x.html").write_text("somebody else's"),
        lambda: Path("x.html").unlink(),
        lambda: Path("a.txt").write_text("two"),
    ]
    run(built(source, "x"))
    for change in changes:
        change()
        for _ in range(2):
            run(built(source, "x"))
    assert len(ran) == 1 + len(changes)
    assert Path("x.html").read_text() == "<p>two</p>"


def test_each_call_has_outputs_of_its_own(run, source):
    run([built(source, "x"), built(source, "y")])
    Path("y.html").unlink()
    run([built(source, "x"), built(source, "y")])
    assert sorted(ran) == ["x", "y", "y"]


def test_a_folder_is_an_output_with_all_that_is_in_it(run):
    @cs.task(mode="inline")
    def unpack(name):
        ran.append(name)
        Path(name).mkdir(exist_ok=True)
        (Path(name) / "in").write_text("it")

    cache = MemoryCache()
    for harm in (None, None, "in", None, "more"):
        if harm is not None:
            (Path("out") / harm).write_text("changed")
        cs.run(unpack.with_outputs(Path("out"))("out"), cache=cache)
    assert ran == ["out"] * 3


def test_what_says_that_it_writes_and_does_not_fails(run):
    with pytest.raises(MissingOutputError, match=r"'idle' did not write its output 'x\.html'"):
        run(idle.with_outputs("{name}.html")("x"))
    assert run(idle.with_cache()("x")) is None


def test_a_path_that_asks_for_what_there_is_not_says_what_there_is(run, source):
    for path in ("{nmae}.html", "{name.x}.html", "{name", "{}"):
        with pytest.raises(InvalidTaskError, match=r"its arguments are .*\{name\}"):
            run(build.with_outputs(path)(source, "x"))
    assert ran == []
    with pytest.raises(ValueError, match="at least one path"):
        build.with_outputs()


def test_outputs_and_cache_are_given_in_any_order(run, source):
    for task in (
        built.with_cache(version=1),
        build.with_cache(version=1).with_outputs("{name}.html"),
    ):
        assert (task.policies.outputs, task.policies.cache.version) == (("{name}.html",), 1)
        run(task(source, "x"))
    assert ran == ["x"]


async def test_what_is_skipped_is_told_with_its_task_call_and_place(source):
    async with cs.Engine() as engine:
        told = []
        engine.events.listen(told.append)
        for _ in range(2):
            await engine.run(built(source, "x"), name="site")
    (skipped,) = [event for event in told if isinstance(event, TaskSkipped)]
    assert (skipped.task, skipped.task_id) == ("build", build.id)
    assert skipped.call_id == f"site@{skipped.place}"
    assert repr(skipped.call) == f"build({source!r}, 'x')"
    assert skipped.reason == "its outputs are there, as it would write them"
    assert [event.cached for event in told if isinstance(event, TaskFinished)] == [False, True]
    assert not [event for event in told if isinstance(event, TaskCached)]


def test_calls_with_outputs_are_data():
    call = built(cs.File("a.txt"), "x")
    from cascade.spec.codec import decode, encode

    back = decode(encode(call))
    assert back.task.policies == built.policies
    assert back.args == (cs.File("a.txt"), "x")
