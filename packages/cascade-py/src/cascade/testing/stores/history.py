"""Contract: earlier states of an agent are kept, as many as its owner says, and a fork may begin with one."""

from __future__ import annotations

import pytest

from cascade.interfaces.errors import StateNotKeptError
from cascade.interfaces.store import DurableAgent, PastState, Store
from cascade.testing.stores.harness import OpenStore, a_letter, an_agent, claimed, mailbox, step

__all__ = ["History"]


async def walked(store: Store, steps: int, history: int) -> DurableAgent:
    """Create an agent, and have it make steps at the times 1, 2, 3."""
    agent = await claimed(store, filters=("a",))
    for number in range(1, steps + 1):
        await store.commit(step(agent, call=b"%d" % number, at=float(number), history=history))
    return agent


class History:
    """Contract: earlier states of an agent are kept, and a fork may begin with one."""

    async def test_none_is_kept_unless_the_owner_says_so(self, store: Store) -> None:
        await walked(store, 3, history=0)
        assert await store.history("monday") == []
        assert await store.history("nobody") == []

    async def test_the_last_ones_are_kept_the_oldest_first(
        self, store: Store, open_store: OpenStore
    ) -> None:
        agent = await walked(store, 2, history=3)
        start = PastState(0, b'{"start":1}', 1.0)
        assert await store.history("monday") == [start, PastState(1, b"1", 2.0)]
        for number in (3, 4):
            await store.commit(step(agent, call=b"%d" % number, at=number, history=3))
        kept = [PastState(number, b"%d" % number, number + 1.0) for number in (1, 2, 3)]
        assert await store.history("monday") == kept
        assert await (await open_store()).history("monday") == kept
        await store.commit(step(agent, call=b"5", at=5.0, history=1))
        assert await store.history("monday") == [PastState(4, b"4", 5.0)]

    async def test_within_a_step_nothing_is_added(self, store: Store) -> None:
        agent = await walked(store, 1, history=2)
        await store.commit(step(agent, call=None, journal={"0": b"j"}, history=2))
        await store.commit(step(agent, call=None, status="finished", result=b"r", history=2))
        assert [each.step for each in await store.history("monday")] == [0]

    async def test_a_fork_begins_with_an_earlier_state_and_without_its_journal(
        self, store: Store
    ) -> None:
        agent = await walked(store, 3, history=2)
        await store.commit(step(agent, call=None, journal={"0": b"j"}))
        await store.deliver([a_letter("unread", topic="a")], 4)
        copy = await store.fork("monday", "tuesday", 5, step=1)
        fields = {"call": b"1", "step": 1, "filters": ("a",), "created_at": 5, "changed_at": 5}
        assert copy == an_agent("tuesday", **fields) == await store.load("tuesday")
        assert await mailbox(store, "tuesday") == ["unread"]
        assert await store.history("tuesday") == []
        (again,) = await store.claim("other", 6, 60, names=["tuesday"])
        for _ in range(2):
            await store.commit(step(again))
        after = await store.load("tuesday")
        assert after is not None
        assert (after.step, after.journal) == (3, {})

    async def test_a_fork_may_name_the_present_state(self, store: Store) -> None:
        agent = await walked(store, 1, history=0)
        await store.commit(step(agent, call=None, journal={"0": b"j"}))
        copy = await store.fork("monday", "tuesday", 5, step=1)
        assert (copy.step, copy.call, copy.journal) == (1, b"1", {"0": b"j"})

    async def test_a_state_that_is_not_kept_is_refused_with_those_that_are(
        self, store: Store
    ) -> None:
        await walked(store, 3, history=1)
        with pytest.raises(StateNotKeptError, match=r"no state of step 1 is kept, but of 2, 3;"):
            await store.fork("monday", "tuesday", 5, step=1)
        assert await store.load("tuesday") is None

    async def test_who_lost_its_lease_adds_nothing(self, store: Store) -> None:
        agent = await walked(store, 1, history=2)
        await store.decide("monday", "blocked", 2)
        with pytest.raises(Exception, match="lease"):
            await store.commit(step(agent, history=2))
        assert [each.step for each in await store.history("monday")] == [0]

    async def test_it_goes_with_its_agent(self, store: Store) -> None:
        await walked(store, 1, history=2)
        await store.decide("monday", "finished", 2)
        assert (await store.sweep(3, 3)).agents == 1
        await store.create([an_agent()])
        assert await store.history("monday") == []
