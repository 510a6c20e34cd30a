"""A program for tests that kill it: agents that pay, wait, send and receive, on one store.

    python shop.py <file> <effects> <agents>

Each agent has a partner, to which it speaks in each of its rounds. Every payment is written to the file
of effects, with the key that names its call.
"""

import asyncio
import sys
from pathlib import Path

import cascade as cs

ROUNDS = 8


@cs.task(mode="inline")
def pay(number: int, turn: int) -> int:
    with Path(sys.argv[2]).open("a", encoding="utf-8") as effects:
        effects.write(f"{cs.current().call_id} {number} {turn}\n")
    return turn


@cs.task
async def trade(number: int, partner: int, turn: int, total: int) -> int:
    if turn == ROUNDS:
        return total
    done = [
        pay(number, turn),
        cs.wait(0.1),
        cs.send(cs.agent(f"a{partner}"), 10**turn),
        cs.recv(cs.agent(f"a{number}")),
    ]
    return settle(number, partner, total, done)


@cs.task
async def settle(number: int, partner: int, total: int, done: list[int | None]) -> int:
    turn, _, _, heard = done
    assert turn is not None
    assert heard is not None
    return trade(number, partner, turn + 1, total + heard)


def start(number: int) -> int:
    return trade(number, number ^ 1, 0, 0)


async def main() -> None:
    store, agents = sys.argv[1], int(sys.argv[3])
    engine = cs.Engine(store=store)
    engine.agents.settings.lease = 0.3
    async with engine:
        await engine.agents.start({f"a{number}": start(number) for number in range(agents)})
        while True:
            left = await engine.agents.list(statuses=["ready"], limit=1)
            if not left:
                return
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main())
