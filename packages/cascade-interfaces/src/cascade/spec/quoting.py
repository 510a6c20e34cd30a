"""``quote``: a value that is handed to a task as it is, without a look for calls inside it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

__all__ = ["Quoted", "quote"]

T = TypeVar("T")


class Quoted(Generic[T]):
    """Marks an argument that is not looked into; the task is given the value itself."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        """Keep the value as it is."""
        self.value = value

    def __repr__(self) -> str:
        """Show that something is held back."""
        return "…"


def quote(value: T) -> T:
    """Hand a value to a task as it is: calls inside it are not evaluated, and nobody looks for any.

    For large containers of plain data, which would be searched for calls each time, and for calls
    that the task is to have as calls. To a type checker it is the value, as the task gets it.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def size(items: list[int]) -> int:
        ...     return len(items)
        >>> cs.run(size(cs.quote([1, 2, 3])))
        3
    """
    marked: Any = Quoted(value)
    return marked  # type: ignore[no-any-return]  # typed as what the task will get
