"""Programs that tests start: each writes to a file until it is stopped, or cannot."""

import asyncio
import os
import resource
import sys

from cascade.interfaces.errors import StoreError
from cascade.interfaces.store import Checkpoint, DurableAgent, Letter
from cascade.stores.sqlite import SqliteStore


async def count_up(path, name):
    """Commit step after step, each with a letter to its own mailbox, and say each number once it is there."""
    store = SqliteStore(path)
    await store.open()
    await store.create([DurableAgent(name, start=b"0", call=b"0")])
    (agent,) = await store.claim(name, 0, 10, names=[name])
    number = 0
    while True:
        number += 1
        call = str(number).encode()
        letter = Letter("t", call, name)
        await store.commit(Checkpoint(name, agent.epoch, 1.0, call=call, letters=[letter]))
        os.write(1, b"%d\n" % number)


async def fill_up(path, most):
    """Commit what no longer fits into files of a size, then what does; say what became of it."""
    store = SqliteStore(path)
    await store.open()
    await store.create([DurableAgent(name, start=b"0", call=b"0") for name in ("a", "b")])
    agents = await store.claim("me", 0, 10)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    large = [Checkpoint(each.name, each.epoch, 1.0, call=bytes(most)) for each in agents]
    outcomes = await asyncio.gather(*map(store.commit, large), return_exceptions=True)
    assert all(type(each) is StoreError for each in outcomes), outcomes
    print(outcomes[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert {agent.step for agent in await store.list()} == {0}
    await asyncio.gather(*map(store.commit, large))
    await store.aclose()


async def be_refused(path):
    """Open a file as nobody, who may not write it; say what that ends with."""
    if os.geteuid() == 0:
        os.setuid(65_534)
    try:
        await SqliteStore(path).open()
    except StoreError as error:
        print(error)


async def leave_open(path):
    """End without closing."""
    store = SqliteStore(path)
    await store.open()
    await store.create([DurableAgent("a", start=b"0", call=b"0")])


if __name__ == "__main__":
    what, path, *arguments = sys.argv[1:]
    match what:
        case "count":
            asyncio.run(count_up(path, *arguments))
        case "fill":
            asyncio.run(fill_up(path, int(*arguments)))
        case "refused":
            asyncio.run(be_refused(path))
        case "leave":
            asyncio.run(leave_open(path))
