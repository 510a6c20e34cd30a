"""What an engine tells of its durable agents: events, telemetry, and `cascade watch`."""

import asyncio
from dataclasses import replace

import pytest

import cascade as cs
from cascade.cli.watch_command import _Picture
from cascade.common.messaging.testing import capture
from cascade.runtime.events import AgentChanged
from cascade.runtime.observation.telemetry import TelemetrySettings
from cascade.stores.memory import MemoryStore
from durable import steps

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def store():
    return MemoryStore()


class Listener:
    """An engine on a store, and how its agents change."""

    def __init__(self, store, **options):
        self.engine = cs.Engine(store=store, **options)
        self.engine.events.listen(self.take)
        self.events = []

    def take(self, event):
        if isinstance(event, AgentChanged):
            self.events.append(event)

    def changes(self, name):
        return [event.change for event in self.events if event.run_id == name]

    async def until(self, name, change):
        async with asyncio.timeout(PATIENCE):
            while change not in self.changes(name):
                await asyncio.sleep(0.005)


async def test_an_agent_starts_is_taken_up_and_finishes(store):
    told = Listener(store)
    async with told.engine:
        await told.engine.run(steps.count(2), name="c", durable=True)
        await told.engine.run(steps.count(2), name="c", durable=True)  # nothing happens any more
    assert told.changes("c") == ["started", "taken-up", "finished"]


async def test_one_that_waits_is_parked_and_left_to_others_at_the_end(store):
    one, other = Listener(store), Listener(store)
    async with one.engine:
        await one.engine.agents.start({"n": steps.naps(3600.0), "o": steps.patient(3600.0)})
        for name in "no":
            await one.until(name, "parked")
    for name in "no":
        assert one.changes(name) == ["started", "taken-up", "parked", "left"]
    async with other.engine:
        await other.until("n", "parked")
    assert other.changes("n") == ["taken-up", "parked", "left"]


async def test_a_failure_is_told_with_its_reason_and_a_retry_too(store):
    told = Listener(store)
    with capture():
        async with told.engine:
            await told.engine.agents.start({"f": steps.fails(1)})
            await told.until("f", "failed")
            await told.engine.agents.retry("f")
            await told.until("f", "finished")
    assert told.changes("f") == [
        "started", "taken-up", "failed", "retried", "taken-up", "finished"
    ]  # fmt: skip
    assert told.events[2].reason == "ValueError: not yet"


async def test_what_cannot_go_on_is_told(store):
    await store.open()
    told = Listener(store)
    with capture():
        async with told.engine:
            (record,) = await told.engine.agents.start({"h": steps.holds_a_lock()})
            await told.until("h", "blocked")
            gone = record.start.replace(b"steps:holds_a_lock", b"steps:gone")
            stuck = replace(record, name="s", attempts=9)
            await store.create([replace(record, name="g", start=gone, call=gone), stuck])
            await told.until("g", "blocked")
            await told.until("s", "stuck")
    assert told.changes("g") == ["blocked"]
    assert "steps:gone" in next(event.reason for event in told.events if event.run_id == "g")
    assert "lock" in told.events[2].reason


async def test_a_cancelled_one_is_told_once_and_a_fork_begins(store):
    told = Listener(store)
    async with told.engine:
        await told.engine.agents.start({"n": steps.naps(3600.0)})
        await told.until("n", "parked")
        await told.engine.agents.fork("n", "m")
        await told.engine.agents.cancel("n", "no longer needed")
        await told.until("m", "parked")
    assert told.changes("n") == ["started", "taken-up", "parked", "cancelled"]
    assert told.changes("m") == ["started", "taken-up", "parked", "left"]
    reasons = [event.reason for event in told.events if event.reason]
    assert reasons == ["a fork of 'n'", "no longer needed"]


async def test_who_loses_the_lease_says_so(store):
    told = Listener(store)
    told.engine.agents.settings.lease = 0.03
    with capture():
        async with told.engine:
            await told.engine.agents.start({"n": steps.naps(3600.0)})
            await told.until("n", "parked")
            await store.decide("n", "blocked", 0.0, reason="by somebody else")
            await told.until("n", "lost")
    assert told.changes("n") == ["started", "taken-up", "parked", "lost"]


async def test_without_a_listener_no_event_is_made(store, monkeypatch):
    monkeypatch.setattr("cascade.runtime.durable.telling.AgentChanged", None)
    async with cs.Engine(store=store) as engine:
        assert await engine.run(steps.count(1), name="c", durable=True) == 1


async def test_telemetry_names_agents_among_the_runs_while_they_are_driven(store):
    connector = cs.LocalBusConnector(cs.LocalBroker())
    states, lines, clock = [], [], asyncio.get_running_loop()
    picture = _Picture(lines.append)
    await connector.connect()

    async def hear(topic, payload):
        if topic.endswith("/status"):
            states.append(payload["runs"])
        await picture.take(topic, payload)

    async def seen(runs):
        end = clock.time() + PATIENCE
        while runs not in states:
            assert clock.time() < end, states
            await asyncio.sleep(0.005)

    await connector.subscribe("cascade/telemetry/#", hear)
    settings = TelemetrySettings(every=0.001, heartbeat=0.01)
    engine = cs.Engine(store=store, connector=connector, name="mill", telemetry=settings)
    async with engine:
        await engine.agents.start({"n": steps.naps(3600.0)})
        await seen({"n": "parked"})
        states.clear()
        await engine.agents.cancel("n")
        await seen({})
    await connector.disconnect()
    told = [line for line in lines if " agent-changed " in line]
    assert told == [
        "mill n agent-changed started",
        "mill n agent-changed taken-up",
        "mill n agent-changed parked",
        "mill n agent-changed cancelled cancelled",
    ]
    assert picture.runs["mill", "n"].state == "cancelled"
