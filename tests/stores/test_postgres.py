"""What only a server does: it goes and comes back, deadlocks, and has been used by a newer version."""

import asyncio

import psycopg
import pytest

from cascade.interfaces.errors import LeaseLostError, StoreError, StoreUnavailableError
from cascade.interfaces.store import Checkpoint
from cascade.stores.postgres import PostgresStore, connection, schema
from cascade.stores.postgres.connection import Reconnecting
from cascade.stores.postgres.group_commit import _UnderWay
from cascade.stores.postgres.schema import MIGRATIONS
from cascade.testing.stores.harness import a_letter, an_agent, claimed, mailbox, step
from stores.postgres import NEEDS_POSTGRES, Postgres

pytestmark = NEEDS_POSTGRES


@pytest.fixture
def server():
    with Postgres() as server:
        yield server


@pytest.fixture
async def store(server):
    store = PostgresStore(server.url)
    await store.open()
    yield store
    await store.aclose()


def tasks():
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("cascade-store")]


async def test_no_task_and_no_connection_is_left_after_closing(server):
    store = PostgresStore(server.url)
    await store.open()
    await store.create([an_agent()])
    assert await store.load("monday") == an_agent()
    await store.aclose()
    assert tasks() == []
    async with await psycopg.AsyncConnection.connect(server.url) as connection:
        ask = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        async with asyncio.timeout(30):  # a server process ends a moment after its connection
            while await (await connection.execute(ask)).fetchone() != (1,):
                await asyncio.sleep(0.01)


async def test_a_server_that_is_not_there_is_told_at_once():
    store = PostgresStore("host=/nowhere/at/all dbname=postgres")
    with pytest.raises(StoreError, match="PostgreSQL: .*nowhere"):
        await store.open()
    with pytest.raises(StoreError, match=r"await store.open\(\)"):
        await store.load("monday")
    assert tasks() == []


async def test_it_is_used_on_the_loop_that_opened_it_alone(store):
    with pytest.raises(StoreError, match="another event loop"):
        await asyncio.to_thread(asyncio.run, store.load("a"))


async def test_what_a_newer_version_made_is_refused(server, store):
    newer = len(MIGRATIONS) + 1
    async with await psycopg.AsyncConnection.connect(server.url) as connection:
        await connection.execute(f"UPDATE cascade.versions SET version = {newer}")
    with pytest.raises(StoreError, match=f"version {newer}, this one knows {len(MIGRATIONS)}"):
        await PostgresStore(server.url).open()
    assert len(tasks()) == 1  # that of the one which is open


async def test_tables_of_the_first_version_are_brought_to_this_one(server, monkeypatch):
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", MIGRATIONS[:1])
        old = Reconnecting(server.url, "old", 30.0)
        await schema.migrate(await old.get(), "old")
        await old.aclose()
    store = PostgresStore(server.url, schema="old")
    await store.open()
    await store.create([an_agent()])
    assert await store.history("monday") == []
    await store.aclose()


