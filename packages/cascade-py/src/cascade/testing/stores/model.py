"""Contract: whatever is done in whatever order, a store does what `MemoryStore` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade.interfaces.errors import StoreError
from cascade.interfaces.store import Arrivals, Checkpoint, DurableAgent, Letter, Sleep, Store
from cascade.stores.memory import MemoryStore
from cascade.testing.stores.harness import StoreHarness, opening

__all__ = ["Model"]

Operation: TypeAlias = tuple[str, dict[str, Any]]

STATUSES = ["ready", "finished", "failed", "cancelled", "stuck", "blocked"]
names = st.sampled_from(["a", "b", "c", "d"])
owners = st.sampled_from(["one", "two"])
times = st.integers(0, 40).map(float)
texts = st.binary(max_size=3)
filters = st.lists(st.sampled_from(["t", "t/u", "t/+", "+/u", "#", "$x/#"]), max_size=3).map(tuple)
topics = st.sampled_from(["t", "t/u", "v/u", "$x/t"])
ids = st.sampled_from([None, None, "1", "2"])
letters = st.lists(st.builds(Letter, topics, texts, st.none() | names, ids), min_size=1, max_size=3)
places = st.dictionaries(st.sampled_from(["0", "1"]), texts, max_size=2)
agents = st.builds(
    DurableAgent,
    names,
    start=texts,
    call=texts,
    label=st.sampled_from(["", "x"]),
    filters=filters,
    created_at=times,
)


def _operation(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(fields))


commits = _operation(
    "commit",
    name=names,
    stale=st.sampled_from([0, 0, 0, 0, 1, -1]),
    take=st.integers(0, 2),
    at=times,
    call=st.none() | texts,
    status=st.sampled_from(["ready", "ready", "ready", "finished", "failed"]),
    letters=letters | st.just([]),
    journal=places,
    filters=st.none() | filters,
    sleep=st.none() | st.tuples(st.booleans(), st.none() | times),
    result=st.none() | texts,
    error=st.sampled_from([None, "e"]),
    history=st.sampled_from([0, 0, 1, 2]),
    releases=st.booleans(),
    waits=st.booleans(),
)
operations = st.lists(
    st.one_of(
        commits,
        commits,
        _operation("create", agents=st.lists(agents, max_size=3)),
        _operation(
            "claim",
            owner=owners,
            now=times,
            until=times,
            limit=st.integers(0, 3),
            names=st.none() | st.lists(names, max_size=2),
            labels=st.none() | st.just(["x"]),
        ),
        _operation("arrived", owner=owners),
        _operation("renew", owner=owners, until=times),
        _operation("deliver", letters=letters, at=times),
        _operation("decide", name=names, status=st.sampled_from(STATUSES), at=times),
        _operation("fork", name=names, new_name=names, at=times),
        _operation("fork", name=names, new_name=names, at=times, step=st.integers(0, 3)),
        _operation("sweep", ended_before=times, letters_before=times),
        _operation("list", prefix=st.sampled_from(["", "b"]), limit=st.integers(1, 5)),
    ),
    max_size=25,
)


async def _do(store: Store, kind: str, fields: dict[str, Any]) -> Any:
    """Do an operation; return what it gave, or the kind of its error."""
    if kind == "commit":
        agent = await store.load(fields["name"])
        fields = {**fields, "epoch": (agent.epoch if agent else 0) + fields["stale"]}
        signals = await store.signals(fields["name"])
        fields["consumed"] = [signal.number for signal in signals[: fields["take"]]]
        if fields["sleep"] is not None:
            blind, until = fields["sleep"]
            seen = 0 if blind or not signals else signals[-1].number
            fields["sleep"] = Sleep(seen, until)
        del fields["stale"], fields["take"]
        fields = {"checkpoint": Checkpoint(**fields)}
    method: Callable[..., Any] = getattr(store, kind)
    try:
        found = await method(**fields)
        return (found.names, found.due) if isinstance(found, Arrivals) else found
    except StoreError as error:
        return type(error)


async def _whole(store: Store) -> list[Any]:
    """Return all that lies there; of signals their order and not their numbers."""
    agents = await store.list()
    mailboxes = [
        [replace(signal, number=0) for signal in await store.signals(agent.name)]
        for agent in agents
    ]
    return [*agents, *mailboxes, *[await store.history(agent.name) for agent in agents]]


async def _compare(make: Callable[[], Store], done: list[Operation]) -> None:
    model = MemoryStore()
    async with opening(make) as open_store:
        stores = [await open_store(), await open_store()]
        for number, (kind, fields) in enumerate(done):
            store = stores[number % 2]
            assert await _do(store, kind, fields) == await _do(model, kind, fields), kind
            assert await _whole(store) == await _whole(model), kind


class Model:
    """Contract: whatever is done in whatever order, a store does what `MemoryStore` does."""

    @pytest.mark.slow
    def test_it_does_what_the_model_does(self, harness: StoreHarness) -> None:
        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(done=operations)
        def compare(done: list[Operation]) -> None:
            harness.clear()
            asyncio.run(_compare(harness.store, done))

        compare()
