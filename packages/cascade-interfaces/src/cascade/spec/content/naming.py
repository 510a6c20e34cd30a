"""What a function names: global names, closures, attributes of modules, imports inside, annotations.

Of modules of other distributions nothing is looked at.
"""

from __future__ import annotations

import dis
import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec, resolve_name
from itertools import takewhile
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, get_args

from cascade.spec.content.homes import home_of
from cascade.spec.identity import place_of

__all__ = ["named_in"]

_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_MISSING = object()


def named_in(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what a function names, each with its name; what is not there when it is looked at is left out."""
    place = place_of(function)
    yield from _named_by_code(function.__code__, function.__globals__, place.partition(":")[0])
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        with suppress(ValueError):  # it has no value yet
            yield f"{place}.{name}", cell.cell_contents
    yield from _annotated(function)


def _named_by_code(code: CodeType, space: dict[str, Any], module: str) -> Iterator[tuple[str, Any]]:
    home = home_of(space.get("__name__"))
    instructions = list(dis.get_instructions(code))
    for number, each in enumerate(instructions):
        following = instructions[number + 1 :]
        if each.opname in _GLOBAL:
            found = space.get(each.argval, _MISSING)
            yield from _attribute_of(f"{module}:{each.argval}", found, following, home)
        elif each.opname == "IMPORT_NAME":
            level, names = (before.argval for before in instructions[number - 2 : number])
            with suppress(ImportError, ValueError):
                absolute = resolve_name("." * level + each.argval, space.get("__package__") or "")
                yield from _imported(absolute, names or (), home)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _named_by_code(constant, space, module)


def _attribute_of(
    name: str, found: Any, following: Sequence[dis.Instruction], home: str
) -> Iterator[tuple[str, Any]]:
    """Yield what is named; of a module of the same distribution the attribute that is asked for."""
    for each in takewhile(lambda instruction: instruction.opname in _ATTRIBUTE, following):
        if not (isinstance(found, ModuleType) and home_of(found.__name__) == home):
            break
        name, found = (
            f"{found.__name__}:{each.argval}",
            getattr(found, each.argval, _MISSING),
        )
    if found is not _MISSING:
        yield name, found


def _imported(name: str, names: Sequence[str], home: str) -> Iterator[tuple[str, Any]]:
    """Yield what a function imports itself, of its own distribution: that is loaded to look at it.

    Raises:
        ImportError: it cannot be.
    """
    if not _is_at(home, name):
        return
    module = importlib.import_module(name)
    if not names:
        yield name, module
    for each in names:
        if hasattr(module, each):
            yield f"{name}:{each}", getattr(module, each)


def _is_at(home: str, name: str) -> bool:
    """Return whether a module is at home there, without loading it."""
    if name in sys.modules:
        return home_of(name) == home
    spec = find_spec(name.partition(".")[0])
    origins = () if spec is None else (spec.origin, *(spec.submodule_search_locations or ()))
    return any(origin and Path(origin).is_relative_to(home) for origin in origins)


def _annotated(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the classes in annotations: methods of arguments are called without naming them."""
    annotations: dict[str, Any] = {}
    with suppress(NameError):  # what is imported for type checkers alone
        annotations = function.__annotations__
    for annotation in annotations.values():
        for kind in _classes_in(annotation, function.__globals__):
            yield place_of(kind), kind


def _classes_in(annotation: Any, space: dict[str, Any]) -> Iterator[type]:
    """Yield the classes that an annotation names, as text or as what it stands for."""
    if isinstance(annotation, str):
        found = [space.get(name) for name in re.findall(r"\w+", annotation)]
        yield from (each for each in found if isinstance(each, type))
    elif isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _classes_in(part, space)
