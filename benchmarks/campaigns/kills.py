"""``python -m benchmarks.campaigns.kills``: processes that drive durable agents are killed, and stopped.

Engines in processes of their own share one store. Again and again one of them is killed with SIGKILL, or
stopped past its lease and let go on. The verdict, and the exit status, is that every agent came to its one
right value, that every payment was made under its one key, again only where a process was killed or stopped
in between, and that no two processes ever held one epoch of an agent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks import postgres
from cascade.interfaces.store import DurableAgent
from cascade.runtime.durable.opening import store_at

__all__ = ["Verdict", "campaign"]

_STOPPED = 2.2  # seconds that a process stands still: more than twice its lease
_PATIENCE = 120.0  # seconds that the agents may take to their end, once nobody is killed any more


@dataclass(frozen=True)
class Verdict:
    """What became of a campaign."""

    kills: int
    stops: int
    seconds: float
    agents: Sequence[DurableAgent]
    rounds: int
    effects: Sequence[tuple[str, int]]
    """The key of each payment, and the process that made it."""

    claims: Sequence[tuple[str, int, int]]
    """Each claim: the agent, the epoch, the process."""

    harmed: frozenset[int]
    """The processes that were killed or stopped."""

    @property
    def wrong(self) -> list[DurableAgent]:
        """The agents that did not come to their value."""
        right = str(self.rounds).encode()
        return [each for each in self.agents if (each.status, each.result) != ("finished", right)]

    @property
    def missing(self) -> int:
        """How many payments were never made, or under a key too many."""
        return abs(len({key for key, _ in self.effects}) - len(self.agents) * self.rounds)

    @property
    def again(self) -> int:
        """How many payments were made again."""
        return len(self.effects) - len({key for key, _ in self.effects})

    @property
    def unexcused(self) -> int:
        """How many payments were made again though nobody had harmed the process that made them before."""
        made: defaultdict[str, list[int]] = defaultdict(list)
        for key, process in self.effects:
            made[key].append(process)
        return sum(
            process not in self.harmed for processes in made.values() for process in processes[:-1]
        )

    @property
    def shared_epochs(self) -> int:
        """How many epochs of an agent more than one process held."""
        held: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        for name, epoch, process in self.claims:
            held[name, epoch].add(process)
        return sum(len(processes) > 1 for processes in held.values())

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        return not (self.wrong or self.missing or self.unexcused or self.shared_epochs)

    def __str__(self) -> str:
        most = max(Counter(key for key, _ in self.effects).values(), default=0)
        return (
            f"{'HOLDS' if self.holds else 'BROKEN'}: {self.kills} kills and {self.stops} stops in "
            f"{self.seconds:.0f} s; {len(self.agents)} agents of {self.rounds} rounds, "
            f"{len(self.wrong)} wrong; {len(self.effects)} payments, {self.missing} missing, "
            f"{self.again} made again, at most {most} times, {self.unexcused} without a reason; "
            f"{len(self.claims)} claims, {self.shared_epochs} epochs held twice"
        )


class _Engines:
    """The processes of a campaign."""

    def __init__(self, command: Sequence[str], folder: Path, said: IO[bytes], number: int) -> None:
        self._command = command
        path = os.pathsep.join(sys.path)
        self._environment = {**os.environ, "PYTHONPATH": path, "SHOP_FOLDER": str(folder)}
        self._said = said
        self._running = [self._begin() for _ in range(number)]
        self.harmed: set[int] = set()

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
        )

    @property
    def all_ended(self) -> bool:
        """Whether the agents have come to their end; a process that failed is an error."""
        ended = [process.poll() for process in self._running]
        if any(status not in {None, 0} for status in ended):
            raise RuntimeError(f"an engine ended with {ended}; its last words are in 'said'")
        return all(status == 0 for status in ended)

    def kill(self, chance: random.Random) -> bool:
        """Kill one, and begin another in its place."""
        place = chance.randrange(len(self._running))
        process = self._running[place]
        process.send_signal(signal.SIGKILL)
        killed = process.wait() == -signal.SIGKILL
        if killed:
            self.harmed.add(process.pid)
            self._running[place] = self._begin()
        return killed

    def stop(self, chance: random.Random) -> bool:
        """Have one stand still past its lease, and go on."""
        process = chance.choice(self._running)
        if process.poll() is not None:
            return False
        process.send_signal(signal.SIGSTOP)
        self.harmed.add(process.pid)
        time.sleep(_STOPPED)
        process.send_signal(signal.SIGCONT)
        return True

    def end(self) -> None:
        """End what still runs, where the campaign itself is ended."""
        for process in self._running:
            process.kill()
            process.wait()


def campaign(
    store: str, folder: Path, *, engines: int, agents: int, rounds: int, harms: int, stops: bool
) -> Verdict:
    """Run agents to their end on a store, and harm the processes that drive them meanwhile."""
    shop = [sys.executable, "-m", "benchmarks.campaigns.shop"]
    chance, began = random.Random(harms), time.monotonic()
    command = [*shop, store, str(agents), str(rounds)]
    done = {"kill": 0, "stop": 0}
    said = (folder / "said").open("wb")
    running = _Engines(command, folder, said, engines)
    try:
        while sum(done.values()) < harms and not running.all_ended:
            time.sleep(chance.uniform(0.0, 0.8))
            kind = "stop" if stops and chance.random() < 1 / 3 else "kill"
            done[kind] += running.stop(chance) if kind == "stop" else running.kill(chance)
        end = time.monotonic() + _PATIENCE
        while not running.all_ended:
            if time.monotonic() > end:
                break  # the verdict says which agents are not there yet
            time.sleep(0.05)
    finally:
        running.end()
        said.close()
    return Verdict(
        done["kill"],
        done["stop"],
        time.monotonic() - began,
        asyncio.run(_agents_in(store, agents)),
        rounds,
        [(key, int(process)) for key, process in _lines(folder / "effects")],
        [(name, int(epoch), int(process)) for name, epoch, process in _lines(folder / "claims")],
        frozenset(running.harmed),
    )


def _lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


async def _agents_in(store: str, agents: int) -> Sequence[DurableAgent]:
    opened = store_at(store)
    await opened.open()
    try:
        return await opened.list(limit=agents)
    finally:
        await opened.aclose()


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of a store: a file, or a schema of a server of its own."""
    if kind == "sqlite":
        yield str(folder / "agents.db")
        return
    with postgres.server() as address:
        parts = dict(part.split("=", 1) for part in address.split())
        yield f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign that the arguments ask for; return 0 if the promise was kept."""
    parser = argparse.ArgumentParser(prog="kills", description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--engines", type=int, default=1)
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--harms", type=int, default=200, help="kills, and stops if there are any")
    parser.add_argument("--stops", action="store_true", help="stop every third past its lease")
    options = vars(parser.parse_args(arguments))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(_store(options.pop("store"), folder))
        verdict = campaign(store, folder, **options)
    print(verdict)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
