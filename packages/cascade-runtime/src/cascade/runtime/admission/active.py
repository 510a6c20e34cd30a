"""The constraints in force, by target and id, with bounds for how many there may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cascade.interfaces.errors import InvalidConstraintError
from cascade.interfaces.payloads import clears
from cascade.runtime.admission.constraints import read_constraint
from cascade.runtime.concurrency.clock import unix_time
from cascade.spec.constraint import MAX_ID, GlobalConstraint, parse_rate

__all__ = ["ActiveConstraint", "ActiveConstraints"]

_MAX_OF_TARGET = 16  # constraints: each task looks at all of its targets'
_MAX_TARGETS = 1000


@dataclass(slots=True)
class ActiveConstraint:
    """A constraint in force, with what it has to remember."""

    target: str
    constraint: GlobalConstraint
    tokens: float = 0.0
    refilled: float = 0.0
    """Loop time of the last refill."""

    def expired(self) -> bool:
        """Return whether its time is over."""
        expires_at = self.constraint.expires_at
        return expires_at is not None and unix_time() >= expires_at

    def refill(self, now: float) -> float:
        """Return how many tokens there are at a loop time."""
        gained = (now - self.refilled) * parse_rate(self.constraint.rate or "")
        self.tokens = min(float(self.constraint.burst), self.tokens + gained)
        self.refilled = now
        return self.tokens + 1e-9  # a timer may come a rounding error early

    def waits(self, now: float) -> list[float]:
        """Return in how many seconds, from a loop time, it may admit somebody whom it holds now."""
        waits = []
        constraint = self.constraint
        if constraint.expires_at is not None:
            waits.append(constraint.expires_at - unix_time())
        if constraint.type == "rate_limit" and self.refill(now) < 1:
            waits.append((1 - self.tokens) / parse_rate(constraint.rate or ""))
        return waits


class ActiveConstraints:
    """The constraints in force, by target and id."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_target: dict[str, dict[str, ActiveConstraint]] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._by_target)

    def __contains__(self, target: object) -> bool:
        """Return whether a target has any."""
        return target in self._by_target

    def take(self, target: str, payload: Any, now: float) -> None:
        """Take what was sent to a target at a loop time.

        A mapping is one constraint, and replaces the one of its id; a list is all of them, and replaces
        them all; what clears takes them back.

        Raises:
            InvalidConstraintError: it cannot be used; what was in force still is.
        """
        if clears(payload):
            self._by_target.pop(target, None)
            return
        _check_target(target)
        given = payload if isinstance(payload, list) else [payload]
        if not 1 <= len(given) <= _MAX_OF_TARGET:
            raise InvalidConstraintError(
                f"a list has 1 to {_MAX_OF_TARGET} constraints; an empty payload clears them"
            )
        constraints = [read_constraint(each) for each in given]
        before = {} if given is payload else self._by_target.get(target, {})
        made = {
            each.id: ActiveConstraint(target, each, float(each.burst), now) for each in constraints
        }
        after = {**before, **made}
        self._check_room(target, after)
        self._by_target[target] = after

    def _check_room(self, target: str, after: dict[str, ActiveConstraint]) -> None:
        if len(after) > _MAX_OF_TARGET:
            raise InvalidConstraintError(
                f"{target!r} has {_MAX_OF_TARGET} constraints already; clear them, or send them as a list"
            )
        full = len(self._by_target) >= _MAX_TARGETS and target != "global"
        if full and target not in self._by_target:
            raise InvalidConstraintError(f"{_MAX_TARGETS} targets have constraints already")

    def clear(self) -> None:
        """Drop them all."""
        self._by_target.clear()

    def among(self, targets: Iterable[str]) -> list[ActiveConstraint]:
        """Return those of some targets."""
        by_target = self._by_target
        return [active for each in targets for active in by_target.get(each, {}).values()]

    def drop_expired(self) -> bool:
        """Drop those whose time is over; return whether that leaves a target without any."""
        emptied = False
        for target, by_id in list(self._by_target.items()):
            for constraint_id in [i for i, active in by_id.items() if active.expired()]:
                del by_id[constraint_id]
            if not by_id:
                del self._by_target[target]
                emptied = True
        return emptied

    def waits(self, now: float) -> list[float]:
        """Return in how many seconds, from a loop time, one of them may admit somebody."""
        return [wait for active in self.among(self._by_target) for wait in active.waits(now)]


def _check_target(target: str) -> None:
    """Refuse a target that no task is among."""
    kind, slash, name = target.partition("/")
    if len(target) > MAX_ID:
        raise InvalidConstraintError(f"a target has at most {MAX_ID} characters")
    if target != "global" and not (kind in {"task", "run"} and slash and name):
        raise InvalidConstraintError(
            f"the target {target!r} is unknown: it is global, task/<name> or run/<id>"
        )
