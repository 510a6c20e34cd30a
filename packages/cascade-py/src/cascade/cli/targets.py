"""From ``module:name`` to what can be run, and from ``name=units`` to capacities."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from functools import reduce
from importlib.machinery import ModuleSpec, PathFinder
from math import inf
from pathlib import Path
from types import FrameType, ModuleType
from typing import Annotated, Any, NoReturn

import typer

from cascade.cli.failures import fail
from cascade.interfaces.errors import near_name
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import Task

__all__ = ["Target", "capacities_from", "load_module", "load_target"]

Target = Annotated[
    str,
    typer.Argument(help="What to run, as module:name: a task, a call, or a list of these."),
]


def load_target(path: str, *, traceback: bool = False) -> Any:
    """Import a module, from the current folder too, and return what stands in it under that name.

    The folder comes last in the path, and only if the module is there, so that a file in it takes the
    place of no other module. With ``PYTHONSAFEPATH`` or ``-P`` it is not searched.

    Raises:
        BadParameter: there is no such module or name, or it is nothing that can be run.
        Exit: the module raises when it is imported; that is said.
    """
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise typer.BadParameter(f"a target is module:name, such as my_flow:main, not {path!r}")
    module = load_module(module_name, traceback=traceback)
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


def load_module(name: str, *, traceback: bool) -> ModuleType:
    """Import a module, from the current folder too; see `load_target`.

    Raises:
        BadParameter: there is no such module.
        Exit: the module raises when it is imported; that is said.
    """
    top = name.partition(".")[0]
    here = os.getcwd()  # noqa: PTH109 - as Python itself would put it on the path
    is_searched = not {"", here}.isdisjoint(sys.path)
    found = None if is_searched else PathFinder.find_spec(top, [here])
    if found is not None and not sys.flags.safe_path:
        sys.path.append(here)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            raise typer.BadParameter(_why_missing(name, found)) from None
        _fail_to_import(name, error, traceback=traceback)
    except Exception as error:  # noqa: BLE001 - the edge: a module of the user's raises what it likes
        _fail_to_import(name, error, traceback=traceback)
    if found is not None and not sys.flags.safe_path:
        _check_it_is_not_hidden(top, found)
    return module


def _fail_to_import(name: str, error: Exception, *, traceback: bool) -> NoReturn:
    """Say what a module raised; its traceback begins in the module."""
    trace = error.__traceback__
    while trace is not None and _is_of_import(trace.tb_frame):
        trace = trace.tb_next
    fail(error.with_traceback(trace), traceback=traceback, doing=f"cannot import {name!r}: ")


def _is_of_import(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in {"cascade", "importlib"}


def _check_it_is_not_hidden(name: str, found: ModuleSpec) -> None:
    """Refuse a module of this folder, if another one of its name was imported."""
    other = getattr(sys.modules[name], "__file__", None)
    if found.origin is not None and (other is None or not Path(other).samefile(found.origin)):
        raise typer.BadParameter(
            f"the module {name!r} of this folder is hidden by {other or 'one of Python itself'}; "
            "rename it, or put the folder first: PYTHONPATH=. cascade …"
        )


def _why_missing(name: str, found: ModuleSpec | None) -> str:
    if found is None or not sys.flags.safe_path:
        return f"there is no module {name!r} here or installed"
    return (
        f"there is no module {name!r} installed, and this folder, which has one, is not searched, since "
        "PYTHONSAFEPATH or -P says so; if you trust it: PYTHONPATH=. cascade …"
    )


def capacities_from(given: Iterable[str]) -> dict[str, float]:
    """Return capacities from ``name=units`` texts.

    Raises:
        BadParameter: a text has another form, or the units are no number above 0.
    """
    capacities = {}
    for text in given:
        name, _, units = text.partition("=")
        try:
            capacities[name] = float(units)
        except ValueError:
            capacities[name] = 0.0
        if not (name and 0 < capacities[name] < inf):
            raise typer.BadParameter(f"a capacity is name=units, such as gpu=2, not {text!r}")
    return capacities
