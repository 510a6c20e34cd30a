"""What a function on a worker tells beside its value: what it logs, and in which trace it runs.

What the logging of the worker lets through comes home with the outcome, and passes the logging here, with
the worker's address as ``record.worker``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeAlias

from cascade.interfaces.properties import Properties

try:
    from opentelemetry import context as otel
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # an extra: without it nobody looks at traces on this worker
    otel = None  # type: ignore[assignment]  # told apart where it is used

__all__ = ["Record", "log_again", "telling"]

Record: TypeAlias = dict[str, Any]
"""The attributes of a record of `logging`, as plain data."""

_PLAIN = (str, int, float, bool, type(None))

_heard: ContextVar[list[Record] | None] = ContextVar("cascade_dask_heard", default=None)


class _Listening(logging.Handler):
    """Keeps what is logged in a function that runs for somebody else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as plain data."""
        heard = _heard.get()
        if heard is None:
            return
        plain = {name: each for name, each in vars(record).items() if isinstance(each, _PLAIN)}
        if record.exc_info:
            plain["exc_text"] = logging.Formatter().formatException(record.exc_info)
        heard.append({**plain, "msg": record.getMessage(), "args": None, "exc_info": None})


@cache
def _listen() -> None:
    """Listen to the logging of this process, from now on."""
    logging.getLogger().addHandler(_Listening())


@contextmanager
def telling(heard: list[Record], trace: Properties) -> Iterator[None]:
    """Gather what is logged inside, and be in a trace there."""
    _listen()
    _heard.set(heard)
    if not trace or otel is None:
        yield
        return
    token = otel.attach(TraceContextTextMapPropagator().extract(dict(trace)))
    try:
        yield
    finally:
        otel.detach(token)


def log_again(records: Iterable[Mapping[str, Any]], worker: str) -> None:
    """Log here what was logged on a worker, unless that is this process."""
    for each in records:
        logger = logging.getLogger(each["name"])
        if each["process"] != os.getpid() and logger.isEnabledFor(each["levelno"]):
            logger.handle(logging.makeLogRecord({**each, "worker": worker}))
