"""An assistant with tools that asks a human first; README.md says how to run it."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import cascade as cs


class Model:
    """Stands for a language model: it says what it would say next, and each answer costs money."""

    SCRIPT = (
        {"tool": "find", "of": "the invoice"},
        {"tool": "pay", "of": "49.5"},
        {"say": "Paid."},
    )

    def answer(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        with Path("bill.txt").open("a", encoding="utf-8") as bill:
            bill.write(f"{len(messages)} messages\n")
        return self.SCRIPT[len(messages) // 2]


TOOLS = {"find": lambda of: f"{of}: 49.5 to the lamp maker", "pay": lambda of: f"{of} is paid"}
ASKS_FIRST = {"pay"}


@cs.task
async def assist(messages: list[dict[str, Any]]) -> str:
    return act(messages, think.with_journal()(messages))


@cs.task(mode="inline")
def think(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return Model().answer(messages)


@cs.task
async def act(messages: list[dict[str, Any]], answer: dict[str, Any]) -> str:
    if "say" in answer:
        return answer["say"]
    approval = cs.recv("approval") if answer["tool"] in ASKS_FIRST else "yes"
    return use(messages, answer, approval)


@cs.task
async def use(messages: list[dict[str, Any]], answer: dict[str, Any], approval: str) -> str:
    if approval != "yes":
        return f"I may not {answer['tool']}."
    found = TOOLS[answer["tool"]](answer["of"])
    return assist([*messages, answer, {"tool": answer["tool"], "found": found}])


@cs.task
async def tell(word: str) -> None:
    return cs.send("approval", word)


async def main(command: str, word: str = "yes") -> None:
    async with cs.Engine(store="assistant.db") as engine:
        if command == "ask":
            print(await engine.run(assist([]), name="assistant", durable=True))
        elif command == "approve":
            await engine.run(tell(word), name="approval", durable=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
