"""What a run is given beside its target and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypedDict

__all__ = ["Listen", "RunOptions"]

Listen: TypeAlias = str | Sequence[str | Sequence[str]]
"""One filter, or several; a sequence among them shares the bound of one queue."""


class RunOptions(TypedDict, total=False):
    """What `Engine.run` takes; see there."""

    listen: Listen
    """Filters on which signals are kept from the start."""

    name: str | None
    """The run's id, for constraints and telemetry."""

    priority: int
    """Where tasks of several runs wait for the same, those of the highest are first."""

    durable: bool
    """Whether it is a durable agent of that name, in the store."""

    attach: bool
    """Whether to take up whatever durable agent has the name."""
