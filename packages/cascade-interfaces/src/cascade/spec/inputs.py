"""What comes from outside, a command line, a file, the environment, as what an annotation says."""

from __future__ import annotations

import json
from functools import reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from cascade.interfaces.errors import InvalidInputError
from cascade.spec.registry import REGISTERED, Registered, registered_for

__all__ = ["InputKind", "converted", "plain_value", "shown_kind"]


class InputKind:
    """An annotation as a value, which pickles and has a JSON form, so that calls may hold it."""

    __slots__ = ("annotation",)

    def __init__(self, annotation: Any) -> None:
        """Keep the annotation."""
        self.annotation = annotation

    def __eq__(self, other: object) -> bool:
        """Return whether both say the same."""
        return isinstance(other, InputKind) and self.annotation == other.annotation

    def __hash__(self) -> int:
        """Return what equal ones have in common."""
        return hash(self.annotation)

    def __reduce__(self) -> tuple[type[InputKind], tuple[Any]]:
        """Pickle the annotation."""
        return InputKind, (self.annotation,)

    def __repr__(self) -> str:
        """Show the annotation as it is written."""
        return shown_kind(self.annotation)


def shown_kind(annotation: Any) -> str:
    """Return an annotation as people read it: ``int``, ``list[int]``, ``date``."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(
            "None" if each is type(None) else shown_kind(each) for each in get_args(annotation)
        )
    return str(annotation).replace("typing.", "")


def converted(value: Any, kind: Any, what: str, *, secret: bool = False) -> Any:
    """Return a value as what an annotation says: numbers, dates, lists, dataclasses.

    Text may be the value itself or JSON. A type that nobody knows how to make leaves it as it is.

    Args:
        value: text, or plain data such as a file of JSON has; what is of the kind already stays so.
        kind: the annotation; ``Any`` and ``object`` leave it to JSON: `plain_value`.
        what: what it is, in a sentence: ``the parameter 'n'``.
        secret: whether an error keeps the value to itself.

    Raises:
        InvalidInputError: the value is not of that kind.

    Examples:
        >>> converted("3", int, "n"), converted("[1, 2]", tuple[float, ...], "n")
        (3, (1.0, 2.0))
    """
    if kind is Any or kind is object:
        return plain_value(value) if isinstance(value, str) else value
    import msgspec  # noqa: PLC0415 - most programs are given nothing, and need not load it

    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=_registered)
    except msgspec.ValidationError as mismatch:
        reason = str(mismatch)
        if isinstance(value, str):
            data = plain_value(value)
            if not isinstance(data, (str, int, float)):  # a list, an object or null
                return converted(data, kind, what, secret=secret)
    except TypeError:  # a kind that msgspec does not know
        return plain_value(value) if isinstance(value, str) else value
    raise InvalidInputError(
        what, "…" if secret else value, shown_kind(kind), "" if secret else reason
    )


def plain_value(text: str) -> Any:
    """Return what a text means as JSON; where it is none, the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _registered(kind: type, data: Any) -> Any:
    """Make a value of a type that was given a form."""
    registered = registered_for(kind)
    if registered is None:
        raise TypeError(f"no {kind.__name__} can be made of it")
    return registered.decode(data)


# --- annotations as JSON --------------------------------------------------------------------------


def _data_of(annotation: Any) -> list[Any]:
    """Return an annotation as data: a list that begins with what it is a form of."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is type(None):
        return ["None"]
    if annotation is ...:
        return ["..."]
    if origin is None:
        return ["class", annotation]
    if origin is Literal:
        return ["literal", *arguments]
    form = "union" if origin in {Union, UnionType} else origin
    return [form, *map(_data_of, arguments)]


def _annotation_of(data: Any) -> Any:
    """Return the annotation again.

    Raises:
        ValueError: the data is none.
    """
    match data:
        case ["None"]:
            return type(None)
        case ["..."]:
            return ...
        case ["class", kind]:
            return kind
        case ["literal", *values]:
            return Literal[tuple(values)]
        case ["union", *kinds]:
            return reduce(or_, map(_annotation_of, kinds))
        case [type() as origin, *kinds]:
            return GenericAlias(origin, tuple(map(_annotation_of, kinds)))
        case _:
            raise ValueError("it is no annotation")


REGISTERED[InputKind] = Registered(
    lambda kind: _data_of(kind.annotation), lambda data: InputKind(_annotation_of(data))
)