async def test_stores_that_open_at_once_make_the_tables_once(server):
    stores = [PostgresStore(server.url, schema='an "odd" one') for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    await stores[0].create([an_agent()])
    assert await stores[4].load("monday") is not None
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_what_cannot_be_written_fails_alone_and_undoes_nothing_of_others(store):
    bad = an_agent("bad", error="a NUL: \0", filters=("wild/+",))
    outcomes = await asyncio.gather(
        store.create([an_agent("a", filters=("a/+",))]),
        store.create([an_agent("b"), bad]),
        store.deliver([a_letter("1", "a"), a_letter("2", topic="a/x")], 1),
        store.deliver([a_letter("3", topic="a/" + "\ud800")], 1),
        return_exceptions=True,
    )
    assert outcomes[0][0].name == "a"
    assert isinstance(outcomes[1], StoreError)
    assert outcomes[2] == {"a"}
    assert isinstance(outcomes[3], UnicodeEncodeError)
    assert [agent.name for agent in await store.list()] == ["a"]
    assert await mailbox(store, "a") == ["1", "2"]


@pytest.fixture(params=["before", "after"])
def losing_once(request, monkeypatch):
    """Lose the connection once, when the next commit has not yet, or has already, been done."""
    commit = _UnderWay.commit
    losses = []

    def arm():
        losses.append(request.param)

    async def lose(self, mark):
        if not losses:
            return await commit(self, mark)
        if losses.pop() == "after":
            await commit(self, mark)
        await self._connection.close()
        raise psycopg.OperationalError("the connection was lost")

    monkeypatch.setattr(_UnderWay, "commit", lose)
    return arm


async def test_a_commit_whose_connection_is_lost_is_done_once(store, losing_once):
    agent = await claimed(store)
    await store.create([an_agent("other")])
    losing_once()
    letter = a_letter("x", "other")
    assert await store.commit(step(agent, letters=[letter])) == {"other"}
    losing_once()
    assert [each.name for each in await store.claim("next", 1, 2, limit=1)] == ["other"]
    assert await mailbox(store, "other") == ["x"]
    after = await store.load("monday")
    assert after.step == 1


async def test_a_server_that_ends_at_once_and_comes_back_loses_nothing(server, store):
    agent = await claimed(store)
    done = asyncio.Event()

    async def count_up():
        number = 0
        while not done.is_set():
            call = str(number).encode()
            await store.commit(step(agent, call=call, letters=[a_letter(str(number), "monday")]))
            number += 1
        return number

    async def look():
        while not done.is_set():
            await store.load("monday")
            await asyncio.sleep(0)

    running = [asyncio.create_task(count_up()), asyncio.create_task(look())]
    for end in (server.kill, server.stop):
        await asyncio.sleep(0.05)
        await asyncio.to_thread(end)
        await asyncio.to_thread(server.start)
    done.set()
    number, _ = await asyncio.gather(*running)
    after = await store.load("monday")
    assert after.step == number
    assert await mailbox(store) == [str(each) for each in range(number)]


async def test_a_server_that_stays_away_is_told_and_later_it_goes_on(server):
    store = PostgresStore(server.url, patience=0.1)
    await store.open()
    await store.create([an_agent("a")])
    await asyncio.to_thread(server.stop)
    attempts = [store.create([an_agent("b")]), store.load("a"), store.claim("me", 0, 1)]
    for outcome in await asyncio.gather(*attempts, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailableError)
    await asyncio.to_thread(server.start)
    assert [agent.name for agent in await store.list()] == ["a"]
    await store.create([an_agent("c")])
    await store.aclose()


async def test_a_process_that_stands_still_amid_a_commit_holds_nobody_up_for_long(
    server, store, monkeypatch
):
    monkeypatch.setattr(connection, "_MOST_IDLE", 0.2)
    frozen = await Reconnecting(server.url, "cascade", 1).get()
    await frozen.execute("BEGIN")
    await frozen.execute("SELECT number FROM counters FOR UPDATE")
    async with asyncio.timeout(30):
        await store.create([an_agent("a")])
    assert [agent.name for agent in await store.list()] == ["a"]
    with pytest.raises(psycopg.Error):
        await frozen.execute("COMMIT")
    await frozen.close()


async def test_engines_side_by_side_never_own_the_same_epoch(server):
    """Three stores claim, commit and let leases end; every committed step was of the epoch that held it."""
    stores = [PostgresStore(server.url) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in stores))
    names = [f"{number:02}" for number in range(20)]
    await stores[0].create([an_agent(name) for name in names])
    now = 0
    committed = []
    epochs = []

    async def drive(number):
        nonlocal now
        store = stores[number]
        for _ in range(15):
            now += 1
            taken = await store.claim(f"owner-{now}", now, now, limit=5)
            epochs.extend((agent.name, agent.epoch) for agent in taken)
            checkpoints = [
                Checkpoint(agent.name, agent.epoch, now, call=b"x", letters=[a_letter("x", name)])
                for agent, name in zip(taken, names, strict=False)
            ]
            outcomes = await asyncio.gather(*map(store.commit, checkpoints), return_exceptions=True)
            assert all(isinstance(each, set | LeaseLostError) for each in outcomes), outcomes
            committed.extend(
                each.name
                for each, outcome in zip(checkpoints, outcomes, strict=True)
                if isinstance(outcome, set)
            )

    await asyncio.gather(*map(drive, range(3)))
    assert len(epochs) == len(set(epochs)) > 0
    agents = await stores[0].list()
    assert sum(agent.step for agent in agents) == len(committed)
    heard = sum([len(await stores[0].signals(name)) for name in names])
    assert heard == len(committed)
    await asyncio.gather(*(store.aclose() for store in stores))
