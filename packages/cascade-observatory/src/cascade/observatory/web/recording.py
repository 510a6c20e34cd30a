"""The contract between an experiment, its recording, and the page that shows either.

Times are simulated seconds since the swarm began; within each sequence they never fall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

__all__ = ["Controls", "Feed", "Flashes", "Metadata", "Order", "Recording", "Update"]


class Flashes(TypedDict):
    """Who flashed when; both of the same length."""

    times: Sequence[float]
    agents: Sequence[int]


class Order(TypedDict):
    """The order parameter, from 0 to 1, over time; both of the same length."""

    times: Sequence[float]
    values: Sequence[float]


class Metadata(TypedDict):
    """What does not change while an experiment runs."""

    title: str
    parameters: Mapping[str, str]
    """Names and values, as people read them."""
    agents: int
    columns: int | None
    """Of the square lattice on which the agents live; None if they live on something else."""
    period: float
    """Seconds from flash to flash of an agent that sees no other."""


class Recording(Metadata):
    """An experiment as far as it has come."""

    duration: float
    """Seconds so far."""
    flashes: Flashes
    order: Order
    in_step_after: float | None
    """Seconds; None if the swarm is not in step."""


class Update(TypedDict):
    """What an experiment saw since it was last asked."""

    now: float
    """Seconds that the swarm has run."""
    flashes: Flashes
    order: Order
    in_step_after: float | None
    """Seconds; None if the swarm is not in step."""
    done: bool
    """Whether this is all, and nothing follows."""


class Feed(Protocol):
    """A running experiment; asked from several threads while it goes on."""

    def metadata(self) -> Metadata:
        """Return what does not change."""
        ...

    def since(self, flashes: int, points: int) -> Update:
        """Return what came after so many flashes and so many points of the order parameter."""
        ...


class Controls(Protocol):
    """What people may change in a running experiment; set from several threads."""

    paused: bool
    """Whether simulated time stands still."""

    factor: float
    """Simulated seconds per second."""
