"""Sending: calls that want the same of a worker go together, when all that they need is there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from itertools import count
from secrets import token_hex
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from distributed import Client, Future

from cascade.executors.dask.calls import Call, Group, deliver
from cascade.executors.dask.kept import Kept
from cascade.executors.dask.parts import Part
from cascade.executors.dask.worker import how_it_ended, run_calls
from cascade.executors.dask.workers import compare_module, known_to, named_among, refusal
from cascade.interfaces.errors import DemandError, ExecutorError
from cascade.interfaces.executor import Placement

__all__ = ["Sender"]

_MOST = 5_000_000  # bytes in one message: Dask warns of twice as many


class _Wants(NamedTuple):
    """What calls have in common that are sent together."""

    name: str
    """Of the task, where calls of it are put together; empty where none are."""

    demands: tuple[tuple[str, float], ...]
    placement: Placement
    tells: bool
    """Whether their executor is told when each begins."""

    parts: tuple[Part, ...]
    """Their big arguments."""

    kept: tuple[Kept, ...]
    """The values on the cluster that they refer to."""


def _wants_of(call: Call) -> _Wants:
    invocation = call.invocation
    placement = invocation.placement
    name = invocation.name if placement.batch > 1 else ""
    demands = tuple(sorted(invocation.demands.items()))
    tells = invocation.on_start is not None
    return _Wants(name, demands, placement, tells, call.parts, call.kept)


def _graphs_of(calls: list[Call]) -> Iterator[list[Call]]:
    """Yield calls in lists whose arguments are not too much for one message."""
    some: list[Call] = []
    size = 0
    for call in calls:
        size += len(call.work)
        if some and size > _MOST:
            yield some
            some, size = [], len(call.work)
        some.append(call)
    if some:
        yield some


def _not_sent(error: Exception) -> ExecutorError:
    failed = ExecutorError(f"a call could not be sent to the cluster: {error}")
    failed.__cause__ = error
    return failed


class Sender:
    """Sends calls, in groups.

    Attributes:
        token: what its tasks on the cluster are told by from those of others.
        waiting: calls whose big arguments, or whose workers, are not there yet.
    """

    def __init__(
        self,
        client: Client,
        patience: float,
        sent: Callable[[Group], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Begin with nothing sent.

        Args:
            client: connected, on this event loop.
            patience: seconds that a call may wait for a worker that it names.
            sent: told of each group, when it was sent.
            spawn: runs what takes longer.
        """
        self._client = client
        self._patience = patience
        self._pause = min(1.0, patience / 4)
        self._sent = sent
        self._spawn = spawn
        self.token = token_hex(4)
        self._numbers = count()
        self._compared: set[str] = set()
        self._scattered: WeakKeyDictionary[Part, asyncio.Future[Any]] = WeakKeyDictionary()
        self.waiting: set[Call] = set()

    def send(self, calls: Iterable[Call]) -> None:
        """Send calls to the scheduler: those that want the same of a worker as one graph."""
        alike: defaultdict[_Wants, list[Call]] = defaultdict(list)
        for call in calls:
            if not call.future.done():
                self._compare(call.module)
                alike[_wants_of(call)].append(call)
        for wants, some in alike.items():
            if wants.placement.where or wants.parts:
                self._spawn(self._send_later(wants, some))
            else:
                self._send_alike(wants, some, None, ())

    def forget(self, parts: Iterable[Part]) -> None:
        """Send big arguments anew with the next call that has them."""
        for part in parts:
            self._scattered.pop(part, None)

    async def _send_later(self, wants: _Wants, calls: list[Call]) -> None:
        """Send calls when their big arguments are there, to the workers that they name."""
        self.waiting.update(calls)
        try:
            parts = [await self._scatter(part) for part in wants.parts]
            named = await self._named(wants, calls) if wants.placement.where else None
        except (ExecutorError, DemandError) as error:
            self.waiting.difference_update(calls)
            deliver((call, None, error) for call in calls)
            return
        self.waiting.difference_update(calls)
        self._send_alike(wants, [call for call in calls if not call.future.done()], named, parts)

    async def _scatter(self, part: Part) -> Future[bytes]:
        """Return a part on the cluster, once for all calls that have it."""
        under_way = self._scattered.get(part)
        if under_way is None:
            scattering = self._client.scatter([part.data], hash=False)
            under_way = self._scattered[part] = asyncio.ensure_future(scattering)
        try:
            (there,) = await asyncio.shield(under_way)
        except (TimeoutError, OSError) as error:
            self._scattered.pop(part, None)
            raise ExecutorError(
                f"a big argument could not be sent to the cluster: {error}"
            ) from error
        found: Future[bytes] = there
        return found

    async def _named(self, wants: _Wants, calls: list[Call]) -> frozenset[str]:
        """Return the workers that calls name, as soon as there are some."""
        workers = await known_to(self._client)
        end = asyncio.get_running_loop().time() + self._patience
        while not (named := named_among(workers, wants.placement)):
            if asyncio.get_running_loop().time() > end:
                raise refusal(calls[0].invocation, workers, self._patience)
            await asyncio.sleep(self._pause)
            workers = await known_to(self._client)
        return named

    def _send_alike(
        self,
        wants: _Wants,
        calls: list[Call],
        only: frozenset[str] | None,
        there: Sequence[Future[bytes]],
    ) -> None:
        try:
            for some in _graphs_of(calls):
                self._send_graph(wants, some, only, there)
        except Exception as error:  # noqa: BLE001 - the edge: whatever a client raises that is closing
            failed = error if isinstance(error, ExecutorError) else _not_sent(error)
            deliver((call, None, failed) for call in calls if call.group is None)

    def _send_graph(
        self,
        wants: _Wants,
        calls: list[Call],
        only: frozenset[str] | None,
        there: Sequence[Future[bytes]],
    ) -> None:
        if any(each.client is not self._client for each in wants.kept):
            raise ExecutorError("an argument was kept on a cluster that has gone away since")
        keeps = wants.placement.keep
        size = 1 if keeps else wants.placement.batch
        parts = [calls[start : start + size] for start in range(0, len(calls), size)]
        keys = [f"{part[0].name}-{self.token}{next(self._numbers):x}" for part in parts]
        futures = self._client.map(
            run_calls,
            [[call.work for call in part] for part in parts],
            tells=self.token if wants.tells else "",
            parts=list(there),
            kept=[each.future for each in wants.kept],
            key=keys,
            pure=False,
            resources=dict(wants.demands) or None,
            priority=wants.placement.priority,
            workers=None if only is None else list(only),
        )
        told = futures
        if keeps:
            told = self._client.map(
                how_it_ended, futures, key=[f"{each}-told" for each in keys], pure=False
            )
        for key, part, future, has_value in zip(keys, parts, told, futures, strict=True):
            group = Group(key, part, future, has_value if keeps else None, only)
            for call in part:
                call.group = group
            self._sent(group)

    def _compare(self, module: str | None) -> None:
        """Compare a module with that of the workers, when its first call is sent."""
        if module is not None and module not in self._compared:
            self._compared.add(module)
            self._spawn(compare_module(self._client, module))
