"""What `Task.map` is given: columns of arguments, by position or by name, and what stays the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from cascade.interfaces.errors import InvalidTaskError
from cascade.spec.lazy_types import LazyResult

__all__ = ["Fixed", "as_column", "calls_of_mapping", "fixed", "values_of_items"]

T = TypeVar("T")


class Fixed(Generic[T]):
    """Marks an argument of a mapping that is the same in every call."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        """Keep the value."""
        self.value = value


def fixed(value: T) -> T:
    """Keep an argument of a mapping the same in every call, where keywords are mapped.

    To a type checker it is the value, as each call gets it.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def power(base: int, exponent: int) -> int:
        ...     return base**exponent
        >>> cs.run(power.map(base=[2, 3], exponent=cs.fixed(3)))
        [8, 27]
    """
    marked: Any = Fixed(value)
    return marked  # type: ignore[no-any-return]  # typed as what each call will get


def as_column(values: Any, task: str, place: str) -> Any:
    """Return what to map over: a list, where it is no container of values (an iterator, a range).

    Raises:
        InvalidTaskError: it is nothing to go through item by item.
    """
    if isinstance(values, LazyResult):
        return values
    if not isinstance(values, Iterable):
        raise InvalidTaskError(
            f"{task}.map() goes through {place} item by item, and {values!r} has none; "
            "cs.fixed(value) keeps it the same in every call"
        )
    return list(values) if isinstance(values, (Iterator, range)) else values


def _rows_of(
    task: str, by_position: tuple[Iterable[Any], ...], by_name: Mapping[str, Iterable[Any]]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield positional and keyword arguments for each call of a mapping.

    Raises:
        InvalidTaskError: the columns have different lengths; the text names them.
    """
    columns: dict[str, list[Any]] = {
        **{f"argument {place}": list(each) for place, each in enumerate(by_position, 1)},
        **{name: list(each) for name, each in by_name.items()},
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InvalidTaskError(f"{task}.map() needs as many items of each: {found}")
    for row in zip(*columns.values(), strict=True):
        positional = row[: len(by_position)]
        yield positional, dict(zip(by_name, row[len(by_position) :], strict=True))


def calls_of_mapping(
    mapped: Any,
    columns: tuple[Iterable[Any], ...],
    by_name: Mapping[str, Iterable[Any]],
    same: Mapping[str, Any],
) -> list[Any]:
    """Return the calls that a mapping of a task stands for, now that its columns are values.

    Raises:
        InvalidTaskError: the columns have different lengths.
    """
    rows = _rows_of(mapped.name, columns, by_name)
    return [mapped(*args, **named, **same) for args, named in rows]


def values_of_items(items: Any, mapped: Any, calls: list[Any], frame: Any) -> Any:
    """Return what gives the values of a mapping's calls: all at once, or a window of them at a time.

    Args:
        items: the task that a graph of all of them is made with.
        mapped: the task of the calls.
        calls: the calls.
        frame: who evaluates the mapping.
    """
    window = mapped.policies.window
    if window is None or window >= len(calls):
        return LazyResult(items, (calls,), {})
    return frame.run.services.evaluate_items(frame, calls, window)
