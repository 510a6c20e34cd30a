"""Tasks that tests run on the workers of a cluster, which import them from here."""

import asyncio
import logging
import os
import time
from pathlib import Path

from distributed import get_worker
from opentelemetry import trace

import cascade as cs


@cs.task(mode="remote")
def square(n: int) -> int:
    return n * n


@cs.task(mode="remote")
async def later(n: int) -> int:
    await asyncio.sleep(0)
    return n


@cs.task(mode="remote")
def pid() -> int:
    return os.getpid()


@cs.task(mode="remote")
def where_i_stand():
    return cs.current()


@cs.task(mode="remote")
def fails(text: str) -> None:
    raise ValueError(text)


@cs.task(mode="remote")
def takes(thing: object) -> None:
    return None


@cs.task(mode="remote")
def until_told(begun: str, told: str) -> None:
    """Write that it has begun; run until it is told that nobody waits, and write that."""
    Path(begun).write_text(str(os.getpid()))
    end = time.monotonic() + 60
    while not cs.current().cancelled and time.monotonic() < end:
        time.sleep(0.01)
    Path(told).write_text(str(cs.current().cancelled))


@cs.task(mode="remote")
def once_begun(begun: str, n: int) -> int:
    """Write that it has begun, and take long the first time."""
    path = Path(begun)
    if not path.exists():
        path.write_text(str(os.getpid()))
        time.sleep(60)
    return n


@cs.task(mode="remote")
def ends_its_worker() -> None:
    os._exit(3)


@cs.task(mode="remote")
def refuses_odd(n: int) -> int:
    if n % 2:
        raise ValueError(n)
    return n


@cs.task(mode="remote")
def key(_: int) -> str:
    """Return what the cluster calls the task that this runs in."""
    return str(get_worker().get_current_task())


@cs.task(mode="remote")
def name() -> str:
    return str(get_worker().name)


@cs.task(mode="remote")
def logs(text: str) -> None:
    try:
        int(text)
    except ValueError:
        logging.getLogger("remote").exception("heard %s", text)
    logging.getLogger("remote").debug("not let through there")


@cs.task(mode="remote")
def trace_id() -> int:
    return trace.get_current_span().get_span_context().trace_id


@cs.task(mode="remote")
def length_after(n: int, data: bytearray) -> int:
    """Return how much it was given, which no other call may change."""
    found = len(data)
    data.append(n)
    return found


@cs.task(mode="remote")
def slow_length(begun: str, data: bytes) -> int:
    path = Path(begun)
    if not path.exists():
        path.write_text(str(os.getpid()))
        time.sleep(60)
    return len(data)


@cs.task(mode="remote")
def total(values: list[int], pid: int = 0) -> int:
    return sum(values)


@cs.task(mode="remote")
def count(text: str) -> int:
    return len(text)
