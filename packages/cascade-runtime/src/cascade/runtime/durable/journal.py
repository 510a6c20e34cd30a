"""What a step of a durable agent has so far, by the place of each call: it is not done twice.

Values that its tasks gave, what it sent, until when it waits, and how many attempts have failed. It is
written where the step waits, and emptied where the step ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cascade.interfaces.errors import EncodeError
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.values import read_value, write_value
from cascade.runtime.durable.waiting import FORGOTTEN, UNTIL
from cascade.runtime.state.position import frame_of, place_of, position
from cascade.runtime.state.run import NOT_JOURNALED
from cascade.spec.task import Task

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent

__all__ = ["Journal"]

T = TypeVar("T")

_SENT = "!sent"
_ATTEMPT = "!attempt"
_AWAITED = "!awaited"


class Limit:
    """A time-out that is among the deadlines of a step while it lasts."""

    def __init__(self, deadlines: list[float], when: float) -> None:
        """Take when it ends, by the loop's time."""
        self._deadlines = deadlines
        self._when = when
        self._timeout = asyncio.timeout_at(when)

    async def __aenter__(self) -> asyncio.Timeout:
        """Begin."""
        self._deadlines.append(self._when)
        return await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; as `asyncio.timeout`."""
        self._deadlines.remove(self._when)
        await self._timeout.__aexit__(kind, error, trace)


class Journal:
    """The journal of the step that is under way.

    Attributes:
        running: how much of the step is under way just now: its calls, and waits for attempts.
        resting: how much of that sleeps.
        awaited: the filters that the step waits for, beside those that its agent always listens to.
        deadlines: when, by the loop's time, its sleeps and time-outs end.
        changed_at: when, by the loop's time, anything last happened in it.
        is_whole: whether another process could go on with it: all values so far can be written, and none
            of its signals lies in memory alone.
    """

    __slots__ = (
        "_agent",
        "_entries",
        "_unwritten",
        "_values",
        "awaited",
        "changed_at",
        "deadlines",
        "is_whole",
        "resting",
        "running",
    )

    def __init__(self, agent: StoredAgent, entries: Mapping[str, bytes]) -> None:
        """Begin with what the step had when it was left."""
        self._agent = agent
        self._entries = dict(entries)
        self._unwritten: dict[str, bytes] = {}
        self._values: dict[str, tuple[Task[..., Any], Any]] = {}
        self.running = self.resting = 0
        self.deadlines: list[float] = []
        awaited = msgspec.json.decode(entries.get(_AWAITED, b"[]"), type=list[str])
        self.awaited: Filters = tuple(awaited)
        self.is_whole = True
        self.touch()

    async def under_way(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something that the step does, and count it meanwhile."""
        self.running += 1
        try:
            return await work
        finally:
            self.running -= 1
            self.touch()

    def touch(self) -> None:
        """Take note that something happens."""
        self.changed_at = self._agent.run.loop.time()

    def here(self) -> str:
        """Return the place of the call that is under way, which no other call of the step has.

        The items of a mapping count their places anew, and are told apart by their names.
        """
        here = position.get()
        return f"{frame_of(here).agent.name}/{place_of(here)}".removeprefix(self._agent.name)

    # --- values -------------------------------------------------------------------------------

    def value_of(self, place: str, task: Task[..., Any]) -> Any:
        """Return the value that a call gave before a crash, or `NOT_JOURNALED`."""
        data = self._entries.get(place, FORGOTTEN)
        return NOT_JOURNALED if data == FORGOTTEN else read_value(task, data)

    async def keep(self, place: str, task: Task[..., Any], value: Any, *, now: bool) -> None:
        """Have a value written before the step waits, or at once."""
        self._values[place] = task, value
        if now:
            await self._agent.park()

    # --- signals ------------------------------------------------------------------------------

    def note_awaited(self, filters: Filters) -> None:
        """Have the filters written that the step waits for."""
        if filters and filters != self.awaited:
            self.awaited = filters
            self._write(_AWAITED, msgspec.json.encode(filters))

    # --- time ---------------------------------------------------------------------------------

    def time_left(self, seconds: float) -> float:
        """Return how much is left of a time that began when the step first came here."""
        return self._time_left(f"{self.here()}{UNTIL}", seconds)

    def _time_left(self, place: str, seconds: float) -> float:
        known = self._entries.get(place, FORGOTTEN)
        if known != FORGOTTEN:
            return max(0.0, float(known) - unix_time())
        self._write(place, repr(unix_time() + seconds).encode())
        return seconds

    def limit(self, seconds: float) -> Limit:
        """Return a time-out that began when the step first came here."""
        return Limit(self.deadlines, self._agent.run.loop.time() + self.time_left(seconds))

    # --- attempts -----------------------------------------------------------------------------

    async def attempt(self) -> int:
        """Return the number of the attempt that goes on here, once its time has come."""
        number = int(self._entries.get(f"{self.here()}{_ATTEMPT}", b"1"))
        if number > 1:
            await self._wait_for(number, 0.0)
        return number

    async def wait_for_attempt(self, number: int, seconds: float) -> None:
        """Take note that the attempt before has failed, and wait before the next one.

        What the failed one came to is forgotten; what it sent stays sent: an attempt that sends the same
        does not send it twice.
        """
        self._forget_inside()
        self._write(f"{self.here()}{_ATTEMPT}", str(number).encode())
        await self._wait_for(number, seconds)

    async def _wait_for(self, number: int, seconds: float) -> None:
        left = self._time_left(f"{self.here()}!{number}{UNTIL}", seconds)
        await self._agent.run.clock.rest(left)

    def _forget_inside(self) -> None:
        """Forget the values and hours of all calls inside the one that is under way."""
        here = self.here()
        inside = (f"{here}/", f"{here}e")
        for place in [*self._entries, *self._values]:
            if place.startswith(inside) and not place.endswith(_SENT):
                self._values.pop(place, None)
                self._write(place, FORGOTTEN)

    # --- what was sent ------------------------------------------------------------------------

    def sent(self, place: str) -> bytes | None:
        """Return what was sent at a place, if anything was."""
        return self._entries.get(f"{place}{_SENT}")

    def note_sent(self, place: str, data: bytes) -> None:
        """Have what was sent written with the message itself."""
        self._write(f"{place}{_SENT}", data)

    # --- writing ------------------------------------------------------------------------------

    def _write(self, place: str, data: bytes) -> None:
        self._entries[place] = self._unwritten[place] = data

    def encode_values(self) -> None:
        """Have the values so far written; one that cannot be is told once, and not kept."""
        values, self._values = self._values, {}
        for place, (task, value) in values.items():
            try:
                self._write(place, write_value(task, value))
            except EncodeError as error:
                self.is_whole = False
                self._agent.run.services.warn_once(
                    task.function, "durable.not_journaled", task=task.name, reason=str(error)
                )

    @property
    def has_unwritten(self) -> bool:
        """Whether there is anything that the store does not have yet."""
        return bool(self._unwritten)

    def take_unwritten(self) -> Mapping[str, bytes]:
        """Return what the store does not have yet, which it gets now."""
        unwritten, self._unwritten = self._unwritten, {}
        return unwritten

    def clear(self) -> None:
        """Begin the journal of the next step."""
        self._entries, self._values, self._unwritten = {}, {}, {}
        self.awaited = ()
        self.is_whole = True
        self.touch()
