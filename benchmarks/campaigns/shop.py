"""A program to be killed: durable agents that pay, wait, send and receive, on one store.

    SHOP_FOLDER=<folder> python -m benchmarks.campaigns.shop <store> <agents> <rounds>

Each agent has a partner, to which it speaks in each of its rounds, and both are always in the same one:
whoever hears another number has lost a signal, or taken one twice. Every payment is written to
``effects`` in the folder, with the key that names its call and the process that made it; every claim of
an agent to ``claims``, with its epoch.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import cascade as cs
from cascade.interfaces.store import DurableAgent
from cascade.runtime.durable.opening import store_at

__all__ = ["start"]

_LEASE = 1.0
_PAUSE = 0.1  # seconds that a round takes at least


def _note(file: str, line: str) -> None:
    with Path(os.environ["SHOP_FOLDER"], file).open("a", encoding="utf-8") as notes:
        notes.write(f"{line}\n")  # one write of few bytes: lines of several processes stay whole


@cs.task(mode="inline")
def pay(turn: int) -> int:
    """Do what happens outside the store."""
    _note("effects", f"{cs.current().call_id} {os.getpid()}")
    return turn


@cs.task
async def trade(number: int, turn: int, rounds: int, pause: float) -> int:
    """Do what a round needs; the value of an agent is how many rounds it has done."""
    if turn == rounds:
        return turn
    done = [
        pay(turn),
        cs.wait(pause),
        cs.send(cs.agent(f"a{number ^ 1}"), turn),
        cs.recv(cs.agent(f"a{number}")),
    ]
    return agree(number, rounds, pause, done)


@cs.task
async def agree(number: int, rounds: int, pause: float, done: list[int | None]) -> int:
    """Go on where both have done the same round."""
    turn, _, _, heard = done
    assert turn is not None
    if heard != turn:
        raise RuntimeError(f"heard {heard} in round {turn}")
    return trade(number, turn + 1, rounds, pause)


def start(number: int, rounds: int, pause: float = _PAUSE) -> int:
    """Return the call that an agent begins with."""
    return trade(number, 0, rounds, pause)


def _noting_claims(store: Any) -> Any:
    claim = store.claim

    async def noted(*args: Any, **options: Any) -> list[DurableAgent]:
        taken: list[DurableAgent] = await claim(*args, **options)
        for agent in taken:
            _note("claims", f"{agent.name} {agent.epoch} {os.getpid()}")
        return taken

    store.claim = noted
    return store


async def _main(store: str, agents: int, rounds: int) -> None:
    engine = cs.Engine(store=_noting_claims(store_at(store)))
    engine.agents.settings.lease = _LEASE
    engine.agents.settings.hibernates_after = _PAUSE / 2
    async with engine:
        await engine.agents.start({f"a{number}": start(number, rounds) for number in range(agents)})
        while await engine.agents.list(statuses=["ready"], limit=1):
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
