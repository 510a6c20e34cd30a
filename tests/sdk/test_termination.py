"""SIGTERM and SIGHUP end a script and a command as Ctrl-C does: the run is cancelled, everything closes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress

import pytest

import cascade as cs
from cascade.termination import run_to_end
from cli.program import INSTALLED
from rows import each_row

if sys.platform == "win32":
    pytest.skip("Windows has no such signals to send", allow_module_level=True)

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything

SCRIPT = textwrap.dedent("""
    import time
    import cascade as cs

    class Watched(cs.LocalBusConnector):
        state = None

        async def publish(self, topic, payload, qos=0, retain=False):
            if topic.endswith("/status") and payload["state"] != self.state:
                self.state = payload["state"]
                print(self.state, flush=True)
            await super().publish(topic, payload, qos, retain)

    @cs.resource
    def db():
        try:
            yield
        finally:
            print("closed", flush=True)

    @cs.task(mode="process")
    def spin():
        time.sleep(600)

    @cs.task
    async def agent(db=cs.inject(db)):
        print("ready", flush=True)
        return [spin(), cs.shell(["sleep", "600"])]

    if __name__ == "__main__":
        connector = Watched(cs.LocalBroker())
        cs.run(agent(), connector=connector, telemetry=True)
""")


STATUSES = [(signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@each_row(("number", "status"), STATUSES)
@each_row("as_command", [False, True])
def test_a_program_is_ended_with_all_that_it_started(tmp_path, number, status, as_command):
    (tmp_path / "script.py").write_text(SCRIPT)
    ways = [sys.executable, "script.py"], [INSTALLED, "run", "script:agent"]
    start = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a test may be run under nohup
    try:
        process = subprocess.Popen(
            ways[as_command], stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
    finally:
        signal.signal(signal.SIGHUP, start)
    with process:
        said = iter(process.stdout.readline, "")
        before = [next(said) for _ in range(1 if as_command else 2)]
        process.send_signal(number)
        after = [
            *said
        ]  # until nobody holds the pipe any more: the process and the command are gone
        assert process.wait(PATIENCE) == status
    reports = ([], []) if as_command else (["online\n"], ["offline\n"])
    assert before == [*reports[0], "ready\n"]
    assert after == ["closed\n", *reports[1]]


async def terminated():
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(PATIENCE)


def test_the_handler_is_there_as_long_as_the_work():
    assert run_to_end(asyncio.sleep(0, "value")) == "value"
    before = [signal.getsignal(number) for number, _ in STATUSES]
    with pytest.raises(SystemExit) as caught:
        run_to_end(terminated())
    assert caught.value.code == 143
    assert [signal.getsignal(number) for number, _ in STATUSES] == before


def test_a_second_signal_ends_work_that_does_not_end():
    async def stubborn():
        try:
            await terminated()
        finally:
            await terminated()

    with pytest.raises(SystemExit):
        run_to_end(stubborn())


def test_work_that_ends_all_the_same_ends_the_program_too():
    async def unmoved():
        with suppress(asyncio.CancelledError):
            await terminated()
        return "value"

    with pytest.raises(SystemExit) as caught:
        run_to_end(unmoved())
    assert caught.value.code == 143


def test_a_signal_that_is_ignored_stays_so():
    async def hung_up():
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        return "went on"

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_to_end(hung_up()) == "went on"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_cancellation_of_another_kind_stays_one():
    async def cancelled():
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_to_end(cancelled())


def test_a_handler_of_the_users_own_is_left_alone():
    heard = []

    async def both():
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            while not heard:
                await asyncio.sleep(0)
        return "went on"

    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
    try:
        assert run_to_end(both()) == "went on"
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_than_the_main_one_may_run_too():
    values = []

    @cs.task
    async def answer():
        return 42

    thread = threading.Thread(target=lambda: values.append(cs.run(answer())))
    thread.start()
    thread.join(PATIENCE)
    assert values == [42]
