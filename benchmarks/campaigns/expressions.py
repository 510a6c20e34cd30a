"""Random graphs of calls, drawn: what tests hold against an oracle, and campaigns cancel.

An `Expression` is the drawing of a call: `built` makes the call of it. One expression used in several
places is one call in several places.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import cascade as cs

__all__ = ["NEEDS", "Box", "Expression", "FailedError", "built", "drawn", "ran"]

NEEDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "plain": (0, 3),
        "patient": (0, 2),
        "containers": (1, 2),
        "fails": (0, 1),
        "flaky": (0, 2),
        "returns": (1, 1),
        "evaluates": (1, 1),
        "route": (3, 3),
        "run_if": (2, 2),
        "map": (1, 3),
        "retry": (1, 1),
        "catch": (2, 2),
        "settle": (1, 3),
        "timeout": (1, 1),
        "after": (1, 3),
    }
)
"""How many calls each kind needs, at least and at most."""


class FailedError(Exception):
    """What tasks of these expressions fail with."""


@dataclass(eq=False)
class Expression:
    """A call: what kind, what it needs, and a number for some kinds."""

    kind: str
    needs: tuple[Expression, ...] = ()
    number: int = 0
    name: str = ""

    def __repr__(self) -> str:
        return f"{self.kind}{self.number or ''}<{self.name}>({', '.join(map(repr, self.needs))})"


@dataclass
class Box:
    """A dataclass to put calls into."""

    inside: Any


ran: Counter[str] = Counter()
"""How often each task has run, by its name."""


def _note(name: str) -> None:
    ran[name] += 1


@cs.task(mode="inline")
def _plain(name: str, *values: Any) -> Any:
    _note(name)
    return (name, *values)


@cs.task
async def _patient(name: str, *values: Any) -> Any:
    _note(name)
    await asyncio.sleep(0)
    return (name, *values)


@cs.task(mode="inline")
def _fails(name: str, *_values: Any) -> Any:
    _note(name)
    raise FailedError(name)


@cs.task(mode="inline")
def _flaky(name: str, until: int, *values: Any) -> Any:
    _note(name)
    if cs.current().attempt < until:
        raise FailedError(name)
    return (name, *values)


@cs.task(mode="inline")
def _returns(name: str, call: Any) -> Any:
    _note(name)
    return call


@cs.task
async def _evaluates(name: str, call: Any) -> Any:
    _note(name)
    return await cs.evaluate(call)


@cs.task(mode="inline")
def _odd(name: str, value: Any) -> bool:
    _note(name)
    return len(str(value)) % 2 == 1


def drawn(integer: Callable[[int, int], int], kinds: Mapping[str, tuple[int, int]]) -> Expression:
    """Draw a call; what it needs is chosen among the calls made before, so that many are shared.

    Args:
        integer: chooses a number between two, both among them.
        kinds: those to choose from, and how many calls each needs at least and at most.
    """
    names = sorted(kinds)
    made = [Expression("plain", name="t0")]
    for number in range(1, integer(1, 10) + 1):
        kind = names[integer(0, len(names) - 1)]
        needs = [
            made[integer(max(0, len(made) - 4), len(made) - 1)]
            for _ in range(integer(*kinds[kind]))
        ]
        made.append(Expression(kind, tuple(needs), integer(1, 3), f"t{number}"))
    return made[-1]


Build: TypeAlias = Callable[[Expression, list[Any]], Any]
"""Makes the call of an expression, whose needs are calls already."""


def built(root: Expression, more: Mapping[str, Build] | None = None) -> Any:
    """Return the call that an expression draws.

    Args:
        root: the expression.
        more: how those of further kinds are made.
    """
    calls: dict[int, Any] = {}
    makers = more or {}

    def build(it: Expression) -> Any:
        if id(it) not in calls:
            make = makers.get(it.kind, _build)
            calls[id(it)] = make(it, [build(each) for each in it.needs])
        return calls[id(it)]

    return build(root)


def _build(it: Expression, needs: list[Any]) -> Any:  # noqa: C901, PLR0911, PLR0912 - a line for each kind
    match it.kind:
        case "plain":
            return _plain(it.name, *needs)
        case "patient":
            return _patient(it.name, *needs)
        case "containers":
            return _plain(it.name, needs, {"x": tuple(needs)}, Box(needs))
        case "fails":
            return _fails(it.name, *needs)
        case "flaky":
            return _flaky(it.name, it.number, *needs)
        case "returns":
            return _returns(it.name, cs.quote(needs[0]))
        case "evaluates":
            return _evaluates(it.name, cs.quote(needs[0]))
        case "route":
            return cs.route(_odd(it.name, needs[0]), {True: needs[1], False: needs[2]})
        case "run_if":
            return _plain.run_if(_odd(it.name, needs[0]))(f"{it.name}!", needs[1])
        case "map":
            return _mapped.map(needs, name=it.name)
        case "retry":
            return cs.retry(needs[0], it.number)
        case "catch":
            return cs.catch(needs[0], FailedError, needs[1])
        case "settle":
            return _shown(cs.settle(needs))
        case "timeout":
            return cs.timeout(needs[0], 1000)
        case "after":
            return cs.after(needs[0], *needs[1:])
    raise AssertionError(it.kind)


@cs.task(mode="inline")
def _mapped(value: Any, name: str) -> Any:
    _note(name)
    return (name, value)


@cs.task(mode="inline")
def _shown(settled: list[Any]) -> list[Any]:
    return ["failed" if isinstance(each, FailedError) else each for each in settled]
