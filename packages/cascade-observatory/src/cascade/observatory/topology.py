"""Who sees whom: for each firefly the numbers of its neighbours."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Neighbours", "torus"]

Neighbours: TypeAlias = tuple[tuple[int, ...], ...]
"""For each agent, from 0, the agents whose flashes it sees."""

_SMALLEST = 3  # below that the eight neighbours are not eight different ones


def torus(side: int) -> Neighbours:
    """Return a square lattice whose edges are joined; each agent sees the eight around it.

    Agent ``row * side + column``; everyone sees as many, and being seen is mutual.

    Args:
        side: agents along one edge, 3 or more.

    Raises:
        ValueError: the side is below 3.
    """
    if side < _SMALLEST:
        raise ValueError(f"a torus has a side of {_SMALLEST} or more, not {side}")
    return tuple(_around(row, column, side) for row in range(side) for column in range(side))


def _around(row: int, column: int, side: int) -> tuple[int, ...]:
    return tuple(
        (row + down) % side * side + (column + right) % side
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if down or right
    )
