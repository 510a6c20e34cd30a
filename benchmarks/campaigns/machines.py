"""``python -m benchmarks.campaigns.machines``: workers on several machines, which fail one after the other.

Three ``cascade worker`` processes, each behind an address and lines of its own (127.0.0.2 and on, so Linux
alone), share a PostgreSQL and a Mosquitto, and drive durable agents that trade with each other. One worker
is killed, the lines of one are cut, one is stopped past its lease, one is told to stop. Each time the
agents that it held have to be driven by the others; how long that takes is printed. The verdict, and the
exit status, is that every agent came to its one right value, and that each payment was made under its one
key, again only where the process that made it was harmed in between.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from benchmarks import mosquitto, postgres
from benchmarks.campaigns import shop
from benchmarks.campaigns.kills import Verdict
from benchmarks.campaigns.lines import Line
from cascade.interfaces.store import DurableAgent, Store
from cascade.runtime.durable.opening import store_at
from cascade.spec.codec import encode

__all__ = ["Failover", "campaign"]

_WORKERS = 3
_GLANCE = 0.25  # seconds between two looks at who drives what
_PATIENCE = 300.0  # seconds that a failover, or the rest of all rounds, may take


@dataclass(frozen=True)
class Failover:
    """What became of the agents of a worker that failed."""

    harm: str
    agents: int
    """How many it drove."""

    first: float
    """Seconds until the first of them was driven elsewhere, or had ended."""

    last: float
    """Seconds until all of them were."""

    def __str__(self) -> str:
        return (
            f"{self.harm}: {self.agents} agents; the first was driven elsewhere after {self.first:.1f} s, "
            f"the last after {self.last:.1f} s"
        )


class _Machine:
    """A worker with an address of its own."""

    def __init__(self, number: int, servers: _Servers, folder: Path, said: IO[bytes]) -> None:
        self.name = f"machine{number}"
        self._host = f"127.0.0.{number + 2}"
        self._servers = servers
        self._folder = folder
        self._said = said
        self.lines: list[Line] = []
        self.process: subprocess.Popen[bytes] | None = None

    async def open(self) -> None:
        """Draw its lines, and start it."""
        database = self._servers.database
        to_store = partial(asyncio.open_unix_connection, f"{database['host']}/.s.PGSQL.5432")
        to_broker = partial(asyncio.open_connection, mosquitto.HOST, self._servers.broker)
        self.lines = [Line(self._host, to_store), Line(self._host, to_broker)]
        for line in self.lines:
            await line.open()
        self.start()

    def start(self) -> None:
        """Start a worker, or another one in the place of one that has ended."""
        if self.process is not None:
            self.process.wait(_PATIENCE)
        store, broker = (f"{self._host}:{line.port}" for line in self.lines)
        database = self._servers.database
        path = os.pathsep.join(sys.path)
        self.process = subprocess.Popen(
            [
                Path(sys.executable).with_name("cascade"),
                "worker",
                shop.__name__,
                f"--store=postgresql://{database['user']}@{store}/{database['dbname']}",
                f"--connector=mqtt://{broker}",
                f"--name={self.name}",
            ],
            env={**os.environ, "PYTHONPATH": path, "SHOP_FOLDER": str(self._folder)},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
        )

    def holds(self, agent: DurableAgent) -> bool:
        """Return whether an agent is driven here."""
        return agent.owner is not None and agent.owner.startswith(f"{self.name}-")

    def signal(self, number: signal.Signals) -> int:
        """Send a signal; return whose process it was."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.pid

    async def aclose(self) -> None:
        """End it, whatever it is at."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for line in self.lines:
            await line.close()


@dataclass(frozen=True)
class _Servers:
    """Where the servers are."""

    database: dict[str, str]
    broker: int

    @property
    def store(self) -> str:
        """The store's URL, by no line that is ever cut."""
        parts = self.database
        return f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


