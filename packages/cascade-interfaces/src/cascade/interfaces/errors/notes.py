"""Notes on exceptions, put on without ever getting in the way of the exception itself."""

from __future__ import annotations

from contextlib import suppress

__all__ = ["OriginNote", "add_note"]


class OriginNote(str):
    """Tells where a failure comes from; an exception carries one at most, the first."""

    __slots__ = ()


def add_note(error: BaseException, note: str) -> None:
    """Put a note on an exception, also on one that refuses `BaseException.add_note`.

    A frozen dataclass does, since it lets nobody set an attribute; its notes go past that. One that
    keeps something else in place of a list of notes goes without: a note never replaces the failure
    that it explains.

    Examples:
        >>> error = ValueError("no")
        >>> add_note(error, "on Monday")
        >>> error.__notes__
        ['on Monday']
    """
    with suppress(Exception):
        notes = vars(error).setdefault("__notes__", [])
        if type(note) is not OriginNote or OriginNote not in map(type, notes):
            notes.append(note)
