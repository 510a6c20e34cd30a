"""What only a file does: it is full, locked, somebody else's, or written while its process is killed."""

import asyncio
import gc
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from cascade.interfaces.errors import LeaseLostError, StoreError
from cascade.interfaces.store import Checkpoint
from cascade.stores.sqlite import SqliteStore, schema
from cascade.stores.sqlite.place import refuse_network_file_system
from cascade.stores.sqlite.schema import MIGRATIONS
from cascade.testing.stores.harness import a_letter, an_agent, mailbox
from rows import each_row

WRITERS = Path(__file__).parent / "writers.py"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agents.db"


@pytest.fixture
async def store(path):
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.aclose()


def program(*arguments, **options):
    command = [sys.executable, WRITERS, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def said_by(*arguments):
    with program(*arguments) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return said


def threads():
    return [each for each in threading.enumerate() if each.name.startswith("cascade-store")]


async def test_no_thread_and_no_connection_is_left_after_closing(path):
    store = SqliteStore(path)
    await store.open()
    assert len(threads()) == 2
    await store.create([an_agent()])
    await store.aclose()
    assert threads() == []
    assert sorted(each.name for each in path.parent.iterdir()) == ["agents.db"]


async def test_what_was_begun_is_finished_before_it_closes(path, store):
    tasks = [asyncio.create_task(store.create([an_agent(str(n))])) for n in range(20)]
    await asyncio.sleep(0)
    await store.aclose()
    await asyncio.gather(*tasks)
    await store.open()
    assert len(await store.list()) == 20


def test_a_program_that_does_not_close_it_ends_all_the_same(path):
    assert said_by("leave", path) == ""
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM agents").fetchall() == [("a",)]
    connection.close()


def test_a_store_whose_loop_ended_may_be_opened_on_another(path):
    store = SqliteStore(path)

    async def leave(name):
        await store.open()
        await store.create([an_agent(name)])

    async def come_back():
        await store.open()
        names = [agent.name for agent in await store.list()]
        await store.aclose()
        return names

    asyncio.run(leave("a"))
    asyncio.run(leave("b"))
    assert asyncio.run(come_back()) == ["a", "b"]


async def test_it_is_used_on_the_loop_that_opened_it_alone(store):
    with pytest.raises(StoreError, match="another event loop"):
        await asyncio.to_thread(asyncio.run, store.load("a"))


async def test_what_is_not_open_says_so(path):
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"await store.open\(\)"):
        await store.load("a")
    with pytest.raises(StoreError, match=r"await store.open\(\)"):
        await store.create([])


