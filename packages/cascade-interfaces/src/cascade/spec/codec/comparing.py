"""Whether what was read is equal to what was written, and of the same types throughout."""

from __future__ import annotations

from collections import deque
from datetime import datetime, time
from typing import Any

from cascade.spec.codec.mismatch import Mismatch, for_each, shown
from cascade.spec.containers import CALL_TYPES, KINDS, field_names
from cascade.spec.quoting import Quoted
from cascade.spec.registry import registered_for
from cascade.spec.task import DerivedTask, Task

__all__ = ["compare"]

_ATOMS = frozenset({type(None), bool, int, str})

_Pair = tuple[Any, Any]


def compare(value: Any, back: Any) -> None:
    """Refuse what did not come back as it was; NaN is equal to NaN.

    Raises:
        Mismatch: something is different; the path says where.
    """
    if value is back:
        return
    kind = type(value)
    if kind is not type(back) or kind in CALL_TYPES:
        raise _different(value, back)
    registered = registered_for(kind)
    if registered is not None:
        compare(registered.encode(value), registered.encode(back))
    elif kind is Quoted:
        compare(value.value, back.value)
    elif isinstance(value, Task):
        _compare_tasks(value, back)
    elif KINDS[kind] is not None:
        if not (kind is list and _are_same_atoms(value, back)):
            _compare_containers(value, back)
    elif not _are_equal(value, back):
        raise _different(value, back)


def _compare_pair(pair: _Pair) -> None:
    compare(*pair)


def _compare_tasks(task: Task[..., Any], back: Task[..., Any]) -> None:
    if isinstance(task, DerivedTask) and isinstance(back, DerivedTask):
        compare(task.given, back.given)
        compare(task.task, back.task)
    elif (task.base, task.policies, task.injections) != (back.base, back.policies, back.injections):
        raise _different(task, back)


def _are_same_atoms(value: list[Any], back: list[Any]) -> bool:
    """Return whether lists of simple values are equal, in a tenth of the time."""
    types = list(map(type, value))
    return _ATOMS.issuperset(types) and types == list(map(type, back)) and value == back


def _compare_containers(value: Any, back: Any) -> None:
    kind = KINDS[type(value)]
    if isinstance(value, (set, frozenset)):
        found = {each: each for each in back}
        for each in value:
            compare(each, found.get(each))
        same = len(value) == len(found)
    elif isinstance(value, dict):
        for_each(zip(value, back, strict=False), _compare_pair, ".keys()[{}]".format)
        keys = list(value)
        pairs = zip(value.values(), back.values(), strict=False)
        for_each(pairs, _compare_pair, lambda place: f"[{shown(keys[place])}]")
        same = len(value) == len(back)
    else:
        assert kind is not None  # noqa: S101 - only containers come here
        names = field_names(type(value))
        label = "[{}]".format if names is None else lambda place: f".{names[place]}"
        parts, others = kind.parts(value), kind.parts(back)
        for_each(zip(parts, others, strict=False), _compare_pair, label)
        same = len(parts) == len(others)
    if not same or (isinstance(value, deque) and value.maxlen != back.maxlen):
        raise _different(value, back)


def _are_equal(value: Any, back: Any) -> bool:
    if isinstance(value, (datetime, time)) and (value.tzinfo, value.fold) != (
        back.tzinfo,
        back.fold,
    ):
        return False
    return bool(value == back or (value != value and back != back))  # noqa: PLR0124 - NaN alone is not itself


def _different(value: Any, back: Any) -> Mismatch:
    return Mismatch(
        f"{shown(value)} ({type(value).__qualname__}) would come back as {shown(back)} "
        f"({type(back).__qualname__}); annotate the parameter with its type, or give a value of it"
    )
