"""An order that waits days for its payment and an approval; README.md says how to run it."""

import asyncio
import sys
from pathlib import Path

import cascade as cs

DAY = 24 * 3600.0


@cs.task
async def order(number: str, item: str) -> str:
    paid = cs.recv(f"orders/{number}/paid", timeout=14 * DAY)
    approved = cs.recv(f"orders/{number}/approved", timeout=2 * DAY, default="nobody")
    return decide(number, reserve(number, item), paid, approved)


@cs.task(mode="inline")
def reserve(number: str, item: str) -> str:
    # It may happen again if the process dies just here: the key tells the warehouse that it is the same.
    with Path("reservations.txt").open("a", encoding="utf-8") as warehouse:
        warehouse.write(f"{cs.current().call_id} {number} {item}\n")
    return item


@cs.task
async def decide(number: str, item: str, paid: float, approved_by: str) -> str:
    if approved_by == "nobody":
        return f"{number}: {paid} paid back"
    return f"{number}: {item} is on its way, {paid} paid, approved by {approved_by}"


@cs.task
async def tell(topic: str, word: str | float) -> None:
    return cs.send(topic, word)


async def main(command: str, number: str, *rest: str) -> None:
    async with cs.Engine(store="orders.db") as engine:
        if command == "place":
            print(await engine.run(order(number, *rest), name=number, durable=True))
        elif command == "pay":
            call = tell(f"orders/{number}/paid", float(*rest))
            await engine.run(call, name=f"{number}-payment", durable=True)
        elif command == "approve":
            call = tell(f"orders/{number}/approved", *rest)
            await engine.run(call, name=f"{number}-approval", durable=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
