"""``python -m benchmarks.campaigns.fuzz_orders``: ten minutes of orders and topics that nobody should send.

An engine and a bus in memory get orders that are right, nearly right and nonsense, on targets that are
and are not there, and topics and filters of any characters. After each round all orders are taken back, a
small workflow has to come to its value in bounded time, and the bus has to be empty. The verdict, and the
exit status: nothing hung, and memory did not grow from the first quarter to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import cascade as cs
from cascade.common.messaging import bus
from cascade.interfaces.errors import InvalidTopicError

__all__ = ["Verdict", "campaign"]

_PATIENCE = 30.0  # seconds after which a workflow that nothing holds should be done
_GROWTH = 512 * 1024  # bytes from the first quarter to the end, for what is kept within bounds
_ORDERS = 200  # in a round
_PLAIN = "ab//c"
_CHARACTERS = "ab/+#$ \0\x1b\x7f\x9b\ud800\ufffe\ufeffé漢🔥"


@dataclass
class Verdict:
    """What became of it all."""

    rounds: int = 0
    orders: int = 0
    topics: int = 0
    refused: int = 0
    """Topics and filters that were refused."""

    reports: int = 0
    """What was said of orders that cannot be used."""

    hung: int = 0
    left: int = 0
    """Subscriptions and retained messages that stayed."""

    grown: int = 0
    """Bytes from the first quarter to the end."""

    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing hung, stayed or grew."""
        return not self.hung and not self.left and self.grown <= _GROWTH

    def __str__(self) -> str:
        return (
            f"{'HOLDS' if self.holds else 'BROKEN'}: {self.rounds:,} rounds in {self.seconds:.0f} s: "
            f"{self.orders:,} orders, {self.reports:,} reports of what cannot be used, {self.topics:,} "
            f"topics and filters, {self.refused:,} of them refused; {self.hung} hung, {self.left} stayed, "
            f"{self.grown / 1024:+.0f} KiB"
        )


# --- what is sent -----------------------------------------------------------------------------------


