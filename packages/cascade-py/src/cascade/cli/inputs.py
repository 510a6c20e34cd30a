"""What a target is given on the command line, ``--key value`` or in a file, as the target takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import typer

from cascade.cli.declared import Declared, Input, declared_by
from cascade.cli.parameter_files import read_parameters
from cascade.interfaces.errors import InvalidInputError, near_name
from cascade.spec.inputs import converted, plain_value, shown_kind

__all__ = ["lines_about_inputs", "parameters_from"]

_Given = tuple[str, Any]


def parameters_from(
    target: Any,
    given: Iterable[str] = (),
    words: Sequence[str] = (),
    file: Path | None = None,
    options: Sequence[str] = (),
) -> dict[str, Any]:
    """Return parameters as a target takes them; what is written on the command line wins over a file.

    Each becomes what the target says it is: numbers, truth values, dates, enumerations, lists, dataclasses;
    where it says nothing, JSON, or else text.

    Args:
        target: what is to be run.
        given: texts ``key=value``.
        words: ``--key value``, ``--key=value``, or ``--key`` and ``--no-key`` for a truth value.
        file: YAML, JSON or TOML.
        options: what else could be meant, where a name is not known.

    Raises:
        BadParameter: a text has no key, the target has no such parameter, or a value is not of its kind.
    """
    declared = declared_by(target)
    found = {} if file is None else dict(_known(declared, read_parameters(file).items(), ()))
    texts: dict[str, list[Any]] = {}
    pairs = [*map(_divided, given), *_options_in(words, declared)]
    for name, text in _known(declared, pairs, options):
        texts.setdefault(name, []).append(text)
    found |= {name: _only(each, declared.inputs.get(name)) for name, each in texts.items()}
    return {name: _as_declared(declared, name, value) for name, value in found.items()}


def lines_about_inputs(target: Any) -> Iterator[str]:
    """Return what is to be said of a target's inputs, line by line."""
    declared = declared_by(target)
    inputs = declared.inputs.values()
    if not inputs:
        yield f"Inputs of {declared.target}: none"
        return
    yield f"Inputs of {declared.target}:"
    heads = [f"--{each.name.replace('_', '-')}" for each in inputs]
    kinds = [_shown_kind_of(each) for each in inputs]
    for head, kind, each in zip(heads, kinds, inputs, strict=True):
        default = "needed" if each.is_needed else f"default {_plain(each.default)!r:.60}"
        about = f"{each.description} [{default}]" if each.description else f"[{default}]"
        yield f"  {head:<{max(map(len, heads))}}  {kind:<{max(map(len, kinds))}}  {about}"


def _shown_kind_of(each: Input) -> str:
    if isinstance(each.kind, type) and issubclass(each.kind, Enum):
        return "|".join(str(member.value) for member in each.kind)
    return "" if each.kind is Any else shown_kind(each.kind)


def _plain(default: Any) -> Any:
    return default.value if isinstance(default, Enum) else default


# --- words ----------------------------------------------------------------------------------------


def _divided(text: str) -> _Given:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise typer.BadParameter(f"a parameter is key=value, not {text!r}")
    return key, value


def _options_in(words: Sequence[str], declared: Declared) -> Iterator[_Given]:
    """Yield name and text of each ``--key value``."""
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--") or word == "--":
            raise typer.BadParameter(
                f"{word!r} is neither an option nor a parameter; a parameter is --key value"
            )
        key, equals, text = word.removeprefix("--").partition("=")
        name = _name_of(key, declared)
        if equals:
            yield name, text
        elif name not in declared.inputs and _is_switch(_name_of(key[3:], declared), declared):
            yield _name_of(key[3:], declared), "false"  # after "no-"
        elif _is_switch(name, declared) and (not left or left[0].startswith("--")):
            yield name, "true"
        elif left:
            yield name, left.pop(0)
        else:
            raise typer.BadParameter(f"{word} needs a value: {word} VALUE")


def _name_of(key: str, declared: Declared) -> str:
    """Return the parameter's name; on a command line a dash may stand for what is an underscore in Python."""
    return key if key in declared.inputs else key.replace("-", "_")


def _is_switch(name: str, declared: Declared) -> bool:
    known = declared.inputs.get(name)
    return known is not None and known.kind is bool


# --- values ---------------------------------------------------------------------------------------


def _known(declared: Declared, given: Iterable[_Given], options: Sequence[str]) -> Iterator[_Given]:
    """Yield what is given.

    Raises:
        BadParameter: the target takes nothing of that name.
    """
    for name, value in given:
        if name not in declared.inputs and not declared.takes_any:
            near = near_name(name, [*declared.inputs, *options])
            takes = ", ".join(sorted(declared.inputs)) or "none"
            raise typer.BadParameter(
                f"{declared.target} has no parameter {name!r}; it takes {takes}.{near}"
            )
        yield name, value


_COLLECTIONS = (list, tuple, set, frozenset)


def _only(texts: list[Any], known: Input | None) -> Any:
    """Return the one text that is given for a parameter, or all for one that is a list.

    Raises:
        BadParameter: there are several, and it is no list.
    """
    is_many = known is not None and _is_collection(known.kind)
    if is_many and (len(texts) > 1 or not isinstance(plain_value(texts[0]), (list, NoneType))):
        return texts
    if len(texts) > 1 and known is not None:
        raise typer.BadParameter(f"the parameter {known.name!r} is given {len(texts)} times")
    return texts[-1]


def _is_collection(kind: Any) -> bool:
    """Return whether values of a kind are several, or may be."""
    if get_origin(kind) in {Union, UnionType}:
        return any(map(_is_collection, get_args(kind)))
    return (get_origin(kind) or kind) in _COLLECTIONS


def _as_declared(declared: Declared, name: str, value: Any) -> Any:
    kind = declared.inputs.get(name, Input(name)).kind
    try:
        made = converted(value, kind, f"the parameter {name!r}")
    except InvalidInputError as error:
        raise typer.BadParameter(str(error)) from None
    return made if declared.converts or kind is Any else value