@each_row(
    ("arguments", "reason"),
    [
        ({"path": ":memory:"}, "MemoryStore"),
        ({"path": ""}, "no path of a file"),
        ({"path": "a.db", "synchronous": "OFF"}, "'NORMAL' or 'FULL', not 'OFF'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        SqliteStore(**arguments)


async def test_the_pragmas_are_those_that_were_asked_for(path):
    for synchronous, number in [("NORMAL", 1), ("FULL", 2)]:
        store = SqliteStore(str(path), synchronous=synchronous)
        await store.open()

        def ask(transaction):
            names = ["journal_mode", "synchronous", "auto_vacuum"]
            return [
                transaction.connection.execute(f"PRAGMA {each}").fetchone()[0] for each in names
            ]

        assert await store._write(ask) == ["wal", number, 2]
        await store.aclose()


async def refusal_of(path):
    with pytest.raises(StoreError) as caught:
        await SqliteStore(path).open()
    assert threads() == []
    return str(caught.value)


async def test_a_newer_file_is_refused_and_left_as_it_is(path, store):
    await store.aclose()
    newer = len(MIGRATIONS) + 1
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    connection.close()
    before = path.read_bytes()
    said = await refusal_of(path)
    assert f"have version {newer}, this one knows {len(MIGRATIONS)}" in said
    assert "install that version" in said
    assert path.read_bytes() == before


async def test_a_file_of_the_first_version_is_brought_to_this_one(path, monkeypatch):
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", MIGRATIONS[:1])
        connection = schema.connect_to_write(path, "NORMAL", 1.0)
        connection.execute(
            "INSERT INTO agents (name, status, epoch, step, attempts, free_since, created_at, changed_at,"
            " label, filters) VALUES ('monday', 'ready', 0, 2, 0, 0, 0, 0, '', '[]')"
        )
        connection.execute("INSERT INTO starts VALUES (1, ?, ?)", (b'{"start":1}', b"{}"))
        connection.close()
    store = SqliteStore(path)
    await store.open()
    assert await store.load("monday") == an_agent(step=2)
    assert await store.history("monday") == []
    await store.aclose()


async def test_a_database_of_another_program_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    assert "another program" in await refusal_of(path)


async def test_what_is_no_database_is_refused(path):
    path.write_text("Dear diary, " * 1_000)
    assert "no SQLite file" in await refusal_of(path)


async def test_a_folder_that_is_not_there_is_told(path):
    assert "the folder has to be there" in await refusal_of(path.parent / "nowhere" / "agents.db")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_a_file_that_may_not_be_written_is_told(path):
    said_by("leave", path)
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    try:
        file = folder / "agents.db"
        shutil.copy(path, file)
        file.chmod(0o444)
        folder.chmod(0o555)
        said = said_by("refused", file)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
    assert "may not be written" in said or "cannot be opened" in said
    assert "change its permissions" in said or "may be written" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits there")
def test_a_full_disk_fails_what_does_not_fit_and_later_it_goes_on(path):
    said = said_by("fill", path, 300_000)
    assert "the disk is full" in said or "the disk does not" in said


MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
server:/far /far nfs4 rw 0 0
/dev/sdb1 /far/local ext4 rw 0 0
//server/share /mnt/my\040share cifs rw 0 0
me@host: /mnt/far fuse.sshfs rw 0 0
tmpfs /mnt/far/near tmpfs rw 0 0
""".lstrip()


@each_row(
    ("path", "kind"),
    [
        ("/agents.db", None),
        ("/far/a/agents.db", "nfs4, mounted at /far"),
        ("/far/local/agents.db", None),
        ("/farther/agents.db", None),
        ("/mnt/my share/x/agents.db", "cifs, mounted at /mnt/my share"),
        ("/mnt/far/agents.db", "fuse.sshfs"),
        ("/mnt/far/near/agents.db", None),
    ],
)
def test_a_network_file_system_is_refused(path, kind, tmp_path_factory):
    mounts = tmp_path_factory.mktemp("proc") / "mounts"
    mounts.write_text(MOUNTS)
    if kind is None:
        refuse_network_file_system(Path(path), mounts)
    else:
        with pytest.raises(StoreError, match="network file system") as caught:
            refuse_network_file_system(Path(path), mounts)
        assert kind in str(caught.value)


def test_where_the_system_does_not_say_what_is_mounted_nothing_is_refused(tmp_path):
    refuse_network_file_system(tmp_path / "agents.db", tmp_path / "nothing")


async def test_a_locked_file_is_waited_for(store, path):
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(store.create([an_agent()]))
        assert await store.load("monday") is None  # reading waits for nobody
        other.execute("COMMIT")
        await task
    other.close()


async def test_a_file_locked_for_too_long_is_an_error_and_later_it_goes_on(path):
    store = SqliteStore(path, busy_timeout=0.05)
    await store.open()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        tasks = [store.create([an_agent(name)]) for name in "ab"]
        for error in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(error, StoreError)
            assert "locked for too long" in str(error)
        other.execute("COMMIT")
    other.close()
    await store.create([an_agent("a")])
    assert [agent.name for agent in await store.list()] == ["a"]
    await store.aclose()


async def test_what_cannot_be_written_fails_alone_and_undoes_nothing_of_others(store):
    bad = an_agent("bad", call=object(), filters=("wild/+",))
    await store.create([an_agent("heard", filters=("x/#",))])
    outcomes = await asyncio.gather(
        store.create([an_agent("a", filters=("a/+",))]),
        store.create([an_agent("b"), bad]),
        store.deliver([a_letter("1", "a"), a_letter("2", "nobody"), a_letter("3", topic="x")], 1),
        store.deliver([a_letter("4", topic="a/" + "\ud800")], 1),
        return_exceptions=True,
    )
    assert outcomes[0][0].name == "a"
    assert isinstance(outcomes[1], StoreError)
    assert outcomes[2] == {"a", "heard"}
    assert isinstance(outcomes[3], UnicodeEncodeError)
    assert [agent.name for agent in await store.list()] == ["a", "heard"]
    assert await mailbox(store, "a") == ["1"]
    assert await store.deliver([a_letter("5", topic="a/b"), a_letter("6", topic="x/y")], 1) == {
        "a",
        "heard",
    }


async def test_a_filter_of_what_was_undone_hides_none_that_another_store_adds(store, path):
    await store.create([an_agent("first", filters=("first/+",))])
    with pytest.raises(StoreError):
        await store.create([an_agent("b", filters=("undone/+",)), an_agent("bad", call=object())])
    other = SqliteStore(path)
    await other.open()
    await other.create([an_agent("second", filters=("second/+",))])
    await other.aclose()
    assert await store.deliver([a_letter("x", topic="second/1")], 1) == {"second"}


async def test_of_each_agent_one_steps_journal_is_kept(store):
    await store.create([an_agent("a")])
    (agent,) = await store.claim("me", 0, 10)
    for number in range(5):
        call = str(number).encode()
        await store.commit(Checkpoint("a", agent.epoch, 1.0, call=call))
        await store.commit(Checkpoint("a", agent.epoch, 1.0, journal={"0": call, "1": b""}))

    def journals(transaction):
        return transaction.connection.execute("SELECT count(*) FROM journal").fetchone()[0]

    assert await store._write(journals) == 2


async def test_a_task_cancelled_while_it_waits_spoils_nothing(store):
    task = asyncio.create_task(store.create([an_agent("a")]))
    await asyncio.sleep(0)
    task.cancel()
    await store.create([an_agent("b")])
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [agent.name for agent in await store.list()] == ["a", "b"]


async def test_what_gathers_while_a_commit_runs_becomes_one_transaction(store):
    groups = []
    writer = store._writer
    held, go_on = threading.Event(), threading.Event()

    def hold(transaction):
        held.set()
        assert go_on.wait(20)

    def seen(transaction):
        groups.append(transaction)

    first = store._write(hold)
    await asyncio.to_thread(held.wait, 20)
    others = [store._write(seen) for _ in range(5)]
    await asyncio.sleep(0)
    others += [store._write(seen) for _ in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *others)
    assert len(groups) == 10
    assert len({id(each) for each in groups}) == 1
    assert store._writer is writer


async def test_pages_of_what_was_swept_are_given_back(store, path):
    def pages(transaction):
        return transaction.connection.execute("PRAGMA page_count").fetchone()[0]

    large = [an_agent(str(n), call=bytes(50_000), status="finished") for n in range(100)]
    await store.create(large)
    before = await store._write(pages)
    assert (await store.sweep(1, 1)).agents == 100
    assert await store._write(pages) < before / 10


async def test_wildcards_are_forgotten_when_many_went(store):
    for start in range(0, 4_000, 500):
        filters = tuple(f"{n}/+" for n in range(start, start + 500))
        (agent,) = await store.create([an_agent(str(start), filters=filters)])
        (agent,) = await store.claim("me", 0, 10, names=[agent.name])
        await store.commit(Checkpoint(agent.name, agent.epoch, 1.0, filters=()))
    await store.create([an_agent("last", filters=("last/+",))])
    assert await store.deliver([a_letter("x", topic="last/1")], 1) == {"last"}

    def known(transaction):
        return len(transaction.mailboxes._wild.known)

    assert await store._write(known) < 2_500


@pytest.mark.slow
async def test_processes_killed_at_any_time_lose_nothing_they_were_told_is_there(path):
    """Two processes write at once; one is killed, then the other; each number that was said is there."""
    for turn in range(4):
        names = [f"{turn}-a", f"{turn}-b"]
        processes = [program("count", path, name) for name in names]
        for number, process in enumerate(processes):
            for _ in range(30 * (number + 1)):
                assert process.stdout.readline()
        said = []
        for process in processes:
            process.kill()
            rest, _ = process.communicate(timeout=60)
            said.append(rest)
        store = SqliteStore(path)
        await store.open()
        for name, rest in zip(names, said, strict=True):
            agent = await store.load(name)
            told = int(rest.splitlines()[-1]) if rest.splitlines() else 0
            assert agent.step >= told
            assert agent.call == str(agent.step).encode()
            assert await mailbox(store, name) == [str(n) for n in range(1, agent.step + 1)]
            with pytest.raises(LeaseLostError):
                await store.commit(Checkpoint(name, agent.epoch + 1, 1.0))
        await store.aclose()
        gc.collect()
