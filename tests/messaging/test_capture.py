"""Messages can be collected: in threads, in tasks, and nested."""

import asyncio
import subprocess
import sys
import threading

import pytest

from cascade.common.messaging import MessageBus, bus
from cascade.common.messaging.testing import Message, capture


def test_a_captured_message_keeps_its_facts_as_they_were():
    error = OSError("gone")
    with capture() as messages:
        bus.error("engine.teardown_error", resource="db", error=error)
    text = "Closing the resource db failed: OSError: gone."
    facts = {"resource": "db", "error": error}
    assert messages == [Message("error", "engine.teardown_error", facts, text)]


def test_captured_messages_are_not_written(capsys):
    with capture():
        bus.error("no.such")
    assert capsys.readouterr() == ("", "")


def test_after_the_capture_messages_are_written_again(capsys):
    with capture() as messages:
        pass
    bus.error("no.such")
    assert messages == []
    assert "no.such" in capsys.readouterr().err


def test_captured_texts_do_not_depend_on_the_machine(monkeypatch):
    monkeypatch.setenv("CASCADE_LANGUAGE", "zh")
    with capture() as english, capture(language="zh") as chinese:
        bus.error("engine.teardown_error", resource="db", error="x")
    assert english[0].text == "Closing the resource db failed: x."
    assert chinese[0].text == "关闭资源 db 时出错：x。"


def test_of_nested_captures_each_gets_every_message():
    with capture() as outer:
        with capture() as inner:
            bus.info("in.both")
        bus.info("in.outer")
    assert [message.id for message in inner] == ["in.both"]
    assert [message.id for message in outer] == ["in.both", "in.outer"]


def test_messages_of_all_threads_are_captured():
    def speak():
        for number in range(200):
            bus.info("no.such", number=number)

    threads = [threading.Thread(target=speak) for _ in range(8)]
    with capture() as messages:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(messages) == 1600


async def test_messages_of_other_tasks_are_captured():
    async def speak():
        await asyncio.sleep(0)
        bus.warning("no.such")

    with capture() as messages:
        await asyncio.gather(speak(), asyncio.to_thread(bus.info, "other.such"))
    assert {message.level for message in messages} == {"warning", "info"}


def test_one_bus_can_be_captured_alone():
    mine = MessageBus()
    with capture(mine) as messages, capture() as others:
        mine.info("no.such")
    assert len(messages) == 1
    assert others == []


def test_a_receiver_that_fails_does_not_reach_the_speaker(caplog):
    def refuse(_message):
        raise RuntimeError

    with bus.divert(refuse):
        bus.error("no.such")
    assert "no.such" in caplog.text


def test_a_capture_ends_with_an_exception_too(capsys):
    with pytest.raises(KeyError), capture():
        raise KeyError
    bus.error("no.such")
    assert "no.such" in capsys.readouterr().err


def test_what_messages_need_is_imported_at_the_first_message():
    program = (
        "import sys\n"
        "from cascade.common.messaging import bus\n"
        "assert not {'cascade.common.messaging.render', 'tomllib'} & set(sys.modules), 'imported too early'\n"
        "bus.error('no.such')\n"
        "assert 'tomllib' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert "no.such" in done.stderr
