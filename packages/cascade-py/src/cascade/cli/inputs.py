"""From ``key=value`` on the command line to a task's parameters, by its annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, get_type_hints

import msgspec
import typer

from cascade.cli.targets import plain_value
from cascade.interfaces.errors import near_name
from cascade.spec.task import Task

__all__ = ["parameters_from"]


def parameters_from(given: Iterable[str], target: Any) -> dict[str, Any]:
    """Return parameters from ``key=value`` texts.

    Where the target is a task, each becomes what its annotation says: numbers, truth values, dates,
    enumerations, lists, dataclasses; anything else is JSON, or else text.

    Raises:
        BadParameter: a text has no key or no ``=``, the task has no such parameter, or the value is not
            of its kind.
    """
    texts = dict(_divided(text) for text in given)
    if not isinstance(target, Task):
        return {name: plain_value(text) for name, text in texts.items()}
    kinds = _kinds_of(target)
    return {name: _converted(target, name, text, kinds) for name, text in texts.items()}


def _divided(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise typer.BadParameter(f"a parameter is key=value, not {text!r}")
    return key, value


def _kinds_of(task: Task[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(task.function)
    except Exception:  # noqa: BLE001 - annotations may name what is not there: then they say nothing
        return {}


def _converted(task: Task[..., Any], name: str, text: str, kinds: dict[str, Any]) -> Any:
    known = task.parameters
    if name not in known.names and not known.takes_any_name:
        near = near_name(name, known.names)
        takes = ", ".join(sorted(known.names)) or "none"
        raise typer.BadParameter(f"{task.name} has no parameter {name!r}; it takes {takes}.{near}")
    kind = kinds.get(name, Any)
    if kind is Any or kind is object:
        return plain_value(text)
    try:
        return msgspec.convert(text, kind, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        return _converted_from_json(task, name, text, kind, error)


def _converted_from_json(
    task: Task[..., Any], name: str, text: str, kind: Any, error: Exception
) -> Any:
    """Convert what is more than one value, written as JSON; a type that msgspec does not know stays plain."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as mismatch:
        why = error if value is text or isinstance(value, (int, float)) else mismatch
        raise typer.BadParameter(f"{name}={text!r} of {task.name}: {why}") from None
    except TypeError:
        return value
