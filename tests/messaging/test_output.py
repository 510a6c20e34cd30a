"""What is written, to a terminal and as JSON, and what happens when it cannot be."""

import io
import json
import logging
import sys
from datetime import datetime

import pytest

from cascade.common.messaging import MessageBus
from cascade.common.messaging.settings import Settings


class Terminal(io.StringIO):
    def isatty(self):
        return True


def fault(text: str) -> OSError:
    """Return an exception that has been raised, so that it has a traceback."""
    with pytest.raises(OSError, match=text) as caught:
        raise OSError(text)
    return caught.value


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def console(stream):
    return MessageBus(Settings("en", "console", stream))


@pytest.fixture
def as_json(stream):
    return MessageBus(Settings("en", "json", stream))


def test_information_is_a_bare_sentence(console, stream):
    console.info("no.such", a=1)
    assert stream.getvalue() == "no.such a=1\n"


def test_a_warning_is_marked_and_shows_its_id(console, stream):
    console.warning("queue.growing", topic="t", queued=3, limit=2)
    line = stream.getvalue()
    assert line.startswith("warning: A subscriber of t ")
    assert line.endswith(" [queue.growing]\n")


def test_an_error_has_its_traceback_under_the_line(console, stream):
    console.error("engine.teardown_error", resource="db", error=fault("gone"))
    first, *trace = stream.getvalue().splitlines()
    assert first.startswith("error: Closing the resource db failed: OSError: gone.")
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == "OSError: gone"


def test_a_warning_has_no_traceback(console, stream):
    console.warning("engine.teardown_error", resource="db", error=fault("gone"))
    assert len(stream.getvalue().splitlines()) == 1


def test_the_language_is_a_setting(stream):
    MessageBus(Settings("zh", "console", stream)).error(
        "engine.teardown_error", resource="库", error="x"
    )
    assert "关闭资源 库 时出错" in stream.getvalue()


def test_colour_is_for_terminals_only(console, stream):
    console.warning("no.such")
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_colour(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    MessageBus(Settings("en", "console", terminal)).warning("no.such")
    assert "\x1b[33mwarning:\x1b[0m" in terminal.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_colour_gets_none(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    terminal = Terminal()
    MessageBus(Settings("en", "console", terminal)).warning("no.such")
    assert "\x1b" not in terminal.getvalue()


def test_a_fact_cannot_steer_the_terminal(console, stream):
    console.info("no.such", topic="a\x1b[2Jb\r")
    assert stream.getvalue() == "no.such topic=a\\x1b[2Jb\\r\n"


def test_json_is_one_object_per_line(as_json, stream):
    as_json.info("no.such", a=1)
    as_json.warning("queue.growing", topic="主", queued=3, limit=2)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.keys() == {"id", "level", "text", "facts", "timestamp"}
    assert (first["id"], first["level"], first["facts"]) == ("no.such", "info", {"a": 1})
    assert second["text"].startswith("A subscriber of 主 ")
    assert datetime.fromisoformat(second["timestamp"]).utcoffset() is not None


def test_json_has_an_errors_traceback_as_a_field(as_json, stream):
    as_json.error("no.such", error=fault("gone"), topic="t")
    line = json.loads(stream.getvalue())
    assert line["facts"] == {"error": "OSError: gone", "topic": "t"}
    assert line["traceback"].endswith("OSError: gone")


def test_facts_may_have_the_names_of_fields(as_json, stream):
    as_json.error("no.such", event="e", level="l", id="i", text="t", message_id="m", self="s")
    line = json.loads(stream.getvalue())
    assert line["facts"]["event"] == "e"
    assert (line["id"], line["level"]) == ("no.such", "error")


@pytest.mark.parametrize("fact", [{("a", 1): 2}, float("inf"), object(), {1, 2}, b"\xff"])
def test_json_takes_any_fact(as_json, stream, fact):
    as_json.info("no.such", fact=fact)
    assert json.loads(stream.getvalue())["facts"].keys() == {"fact"}


def test_json_takes_a_fact_that_contains_itself(as_json, stream):
    loop = []
    loop.append(loop)
    as_json.info("no.such", fact=loop)
    assert json.loads(stream.getvalue())["facts"] == {"fact": "[[...]]"}


def test_output_can_be_turned_off(stream):
    MessageBus(Settings("en", "off", stream)).error("no.such")
    assert stream.getvalue() == ""


def test_standard_error_is_looked_up_when_a_message_is_written(capsys):
    MessageBus(Settings("en", "console")).info("no.such", a=1)
    assert capsys.readouterr().err == "no.such a=1\n"


def test_a_closed_stream_falls_back_to_logging(console, stream, caplog):
    stream.close()
    console.error("engine.teardown_error", resource="db", error=OSError("gone"))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("cascade.messages", logging.ERROR)
    assert "engine.teardown_error" in record.getMessage()
    assert "gone" in record.getMessage()


def test_no_standard_error_at_all_falls_back_to_logging(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", None)
    MessageBus(Settings("en", "console")).info("no.such")
    with caplog.at_level(logging.INFO, "cascade.messages"):
        MessageBus(Settings("en", "console")).info("no.such")
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_failing_log_does_not_reach_the_speaker_either(console, stream, monkeypatch):
    stream.close()
    tried = []

    class Full(logging.Handler):
        def emit(self, record):
            tried.append(record.levelname)
            raise OSError(record)

    monkeypatch.setattr(logging.getLogger("cascade.messages"), "handlers", [Full()])
    console.error("no.such")
    assert tried == ["ERROR"]


def test_configure_takes_effect_at_the_next_message(stream):
    bus = MessageBus()
    bus.configure(output="json", stream=stream)
    bus.info("no.such")
    bus.configure(output="console", language="zh", stream=stream)
    bus.warning("no.such")
    first, second = stream.getvalue().splitlines()
    assert json.loads(first)["id"] == "no.such"
    assert second == "warning: no.such [no.such]"
