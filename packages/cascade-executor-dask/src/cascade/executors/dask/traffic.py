"""What goes to the cluster and comes back, while the connection lasts; on the session's event loop.

Calls that come close together are sent as one graph, and values that are there together are fetched
together: Dask takes most of its time for each message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from distributed import Client
from distributed.scheduler import KilledWorker

from cascade.executors.dask.calls import Call, Group, deliver
from cascade.executors.dask.kept import Kept
from cascade.executors.dask.sending import Sender
from cascade.executors.dask.telling import log_again
from cascade.executors.dask.worker import BEGUN, Outcomes
from cascade.executors.dask.workers import fits, known_to, lacks_module, refusal
from cascade.executors.pool.transfer import unpack_outcome
from cascade.interfaces.errors import ExecutorError, ProcessTransferError, WorkerLostError

__all__ = ["Traffic"]

_MANY = 16  # tasks of the cluster under way
_FETCHED_FOR = 0.02  # seconds: where many are under way, what ends within them is fetched together
_LOSSES = 3  # times that a call is sent again since its big arguments were lost
_UNFINISHED = ("pending", "lost")  # of a lost value Dask calls the function again


class Traffic:
    """Sends calls, follows them, and brings their outcomes home.

    Attributes:
        is_lost: set when the scheduler has gone away.
        why: what was noticed of that, if anything.
    """

    def __init__(self, client: Client, patience: float) -> None:
        """Begin with nothing under way.

        Args:
            client: connected, on this event loop.
            patience: seconds that a call may wait while no worker fits it.
        """
        self._client = client
        self._patience = patience
        self._pause = min(1.0, patience / 4)
        self._under_way: dict[str, Group] = {}
        self._ended: list[Group] = []
        self._has_ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_lost = asyncio.Event()
        self.why = ""
        self._sender = Sender(client, patience, self._follow_later, self._spawn)
        client.subscribe_topic(f"{BEGUN}-{self._sender.token}", self._begins)
        self._spawn(self._collect())
        self._spawn(self._watch())

    def send(self, calls: Iterable[Call]) -> None:
        """Send calls to the scheduler."""
        self._sender.send(calls)

    def cancel(self, call: Call) -> None:
        """Take note that nobody waits for a call any more; what has not begun is not begun."""
        group = call.group
        if group is not None and group.key in self._under_way and not group.is_wanted:
            self._let_go(group)

    async def aclose(self, why: str) -> None:
        """Let go of all that is under way: its calls fail."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        error = ExecutorError(why)
        deliver((call, None, error) for call in self._sender.waiting)
        self._fail(list(self._under_way.values()), error)

    # --- there -----------------------------------------------------------------------------------

    def _follow_later(self, group: Group) -> None:
        """Follow what was sent."""
        self._under_way[group.key] = group
        self._spawn(self._follow(group))

    def _begins(self, event: tuple[float, tuple[str, int, str]]) -> None:
        _, (key, number, worker) = event
        group = self._under_way.get(key)
        if group is not None:
            group.calls[number].begins(worker)

    async def _watch(self) -> None:
        """Refuse what no worker fits, and notice that the scheduler has gone."""
        clock = asyncio.get_running_loop().time
        while not self.is_lost.is_set():
            await asyncio.sleep(self._pause)
            waiting = [each for each in self._under_way.values() if each.future.status == "pending"]
            if self._client.status != "running":
                self.is_lost.set()
            elif waiting:
                await self._refuse_unfit(waiting, clock())

    async def _refuse_unfit(self, waiting: list[Group], now: float) -> None:
        workers = await known_to(self._client)
        for group in waiting:
            invocation = group.calls[0].invocation
            if any(
                (group.workers is None or address in group.workers) and fits(invocation, each)
                for address, each in workers.items()
            ):
                group.unfit_since = None
            elif group.unfit_since is None:
                group.unfit_since = now
            elif now - group.unfit_since >= self._patience:
                self._fail([group], refusal(invocation, workers, self._patience))

    # --- and back --------------------------------------------------------------------------------

    async def _follow(self, group: Group) -> None:
        while group.future.status in _UNFINISHED:
            state: Any = group.future._state  # noqa: SLF001 - as_completed took more time in a trial
            await state.wait()
        self._ended.append(group)
        self._has_ended.set()

    async def _collect(self) -> None:
        """Fetch what has ended, whatever there is together."""
        while True:
            await self._has_ended.wait()
            if len(self._under_way) > _MANY:
                await asyncio.sleep(_FETCHED_FOR)
            self._has_ended.clear()
            ended, self._ended = self._ended, []
            finished = [each for each in ended if each.future.status == "finished"]
            if finished:
                self._spawn(self._fetch(finished))
            for group in ended:
                if group.future.status != "finished":
                    await self._ended_badly(group)

    async def _fetch(self, groups: list[Group]) -> None:
        try:
            found: list[Outcomes] = await self._client.gather([each.future for each in groups])
        except Exception as error:  # noqa: BLE001 - the edge: whatever the cluster has come to meanwhile
            if len(groups) == 1:
                self._fail(groups, _explained(groups[0], error))
            else:
                for group in groups:
                    self._spawn(self._fetch([group]))
            return
        deliver(
            settled
            for group, outcomes in zip(groups, found, strict=True)
            for settled in self._outcomes_of(group, outcomes)
        )

    def _outcomes_of(
        self, group: Group, outcomes: Outcomes
    ) -> Iterable[tuple[Call, Any, BaseException | None]]:
        """Return how each call of a group ended; the cluster then forgets them."""
        self._let_go(group)
        log_again(outcomes.logged, outcomes.worker)
        for call, packed in zip(group.calls, outcomes.packed, strict=False):
            call.invocation.runs_on = outcomes.worker
            if not packed and group.kept is not None:
                yield call, Kept(call.name, group.kept, self._client), None
                continue
            try:
                yield call, unpack_outcome(packed, call.name), None
            except ProcessTransferError as error:
                lacks = error.module
                named = lacks and lacks_module(call.name, outcomes.worker, lacks)
                yield call, None, named or error
            except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
                yield call, None, error

    async def _ended_badly(self, group: Group) -> None:
        if group.key not in self._under_way:
            return
        if group.future.status == "error":
            error = await group.future.exception()
            self._fail([group], _explained(group, error))
        elif self._client.status == "running" and self._sent_again(group):
            return
        elif self._client.status == "running":
            self._fail([group], ExecutorError(f"the cluster has cancelled {group.calls[0].name!r}"))
        else:
            self.is_lost.set()

    def _sent_again(self, group: Group) -> bool:
        """Send calls again whose big arguments were lost with the worker that had them."""
        calls = group.calls
        if not calls[0].parts or calls[0].losses >= _LOSSES:
            return False
        self._let_go(group)
        for call in calls:
            call.losses += 1
            self._sender.forget(call.parts)
        self.send(calls)
        return True

    def _fail(self, groups: list[Group], error: Exception) -> None:
        for group in groups:
            self._let_go(group)
            deliver((call, None, error) for call in group.calls)

    def _let_go(self, group: Group) -> None:
        """Have the cluster forget a group: not begin it, tell its function, let its values go."""
        self._under_way.pop(group.key, None)
        group.future.release()
        for call in group.calls:
            call.group = (
                None  # or the two keep each other, and the values, until the next collection
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """Take note of what went wrong: without its scheduler a client can do nothing."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.why = f"{type(error).__name__}: {error}"
            self.is_lost.set()


def _explained(group: Group, error: BaseException) -> Exception:
    """Return the error of a group that the cluster could not run."""
    name = group.calls[0].name
    if isinstance(error, KilledWorker):
        lost: Exception = WorkerLostError(
            f"{error.allowed_failures + 1} workers were lost while {name!r} was on them, the last one "
            f"{getattr(error.last_worker, 'address', error.last_worker)}; it may have ended them itself, or "
            "have stood beside what did"
        )
    else:
        lost = ExecutorError(f"the cluster could not run {name!r}: {type(error).__name__}: {error}")
    lost.__cause__ = error
    return lost