class _Campaign:
    """The machines, and what has been done to them."""

    def __init__(self, store: Store, machines: Sequence[_Machine], agents: int) -> None:
        self._store = store
        self._machines = machines
        self._agents = agents
        self.harmed: set[int] = set()

    async def everything(self) -> list[Failover]:
        """Harm one after the other, each in its way."""
        return [
            await self._harm("killed", self._kill, _Machine.start),
            await self._harm("cut off", self._cut, self._mend),
            await self._harm("stopped", self._stop, self._go_on),
            await self._harm("told to stop", self._tell, self._start_again),
        ]

    async def all_agents(self) -> list[DurableAgent]:
        """Return all agents as they lie in the store."""
        return await self._store.list(limit=self._agents)

    async def wait_for_the_end(self) -> None:
        """Wait until no agent has anything to do, but not for ever: the verdict says what is missing."""
        end = time.monotonic() + _PATIENCE
        while await self._store.list(statuses=["ready"], limit=1) and time.monotonic() < end:
            await asyncio.sleep(_GLANCE)

    async def _harm(
        self, name: str, harm: Callable[[_Machine], object], heal: Callable[[_Machine], object]
    ) -> Failover:
        """Harm the machine that drives most, and wait until others drive what it drove."""
        await asyncio.sleep(3.0)  # so that agents are at all stages of their rounds
        agents = await self.all_agents()
        victim = max(self._machines, key=lambda each: sum(map(each.holds, agents)))
        held = {each.name: each.epoch for each in agents if victim.holds(each)}
        harm(victim)
        began, first = time.monotonic(), None
        left = set(held)
        while left and time.monotonic() < began + _PATIENCE:
            await asyncio.sleep(_GLANCE)
            for each in await self.all_agents():
                if each.status != "ready" or (each.owner and not victim.holds(each)):
                    left.discard(each.name)
            if first is None and len(left) < len(held):
                first = time.monotonic() - began
        last = time.monotonic() - began
        healing = heal(victim)
        if isinstance(healing, Awaitable):
            await healing
        return Failover(name, len(held), last if first is None else first, last)

    def _kill(self, machine: _Machine) -> None:
        self.harmed.add(machine.signal(signal.SIGKILL))

    def _cut(self, machine: _Machine) -> None:
        assert machine.process is not None
        self.harmed.add(machine.process.pid)
        for line in machine.lines:
            line.cut()

    def _mend(self, machine: _Machine) -> None:
        for line in machine.lines:
            line.mend()

    def _stop(self, machine: _Machine) -> None:
        self.harmed.add(machine.signal(signal.SIGSTOP))

    def _go_on(self, machine: _Machine) -> None:
        machine.signal(signal.SIGCONT)

    def _tell(self, machine: _Machine) -> None:
        machine.signal(signal.SIGTERM)

    async def _start_again(self, machine: _Machine) -> None:
        assert machine.process is not None
        status = await asyncio.to_thread(machine.process.wait, _PATIENCE)
        if status:
            raise RuntimeError(f"a worker that was told to stop ended with {status}")
        machine.start()


async def campaign(
    folder: Path, servers: _Servers, *, agents: int, rounds: int, pause: float
) -> tuple[list[Failover], Verdict]:
    """Run agents to their end on three machines that fail meanwhile."""
    async with AsyncExitStack() as stack:
        said = stack.enter_context((folder / "said").open("wb"))
        store = store_at(servers.store)
        await store.open()
        stack.push_async_callback(store.aclose)
        now, began = time.time(), time.monotonic()
        calls = {
            f"a{number}": encode(shop.start(number, rounds, pause)) for number in range(agents)
        }
        await store.create(
            [DurableAgent(name, call, call, created_at=now) for name, call in calls.items()]
        )
        machines = [_Machine(number, servers, folder, said) for number in range(_WORKERS)]
        for each in machines:
            stack.push_async_callback(each.aclose)
            await each.open()
        running = _Campaign(store, machines, agents)
        async with asyncio.timeout(_PATIENCE):
            while not all(each.owner for each in await running.all_agents()):
                await asyncio.sleep(_GLANCE)
        failovers = await running.everything()
        await running.wait_for_the_end()
        seconds, found = time.monotonic() - began, await running.all_agents()
    lines = (folder / "effects").read_text(encoding="utf-8").splitlines()
    effects = [(key, int(process)) for key, process in map(str.split, lines)]
    verdict = Verdict(1, 1, seconds, found, rounds, effects, (), frozenset(running.harmed))
    return failovers, verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign that the arguments ask for; return 0 if the promise was kept."""
    parser = argparse.ArgumentParser(prog="machines", description=__doc__)
    parser.add_argument("--agents", type=int, default=3_000, help="an even number")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--pause", type=float, default=10.0, help="seconds of a round, at least")
    options = vars(parser.parse_args(arguments))
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres.server() as address,
        mosquitto.broker() as port,
    ):
        servers = _Servers(dict(part.split("=", 1) for part in address.split()), port)
        failovers, verdict = asyncio.run(campaign(Path(folder), servers, **options))
    for each in failovers:
        print(each)
    print(
        f"{'HOLDS' if verdict.holds else 'BROKEN'}: {len(verdict.agents)} agents of {verdict.rounds} rounds "
        f"in {verdict.seconds:.0f} s, {len(verdict.wrong)} wrong; {len(verdict.effects)} payments, "
        f"{verdict.missing} missing, {verdict.again} made again, {verdict.unexcused} without a reason"
    )
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
