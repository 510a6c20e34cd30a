"""Engine contract, the first bullet: what an engine owns, connects, closes, and says about itself."""

import asyncio
import signal
import subprocess
import sys
import textwrap

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import InvalidTaskError
from cascade.runtime.events import RunFinished, RunStarted, TaskFinished, TaskStarted
from rows import each_row


@cs.task
async def one():
    return 1


def local():
    return cs.LocalBusConnector(cs.LocalBroker())


async def test_everything_about_an_engine_is_optional():
    assert await cs.Engine().run(one()) == 1


async def test_an_engine_disconnects_what_it_connected_itself():
    connector = local()
    assert await cs.Engine(connector=connector).run(one()) == 1
    assert not connector.connected
    assert connector.broker.subscription_count == 0


async def test_an_engine_leaves_a_connector_connected_that_it_found_so():
    connector = local()
    await connector.connect()
    await cs.Engine(connector=connector).run(one())
    assert connector.connected
    assert connector.broker.subscription_count == 0


async def test_an_entered_engine_connects_once_for_many_runs():
    connector = local()
    connects = []
    connect = connector.connect

    async def counted():
        connects.append(1)
        await connect()

    connector.connect = counted
    async with cs.Engine(connector=connector) as engine:
        for _ in range(3):
            await engine.run(one())
        assert connector.connected
    assert connects == [1]
    assert not connector.connected


async def test_runs_side_by_side_share_one_connection():
    connector = local()
    engine = cs.Engine(connector=connector)
    assert await asyncio.gather(*[engine.run(one()) for _ in range(20)]) == [1] * 20
    assert not connector.connected


async def test_a_connector_that_cannot_connect_fails_every_run_that_waits_for_it():
    class Broken(cs.LocalBusConnector):
        async def connect(self):
            await asyncio.sleep(0)
            raise ConnectionError("no broker")

    engine = cs.Engine(connector=Broken(cs.LocalBroker()))
    results = await asyncio.gather(*[engine.run(one()) for _ in range(3)], return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError] * 3
    with pytest.raises(ConnectionError):
        await engine.run(one())


async def test_a_run_that_stops_waiting_for_the_connection_harms_no_other():
    go_on = asyncio.Event()

    class Slow(cs.LocalBusConnector):
        async def connect(self):
            await go_on.wait()
            await super().connect()

    engine = cs.Engine(connector=Slow(cs.LocalBroker()))
    runs = [asyncio.create_task(engine.run(one())) for _ in range(3)]
    await asyncio.sleep(0)
    runs[1].cancel()
    await asyncio.gather(runs[1], return_exceptions=True)
    go_on.set()
    assert await asyncio.gather(runs[0], runs[2]) == [1, 1]
    assert not engine.connector.connected


async def test_of_two_engines_that_share_a_connector_the_last_one_out_disconnects_it():
    connector = local()
    first, last = cs.Engine(connector=connector), cs.Engine(connector=connector)
    async with last:
        async with first:
            assert connector.connected
        assert connector.connected
        assert await last.run(one()) == 1
    assert not connector.connected
    await connector.connect()
    async with first, last:
        pass
    assert connector.connected


async def test_an_engine_that_cannot_listen_leaves_nothing_connected():
    class Deaf(cs.LocalBusConnector):
        async def subscribe(self, topic, callback):
            raise OSError("no subscriptions here")

    connector = Deaf(cs.LocalBroker())
    with pytest.raises(OSError, match="no subscriptions"):
        await cs.Engine(connector=connector).run(one())
    assert not connector.connected


def test_an_engine_may_be_used_on_one_loop_after_another():
    engine = cs.Engine(connector=local())
    for _ in range(3):
        assert asyncio.run(engine.run(cs.recv("x", 0.001, default="none"))) == "none"


@each_row("target", [3, "one", None, {"a"}, lambda: 1])
async def test_what_is_no_target_says_so(target):
    with pytest.raises(InvalidTaskError, match="a target is a call of a task"):
        await cs.Engine().run(target)


