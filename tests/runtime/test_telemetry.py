"""Telemetry: what an engine says about itself over its connector."""

import asyncio
import tracemalloc

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import NotConnectedError, PayloadError
from cascade.runtime.observation.telemetry import TelemetrySettings, level_of
from rows import each_row


@cs.task
async def one(n):
    return n


@cs.task
async def fails():
    raise OSError("no way")


@cs.task(mode="inline")
def count(n):
    return count(n - 1) if n else "done"


class Watcher:
    """Keeps everything that is said under cascade/telemetry."""

    def __init__(self):
        self.connector = cs.LocalBusConnector(cs.LocalBroker())
        self.heard = []

    async def __aenter__(self):
        await self.connector.connect()
        await self.connector.subscribe("cascade/telemetry/#", self.hear)
        return self

    async def __aexit__(self, *_):
        await self.connector.disconnect()

    async def hear(self, topic, payload):
        self.heard.append((topic, payload))

    async def next_status(self):
        """Wait for a status that is said from now on."""
        begin = len(self.heard)
        async with asyncio.timeout(30):
            while True:
                for topic, payload in self.heard[begin:]:
                    if topic.endswith("/status"):
                        return payload
                await asyncio.sleep(0.001)

    def engine(self, **settings):
        connector = cs.LocalBusConnector(self.connector.broker)
        telemetry = TelemetrySettings(**settings) if settings else True
        return cs.Engine(connector=connector, name="mill", telemetry=telemetry)

    def events(self, name):
        return [
            event
            for topic, payload in self.heard
            if topic.endswith(f"/{name}")
            for event in payload["events"]
        ]


async def test_what_happens_in_a_run_is_told_in_order_and_flushed_at_the_end():
    async with Watcher() as watcher:
        await watcher.engine().run([one(1), one(2)], name="job")
    topics = [topic for topic, _ in watcher.heard]
    assert topics[0] == topics[-1] == "cascade/telemetry/mill/status"
    assert topics[1] == "cascade/telemetry/mill/job/run-started"
    assert topics[-2] == "cascade/telemetry/mill/job/run-finished"
    tasks = [event["task"] for event in watcher.events("task-finished")]
    assert tasks == ["one", "one", "collect"]
    (finished,) = watcher.events("run-finished")
    assert (finished["outcome"], finished["error"]) == ("succeeded", None)
    payload = watcher.heard[1][1]
    assert {name: payload[name] for name in ("version", "engine", "run", "event", "dropped")} == {
        "version": 1,
        "engine": "mill",
        "run": "job",
        "event": "run-started",
        "dropped": 0,
    }


async def test_the_status_says_online_then_offline_and_is_retained():
    async with Watcher() as watcher:
        async with watcher.engine() as engine:
            states = [payload["state"] for _, payload in watcher.heard]
            assert states == ["online"]
            await engine.run(one(1))
        late = []

        async def hear(topic, payload):
            late.append(payload["state"])

        await watcher.connector.subscribe("cascade/telemetry/+/status", hear)
        assert late == ["offline"]


async def test_the_status_names_the_runs_that_are_under_way_and_what_holds_them():
    async with Watcher() as watcher, watcher.engine(heartbeat=0.01) as engine:
        order = {"id": "lunch", "type": "pause"}
        await watcher.connector.publish("cascade/constraints/run/held", order, retain=True)
        runs = [
            asyncio.create_task(engine.run(cs.recv("go"), name="free")),
            asyncio.create_task(engine.run(one(1), name="held")),
        ]
        await asyncio.sleep(0)
        status = await watcher.next_status()
        assert (status["run_count"], set(status["runs"])) == (2, {"free", "held"})
        assert status["runs"]["free"] == "running"
        assert status["runs"]["held"].startswith("throttled: ")
        await watcher.connector.publish("cascade/constraints/run/held", None, retain=True)
        await watcher.connector.publish("go", 1)
        await asyncio.gather(*runs)
        status = await watcher.next_status()
        assert (status["run_count"], status["runs"]) == (0, {})


async def test_where_events_are_not_wanted_the_status_comes_alone():
    async with Watcher() as watcher, watcher.engine(events=False, heartbeat=0.01) as engine:
        heard = []

        async def hear(topic, _payload):
            heard.append(topic.rpartition("/")[2])

        await watcher.connector.subscribe("cascade/telemetry/#", hear)
        run = asyncio.create_task(engine.run(cs.recv("go"), name="job"))
        while not (await watcher.next_status())["runs"]:
            pass
        await watcher.connector.publish("go", 1)
        await run
        while (status := await watcher.next_status())["runs"]:
            pass
    assert (status["events"], status["dropped"]) == (0, 0)
    assert set(heard) == {"status"}


async def test_a_run_that_begins_is_in_a_status_before_the_next_heartbeat():
    async with Watcher() as watcher, watcher.engine(every=0.01, heartbeat=3600) as engine:
        run = asyncio.create_task(engine.run(cs.recv("go"), name="job"))
        status = await watcher.next_status()
        assert (status["runs"], status["heartbeat"]) == ({"job": "running"}, 3600)
        await watcher.connector.publish("go", 1)
        await run
        assert (await watcher.next_status())["runs"] == {}


async def test_of_many_runs_the_status_names_the_oldest_hundred():
    async with Watcher() as watcher, watcher.engine(heartbeat=0.01) as engine:
        names = [f"run {number}" for number in range(150)]
        runs = [asyncio.create_task(engine.run(cs.recv("go"), name=name)) for name in names]
        await asyncio.sleep(0)
        status = await watcher.next_status()
        assert (status["run_count"], list(status["runs"])) == (150, names[:100])
        await watcher.connector.publish("go", 1)
        await asyncio.gather(*runs)


