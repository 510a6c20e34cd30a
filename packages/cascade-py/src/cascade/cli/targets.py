"""From ``module:name`` to what can be run, and from ``key=value`` to parameters."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterable
from functools import reduce
from typing import Annotated, Any

import typer

from cascade.interfaces.errors import near_name
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import Task

__all__ = ["Target", "load_target", "parameters_from", "plain_value"]

Target = Annotated[
    str,
    typer.Argument(help="What to run, as module:name: a task, a call, or a list of these."),
]


def load_target(path: str) -> Any:
    """Import a module, from the current folder too, and return what stands in it under that name.

    Raises:
        BadParameter: there is no such module or name, or it is nothing that can be run.
    """
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise typer.BadParameter(f"a target is module:name, such as my_flow:main, not {path!r}")
    here = os.getcwd()  # noqa: PTH109 - as Python itself would put it on the path
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not module_name.startswith(str(error.name)):
            raise
        raise typer.BadParameter(f"there is no module {module_name!r} here or installed") from None
    try:
        target = reduce(getattr, name.split("."), module)
    except AttributeError:
        near = near_name(name, vars(module))
        raise typer.BadParameter(f"module {module_name!r} has no {name!r}.{near}") from None
    if not isinstance(target, (Task, LazyResult, list, tuple)):
        raise typer.BadParameter(
            f"{path} is {type(target).__name__}; a target is a task, a call, or a list of these"
        )
    return target


def parameters_from(given: Iterable[str]) -> dict[str, Any]:
    """Return parameters from ``key=value`` texts.

    Raises:
        BadParameter: a text has no key or no ``=``.
    """
    parameters = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"a parameter is key=value, not {text!r}")
        parameters[key] = plain_value(value)
    return parameters


def plain_value(text: str) -> Any:
    """Return what a text means as JSON; where it is none, the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
