"""Search for an order, a fault or a random number with which agents go wrong, and make the case small.

What agents do at one instant may happen in any order, and a network loses, delays and repeats messages.
`explore` runs a simulation with one seed after the other, each of which is another order and other faults,
until one goes wrong::

    def test_the_last_writer_wins():
        explore(lambda: {"a": writer(1), "b": writer(2)}, invariant=lambda done: len(done.results) == 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cascade.interfaces.errors import SimulationError
from cascade.simulation import Faults, Simulation, simulate

__all__ = ["ExplorationError", "explore"]


class ExplorationError(SimulationError):
    """An exploration found a seed with which agents go wrong; what went wrong is its cause.

    Attributes:
        seed: the smallest one that was found.
        size: how many agents the targets were made for; None where that was not asked for.
        faults: what is left of them.
        replay: a line of Python that does it again.
    """

    def __init__(self, case: _Case, failure: Exception, seed: int) -> None:
        """Say what went wrong, and how to see it again."""
        self.seed = seed
        self.size = case.size
        self.faults = case.faults
        self.replay = case.replay(seed)
        wrong = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
        super().__init__(
            f"with seed {seed} it goes wrong: {wrong}\nsee it again by\n  {self.replay}"
        )


@dataclass(frozen=True)
class _Case:
    """What is explored, with everything but the seed."""

    make: Callable[..., Any]
    invariant: Callable[[Simulation], object] | None
    schedule: Literal["in order", "random"]
    faults: tuple[Faults, ...]
    size: int | None
    until: float | None

    def failure(self, seed: int) -> Exception | None:
        """Run it with a seed; return what went wrong."""
        targets = self.make() if self.size is None else self.make(self.size)
        try:
            done = simulate(
                targets, seed=seed, until=self.until, schedule=self.schedule, faults=self.faults
            )
            holds = self.invariant is None or self.invariant(done) is not False
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is looked for
            return error
        return None if holds else AssertionError(f"the invariant does not hold of {done}")

    def first_failure(self, seeds: Iterable[int]) -> tuple[int, Exception] | None:
        """Run it with seeds until one goes wrong."""
        for seed in seeds:
            failure = self.failure(seed)
            if failure is not None:
                return seed, failure
        return None

    def replay(self, seed: int) -> str:
        """Return a line of Python that runs it."""
        size = "" if self.size is None else self.size
        options = [f"seed={seed}", f"schedule={self.schedule!r}"]
        if self.until is not None:
            options.append(f"until={self.until!r}")
        if self.faults:
            options.append(f"faults={list(self.faults)!r}")
        name = getattr(self.make, "__name__", repr(self.make))
        made = f"{name}({size})" if name.isidentifier() else f"targets({size})"
        return f"cs.simulate({made}, {', '.join(options)})"


def explore(
    targets: Callable[..., Any],
    *,
    invariant: Callable[[Simulation], object] | None = None,
    seeds: Sequence[int] = range(300),
    sizes: Sequence[int] = (),
    schedule: Literal["in order", "random"] = "random",
    faults: Faults | Sequence[Faults] = (),
    until: float | None = None,
) -> int:
    """Simulate targets with one seed after the other, until one goes wrong; then make the case small.

    Wrong is what raises an error, a deadlock too, and what the invariant is False of. A case is made smaller
    by leaving out faults, then by fewer agents, where ``sizes`` are given; of each the smallest seed is
    taken with which the same kind of error occurs.

    Args:
        targets: makes the targets of a simulation; is given how many agents, where ``sizes`` are given.
        invariant: is given the `Simulation`; returns False, or raises, where something is wrong.
        seeds: what to try, in this order.
        sizes: numbers of agents; the largest is explored, and the smaller ones tried where that goes wrong.
        schedule: as for `simulate`; random here, so that each seed is an order of its own.
        faults: as for `simulate`.
        until: as for `simulate`.

    Returns:
        How many simulations were run, none of which went wrong.

    Raises:
        ExplorationError: one went wrong; it says which, and how to run it again.
        ValueError: there are no seeds.

    Examples:
        >>> import cascade as cs
        >>> explore(lambda: cs.wait(1), invariant=lambda done: done.duration == 1, seeds=range(10))
        10
    """
    if not seeds:
        raise ValueError("an exploration needs seeds to try, such as range(300)")
    every = (faults,) if isinstance(faults, Faults) else tuple(faults)
    size = max(sizes) if sizes else None
    case = _Case(targets, invariant, schedule, every, size, until)
    found = case.first_failure(seeds)
    if found is None:
        return len(seeds)
    case, (seed, failure) = _shrunk(case, found, seeds, sorted(sizes))
    raise ExplorationError(case, failure, seed) from failure


def _shrunk(
    case: _Case, found: tuple[int, Exception], seeds: Sequence[int], sizes: Sequence[int]
) -> tuple[_Case, tuple[int, Exception]]:
    """Leave out what is not needed for the same kind of error."""

    def still_fails(smaller: _Case) -> tuple[int, Exception] | None:
        again = smaller.first_failure(seeds)
        return again if again is not None and type(again[1]) is type(found[1]) else None

    went_on = True
    while went_on:
        went_on = False
        for faults in _fewer(case.faults):
            again = still_fails(replace(case, faults=faults))
            if again is not None:
                case, found, went_on = replace(case, faults=faults), again, True
                break
    for size in sizes:
        if case.size is not None and size < case.size:
            again = still_fails(replace(case, size=size))
            if again is not None:
                return replace(case, size=size), again
    return case, found


def _fewer(every: tuple[Faults, ...]) -> Iterator[tuple[Faults, ...]]:
    """Yield the same with one fault less: all of a filter's first, then one kind of it."""
    for number, faults in enumerate(every):
        yield (*every[:number], *every[number + 1 :])
        kinds = [
            kind for kind in ("loss", "delay", "duplicate", "partitions") if getattr(faults, kind)
        ]
        for kind in kinds if len(kinds) > 1 else ():
            none: Any = () if kind == "partitions" else 0.0
            less: Any = {kind: none}
            yield (*every[:number], replace(faults, **less), *every[number + 1 :])