async def test_events_tell_the_story_of_a_run_in_order():
    engine = cs.Engine(name="e")
    story = []
    stop = engine.events.listen(story.append)

    @cs.task(mode="inline")
    def start():
        return one()

    await engine.run(start())
    stop()
    await engine.run(start())
    assert [type(event) for event in story] == [
        RunStarted,
        TaskStarted,
        TaskFinished,
        TaskStarted,
        TaskFinished,
        RunFinished,
    ]
    assert {event.run_id for event in story} == {"run-1"}
    assert story[0].target == "start()"
    assert [event.task for event in story[1:5]] == ["start", "start", "one", "one"]
    assert (story[-1].outcome, story[-1].steps) == ("succeeded", 2)


async def test_events_are_frozen():
    engine = cs.Engine()
    story = []
    engine.events.listen(story.append)
    await engine.run(one())
    with pytest.raises(AttributeError):
        story[0].run_id = "x"


async def test_events_tell_failures_and_cancellations():
    engine = cs.Engine()
    story = []
    engine.events.listen(story.append)

    @cs.task
    async def fails():
        raise OSError("no")

    @cs.task
    async def waits():
        await asyncio.Event().wait()

    with pytest.raises(OSError, match="no"):
        await engine.run(fails())
    running = asyncio.create_task(engine.run(waits()))
    while not isinstance(story[-1], TaskStarted):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ends = [event for event in story if isinstance(event, (RunFinished, TaskFinished))]
    assert [event.outcome for event in ends] == ["failed", "failed", "cancelled", "cancelled"]
    assert isinstance(ends[0].error, OSError)


async def test_no_event_is_made_when_nobody_listens(monkeypatch):
    def refuse(*_):
        raise AssertionError("an event was emitted")

    engine = cs.Engine()
    monkeypatch.setattr("cascade.runtime.observation.events.EventStream.emit", refuse)
    assert await engine.run(one()) == 1


async def test_a_listener_that_fails_is_reported_and_harms_nobody():
    engine = cs.Engine()
    heard = []

    def broken(event):
        raise ValueError("bad listener")

    engine.events.listen(broken)
    engine.events.listen(heard.append)
    with capture() as messages:
        assert await engine.run(one()) == 1
    assert {message.id for message in messages} == {"engine.listener_error"}
    assert len(heard) == len(messages) == 4


async def test_an_executor_of_the_users_own_runs_plain_functions_and_is_not_closed():
    class Here:
        closed = False

        def submit(self, invocation):
            done = asyncio.get_running_loop().create_future()
            value = invocation.function(*invocation.args, **invocation.kwargs)
            done.set_result((invocation.mode, value))
            return done

        async def aclose(self):
            self.closed = True

    @cs.task
    def plain(x):
        return x

    executor = Here()
    assert await cs.Engine(executor=executor).run(plain(3)) == ("thread", 3)
    assert not executor.closed


def test_run_inside_a_loop_names_run_async():
    async def main():
        with pytest.raises(RuntimeError, match="cs.run_async"):
            cs.run(one())

    asyncio.run(main())


def test_run_and_run_async_take_connector_resources_and_listen():
    @cs.resource
    def word():
        yield "heard"

    @cs.task
    async def hear(_, signal, word=cs.inject("word")):
        return word, signal

    target = hear(cs.send("t", 5), cs.recv("t"))
    assert cs.run(target, connector=local(), resources=[word], listen=["t"]) == ("heard", 5)


def test_keyboard_interrupt_leaves_nothing_behind(tmp_path):
    """A workflow interrupted by Ctrl-C closes its resources and ends its subscriptions."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import signal
        import cascade as cs

        # Whoever starts the tests in the background may have them ignore interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        @cs.resource
        async def db():
            try:
                print("ready", flush=True)
                yield 1
            finally:
                print("closed", flush=True)

        @cs.task
        async def agent(_, db=cs.inject("db")):
            return agent(cs.recv("never", 0.05, default=None))

        broker = cs.LocalBroker()
        try:
            cs.run(agent(None), connector=cs.LocalBusConnector(broker), resources=[db])
        except KeyboardInterrupt:
            print("interrupted", broker.subscription_count, flush=True)
        """)
    )
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert out == "closed\ninterrupted 0\n"
    assert err == ""
