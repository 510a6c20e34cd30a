"""`DaskExecutor`: the Executor contract over a Dask cluster."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from distributed.security import Security

from cascade.executors.dask.address import address_of, read_url
from cascade.executors.dask.calls import Call
from cascade.executors.dask.kept import collecting
from cascade.executors.dask.packing import module_of, pack, pickled
from cascade.executors.dask.parts import Part, Parts
from cascade.executors.dask.session import Session
from cascade.executors.pool import PoolExecutor
from cascade.executors.pool.transfer import cannot_be_sent, name_of
from cascade.interfaces.errors import ProcessTransferError
from cascade.interfaces.executor import Invocation, Mode

__all__ = ["DaskExecutor", "executor_from"]


class DaskExecutor:
    """Runs ``remote`` tasks on the workers of a Dask cluster, all others as `PoolExecutor` does.

    It connects with the first call, by a client of its own, and belongs to no event loop. A worker that is
    lost costs no call: the scheduler gives its calls to others, and so may begin a function again; one that
    loses several workers in a row ends in `WorkerLostError`. A call that is cancelled is not begun any
    more; one that runs goes on, and is told: ``cs.current().cancelled``.

    Attributes:
        takes_demands_of: the modes whose demands, where the engine has no such capacity, are resources
            of workers.

    Examples:
        >>> import cascade as cs
        >>> render = cs.task(len, mode="remote")
        >>> engine = cs.Engine(executor=DaskExecutor("tcp://scheduler:8786"))
    """

    def __init__(
        self,
        cluster: Any,
        *,
        security: Security | None = None,
        upload: Sequence[str | PathLike[str]] = (),
        also_processes: bool = False,
        patience: float = 10.0,
    ) -> None:
        """Say where the scheduler is; the first call connects.

        Args:
            cluster: the scheduler's address, ``tcp://host:8786`` or ``tls://host:8786``; or a cluster or
                client of Dask, which stays open.
            security: certificates, where the cluster talks TLS; that of the cluster or client if left out.
            upload: files of modules that workers lack, ``.py`` or ``.zip``: they are given them.
            also_processes: run ``process`` tasks on the cluster too, instead of on this machine.
            patience: seconds to wait for the scheduler, and for a worker that has what a call demands.

        Raises:
            TypeError: it is no address, and has none.
            ValueError: patience is not above 0.
            FileNotFoundError: there is no file to upload.
        """
        self._uploads = [str(Path(path).resolve(strict=True)) for path in upload]
        if not patience > 0:
            raise ValueError(f"patience is a number of seconds above 0, not {patience!r}")
        self._address = address_of(cluster, security)
        self._patience = patience
        modes: set[Mode] = {"remote", "process"} if also_processes else {"remote"}
        self.takes_demands_of = frozenset(modes)
        self._here = PoolExecutor()
        self._parts = Parts(pickled)
        self._lock = threading.Lock()
        self._session: Session | None = None

    def submit(self, invocation: Invocation) -> asyncio.Future[Any]:
        """Call a function on a worker, or here; see the Executor contract.

        The future raises `ProcessTransferError` where function, arguments or result cannot go to or from a
        worker, `WorkerLostError` where workers were lost with the call, `DemandError` where no worker has
        what it demands, and `ExecutorError` where the cluster cannot be reached or used.
        """
        if invocation.mode not in self.takes_demands_of:
            return self._here.submit(invocation)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        try:
            small, parts = self._without_parts(invocation)
            with collecting() as kept:
                work = pack(small)
        except ProcessTransferError as error:
            future.set_exception(error)
            return future
        call = Call(
            invocation, work, loop, future, module_of(invocation.function), parts, tuple(kept)
        )
        session = self._submit(call)
        future.add_done_callback(partial(_cancel_with, session, call))
        return future

    def _without_parts(self, invocation: Invocation) -> tuple[Invocation, tuple[Part, ...]]:
        """Return a call without its big arguments, and these."""
        try:
            args, kwargs, parts = self._parts.take_out(invocation.args, dict(invocation.kwargs))
        except Exception as error:
            raise cannot_be_sent(name_of(invocation.function), error) from error
        if not parts:
            return invocation, parts
        return replace(invocation, args=args, kwargs=kwargs), parts

    def _submit(self, call: Call) -> Session:
        """Give a call to the session, or to a new one where there is none any more."""
        with self._lock:
            session = self._session
            while session is None or not session.submit(call):
                session = self._session = Session(self._address, self._patience, self._uploads)
            return session

    async def aclose(self) -> None:
        """Disconnect; what is under way fails. A later call connects again."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            await asyncio.to_thread(session.close)
        await self._here.aclose()


def _cancel_with(session: Session, call: Call, future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        session.cancel(call)


_FLAGS = {"true": True, "false": False}


def executor_from(url: str) -> DaskExecutor:
    """Return the executor that a URL names: ``dask://scheduler:8786?also_processes=true&patience=30``.

    With ``dask+tls://`` it talks TLS, and ``ca``, ``cert`` and ``key`` name the files of certificates.

    Raises:
        ValueError: the URL is not valid.

    Examples:
        >>> executor_from("dask://scheduler").takes_demands_of
        frozenset({'remote'})
    """
    address, options = read_url(url)
    also, patience = options.pop("also_processes", "false"), options.pop("patience", "10")
    if options:
        raise ValueError(f"a Dask executor has no option {min(options)!r}")
    if also not in _FLAGS:
        raise ValueError(f"also_processes is true or false, not {also!r}")
    try:
        seconds = float(patience)
    except ValueError:
        raise ValueError(f"patience is a number of seconds, not {patience!r}") from None
    return DaskExecutor(
        address.text, security=address.security, also_processes=_FLAGS[also], patience=seconds
    )
