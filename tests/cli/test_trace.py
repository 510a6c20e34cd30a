"""Traces of simulations as files, and where two of them differ."""

import json

import pytest

import cascade as cs
from cascade.cli import main


@cs.task
async def says(topic, value, _before=None):
    return cs.send(topic, value, retain=topic == "state")


@cs.task
async def waits_and_says(value):
    return says("word", value, says("state", {"of": value}, cs.wait(1.5)))


def _trace(path, value, **options):
    done = cs.simulate({"ann": waits_and_says(value)}, trace=path, **options)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return done, lines


def test_a_trace_has_a_line_of_json_for_each_message_and_result(tmp_path):
    done, lines = _trace(tmp_path / "a.jsonl", "hello")
    assert lines == [
        {"time": 1.5, "kind": "retained", "name": "state", "content": "dict('of': 'hello')"},
        {"time": 1.5, "kind": "message", "name": "word", "content": "'hello'"},
        {"time": 1.5, "kind": "value", "name": "ann", "content": "None"},
    ]
    assert cs.simulate({"ann": waits_and_says("hello")}) == done
    assert _trace(tmp_path / "b.jsonl", "hello", check="twice") == (done, lines)


def test_a_simulation_that_fails_leaves_what_it_came_to(tmp_path):
    @cs.task
    async def fails(_before):
        raise OSError("broken")

    path = tmp_path / "a.jsonl"
    with pytest.raises(OSError, match="broken"):
        cs.simulate(fails(says("word", 1)), trace=str(path))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["message", "error"]
    assert lines[-1]["content"] == "OSError('broken')"


def test_the_first_line_that_differs_is_shown(tmp_path, capsys):
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    _trace(one, "hello")
    _trace(other, "hello")
    assert main(["trace", "diff", str(one), str(other)]) == 0
    assert capsys.readouterr().out == ""
    lines = one.read_text(encoding="utf-8").splitlines()
    other.write_text("\n".join([lines[0], lines[1].replace("hello", "bye"), lines[2]]) + "\n")
    assert main(["trace", "diff", str(one), str(other)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{one}:2: {lines[1]}",
        f"{other}:2: {lines[1].replace('hello', 'bye')}",
    ]
    other.write_text(f"{lines[0]}\n", encoding="utf-8")
    assert main(["trace", "diff", str(one), str(other)]) == 1
    assert capsys.readouterr().out.splitlines()[1] == f"{other}:2: (nothing more)"


def test_a_trace_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert main(["trace", "diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
