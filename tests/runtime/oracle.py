"""An obvious evaluator, one line of recursion for each rule, to hold the engine against.

It works out the value of an `Expression`, the drawing of a call.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.campaigns.expressions import Box, Expression, FailedError

COMBINATORS = ("retry", "catch", "settle", "timeout")


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
