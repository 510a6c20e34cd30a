"""`Mismatch`: what cannot be written or read, with the way there, that grows on the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from reprlib import Repr
from typing import Any

__all__ = ["Mismatch", "for_each", "shown"]

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class Mismatch(Exception):  # noqa: N818 - never leaves the codec, which makes an error of it
    """A value or a piece of data that does not fit what is asked of it.

    Attributes:
        path: from the argument to it, as in ``['x'][2].name``.
        reason: what is wrong.
    """

    def __init__(self, reason: str) -> None:
        """Begin where it is found."""
        super().__init__(reason)
        self.reason = reason
        self.path = ""


def shown(value: object) -> str:
    """Show a value in a few words."""
    return _SHORT.repr(value)


def for_each(
    parts: Iterable[Any], do: Callable[[Any], Any], label: Callable[[int], str] = "[{}]".format
) -> list[Any]:
    """Return what comes of each part, and put the label of one that does not fit before its path.

    Raises:
        Mismatch: a part does not fit.
    """
    done: list[Any] = []
    try:
        for part in parts:
            done.append(do(part))  # noqa: PERF401 - how many are done is where it failed
    except Mismatch as mismatch:
        mismatch.path = label(len(done)) + mismatch.path
        raise
    return done
