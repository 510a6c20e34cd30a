"""What runs on a worker of the cluster: calls, as bytes, and how they ended, as bytes again."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from distributed.worker import get_worker

from cascade.executors.dask.kept import with_kept
from cascade.executors.dask.parts import given
from cascade.executors.dask.telling import Record, telling
from cascade.executors.pool.transfer import has_failed, run_packed

__all__ = ["BEGUN", "Facts", "Outcomes", "digest_of", "facts_about", "how_it_ended", "run_calls"]

BEGUN = "cascade-begun"
"""What the topic begins with on which a worker says that a call begins."""


class Outcomes(NamedTuple):
    """How the calls of one task of the cluster ended, in their order."""

    worker: str
    packed: list[bytes]
    logged: list[Record]


def digest_of(module: str) -> str | None:
    """Return what tells the source of a module from any other; None where it has no file, or is not here."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):  # its package is not here; or it was made by hand
        return None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    return sha256(Path(spec.origin).read_bytes()).hexdigest()


class Facts(NamedTuple):
    """What a worker has installed."""

    python: str
    cascade: str | None


def facts_about() -> Facts:
    """Return what has to be the same on a worker as here."""
    try:
        installed = version("cascade-runtime")
    except PackageNotFoundError:
        installed = None
    return Facts(".".join(platform.python_version_tuple()[:2]), installed)


def run_calls(
    works: list[bytes],
    tells: str = "",
    parts: Sequence[bytes] = (),
    kept: Sequence[Outcomes] = (),
) -> Outcomes:
    """Call one function after the other.

    Args:
        works: the calls, as they were packed.
        tells: names the client that wants to know when each begins; empty where none does.
        parts: big arguments that they have.
        kept: values of other calls that they refer to.
    """
    worker = get_worker()
    key = worker.get_current_task()

    def is_cancelled() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    packed: list[bytes] = []
    logged: list[Record] = []
    for number, work in enumerate(works):
        if is_cancelled():  # nobody waits for what is left
            break

        def begins(number: int = number) -> None:
            if tells:
                worker.log_event(f"{BEGUN}-{tells}", (key, number, worker.address))

        with given(parts), with_kept([each.packed[0] for each in kept]):
            packed.append(run_packed(work, begins, is_cancelled, partial(telling, logged)))
    return Outcomes(worker.address, packed, logged)


def how_it_ended(outcomes: Outcomes) -> Outcomes:
    """Return outcomes with nothing in the place of values, which stay where they are."""
    packed = [each if has_failed(each) else b"" for each in outcomes.packed]
    return outcomes._replace(packed=packed)
