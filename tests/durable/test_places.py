"""What a step has so far lies under the place of each call: of each item, each attempt, each time-out."""

import asyncio

import pytest

import cascade as cs
from cascade.runtime.durable import ownership
from cascade.simulation import run_simulated
from cascade.stores.memory import MemoryStore
from durable import steps

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(ownership, "_POLL", 0.01)
    steps.ran.clear()


@pytest.fixture
def store():
    return MemoryStore()


async def journaled(engine, name, entries):
    """Wait until a journal has so many entries."""
    async with asyncio.timeout(PATIENCE):
        while len((await engine.agents.load(name)).journal) < entries:
            await asyncio.sleep(0.005)


async def test_items_of_a_mapping_keep_values_of_their_own(store):
    async with cs.Engine(store=store) as one:
        await one.agents.start({"items": steps.items_and_a_word()})
        await journaled(one, "items", 3)
    assert steps.ran.count(("tenfold", 2)) == 1
    async with cs.Engine(store=store) as other:
        await other.run(steps.presses(cs.agent("items"), 1), name="p", durable=True)
        values = await other.run(steps.items_and_a_word(), name="items", durable=True)
    assert values == [20, 30, 40]
    assert sorted(each for each in steps.ran if each[0] == "tenfold") == [
        ("tenfold", n) for n in (2, 3, 4)
    ]


async def test_items_of_a_mapping_send_each_their_own(store):
    async with cs.Engine(store=store) as one:
        await one.agents.start({"ear": steps.hears_three([]), "mouths": steps.items_say()})
        heard = await one.run(steps.hears_three([]), name="ear", durable=True)
    assert sorted(heard) == [1, 2, 3]


def test_each_attempt_waits_for_a_time_of_its_own(monkeypatch):
    monkeypatch.setattr(ownership, "_POLL", 1.0)

    async def tries():
        loop = asyncio.get_running_loop()
        async with cs.Engine(store=MemoryStore()) as one:
            assert await one.run(steps.tries(10.0), name="t", durable=True) == "gave up"
            return loop.time()

    # three attempts of 10 s, and waits of 10 and 20 s between them
    assert run_simulated(tries()) == pytest.approx(60.0, abs=2.0)
    assert steps.ran == ["tried"] * 3


async def test_attempts_and_time_outs_go_on_where_they_were(store, monkeypatch):
    now = 1000.0
    for module in ("agent", "agents", "driving", "journal", "mailbox", "ownership"):
        monkeypatch.setattr(f"cascade.runtime.durable.{module}.unix_time", lambda: now)
    agents = {"t": steps.tries(3600.0), "l": steps.in_time(3600.0)}
    ended = 0
    for expected in (1, 1, 2, 2, 3, 3):
        async with cs.Engine(store=store) as engine:
            if ended == 0:
                await engine.agents.start(agents)
            await journaled(engine, "l", 1)
            async with asyncio.timeout(PATIENCE):
                while steps.ran.count("tried") < expected:
                    await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            ended += 1
        now += 4000.0 if ended % 2 else 8000.0
    assert ended == 6
    async with cs.Engine(store=store) as engine:
        assert await engine.run(steps.tries(3600.0), name="t", durable=True) == "gave up"
        assert await engine.run(steps.in_time(3600.0), name="l", durable=True) == "late"


async def test_what_came_while_the_step_waited_is_kept_where_it_is_left(store):
    async with cs.Engine(store=store) as one:
        await one.agents.start({"o": steps.waits_and_works("o")})
        async with asyncio.timeout(PATIENCE):
            while "price" not in steps.ran:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
    async with cs.Engine(store=store) as other:
        await other.run(steps.presses(cs.agent("o"), 4), name="p", durable=True)
        assert await other.run(steps.waits_and_works("o"), name="o", durable=True) == 7
    assert steps.ran == ["price"]
