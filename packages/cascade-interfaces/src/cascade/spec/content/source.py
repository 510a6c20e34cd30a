"""The text of a function, as far as it counts: its syntax tree, without comments, layout and docstrings.

Where the text is not that of the code that runs (a lambda, a notebook, a file that was changed since it was
imported), the code itself counts.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeAlias

__all__ = ["text_of"]

_Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Place: TypeAlias = tuple[str, int]  # a name, and the line where its code begins


def text_of(function: FunctionType) -> Any:
    """Return what a function does, as text, or as plain data where there is no text of it."""
    code = function.__code__
    try:
        found = os.stat(code.co_filename)  # noqa: PTH116 - the file may be none
        definitions, codes = _read(code.co_filename, found.st_mtime_ns, found.st_size)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return _plain(code, function.__doc__)
    place = code.co_name, code.co_firstlineno
    definition = definitions.get(place)
    if definition is None or code not in codes.get(place, ()):
        return _plain(code, function.__doc__)
    return _unparsed(definition)


@lru_cache(maxsize=64)
def _read(
    file: str, _changed: int, _size: int
) -> tuple[dict[_Place, _Definition], dict[_Place, list[CodeType]]]:
    """Return the functions in a file by their places, and what they compile to."""
    tree = ast.parse(Path(file).read_bytes())
    codes: dict[_Place, list[CodeType]] = {}
    for code in _all_in(compile(tree, file, "exec", dont_inherit=True)):
        codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    definitions = {
        (node.name, min(each.lineno for each in (node, *node.decorator_list))): node
        for node in ast.walk(tree)
        if isinstance(node, _Definition)
    }
    return definitions, codes


def _all_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_in(constant)


def _unparsed(definition: _Definition) -> str:
    """Return a function as text without decorators, which make another object of it, and docstrings."""
    tree: Any = ast.parse(ast.unparse(definition)).body[0]
    tree.decorator_list = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _plain(code: CodeType, docstring: str | None = None) -> list[Any]:
    """Return what code does as plain data: nothing of where it stands."""
    constants = list(code.co_consts)
    if docstring is not None and constants[:1] == [docstring]:
        constants[0] = None
    return [
        code.co_code,
        [_plain(each) if isinstance(each, CodeType) else each for each in constants],
        [code.co_names, code.co_varnames, code.co_freevars],
        [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags],
        code.co_exceptiontable,
    ]
