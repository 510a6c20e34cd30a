"""Values that are too large for a row lie in files, which go when no row names them."""

import os
import sqlite3

import pytest

from cascade.interfaces.errors import StoreError
from cascade.stores.large import values
from cascade.stores.postgres import PostgresStore
from cascade.stores.sqlite import SqliteStore
from cascade.testing.stores.harness import a_letter, an_agent, claimed, mailbox, step
from stores.postgres import NEEDS_POSTGRES, Postgres

LARGE = b"x" * (values.LARGE + 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agents.db"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "large"


@pytest.fixture
async def store(path, folder):
    store = SqliteStore(path, files=folder)
    await store.open()
    yield store
    await store.aclose()


def names(folder):
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


def make_old(folder):
    for each in folder.iterdir():
        os.utime(each, (1, 1))


async def test_only_what_is_too_large_lies_in_a_file(store, path, folder):
    agent = await claimed(store)
    await store.commit(step(agent, call=LARGE[:-1]))
    assert names(folder) == set()
    await store.commit(step(agent, call=LARGE, history=1))
    assert len(names(folder)) == 1
    assert (await store.load("monday")).call == LARGE
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT length(call) FROM agents").fetchone()[0] < 200
    connection.close()


async def test_who_opens_the_store_without_saying_where_finds_them(store, path):
    await store.create([an_agent(call=LARGE, journal={"0": LARGE + b"0"})])
    other = SqliteStore(path)
    await other.open()
    assert await other.load("monday") == an_agent(call=LARGE, journal={"0": LARGE + b"0"})
    await other.deliver([a_letter("y" * len(LARGE), "monday")], 1)
    assert await mailbox(store) == ["y" * len(LARGE)]
    await other.aclose()


async def test_a_sweep_removes_what_no_row_names_and_is_not_new(store, folder):
    agent = await claimed(store)
    await store.commit(step(agent, call=LARGE + b"1"))
    await store.commit(step(agent, call=LARGE + b"2", history=1))
    await store.commit(step(agent, call=LARGE + b"3", history=1))
    before = names(folder)
    await store.sweep(0, 0)
    assert names(folder) == before
    make_old(folder)
    await store.sweep(0, 0)
    assert len(names(folder)) == 2
    assert (await store.load("monday")).call == LARGE + b"3"
    assert [each.call for each in await store.history("monday")] == [LARGE + b"2"]
    await store.decide("monday", "finished", 1)
    await store.sweep(2, 2)
    assert names(folder) == set()


async def test_a_file_that_is_gone_or_changed_is_named(store, folder):
    await store.create([an_agent(call=LARGE)])
    (file,) = folder.iterdir()
    file.write_bytes(b"other")
    with pytest.raises(StoreError, match=f"{file.name} of a value was changed"):
        await store.load("monday")
    file.unlink()
    with pytest.raises(StoreError, match=f"cannot read from {folder}: FileNotFoundError"):
        await store.load("monday")


async def test_what_cannot_be_written_is_not_committed(store, folder):
    agent = await claimed(store)
    folder.write_text("no folder")
    with pytest.raises(StoreError, match=f"cannot write to {folder}: FileExistsError"):
        await store.commit(step(agent, call=LARGE))
    assert await store.load("monday") == agent


async def test_they_lie_behind_a_url(path):
    store = SqliteStore(path, files="memory://large-values")
    await store.open()
    await store.create([an_agent(call=LARGE)])
    assert (await store.load("monday")).call == LARGE
    await store.decide("monday", "finished", 1)
    assert (await store.sweep(2, 2)).agents == 1
    await store.aclose()


async def test_a_url_that_nobody_knows_is_refused_and_leaves_nothing_open(path):
    store = SqliteStore(path, files="nowhere://at/all")
    with pytest.raises(StoreError, match="the URL of a store's files cannot be used"):
        await store.open()
    with pytest.raises(StoreError, match="is not open"):
        await store.load("monday")


class TestPostgres:
    pytestmark = NEEDS_POSTGRES

    async def test_they_lie_beside_a_database_on_a_server(self, folder):
        with Postgres() as server:
            store = PostgresStore(server.url, files=folder)
            await store.open()
            agent = await claimed(store)
            await store.commit(step(agent, call=LARGE + b"1"))
            await store.commit(step(agent, call=LARGE))
            other = PostgresStore(server.url)
            await other.open()
            assert (await other.load("monday")).call == LARGE
            make_old(folder)
            await other.sweep(0, 0)
            assert len(names(folder)) == 1
            await other.aclose()
            await store.aclose()
