"""Contract: agents that are ready and that nobody holds are claimed, and leases are renewed."""

from __future__ import annotations

from cascade.interfaces.store import Store
from cascade.testing.stores.harness import an_agent, claimed, step

__all__ = ["Claims"]


async def taken(store: Store, now: float = 1, **options: object) -> list[str]:
    """Claim as somebody who never comes back; return the names."""
    claims = await store.claim("taker", now, now + 1, **options)  # type: ignore[arg-type] # a test's
    return [agent.name for agent in claims]


class Claims:
    """Contract: agents that are ready and that nobody holds are claimed, and leases are renewed."""

    async def test_a_claim_raises_epoch_and_attempts_and_names_the_owner(
        self, store: Store
    ) -> None:
        await store.create([an_agent(changed_at=0.5)])
        (agent,) = await store.claim("me", 1, 31)
        assert (agent.owner, agent.lease_until, agent.epoch, agent.attempts) == ("me", 31, 1, 1)
        assert agent == await store.load("monday")
        (again,) = await store.claim("you", 32, 60)
        assert (again.owner, again.lease_until, again.epoch, again.attempts) == ("you", 60, 2, 2)
        assert (again.step, again.changed_at) == (0, 0.5)

    async def test_what_is_held_is_not_claimed_until_its_lease_has_ended(
        self, store: Store
    ) -> None:
        await claimed(store)
        assert await store.claim("other", 99, 200) == []
        assert await store.claim("other", 100, 200) == []
        assert len(await store.claim("other", 100.5, 200)) == 1

    async def test_an_owner_does_not_claim_what_it_holds(self, store: Store) -> None:
        await claimed(store)
        assert await store.claim("owner", 50, 200) == []

    async def test_an_owner_may_claim_again_what_it_held_too_long(self, store: Store) -> None:
        before = await claimed(store)
        (agent,) = await store.claim("owner", 101, 200)
        assert agent.epoch == before.epoch + 1

    async def test_those_that_nobody_has_held_for_longest_come_first(self, store: Store) -> None:
        created = [("c", 30.0), ("a", 10.0), ("b", 20.0), ("d", 20.0)]
        await store.create([an_agent(name, created_at=at) for name, at in created])
        assert await taken(store, 90, limit=2) == ["a", "b"]
        assert await taken(store, 90, limit=2) == ["d", "c"]

    async def test_a_lease_that_ended_waits_since_then(self, store: Store) -> None:
        await store.create([an_agent("held")])
        await store.claim("dead", 0, 15)
        await store.create([an_agent("a", created_at=10.0), an_agent("b", created_at=20.0)])
        assert await taken(store, 30) == ["a", "held", "b"]

    async def test_what_was_given_back_waits_since_then(self, store: Store) -> None:
        agent = await claimed(store, "back")
        await store.create([an_agent("a", created_at=10.0), an_agent("b", created_at=20.0)])
        await store.commit(step(agent, call=None, at=15.0, releases=True))
        assert await taken(store, 30) == ["a", "back", "b"]

    async def test_what_was_created_by_a_clock_that_is_ahead_is_claimed_too(
        self, store: Store
    ) -> None:
        await store.create([an_agent(created_at=1_000.0)])
        assert await taken(store, 1) == ["monday"]

    async def test_no_more_are_claimed_than_the_limit_says(self, store: Store) -> None:
        await store.create([an_agent(f"{number:03}") for number in range(250)])
        assert len(await store.claim("default", 0, 9)) == 100
        assert await store.claim("none", 0, 9, limit=0) == []
        assert len(await store.claim("rest", 0, 9, limit=1_000)) == 150

    async def test_names_alone_are_claimed(self, store: Store) -> None:
        await store.create([an_agent(name) for name in "abcd"])
        assert await taken(store, names=["d", "b", "nobody"]) == ["b", "d"]
        assert await taken(store, names=[]) == []
        assert await taken(store, names={"b", "a"}, limit=5) == ["a"]

    async def test_labels_alone_are_claimed(self, store: Store) -> None:
        labels = {"a": "gpu", "b": "", "c": "cpu", "d": "gpu"}
        await store.create([an_agent(name, label=label) for name, label in labels.items()])
        assert await taken(store, labels=["gpu", "other"], limit=1) == ["a"]
        assert await taken(store, labels={"", "gpu"}) == ["b", "d"]
        assert await taken(store, labels=[]) == []
        assert await taken(store, labels=["cpu"], names=["a", "b"]) == []
        assert await taken(store) == ["c"]

    async def test_only_what_is_ready_is_claimed(self, store: Store) -> None:
        statuses = ["finished", "failed", "cancelled", "stuck", "blocked", "ready"]
        await store.create([an_agent(each, status=each) for each in statuses])
        assert await taken(store, 1_000) == ["ready"]

    async def test_renewing_prolongs_all_leases_of_an_owner_and_names_what_it_holds(
        self, store: Store
    ) -> None:
        await claimed(store, "a")
        await claimed(store, "b")
        await store.create([an_agent("c"), an_agent("free")])
        await store.claim("other", 0, 100, names=["c"])
        assert await store.renew("owner", 150) == {"a", "b"}
        assert await store.claim("third", 120, 200, names=["a", "b"]) == []
        assert await taken(store, 120, names=["c"]) == ["c"]
        assert sorted(await taken(store, 151, names=["a", "b"])) == ["a", "b"]

    async def test_renewing_does_not_bring_back_what_somebody_else_took(self, store: Store) -> None:
        await claimed(store, "a")
        await claimed(store, "b")
        await store.claim("other", 101, 200, names=["a"])
        assert await store.renew("owner", 300) == {"b"}
        agent = await store.load("a")
        assert agent is not None
        assert (agent.owner, agent.lease_until) == ("other", 200)

    async def test_what_ended_or_was_given_back_is_not_held(self, store: Store) -> None:
        ended, back = await claimed(store, "ended"), await claimed(store, "back")
        await store.commit(step(ended, status="finished"))
        await store.commit(step(back, releases=True))
        assert await store.renew("owner", 200) == set()
        assert await store.renew("nobody", 200) == set()

    async def test_a_lease_is_never_shortened(self, store: Store) -> None:
        await claimed(store)
        await store.renew("owner", 50)
        await store.create([an_agent("later")])
        await store.claim("owner", 10, 20)
        assert await store.claim("other", 99, 200) == []

    async def test_claiming_prolongs_what_the_owner_holds_already(self, store: Store) -> None:
        await claimed(store)
        await store.create([an_agent("later")])
        await store.claim("owner", 10, 150)
        agent = await store.load("monday")
        assert agent is not None
        assert agent.lease_until == 150
