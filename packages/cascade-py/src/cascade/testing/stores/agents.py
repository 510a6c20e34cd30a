"""Contract: agents are entered, read, listed, decided about, copied and swept."""

from __future__ import annotations

import pytest

from cascade.interfaces.errors import AgentExistsError, LeaseLostError, StoreError
from cascade.interfaces.store import AgentStatus, DurableAgent, Store, Swept
from cascade.testing.stores.harness import (
    OpenStore,
    a_letter,
    an_agent,
    claimed,
    mailbox,
    step,
)

__all__ = ["Agents"]

ENDINGS: tuple[AgentStatus, ...] = ("finished", "failed", "cancelled")
KEPT: tuple[AgentStatus, ...] = ("stuck", "blocked")


class Agents:
    """Contract: agents are entered, read, listed, decided about, copied and swept."""

    async def test_opening_twice_and_closing_twice_does_nothing_more(self, store: Store) -> None:
        await store.open()
        await store.create([an_agent()])
        await store.aclose()
        await store.aclose()
        await store.open()
        assert await store.load("monday") is not None

    async def test_what_was_entered_is_there_again_whole_when_it_is_opened_again(
        self, store: Store, open_store: OpenStore
    ) -> None:
        whole = DurableAgent(
            "größe/1",
            start=b"\xff\x00start",
            call=b"call\x00\xfe",
            label="gpu",
            params=b'{"speed": 1}',
            status="stuck",
            step=3,
            epoch=2,
            attempts=5,
            filters=("a/+", "b", "#"),
            journal={"0/1": b"\x00value", "": b""},
            result=b"",
            error="why not\nno",
            created_at=1.5,
            changed_at=1_800_000_000.123456,
        )
        assert await store.create([whole]) == [whole]
        await store.aclose()
        assert await (await open_store()).load("größe/1") == whole

    async def test_an_agent_that_was_there_before_stays_as_it_is(self, store: Store) -> None:
        first = an_agent(label="first")
        assert await store.create([first, an_agent("other")]) == [first, an_agent("other")]
        assert await store.create([an_agent(label="second"), an_agent("third")]) == [
            first,
            an_agent("third"),
        ]
        assert await store.create([an_agent("x", step=1), an_agent("x", step=2)]) == [
            an_agent("x", step=1),
            an_agent("x", step=1),
        ]
        assert await store.load("monday") == first

    async def test_entering_none_changes_nothing(self, store: Store) -> None:
        assert await store.create([]) == []
        assert await store.list() == []

    async def test_an_agent_may_be_entered_as_held(self, store: Store) -> None:
        await store.create([an_agent(owner="me", epoch=1, attempts=1, lease_until=50.0)])
        assert await store.claim("you", 49, 60) == []
        agent = await store.load("monday")
        assert agent is not None
        await store.commit(step(agent))
        (taken,) = await store.claim("you", 51, 60)
        assert (taken.epoch, taken.step, taken.owner, taken.lease_until) == (2, 1, "you", 60)

    async def test_what_is_not_there_is_none_and_has_an_empty_mailbox(self, store: Store) -> None:
        assert await store.load("nobody") is None
        assert await store.signals("nobody") == []
        assert await store.decide("nobody", "cancelled", 1) is None

    async def test_agents_are_listed_by_name_in_pages(self, store: Store) -> None:
        names = ["b/2", "a", "b/10", "B", "b", "ä", "b%", "b_1", "bx"]
        await store.create([an_agent(name) for name in names])
        assert [agent.name for agent in await store.list()] == sorted(names)
        assert [agent.name for agent in await store.list(prefix="b/")] == ["b/10", "b/2"]
        assert [agent.name for agent in await store.list(prefix="b_")] == ["b_1"]
        assert [agent.name for agent in await store.list(prefix="b%")] == ["b%"]
        page = await store.list(after="a", limit=2)
        assert [agent.name for agent in page] == ["b", "b%"]
        assert [a.name for a in await store.list(prefix="b", after="b/10")] == ["b/2", "b_1", "bx"]

    async def test_agents_are_listed_by_status(self, store: Store) -> None:
        await store.create([an_agent("a"), an_agent("b"), an_agent("c")])
        await store.decide("b", "blocked", 1)
        await store.decide("c", "failed", 1)
        assert [agent.name for agent in await store.list(statuses=["ready"])] == ["a"]
        listed = await store.list(statuses={"blocked", "failed"})
        assert [agent.name for agent in listed] == ["b", "c"]
        assert await store.list(statuses=[]) == []

    @pytest.mark.parametrize("status", ENDINGS + KEPT)
    async def test_a_decision_sets_the_status_and_fences_the_owner(
        self, store: Store, status: AgentStatus
    ) -> None:
        agent = await claimed(store)
        decided = await store.decide("monday", status, 7, reason="so it is")
        assert decided is not None
        assert decided == await store.load("monday")
        assert (decided.status, decided.error, decided.changed_at) == (status, "so it is", 7)
        assert (decided.owner, decided.lease_until, decided.attempts) == (None, None, 1)
        assert decided.epoch > agent.epoch
        with pytest.raises(LeaseLostError, match="'monday'"):
            await store.commit(step(agent))
        assert await store.claim("other", 1_000, 2_000) == []

    async def test_ready_again_means_claimable_and_without_attempts(self, store: Store) -> None:
        agent = await claimed(store, journal={"0": b"1"})
        await store.decide("monday", "stuck", 7, reason="too often")
        decided = await store.decide("monday", "ready", 8)
        assert decided is not None
        assert (decided.attempts, decided.error, decided.journal) == (0, None, {"0": b"1"})
        (again,) = await store.claim("other", 9, 20)
        assert again.epoch > agent.epoch
        assert again.attempts == 1

    async def test_ready_fences_whoever_holds_it(self, store: Store) -> None:
        agent = await claimed(store)
        await store.decide("monday", "ready", 8)
        with pytest.raises(LeaseLostError):
            await store.commit(step(agent))
        assert len(await store.claim("other", 9, 20)) == 1

    @pytest.mark.parametrize("status", ["ready", *ENDINGS, *KEPT])
    async def test_a_fork_copies_state_filters_and_unread_signals_and_is_ready(
        self, store: Store, status: AgentStatus
    ) -> None:
        agent = await claimed(store, label="gpu", params=b"p", filters=("a/+",), created_at=1.0)
        await store.deliver([a_letter(each, topic="a/b", id=each) for each in "xyz"], 2)
        (first, *_) = await store.signals("monday")
        await store.commit(step(agent, consumed=[first.number]))
        await store.commit(step(agent, call=None, journal={"3": b"j"}))
        await store.decide("monday", status, 4, reason="because")
        before = await store.load("monday")
        copy = await store.fork("monday", "tuesday", 5)
        expected = an_agent(
            "tuesday",
            call=b'{"next":1}',
            label="gpu",
            params=b"p",
            step=1,
            filters=("a/+",),
            journal={"3": b"j"},
            created_at=5,
            changed_at=5,
        )
        assert copy == expected == await store.load("tuesday")
        assert await store.load("monday") == before
        assert await mailbox(store, "tuesday") == ["y", "z"] == await mailbox(store)
        assert "tuesday" in await store.deliver([a_letter("w", topic="a/c")], 6)
        taken = await store.claim("owner", 6, 200, names=["tuesday"])
        assert [each.epoch for each in taken] == [1]

    async def test_a_fork_needs_an_agent_and_a_new_name(self, store: Store) -> None:
        await store.create([an_agent(), an_agent("tuesday")])
        with pytest.raises(StoreError, match="no agent 'nobody'"):
            await store.fork("nobody", "new", 1)
        with pytest.raises(AgentExistsError, match="'tuesday'"):
            await store.fork("monday", "tuesday", 1)
        assert [agent.name for agent in await store.list()] == ["monday", "tuesday"]

    async def test_letters_that_wait_for_the_name_of_a_fork_come_after_the_copied(
        self, store: Store
    ) -> None:
        await store.create([an_agent()])
        await store.deliver([a_letter("early", "tuesday"), a_letter("copied", "monday")], 1)
        await store.fork("monday", "tuesday", 2)
        assert await mailbox(store, "tuesday") == ["copied", "early"]

    async def test_a_sweep_removes_what_ended_and_dead_letters_before_their_times(
        self, store: Store
    ) -> None:
        for at, name in enumerate(["old", "late", "stuck", "ready"]):
            await store.create([an_agent(name, filters=("t",), journal={"0": b""})])
            await store.deliver([a_letter("unread", name)], at)
        await store.decide("old", "finished", 10)
        await store.decide("late", "cancelled", 20)
        await store.decide("stuck", "stuck", 10)
        await store.deliver([a_letter("first", "nobody")], 5)
        await store.deliver([a_letter("second", "nobody")], 6)
        assert await store.sweep(20, 6) == Swept(agents=1, letters=1)
        assert [agent.name for agent in await store.list()] == ["late", "ready", "stuck"]
        assert await store.signals("old") == []
        await store.create([an_agent("nobody"), an_agent("old")])
        assert await mailbox(store, "nobody") == ["second"]
        old = await store.load("old")
        assert old == an_agent("old")
        assert await mailbox(store, "old") == []
        assert await store.sweep(20, 6) == Swept()
