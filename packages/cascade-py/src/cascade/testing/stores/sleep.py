"""Contract: an agent that waits may be left to its store, until a letter comes or its hour."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cascade.interfaces.store import DurableAgent, Letter, Sleep, Store
from cascade.testing.stores.harness import (
    OpenStore,
    StoreHarness,
    a_letter,
    an_agent,
    claimed,
    step,
)

__all__ = ["Sleepers"]


async def asleep(store: Store, name: str = "monday", **fields: Any) -> DurableAgent:
    """Create an agent that sleeps, until the time 50."""
    agent = await claimed(store, name, **fields)
    checkpoint = step(agent, call=None, at=2.0, releases=True, sleep=Sleep(0, 50.0))
    await store.commit(checkpoint)
    found = await store.load(name)
    assert found is not None
    assert (found.asleep, found.wake_at, found.owner, found.attempts) == (True, 50.0, None, 0)
    return found


async def taken(store: Store, now: float, **options: Any) -> list[str]:
    """Claim as somebody else; return the names."""
    return [agent.name for agent in await store.claim("other", now, now + 9, **options)]


class Sleepers:
    """Contract: an agent that waits may be left to its store, until a letter comes or its hour."""

    async def test_who_sleeps_is_taken_up_when_its_hour_has_come(self, store: Store) -> None:
        await asleep(store)
        assert await taken(store, 49.9) == []
        assert await taken(store, 49.9, names=["monday"]) == []
        (agent,) = await store.claim("other", 50.0, 60)
        assert (agent.asleep, agent.wake_at, agent.owner) == (False, None, "other")
        assert agent == await store.load("monday")

    async def test_it_is_taken_up_by_its_name_when_its_hour_has_come(self, store: Store) -> None:
        await asleep(store, label="gpu")
        assert await taken(store, 51, names=["monday"], labels=["cpu"]) == []
        assert await taken(store, 51, names=["monday"], labels=["gpu"]) == ["monday"]

    async def test_those_whose_hour_came_first_come_first(self, store: Store) -> None:
        for name, hour in [("late", 30.0), ("early", 20.0), ("never", None)]:
            agent = await claimed(store, name)
            await store.commit(step(agent, releases=True, sleep=Sleep(0, hour)))
        await store.create([an_agent("free", created_at=25.0)])
        assert (await store.arrived("owner")).due == 20.0
        assert await taken(store, 40) == ["early", "free", "late"]
        assert (await store.arrived("owner")).due is None

    @pytest.mark.parametrize(
        "letter", [a_letter("x", to="monday"), a_letter("x", topic="a/b"), a_letter("x", topic="c")]
    )
    async def test_a_letter_wakes_it_from_whoever_it_comes(
        self, store: Store, letter: Letter
    ) -> None:
        await asleep(store, filters=("a/+", "c"))
        assert await store.deliver([letter], 3) == {"monday"}
        agent = await store.load("monday")
        assert agent is not None
        assert (agent.asleep, agent.wake_at) == (False, None)
        assert await taken(store, 3) == ["monday"]

    async def test_a_letter_in_a_step_of_another_agent_wakes_it(
        self, store: Store, open_store: OpenStore
    ) -> None:
        await asleep(store)
        other = await open_store()
        for number, sender in enumerate([await claimed(other, "a"), await claimed(other, "b")]):
            checkpoints = [step(sender, letters=[a_letter("x", to="monday", id=str(number))])]
            assert await other.commit(*checkpoints) == {"monday"}
        assert await taken(store, 3) == ["monday"]

    async def test_who_has_not_seen_all_its_signals_stays_awake(self, store: Store) -> None:
        agent = await claimed(store)
        await store.deliver([a_letter("x", to="monday"), a_letter("y", to="monday")], 2)
        first, last = [signal.number for signal in await store.signals("monday")]
        await store.commit(step(agent, releases=True, sleep=Sleep(first, 50.0)))
        assert await taken(store, 3) == ["monday"]
        (found,) = await store.list()
        await store.commit(step(found, releases=True, sleep=Sleep(last)))
        assert await taken(store, 9_999) == []

    async def test_a_letter_to_itself_in_the_same_commit_wakes_it(self, store: Store) -> None:
        agent = await claimed(store)
        letters = [a_letter("x", to="monday")]
        await store.commit(step(agent, letters=letters, releases=True, sleep=Sleep(0)))
        assert await taken(store, 11) == ["monday"]

    async def test_only_who_gives_its_lease_back_sleeps(self, store: Store) -> None:
        agent = await claimed(store)
        await store.commit(step(agent, sleep=Sleep(0, 5.0)))
        found = await store.load("monday")
        assert found is not None
        assert (found.asleep, found.owner) == (False, "owner")

    @pytest.mark.parametrize("status", ["ready", "cancelled", "blocked"])
    async def test_a_decision_ends_its_sleep(self, store: Store, status: Any) -> None:
        await asleep(store)
        agent = await store.decide("monday", status, 4)
        assert agent is not None
        assert (agent.asleep, agent.wake_at) == (False, None)
        assert await taken(store, 99) == (["monday"] if status == "ready" else [])

    async def test_a_fork_of_it_is_awake(self, store: Store) -> None:
        await asleep(store)
        assert not (await store.fork("monday", "tuesday", 3)).asleep
        assert await taken(store, 3) == ["tuesday"]

    async def test_one_that_sleeps_is_entered_as_it_is(
        self, store: Store, open_store: OpenStore
    ) -> None:
        agent = an_agent(asleep=True, wake_at=12.25)
        assert await store.create([agent]) == [agent] == await (await open_store()).list()
        await store.deliver([a_letter("x", to="monday")], 3)
        assert await taken(store, 3) == ["monday"]

    async def test_only_who_is_ready_and_free_is_entered_asleep(self, store: Store) -> None:
        agent = an_agent(status="stuck", asleep=True, wake_at=12.25)
        (entered,) = await store.create([agent])
        assert (entered.asleep, entered.wake_at) == (False, None)
        assert (await store.arrived("owner")).due is None

    async def test_what_arrived_is_told_of_the_agents_that_one_holds(self, store: Store) -> None:
        for name in "abc":
            await claimed(store, name)
        await store.create([an_agent("free")])
        nothing = await store.arrived("owner")
        assert not nothing.names
        await store.deliver([a_letter("x", to=name) for name in ("a", "free")], 2)
        first = await store.arrived("owner", nothing.number)
        assert set(first.names) == {"a"}
        assert not (await store.arrived("nobody", nothing.number)).names
        await store.deliver([a_letter("x", to="b")], 2)
        assert set((await store.arrived("owner", first.number)).names) == {"b"}
        assert set((await store.arrived("owner")).names) == {"a", "b"}

    async def test_it_is_heard_when_others_have_written(
        self, harness: StoreHarness, open_store: OpenStore
    ) -> None:
        store, other = await open_store(), await open_store()
        if store is other:
            return  # there are no others
        await store.create([an_agent()])
        waiting = asyncio.ensure_future(store.others_wrote())
        await asyncio.sleep(0.2)
        await store.deliver([a_letter("own", to="monday")], 2)
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await other.deliver([a_letter("other's", to="monday")], 2)
        async with asyncio.timeout(30):
            await waiting

    async def test_what_was_taken_has_not_arrived(self, store: Store) -> None:
        agent = await claimed(store)
        await store.deliver([a_letter("x", to="monday")], 2)
        (signal,) = await store.signals("monday")
        await store.commit(step(agent, consumed=[signal.number]))
        assert not (await store.arrived("owner")).names
