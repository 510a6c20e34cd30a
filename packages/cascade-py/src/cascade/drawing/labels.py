"""What a picture says of a call: its name, the plain values among its arguments, its policies.

Only values whose text is the same in every run are shown; all else is an ellipsis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

from cascade.common.messaging.printable import printable
from cascade.common.messaging.secrets import masked
from cascade.spec.containers import ATOMS
from cascade.spec.identity import Sentinel
from cascade.spec.inputs import InputKind
from cascade.spec.lazy_types import LazyResult
from cascade.spec.policies import Placement, Policies, Retry
from cascade.spec.task import ConditionalTask, Task

__all__ = ["lines_of", "shown", "title_of"]

_LONGEST = 24  # characters of one value
_MOST = 4  # items of one list


def lines_of(call: LazyResult[Any]) -> tuple[str, ...]:
    """Return the lines of a call's box."""
    return tuple(printable(masked(line)) for line in _lines(call))


def _lines(call: LazyResult[Any]) -> Iterator[str]:
    task = call.task
    match task.role:
        case "mapping":
            yield from _lines_of_mapping(call)
        case "combinator":
            yield _title_of_combinator(call)
        case "choice":
            yield _title_of_choice(call)
        case "collection" | "items":
            yield task.name
        case _:
            yield title_of(call)
            yield from _policies(task.policies)


def shown(value: Any, longest: int = _LONGEST) -> str:
    """Return a plain value, or a short list of such, as text; an ellipsis for everything else."""
    if type(value) in ATOMS:
        text = printable(masked(repr(value)))  # before it is cut, which a secret might not outlive
        return text if len(text) <= longest else f"{text[: longest - 1]}…"
    if isinstance(value, InputKind):
        return repr(value)
    if type(value) in (list, tuple) and len(value) <= _MOST:
        items = ", ".join(shown(each, longest) if type(each) in ATOMS else "…" for each in value)
        return f"[{items}]" if type(value) is list else f"({items})"
    return "…"


def title_of(call: LazyResult[Any], longest: int = _LONGEST) -> str:
    """Return the name with the arguments that are no calls, each of so many characters at most."""
    task, args, kwargs = call.task, call.args, call.kwargs
    if task.as_written is not None:
        args, kwargs = task.as_written(args)
    is_builtin = task.role == "builtin"
    given = [shown(each, longest) for each in args if _is_told(each)]
    given += [
        f"{name}={shown(each, longest)}"
        for name, each in kwargs.items()
        if _is_told(each) and not (is_builtin and each is False)
    ]
    given = [each for each in given if not (is_builtin and each == "qos=0")]
    return f"{task.name}({', '.join(given)})" if given else task.name


def _is_told(value: Any) -> bool:
    return not isinstance(value, (LazyResult, Sentinel))


def _title_of_choice(call: LazyResult[Any]) -> str:
    if call.task.name != "catch":
        return call.task.name
    return f"catch {_names(call.args[1])}"


def _title_of_combinator(call: LazyResult[Any]) -> str:
    name, *rest = call.task.name, *call.args[1:]
    match name, rest:
        case "retry", [Retry() as policy]:
            return _shown_retry(policy)
        case "timeout", [seconds]:
            return f"timeout {seconds:g} s"
        case "settle", [True]:
            return "value or failure"
    return name


def _lines_of_mapping(call: LazyResult[Any]) -> Iterator[str]:
    task: Task[..., Any] = call.args[0]
    before = "" if call.task.name == "map" else f"{call.task.name} "
    yield f"{before}{task.name}.map"
    if isinstance(task, ConditionalTask):
        condition, or_else = task.given
        yield f"each if {_shown_value(condition)}"
        if or_else is not None:
            yield f"else {_shown_value(or_else)}"
    columns = [*call.args[1], *call.args[2].values()]
    counts = [
        len(each)
        for each in columns
        if isinstance(each, Sized) and not isinstance(each, LazyResult)
    ]
    yield f"{counts[0]} items" if counts else "for each item"
    yield from _policies(task.policies)


def _shown_value(value: Any) -> str:
    return title_of(value) if isinstance(value, LazyResult) else shown(value)


def _policies(policies: Policies) -> Iterator[str]:
    """Yield a line for each policy."""
    if policies.retry is not None:
        yield _shown_retry(policies.retry)
    if policies.timeout is not None:
        yield f"timeout {policies.timeout:g} s"
    if policies.outputs:
        yield f"writes {', '.join(policies.outputs)}"
    elif policies.cache is not None:
        ttl = policies.cache.ttl
        yield "cache" if ttl is None else f"cache {ttl:g} s"
    if policies.demands:
        yield "demands " + ", ".join(
            f"{name}={units:g}" for name, units in policies.demands.items()
        )
    if policies.journal:
        yield "journal"
    if policies.window is not None:
        yield f"window {policies.window}"
    if policies.placement is not None:
        yield from _shown_placement(policies.placement)


def _shown_placement(placement: Placement) -> Iterator[str]:
    if placement.where:
        yield f"on {' or '.join(placement.where)}"
    if placement.priority:
        yield f"priority {placement.priority}"
    if placement.batch > 1:
        yield f"batches of {placement.batch}"
    if placement.keep:
        yield "kept there"


def _shown_retry(policy: Retry) -> str:
    delay = f", after {policy.delay:g} s" if policy.delay else ""
    errors = "" if policy.on == (Exception,) else f", on {_names(policy.on)}"
    return f"retry: {policy.attempts} attempts{delay}{errors}"


def _names(errors: tuple[type[Exception], ...]) -> str:
    return ", ".join(each.__name__ for each in errors)