async def test_errors_go_out_as_text():
    async with Watcher() as watcher:
        with pytest.raises(OSError, match="no way"):
            await watcher.engine().run(fails())
    (event,) = watcher.events("task-finished")
    assert (event["outcome"], event["error"]) == ("failed", "OSError: no way")


async def test_an_engine_that_goes_on_reports_meanwhile_and_gives_signs_of_life():
    async with Watcher() as watcher, watcher.engine(every=0.001, heartbeat=0.01) as engine:
        await engine.run(one(1))
        async with asyncio.timeout(30):
            while len([t for t, _ in watcher.heard if t.endswith("/status")]) < 3:
                await asyncio.sleep(0.001)
            while not watcher.events("run-finished"):
                await asyncio.sleep(0.001)
        signs = [payload["state"] for topic, payload in watcher.heard if topic.endswith("/status")]
        assert signs[:3] == ["online"] * 3
        assert [event["outcome"] for event in watcher.events("run-finished")] == ["succeeded"]


async def test_what_finds_no_room_is_dropped_and_counted_and_no_task_waits():
    async with Watcher() as watcher:
        assert await watcher.engine(limit=10, every=3600.0).run(count(100)) == "done"
    told = sum(len(payload.get("events", [])) for _, payload in watcher.heard if "run" in payload)
    assert told == 10
    assert watcher.heard[-1][1]["dropped"] == 2 + 2 * 101 - 10


async def test_ten_thousand_steps_grow_no_memory():
    connector = cs.LocalBusConnector(cs.LocalBroker())
    telemetry = TelemetrySettings(limit=1000, every=0.001)
    async with cs.Engine(connector=connector, telemetry=telemetry) as engine:
        await engine.run(count(1000))
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        await engine.run(count(10_000))
        await asyncio.sleep(0.1)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert grown < 50_000  # less than 5 bytes a step


async def test_a_connector_that_fails_is_reported_and_the_engine_goes_on():
    async with Watcher() as watcher:
        engine = watcher.engine(every=0.001)
        tried = []
        with capture() as messages:
            async with engine:
                publish = engine.connector.publish

                async def broken(topic, payload, *rest, **options):
                    tried.append(topic)
                    raise OSError("cable")

                engine.connector.publish = broken
                assert await engine.run(one(1)) == 1
                async with asyncio.timeout(30):
                    while len(tried) < 5:
                        await asyncio.sleep(0.001)
                engine.connector.publish = publish
    assert [message.id for message in messages] == ["engine.telemetry_error"]  # once
    assert len(watcher.events("task-finished")) == len(watcher.events("run-finished")) == 1


async def test_an_engine_closes_though_nobody_can_hear_of_it_and_says_what_is_lost():
    async with Watcher() as watcher:
        engine = watcher.engine(every=3600.0)
        with capture() as messages:
            async with engine:
                connector = engine.connector

                async def broken(topic, payload, *rest, **options):
                    raise NotConnectedError("publish")

                connector.publish = broken
                assert await engine.run(one(1)) == 1
    (message,) = messages
    assert (message.id, message.facts["count"]) == ("engine.telemetry_lost", 4)


async def test_a_report_that_cannot_be_carried_is_counted_and_the_rest_goes_on():
    async with Watcher() as watcher:
        engine = watcher.engine(every=0.001)
        with capture() as messages:
            async with engine:
                publish = engine.connector.publish

                async def narrow(topic, payload, *rest, **options):
                    if topic.endswith("/task-started"):
                        raise PayloadError(topic, "too large")
                    await publish(topic, payload, *rest, **options)

                engine.connector.publish = narrow
                assert await engine.run(one(1)) == 1
                async with asyncio.timeout(30):
                    while not watcher.events("run-finished"):
                        await asyncio.sleep(0.001)
    assert [message.id for message in messages] == ["engine.telemetry_error"]
    assert watcher.heard[-1][1]["dropped"] == 1
    assert watcher.events("task-started") == []


def test_names_become_one_level_of_a_topic():
    assert level_of("night/shift +1#") == "night_shift _1_"
    assert level_of("") == "_"


def test_on_simulated_time_it_keeps_nothing_going(simulated_time):
    async def main():
        async with Watcher() as watcher, watcher.engine() as engine:
            await engine.run(one(1))
            await asyncio.sleep(10)
            return len(watcher.events("run-finished"))

    assert simulated_time(main()) == 1


@each_row("settings", [{"every": 0}, {"heartbeat": -1}, {"limit": 0}])
def test_numbers_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="above 0"):
        TelemetrySettings(**settings)


async def test_what_is_told_quotes_the_target_and_errors_but_no_parameters_or_values():
    @cs.task
    async def login(name, password):
        return f"{name} is in"

    async with Watcher() as watcher:
        engine = watcher.engine()
        await engine.run(login("ann", "of the target"))
        await engine.run(login, {"name": "ann", "password": "of a parameter"})
        await engine.run(login("ann", cs.param("p")), {"p": "of a parameter"})
        with pytest.raises(OSError, match="no way"):
            await engine.run(fails())
    said = repr(watcher.heard)
    assert "of the target" in said
    assert "OSError: no way" in said
    assert "of a parameter" not in said
    assert "ann is in" not in said
