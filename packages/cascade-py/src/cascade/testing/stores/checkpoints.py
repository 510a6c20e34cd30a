"""Contract: a checkpoint is committed whole by who holds the agent, and by nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cascade.interfaces.errors import LeaseLostError
from cascade.interfaces.store import AgentStatus, Checkpoint, Store
from cascade.testing.stores.harness import (
    OpenStore,
    a_letter,
    an_agent,
    claimed,
    mailbox,
    step,
)

__all__ = ["Checkpoints"]


class Checkpoints:
    """Contract: a checkpoint is committed whole by who holds the agent, and by nobody else."""

    async def test_who_waits_has_made_no_attempts(self, store: Store) -> None:
        await claimed(store)
        (agent,) = await store.claim("other", 101, 200)
        assert agent.attempts == 2
        await store.commit(step(agent, call=None, waits=True))
        found = await store.load("monday")
        assert found is not None
        assert (found.attempts, found.step) == (0, 0)

    async def test_a_step_is_durable_when_it_returns(
        self, store: Store, open_store: OpenStore
    ) -> None:
        agent = await claimed(store, journal={"0": b"old"}, error="before")
        assert await store.commit(step(agent, call=b"next", at=11.5)) == set()
        await store.aclose()
        after = await (await open_store()).load("monday")
        assert after == replace(
            agent,
            call=b"next",
            step=1,
            attempts=0,
            journal={},
            error=None,
            changed_at=11.5,
        )

    async def test_within_a_step_the_call_stays_and_the_journal_grows(self, store: Store) -> None:
        agent = await claimed(store)
        for place, value in [("0", b"a"), ("0/1", b"\x00"), ("0", b"b")]:
            await store.commit(step(agent, call=None, journal={place: value}, at=9.0))
        after = await store.load("monday")
        assert after == replace(agent, journal={"0": b"b", "0/1": b"\x00"}, changed_at=9.0)

    async def test_a_step_empties_the_journal_before_it_adds(self, store: Store) -> None:
        agent = await claimed(store)
        await store.commit(step(agent, call=None, journal={"0": b"a", "1": b"b"}))
        await store.commit(step(agent, journal={"1": b"c"}))
        after = await store.load("monday")
        assert after is not None
        assert after.journal == {"1": b"c"}

    @pytest.mark.parametrize("status", ["finished", "failed", "stuck", "blocked"])
    async def test_an_ending_says_how_and_nobody_holds_the_agent(
        self, store: Store, status: AgentStatus
    ) -> None:
        agent = await claimed(store)
        ending = step(agent, call=None, status=status, result=b"\x00r", error="e", at=12.0)
        await store.commit(ending)
        after = await store.load("monday")
        assert after == replace(
            agent,
            status=status,
            result=b"\x00r",
            error="e",
            owner=None,
            lease_until=None,
            changed_at=12.0,
        )
        with pytest.raises(LeaseLostError):
            await store.commit(ending)

    async def test_a_lease_is_given_back_with_what_was_done(self, store: Store) -> None:
        agent = await claimed(store)
        await store.commit(step(agent, call=None, releases=True))
        after = await store.load("monday")
        assert after is not None
        assert (after.owner, after.lease_until, after.attempts) == (None, None, 0)
        (again,) = await store.claim("other", 11, 20)
        assert (again.epoch, again.attempts) == (agent.epoch + 1, 1)
        with pytest.raises(LeaseLostError):
            await store.commit(step(agent))

    async def test_attempts_are_counted_until_a_step_is_committed(self, store: Store) -> None:
        await claimed(store)
        for attempt in (2, 3):
            now = 1_000.0 * attempt
            (agent,) = await store.claim("owner", now, now + 10)
            await store.commit(step(agent, call=None))
            assert agent.attempts == attempt
        await store.commit(step(agent))
        after = await store.load("monday")
        assert after is not None
        assert after.attempts == 0

    async def test_signals_that_were_consumed_are_gone_and_no_others(self, store: Store) -> None:
        agent = await claimed(store)
        await store.create([an_agent("other")])
        for to in ("monday", "other"):
            await store.deliver([a_letter(each, to) for each in "abcd"], 1)
        numbers = [signal.number for signal in await store.signals("monday")]
        others = [signal.number for signal in await store.signals("other")]
        await store.commit(step(agent, consumed=[numbers[2], numbers[0], 10**12, *others]))
        assert await mailbox(store) == ["b", "d"]
        assert await mailbox(store, "other") == ["a", "b", "c", "d"]

    async def test_another_epoch_changes_nothing_at_all(self, store: Store) -> None:
        agent = await claimed(store, filters=("t",))
        await store.create([an_agent("other")])
        await store.deliver([a_letter("unread", "monday")], 1)
        before = await store.load("monday")
        (signal,) = await store.signals("monday")
        whole = step(
            agent,
            consumed=[signal.number],
            letters=[a_letter("x", "other"), a_letter("y", "nobody"), a_letter("z")],
            journal={"0": b""},
            filters=("u",),
            status="finished",
            releases=True,
        )
        for epoch in (agent.epoch - 1, agent.epoch + 1):
            with pytest.raises(LeaseLostError, match=f"'monday'.* epoch {epoch}"):
                await store.commit(replace(whole, epoch=epoch))
        assert await store.load("monday") == before
        assert await mailbox(store) == ["unread"]
        assert await mailbox(store, "other") == []
        assert await store.deliver([a_letter("u", topic="u")], 2) == set()
        await store.create([an_agent("nobody")])
        assert await mailbox(store, "nobody") == []

    async def test_an_agent_that_is_not_there_has_no_lease(self, store: Store) -> None:
        with pytest.raises(LeaseLostError, match="'nobody'"):
            await store.commit(Checkpoint("nobody", 0, 1.0))

    async def test_who_was_too_slow_is_fenced_by_the_next_claim(self, store: Store) -> None:
        slow = await claimed(store)
        await store.commit(step(slow, at=101.0))
        (quick,) = await store.claim("quick", 102, 200)
        with pytest.raises(LeaseLostError):
            await store.commit(step(slow))
        await store.commit(step(quick))
        after = await store.load("monday")
        assert after is not None
        assert after.step == 2

    async def test_filters_change_when_the_checkpoint_says_so(self, store: Store) -> None:
        agent = await claimed(store, filters=("a", "b/+"))
        await store.commit(step(agent))
        assert await store.deliver([a_letter("1", topic="a"), a_letter("2", topic="b/x")], 1)
        await store.commit(step(agent, filters=("b/+", "c", "c")))
        for topic, heard in {"a": set(), "b/y": {"monday"}, "c": {"monday"}}.items():
            assert await store.deliver([a_letter(topic, topic=topic)], 2) == heard, topic
        after = await store.load("monday")
        assert after is not None
        assert after.filters == ("b/+", "c", "c")
        await store.commit(step(agent, filters=()))
        assert await store.deliver([a_letter("4", topic="b/z")], 3) == set()
        assert await mailbox(store) == ["1", "2", "b/y", "c"]
