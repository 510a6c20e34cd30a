"""Contract: many tasks, and several stores, use the same data at the same time."""

from __future__ import annotations

import asyncio

from cascade.interfaces.errors import LeaseLostError
from cascade.interfaces.store import Checkpoint, Store
from cascade.testing.stores.harness import OpenStore, a_letter, an_agent, claimed, mailbox, step

__all__ = ["Together"]

AGENTS = 40
STEPS = 5


async def pass_on(store: Store, name: str, epoch: int) -> None:
    """Commit some steps, each with a letter to the next agent and to who listens."""
    following = f"{(int(name) + 1) % AGENTS:03}"
    for number in range(STEPS):
        letters = [
            a_letter(f"{name}:{number}", following, id=f"{name}:{number}"),
            a_letter(f"{name}:{number}", topic=f"steps/{name}"),
        ]
        call = str(number).encode()
        reached = await store.commit(Checkpoint(name, epoch, 1.0, call=call, letters=letters))
        assert reached == {following, "listener"}


class Together:
    """Contract: many tasks, and several stores, use the same data at the same time."""

    async def test_many_tasks_commit_side_by_side_and_nothing_is_lost(self, store: Store) -> None:
        names = [f"{number:03}" for number in range(AGENTS)]
        await store.create([an_agent("listener", filters=("steps/+",))])
        await store.create([an_agent(name) for name in names])
        agents = await store.claim("owner", 0, 100, names=names)
        assert len(agents) == AGENTS
        await asyncio.gather(*(pass_on(store, agent.name, agent.epoch) for agent in agents))
        for place, name in enumerate(names):
            assert await mailbox(store, name) == [f"{names[place - 1]}:{n}" for n in range(STEPS)]
            agent = await store.load(name)
            assert agent is not None
            assert (agent.step, agent.call) == (STEPS, str(STEPS - 1).encode())
        heard = await mailbox(store, "listener")
        assert sorted(heard) == sorted(f"{name}:{n}" for name in names for n in range(STEPS))
        for name in names:
            assert [each for each in heard if each.startswith(name)] == [
                f"{name}:{n}" for n in range(STEPS)
            ]

    async def test_one_that_lost_its_lease_takes_no_other_along(self, store: Store) -> None:
        await store.create([an_agent(f"{n:03}") for n in range(AGENTS)])
        agents = await store.claim("owner", 0, 100)
        checkpoints = [
            Checkpoint(each.name, each.epoch + place % 2, 1.0, call=b"x", journal={"0": b"j"})
            for place, each in enumerate(agents)
        ]
        outcomes = await asyncio.gather(
            *(store.commit(each) for each in checkpoints), return_exceptions=True
        )
        assert [isinstance(each, LeaseLostError) for each in outcomes] == [
            bool(place % 2) for place in range(AGENTS)
        ]
        steps = [(agent.step, dict(agent.journal)) for agent in await store.list()]
        assert steps == [(0, {}) if place % 2 else (1, {"0": b"j"}) for place in range(AGENTS)]

    async def test_checkpoints_of_one_agent_are_committed_in_the_order_given(
        self, store: Store
    ) -> None:
        agent = await claimed(store)
        outcomes = await asyncio.gather(
            store.commit(step(agent, call=b"1")),
            store.commit(step(agent, call=None, journal={"0": b"j"})),
            store.commit(step(agent, call=b"2", status="finished", result=b"r")),
            store.commit(step(agent, call=b"3")),
            return_exceptions=True,
        )
        assert [type(each) for each in outcomes] == [set, set, set, LeaseLostError]
        after = await store.load("monday")
        assert after is not None
        assert (after.call, after.step, after.result, after.journal) == (b"2", 2, b"r", {})

    async def test_two_stores_see_what_the_other_did(
        self, store: Store, open_store: OpenStore
    ) -> None:
        other = await open_store()
        agent = await claimed(store, filters=("a/+", "b"))
        assert await other.load("monday") == agent
        for topic in ("a/x", "b"):
            assert await other.deliver([a_letter(topic, topic=topic)], 1) == {"monday"}
        await store.commit(step(agent, filters=("c/#",)))
        assert await other.deliver([a_letter("no", topic="a/x")], 1) == set()
        assert await other.deliver([a_letter("c", topic="c")], 1) == {"monday"}
        assert await mailbox(store) == ["a/x", "b", "c"]
        await other.decide("monday", "blocked", 2)
        try:
            await store.commit(step(agent))
        except LeaseLostError:
            pass
        else:
            raise AssertionError("the other store's decision did not fence this one's checkpoint")

    async def test_a_wildcard_filter_that_one_store_adds_is_heard_of_by_all(
        self, open_store: OpenStore
    ) -> None:
        stores = [await open_store() for _ in range(3)]
        for store in stores:
            assert await store.deliver([a_letter("x", topic="a/b")], 1) == set()
        for number, store in enumerate([*stores, await open_store()]):
            await store.create([an_agent(str(number), filters=(f"{number}/+",))])
            for other in stores:
                letter = a_letter("x", topic=f"{number}/x")
                assert await other.deliver([letter], 1) == {str(number)}

    async def test_several_stores_claim_each_agent_once(
        self, store: Store, open_store: OpenStore
    ) -> None:
        stores = [store, await open_store(), await open_store()]
        await store.create([an_agent(f"{number:03}") for number in range(300)])

        async def take(number: int) -> list[str]:
            names: list[str] = []
            while claims := await stores[number].claim(f"owner-{number}", 1, 100, limit=7):
                assert {agent.epoch for agent in claims} == {1}
                names += [agent.name for agent in claims]
            return names

        taken = await asyncio.gather(*map(take, range(len(stores))))
        everything = [name for names in taken for name in names]
        assert sorted(everything) == [f"{number:03}" for number in range(300)]
        for number, each in enumerate(stores):
            assert await each.renew(f"owner-{number}", 200) == set(taken[number])

    async def test_stores_that_write_at_once_wait_for_each_other(
        self, store: Store, open_store: OpenStore
    ) -> None:
        stores = [store, await open_store()]
        await store.create([an_agent()])
        letters = [
            [a_letter(f"{part}.{number}", "monday") for number in range(30)] for part in range(2)
        ]

        async def write(part: int) -> None:
            for letter in letters[part]:
                await stores[part].deliver([letter], 1)

        await asyncio.gather(write(0), write(1))
        heard = await mailbox(store)
        for part in range(2):
            mine = [each for each in heard if each.startswith(f"{part}.")]
            assert mine == [f"{part}.{number}" for number in range(30)]
