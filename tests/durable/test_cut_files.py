"""A file whose log was cut anywhere: agents go on from the last commit that is whole, to the same end."""

import asyncio
import random
import shutil

import pytest

import cascade as cs
from cascade.stores.sqlite import SqliteStore
from durable import steps
from durable.patience import none_left, until

HEADER = 32  # bytes of a log before its first frame
FRAME = 24 + 4096  # bytes of a frame: its header, and a page
AGENTS = {
    "counts": steps.count(6),
    "asker": steps.asks("answerer"),
    "answerer": steps.answers(),
    "shop": steps.shop(steps.Cart("ann", []), 3),
    "naps": steps.naps(0.01),
}


pytestmark = pytest.mark.usefixtures("quick")


async def lived(path):
    """Have the agents of a file live to their ends; return their values."""
    async with cs.Engine(store=SqliteStore(path)) as engine:
        engine.agents.settings.hibernates_after = 0.0
        engine.agents.settings.lease = 1.0
        await engine.agents.start(AGENTS)
        await until(lambda: none_left(engine))
        return {
            record.name: (record.status, record.result) for record in await engine.agents.list()
        }


async def left_behind(folder):
    """Return what lies on the disk, file and log, where a process dies that has never tidied up."""
    path = folder / "agents.db"
    async with cs.Engine(store=SqliteStore(path)) as engine:
        engine.agents.settings.lease = 1.0
        await engine.agents.start(AGENTS)
        await until(lambda: none_left(engine))
        files = path.read_bytes(), path.with_name("agents.db-wal").read_bytes()
        values = {each.name: (each.status, each.result) for each in await engine.agents.list()}
    return files, values


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_log_that_was_cut_anywhere_loses_its_last_commits_alone(tmp_path):
    (file, log), values = asyncio.run(left_behind(tmp_path))
    frames = (len(log) - HEADER) // FRAME
    assert frames > 20
    borders = [HEADER + number * FRAME for number in range(frames + 1)]
    chance = random.Random(1)
    for number, cut in enumerate([0, *borders, *(chance.randrange(len(log)) for _ in range(100))]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "agents.db").write_bytes(file)
        (folder / "agents.db-wal").write_bytes(log[:cut])
        assert asyncio.run(lived(folder / "agents.db")) == values, f"cut at {cut} of {len(log)}"
        shutil.rmtree(folder)
