"""An obvious evaluator, one line of recursion for each rule, to hold the engine against.

An `Expression` is the drawing of a call: `built` makes the call of it, `Oracle` works its value out.
One expression used in several places is one call in several places.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import cascade as cs

COMBINATORS = ("retry", "catch", "settle", "timeout")


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


def _note(name):
    ran[name] += 1


@cs.task(mode="inline")
def plain(name, *values):
    _note(name)
    return (name, *values)


@cs.task
async def patient(name, *values):
    _note(name)
    await asyncio.sleep(0)
    return (name, *values)


@cs.task(mode="inline")
def fails(name, *values):
    _note(name)
    raise FailedError(name)


@cs.task(mode="inline")
def flaky(name, until, *values):
    _note(name)
    if cs.current().attempt < until:
        raise FailedError(name)
    return (name, *values)


@cs.task(mode="inline")
def returns(name, call):
    _note(name)
    return call


@cs.task
async def evaluates(name, call):
    _note(name)
    return await cs.evaluate(call)


@cs.task(mode="inline")
def odd(name, value):
    _note(name)
    return len(str(value)) % 2 == 1


def built(root: Expression) -> Any:
    """Return the call that an expression draws."""
    calls: dict[int, Any] = {}

    def build(it: Expression) -> Any:
        if id(it) not in calls:
            calls[id(it)] = _build(it, [build(each) for each in it.needs])
        return calls[id(it)]

    return build(root)


def _build(it: Expression, needs: list[Any]) -> Any:  # noqa: C901, PLR0911, PLR0912 - a line for each kind
    match it.kind:
        case "plain":
            return plain(it.name, *needs)
        case "patient":
            return patient(it.name, *needs)
        case "containers":
            return plain(it.name, needs, {"x": tuple(needs)}, Box(needs))
        case "fails":
            return fails(it.name, *needs)
        case "flaky":
            return flaky(it.name, it.number, *needs)
        case "returns":
            return returns(it.name, cs.quote(needs[0]))
        case "evaluates":
            return evaluates(it.name, cs.quote(needs[0]))
        case "route":
            return cs.route(odd(it.name, needs[0]), {True: needs[1], False: needs[2]})
        case "run_if":
            return plain.run_if(odd(it.name, needs[0]))(f"{it.name}!", needs[1])
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
def _mapped(value, name):
    _note(name)
    return (name, value)


@cs.task(mode="inline")
def _shown(settled):
    return ["failed" if isinstance(each, FailedError) else each for each in settled]


class Oracle:
    """Works out the value of an expression, and how often each task has to run."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self.failures = 0

    def graph(self, root: Expression, attempt: int = 1) -> Any:
        """Return the value of a graph of its own."""
        chains: dict[int, tuple[Any, ...]] = {}
        _find_chains(root, (), chains)
        return self._value(root, [{}], [attempt], chains)

    def _value(self, it, memos, attempts, chains):
        """Return a value, evaluated where the call belongs: in the innermost that encloses all places."""
        depth = len(chains[id(it)]) + 1
        memos, attempts = memos[:depth], attempts[:depth]
        if id(it) not in memos[-1]:
            try:
                memos[-1][id(it)] = (self._evaluated(it, memos, attempts, chains), None)
            except FailedError as error:
                memos[-1][id(it)] = (None, error)
        value, error = memos[-1][id(it)]
        if error is not None:
            raise error
        return value

    def _all(self, needs, *where):
        """Return all values; the first failure is raised when all have been tried."""
        values, failure = [], None
        for each in needs:
            try:
                values.append(self._value(each, *where))
            except FailedError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return values

    def _evaluated(self, it, memos, attempts, chains):  # noqa: C901, PLR0911, PLR0912 - a line for each kind
        where = (memos, attempts, chains)
        match it.kind:
            case "plain" | "patient":
                values = self._all(it.needs, *where)
                self.runs[it.name] += 1
                return (it.name, *values)
            case "containers":
                values = self._all(it.needs, *where)
                self.runs[it.name] += 1
                return (it.name, values, {"x": tuple(values)}, Box(values))
            case "fails" | "flaky":
                values = self._all(it.needs, *where)
                self.runs[it.name] += 1
                if it.kind == "fails" or attempts[-1] < it.number:
                    self.failures += 1
                    raise FailedError(it.name)
                return (it.name, *values)
            case "returns" | "evaluates":
                self.runs[it.name] += 1
                return self.graph(it.needs[0], attempts[-1])
            case "route" | "run_if":
                chosen = len(str(self._value(it.needs[0], *where))) % 2 == 1
                self.runs[it.name] += 1
                if it.kind == "route":
                    return self._value(it.needs[1 if chosen else 2], *where)
                if not chosen:
                    return None
                value = self._value(it.needs[1], *where)
                self.runs[f"{it.name}!"] += 1
                return (f"{it.name}!", value)
            case "map":
                values = self._all(it.needs, *where)
                self.runs[it.name] += len(values)
                return [(it.name, value) for value in values]
            case "after":
                self._all(it.needs[1:], *where)
                return self._value(it.needs[0], *where)
            case "timeout":
                return self._value(it.needs[0], [*memos, {}], [*attempts, attempts[-1]], chains)
            case "retry":
                for attempt in range(1, it.number + 1):
                    try:
                        return self._value(it.needs[0], [*memos, {}], [*attempts, attempt], chains)
                    except FailedError:
                        if attempt == it.number:
                            raise
            case "catch":
                try:
                    return self._value(it.needs[0], [*memos, {}], [*attempts, attempts[-1]], chains)
                except FailedError:
                    return self._value(it.needs[1], *where)
            case "settle":
                return [self._settled(each, *where) for each in it.needs]
        raise AssertionError(it.kind)

    def _settled(self, each, memos, attempts, chains):
        try:
            return self._value(each, [*memos, {}], [*attempts, attempts[-1]], chains)
        except FailedError:
            return "failed"


def _find_chains(
    it: Expression, chain: tuple[Any, ...], chains: dict[int, tuple[Any, ...]]
) -> None:
    """Find, along every path, which combinators are around a call, and keep what all paths share."""
    chains[id(it)] = tuple(each for each in chains.get(id(it), chain) if each in chain)
    if it.kind in ("returns", "evaluates"):
        return
    for place, each in enumerate(it.needs):
        encloses = it.kind in COMBINATORS and not (it.kind == "catch" and place == 1)
        own = (id(it), place) if it.kind == "settle" else id(it)
        _find_chains(each, (*chain, own) if encloses else chain, chains)