class _Nonsense:
    """Draws what is sent."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self, most: int = 12) -> str:
        """Return a text; one in ten has characters that no topic may have, a few are very long."""
        characters = _CHARACTERS if self.chance.randint(0, 9) == 0 else _PLAIN
        if self.chance.randint(0, 2_000) == 0:
            most = 70_000
        return "".join(self.chance.choices(characters, k=self.chance.randint(0, most)))

    def filter(self) -> str:
        """Return a filter, more or less."""
        share = self.chance.choice(["", "", "", "$share/g/", "$share/"])
        levels = [self.chance.choice(["a", "b", "+", "", self.text(4)]) for _ in range(3)]
        return share + "/".join([*levels, *self.chance.choice([[], ["#"]])])

    def target(self) -> str:
        """Return a target, mostly one that there is."""
        known = ["global", "task/work", "task/other", "run/job", "run/other"]
        odd = ["", "task", "task/", "run/a/b", "GLOBAL", self.text(300).replace("/", "")]
        return self.chance.choice(known if self.chance.randint(0, 3) else odd)

    def order(self) -> Any:
        """Return an order, several, or something else."""
        roll = self.chance.randint(0, 9)
        if roll == 0:
            return self.anything()
        if roll == 1:
            return [self.one_order() for _ in range(self.chance.randint(0, 20))]
        return self.one_order()

    def one_order(self) -> dict[str, Any]:
        """Return an order, which in one of three cases has something wrong in it."""
        order: dict[str, Any] = {
            "id": self.chance.choice(["a", "b", "c", self.text(300)]),
            "type": self.chance.choice(["pause", "concurrency", "rate_limit"]),
            "n": self.chance.choice([1, 2, 10**6]),
            "rate": self.chance.choice(["1000/s", "1/ms", "9999/m"]),
            "burst": self.chance.choice([1, 5]),
            "expires_at": self.chance.choice([None, 0.0, 4e9]),
        }
        needed = {"pause": set(), "concurrency": {"n"}, "rate_limit": {"rate", "burst"}}
        kept = {"id", "type", "expires_at"} | needed[order["type"]]
        order = {name: value for name, value in order.items() if name in kept}
        if self.chance.randint(0, 2) == 0:
            order[self.chance.choice([*order, "expires", self.text()])] = self.anything()
        return order

    def anything(self, depth: int = 3) -> Any:
        plain = [None, True, -1, 0, 3.0, float("nan"), float("inf"), 10**400, "3", "0/s", b"\xff"]
        roll = self.chance.randint(0, 3)
        if not depth or roll > 1:
            return self.chance.choice([*plain, self.text()])
        inner = [self.anything(depth - 1) for _ in range(self.chance.randint(0, 3))]
        return inner if roll else {self.text(): each for each in inner}


# --- a round ----------------------------------------------------------------------------------------


@cs.task
async def work(number: int) -> int:
    """Take a moment."""
    await asyncio.sleep(0)
    return number


async def _order(connector: cs.LocalBusConnector, nonsense: _Nonsense, verdict: Verdict) -> None:
    """Send orders, let a workflow run into them, take them back, and see it end."""
    targets = set()
    for _ in range(_ORDERS):
        target = nonsense.target()
        try:
            await connector.publish(f"cascade/constraints/{target}", nonsense.order(), retain=True)
            targets.add(target)
        except InvalidTopicError:
            verdict.refused += 1
        verdict.orders += 1
        if nonsense.chance.randint(0, 9) == 0:
            await asyncio.sleep(0)
    for target in targets:
        await connector.publish(f"cascade/constraints/{target}", None, retain=True)


async def _say(connector: cs.LocalBusConnector, nonsense: _Nonsense, verdict: Verdict) -> None:
    """Subscribe to anything, publish on anything, and end and clear all of it."""
    handles, topics = [], []

    async def hear(_topic: str, _payload: Any) -> None:
        if nonsense.chance.randint(0, 3) == 0:
            await asyncio.sleep(0)

    for _ in range(_ORDERS):
        verdict.topics += 2
        try:
            handles.append(await connector.subscribe(nonsense.filter(), hear))
        except InvalidTopicError:
            verdict.refused += 1
        try:
            topic = nonsense.text()
            await connector.publish(topic, nonsense.anything(), retain=True)
            topics.append(topic)
        except InvalidTopicError:
            verdict.refused += 1
    for handle in handles:
        await handle.unsubscribe()
    for topic in topics:
        await connector.publish(topic, None, retain=True)


async def _round(engine: cs.Engine, nonsense: _Nonsense, verdict: Verdict) -> None:
    connector = engine.connector
    assert isinstance(connector, cs.LocalBusConnector)
    run = asyncio.create_task(engine.run(work.map(range(20)), name="job"))
    await _order(connector, nonsense, verdict)
    await _say(connector, nonsense, verdict)
    done, _ = await asyncio.wait([run], timeout=_PATIENCE)
    if not done or run.result() != list(range(20)):
        verdict.hung += 1
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
    verdict.left += connector.broker.subscription_count - 1 + connector.broker.retained_count
    verdict.rounds += 1


async def campaign(seconds: float, seed: int = 0) -> Verdict:
    """Send nonsense for so many seconds."""
    verdict, nonsense, began = Verdict(), _Nonsense(seed), perf_counter()

    def count(_message: Any) -> None:
        verdict.reports += 1

    connector = cs.LocalBusConnector(cs.LocalBroker())
    tracemalloc.start()
    try:
        with bus.divert(count):
            async with cs.Engine(connector=connector) as engine:
                at_quarter = None
                while not verdict.hung and perf_counter() < began + seconds:
                    await _round(engine, nonsense, verdict)
                    if at_quarter is None and perf_counter() > began + seconds / 4:
                        at_quarter = _allocated()
                verdict.grown = _allocated() - (at_quarter or _allocated())
    finally:
        tracemalloc.stop()
    verdict.seconds = perf_counter() - began
    return verdict


def _allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    verdict = asyncio.run(campaign(options.seconds, options.seed))
    print(verdict)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
