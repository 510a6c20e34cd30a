"""What a step has so far lies under the place of each call: of each item, each attempt, each time-out."""

import asyncio

import pytest

import cascade as cs
from cascade.runtime.durable import ownership
from cascade.simulation import run_simulated
from cascade.stores.memory import MemoryStore
from durable import steps
from durable.patience import PATIENCE, awake, until, waits

pytestmark = pytest.mark.usefixtures("quick")


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
    for module in ("agent", "agents", "driving", "hearing", "journal", "ownership"):
        monkeypatch.setattr(f"cascade.runtime.durable.{module}.unix_time", lambda: now)
    agents = {"t": steps.tries(3600.0), "l": steps.in_time(3600.0)}
    for attempts, passes in [
        ([], 4000.0),
        ([2], 8000.0),
        ([2], 4000.0),
        ([3], 8000.0),
        ([3], 4000.0),
    ]:
        async with cs.Engine(store=store) as engine:
            await engine.agents.start(agents)
            await until(lambda: _has_attempts(engine, attempts))  # noqa: B023 - of this round
        now += passes
    async with cs.Engine(store=store) as engine:
        assert await engine.run(steps.tries(3600.0), name="t", durable=True) == "gave up"
        assert await engine.run(steps.in_time(3600.0), name="l", durable=True) == "late"


async def _has_attempts(engine, attempts):
    """Return whether the journal says so many attempts, and the step waits."""
    journal = (await engine.agents.load("t")).journal
    agent = awake(engine).get("t")
    came_to_wait = agent is not None and agent.mailbox.waiting + agent.journal.resting
    found = [int(journal[place]) for place in journal if place.endswith("!attempt")]
    return found == attempts and came_to_wait and not agent.is_writing


async def test_what_came_while_the_step_waited_is_kept_where_it_is_left(store):
    async with cs.Engine(store=store) as one:
        await one.agents.start({"o": steps.waits_and_works("o")})
        async with asyncio.timeout(PATIENCE):
            while "price" not in steps.ran:
                await asyncio.sleep(0.005)
        await until(lambda: _kept_price(one))
    async with cs.Engine(store=store) as other:
        await other.run(steps.presses(cs.agent("o"), 4), name="p", durable=True)
        assert await other.run(steps.waits_and_works("o"), name="o", durable=True) == 7
    assert steps.ran == ["price"]


async def _kept_price(engine):
    agent = awake(engine)["o"]
    return agent.journal.running == agent.mailbox.waiting == 1


async def test_what_a_step_waits_for_is_heard_until_it_ends_and_no_longer():
    bus = cs.LocalBusConnector(cs.LocalBroker())
    store = MemoryStore()
    async with cs.Engine(store=store, connector=bus) as one:
        await one.agents.start({"o": steps.hears_twice()})
        await journaled(one, "o", 1)
        assert (await one.agents.load("o")).filters == ("first",)
    async with cs.Engine(store=store, connector=bus) as other:
        await waits(other, "o")
        await bus.publish("first", 1)
        async with asyncio.timeout(PATIENCE):
            while (await other.agents.load("o")).filters != ("second",):
                await asyncio.sleep(0.005)
        await bus.publish("first", 1)
        await asyncio.sleep(0.05)
        assert await store.signals("o") == []
        await bus.publish("second", 2)
        assert await other.run(steps.hears_twice(), name="o", durable=True) == 3


async def test_who_is_killed_again_and_again_while_it_waits_is_not_stuck(store):
    await _entered(store)
    for _ in range(12):
        async with cs.Engine(store=Killed(store)) as one:
            await one.agents.recover()
            async with asyncio.timeout(PATIENCE):
                while (await store.load("a")).attempts > 1:
                    await asyncio.sleep(0.005)
        await _lost(store)
    async with cs.Engine(store=store) as one:
        await one.run(steps.presses(cs.agent("a"), 4), name="p", durable=True)
        assert await one.run(steps.told_by_name("a"), name="a", durable=True) == 7


async def _entered(store):
    async with cs.Engine(store=store) as one:
        await one.agents.start({"a": steps.told_by_name("a")})
        await journaled(one, "a", 1)


async def _lost(store):
    """Have the leases of everybody end."""
    store._leases = dict.fromkeys(store._leases, 0.0)


class Killed:
    """A store as a process has it that will be killed: it gives nothing back."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def commit(self, checkpoint):
        return set() if checkpoint.releases else await self._store.commit(checkpoint)
