"""The lines in which tasks wait to be admitted.

Those of one priority to whom the same constraints and capacities apply stand in one line, in the order
they came: what holds the first of them holds them all, so only the heads are looked at, however many wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from cascade.runtime.admission.ticket import Key, Ticket

__all__ = ["Lines", "Waiting"]


_FIRST = float("-inf")  # the rank of who goes on, or borrows what it waits for


class Waiting(NamedTuple):
    """A task in a line."""

    rank: float
    """The lower, the sooner: minus its priority; who is first in any case has minus infinity."""

    number: int
    """Its place among all that came to wait."""

    ticket: Ticket
    admitted: asyncio.Future[None]


class Lines:
    """All tasks that wait, by what applies to them."""

    def __init__(self, constrained: Container[str]) -> None:
        """Begin empty; ``constrained`` are the targets that have constraints."""
        self._constrained = constrained
        self._is_stale = False
        self._lines: dict[Key, deque[Waiting]] = {}
        self._ranks: set[float] = set()  # that were ever in line: few
        self._numbers = count()

    def __bool__(self) -> bool:
        """Return whether anybody waits."""
        return bool(self._lines)

    def _key(self, ticket: Ticket) -> Key:
        """Return what applies to a task, behind its rank."""
        targets = [each for each in ticket.targets if each in self._constrained]
        return (-ticket.priority, *targets, *sorted(ticket.demands))

    def add(self, ticket: Ticket, *, is_first: bool) -> Waiting:
        """Put a task at the end of its line; who is first has a line of its own, before all others."""
        key = (_FIRST, id(ticket)) if is_first else self._key(ticket)
        self._ranks.add(key[0])
        admitted = asyncio.get_running_loop().create_future()
        waiting = Waiting(key[0], next(self._numbers), ticket, admitted)
        self._lines.setdefault(key, deque()).append(waiting)
        return waiting

    def has_before(self, ticket: Ticket) -> bool:
        """Return whether anybody waits whom the task must not overtake."""
        self._sort_again()
        rank, *applies = self._key(ticket)
        if any((each, *applies) in self._lines for each in self._ranks if each <= rank):
            return True
        demands = ticket.demands.keys()
        return bool(demands) and any(
            key[0] <= rank and not demands.isdisjoint(line[0].ticket.demands)
            for key, line in self._lines.items()
        )

    def constraints_changed(self) -> None:
        """Take note that constraints came to targets that had none, or went."""
        self._is_stale = True

    def _sort_again(self) -> None:
        """Make the lines anew if they are no longer those of the constraints."""
        if not self._is_stale:
            return
        self._is_stale = False
        waiting = sorted(each for line in self._lines.values() for each in line)
        self._lines = {}
        for each in waiting:
            key = (_FIRST, id(each.ticket)) if each.rank == _FIRST else self._key(each.ticket)
            self._lines.setdefault(key, deque()).append(each)

    def admit(self, admits: Callable[[Ticket], bool]) -> None:
        """Let all go that may start now, in their order; ``admits`` says who, and admits it."""
        self._sort_again()
        heads = [(line[0][:2], place, key) for place, (key, line) in enumerate(self._lines.items())]
        heapify(heads)
        blocked: set[str] = set()
        while heads:
            _, place, key = heappop(heads)
            line = self._lines[key]
            first = line[0]
            if not first.admitted.done():
                demands = first.ticket.demands.keys()
                if not demands.isdisjoint(blocked) or not admits(first.ticket):
                    blocked |= demands
                    continue
                first.admitted.set_result(None)
            line.popleft()
            if line:
                heappush(heads, (line[0][:2], place, key))
            else:
                del self._lines[key]
