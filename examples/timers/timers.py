"""A timer service: thousands of agents that sleep, each until its hour; README.md says how to run it."""

import asyncio
import random
import sys
import time

import cascade as cs


@cs.task
async def timer(rings_at: float) -> float:
    return ring(rings_at, cs.wait(max(0.0, rings_at - time.time())))


@cs.task
async def ring(rings_at: float, _slept: None) -> float:
    return time.time() - rings_at  # seconds that it is late


def timers(count: int, seconds: float) -> dict[str, float]:
    """Return timers that ring within so many seconds, by name."""
    now = time.time()
    return {f"timer-{each:06}": timer(now + random.uniform(0, seconds)) for each in range(count)}


async def main(count: int = 10_000, seconds: float = 30.0) -> None:
    async with cs.Engine(store="timers.db") as engine:
        await engine.agents.start(timers(count, seconds))  # those that are there stay as they are
        print("started", flush=True)
        while await engine.agents.list(statuses=["ready"], limit=1):
            await asyncio.sleep(0.1)
        rang = await engine.agents.list(statuses=["finished"], limit=count)
        late = max(float(each.result or b"0") for each in rang)
        print(f"{len(rang)} timers rang, the last one {late:.1f} s late")


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
