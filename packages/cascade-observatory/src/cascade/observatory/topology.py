"""Who sees whom: for each agent the numbers of those whose flashes reach it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

__all__ = ["Topology", "adjacency", "all_to_all", "grid", "ring", "torus"]

_SMALLEST_TORUS = 3  # below that the eight neighbours are not eight different ones
_STEPS = (-1, 0, 1)


@dataclass(frozen=True, slots=True)
class Topology:
    """Agents, numbered from 0, and the others that each of them sees.

    Examples:
        >>> from cascade.observatory import ring
        >>> len(ring(100)), ring(100).degree
        (100, 2)
    """

    name: str
    neighbours: tuple[tuple[int, ...], ...]
    """For each agent, in rising order of its number, whom it sees."""

    columns: int | None = None
    """Agents in one row, where they lie on a square lattice, row by row; else None."""

    sees_everyone: bool = False
    """Whether everybody sees everybody else, so that one wildcard can stand for all of them."""

    @property
    def width(self) -> int:
        """Agents in one row when all are drawn as a block: as they lie, or nearly square."""
        return self.columns or isqrt(len(self.neighbours) - 1) + 1

    @property
    def degree(self) -> int:
        """How many others an agent sees, the one that sees most."""
        return max(map(len, self.neighbours), default=0)

    def __len__(self) -> int:
        """Return the number of agents."""
        return len(self.neighbours)

    def __str__(self) -> str:
        """Name it, as in ``torus 20 × 20``."""
        return self.name


def all_to_all(count: int) -> Topology:
    """Return agents that all see each other.

    Raises:
        ValueError: there are fewer than 2.

    Examples:
        >>> all_to_all(3).neighbours
        ((1, 2), (0, 2), (0, 1))
    """
    _check_at_least(count, 2, "agents")
    everyone = range(count)
    neighbours = tuple(tuple(n for n in everyone if n != me) for me in everyone)
    return Topology(f"all-to-all, {count}", neighbours, sees_everyone=True)


def ring(count: int, reach: int = 1) -> Topology:
    """Return agents in a ring, each of whom sees so many on either side.

    Raises:
        ValueError: the reach is below 1, or goes more than once around.

    Examples:
        >>> ring(5).neighbours[0]
        (4, 1)
    """
    if reach < 1 or count <= 2 * reach:
        raise ValueError(
            f"a ring of reach {reach} has a reach of 1 or more and at least {2 * reach + 1} agents, "
            f"not {count}"
        )
    offsets = [*range(-reach, 0), *range(1, reach + 1)]
    neighbours = (tuple((me + step) % count for step in offsets) for me in range(count))
    return Topology(f"ring, {count}", tuple(neighbours))


def grid(side: int) -> Topology:
    """Return a square lattice; each agent sees the eight around it, fewer at the edges.

    Raises:
        ValueError: the side is below 2.

    Examples:
        >>> grid(3).neighbours[0], grid(3).degree
        ((1, 3, 4), 8)
    """
    _check_at_least(side, 2, "the side of a grid")
    neighbours = tuple(
        tuple(
            (row + down) * side + column + right
            for down in _STEPS
            for right in _STEPS
            if (down or right) and 0 <= row + down < side and 0 <= column + right < side
        )
        for row in range(side)
        for column in range(side)
    )
    return Topology(f"grid, {side} × {side}", neighbours, columns=side)


def torus(side: int) -> Topology:
    """Return a square lattice whose edges are joined; each agent sees the eight around it.

    Agent ``row * side + column``; everyone sees as many, and being seen is mutual.

    Raises:
        ValueError: the side is below 3.

    Examples:
        >>> str(torus(20)), torus(20).degree
        ('torus, 20 × 20', 8)
    """
    _check_at_least(side, _SMALLEST_TORUS, "the side of a torus")
    neighbours = tuple(
        tuple(
            (row + down) % side * side + (column + right) % side
            for down in _STEPS
            for right in _STEPS
            if down or right
        )
        for row in range(side)
        for column in range(side)
    )
    return Topology(f"torus, {side} × {side}", neighbours, columns=side)


def adjacency(neighbours: Sequence[Sequence[int]], name: str = "graph") -> Topology:
    """Return any graph: for each agent the numbers of those whom it sees; also one-way.

    Raises:
        ValueError: somebody sees itself, somebody who is not there, or somebody twice.

    Examples:
        >>> adjacency([[1], [2], [0]], "each sees the next").neighbours
        ((1,), (2,), (0,))
    """
    count = len(neighbours)
    for me, seen in enumerate(neighbours):
        wrong = [n for n in seen if not 0 <= n < count]
        if wrong:
            raise ValueError(f"agent {me} sees {wrong[0]}, and there are only 0 to {count - 1}")
        if me in seen or len(set(seen)) < len(seen):
            raise ValueError(f"agent {me} sees itself, or somebody twice: {list(seen)}")
    return Topology(f"{name}, {count}", tuple(map(tuple, neighbours)))


def _check_at_least(given: int, least: int, what: str) -> None:
    if given < least:
        raise ValueError(f"{what}: {least} or more, not {given}")
