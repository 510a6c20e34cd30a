"""SIGTERM ends a script as Ctrl-C does: the run is cancelled, and everything closes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

import cascade as cs
from cascade.termination import TERMINATED, run_to_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything

SCRIPT = textwrap.dedent("""
    import time
    import cascade as cs

    class Watched(cs.LocalBusConnector):
        async def publish(self, topic, payload, qos=0, retain=False):
            if topic.endswith("/status"):
                print(payload["state"], flush=True)
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


def test_a_script_is_ended_with_all_that_it_started(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        said = iter(process.stdout.readline, "")
        before = [next(said), next(said)]
        process.send_signal(signal.SIGTERM)
        after = [
            *said
        ]  # until nobody holds the pipe any more: the process and the command are gone
        assert process.wait(PATIENCE) == TERMINATED == 143
    assert before == ["online\n", "ready\n"]
    assert after == ["closed\n", "offline\n"]


async def terminated():
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(PATIENCE)


def test_the_handler_is_there_as_long_as_the_work():
    assert run_to_end(asyncio.sleep(0, "value")) == "value"
    with pytest.raises(SystemExit) as caught:
        run_to_end(terminated())
    assert caught.value.code == TERMINATED
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_second_signal_ends_work_that_does_not_end():
    async def stubborn():
        try:
            await terminated()
        finally:
            await terminated()

    with pytest.raises(SystemExit):
        run_to_end(stubborn())


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
