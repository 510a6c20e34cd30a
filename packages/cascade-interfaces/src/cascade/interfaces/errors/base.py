"""The root of all errors, and what their texts have in common."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = ["CascadeError", "near_name"]


def near_name(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, or nothing.

    Examples:
        >>> near_name("colour", ["color", "size"])
        " Did you mean 'color'?"
    """
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class CascadeError(Exception):
    """The root: catch it to catch everything that Cascade itself raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep text and facts on the way back from a worker process.

        The usual way calls the class with the text alone, which none of these classes takes.
        """
        return _rebuild, (type(self), self.args, vars(self))


def _rebuild(
    kind: type[CascadeError], args: tuple[Any, ...], facts: dict[str, Any]
) -> CascadeError:
    error = kind.__new__(kind, *args)
    error.args = args  # the kinds of OSError keep none before their `__init__`
    vars(error).update(facts)
    return error
