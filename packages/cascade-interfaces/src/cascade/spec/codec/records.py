"""Values with fields: named tuples, dataclasses, classes of attrs, pydantic and msgspec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from cascade.spec.codec.mismatch import Mismatch, for_each, shown
from cascade.spec.containers import field_names

__all__ = ["Record"]


class Record:
    """Makes values of one class from dicts of their fields."""

    def __init__(self, kind: Any, arguments: tuple[Any, ...]) -> None:
        """Take a class, and what stands for its type variables."""
        self._kind = kind
        self._arguments = arguments
        self._make: Callable[..., Any] = getattr(kind, "model_construct", kind)
        self._parameters = _parameters_by_field(kind)

    @cached_property
    def _kinds(self) -> Mapping[str, Any]:
        """What the fields are, by name."""
        try:
            hints = get_type_hints(self._kind, include_extras=True)
        except NameError as error:
            raise Mismatch(
                f"the fields of {self._kind.__qualname__} cannot be told: {error}"
            ) from error
        variables = dict(
            zip(getattr(self._kind, "__parameters__", ()), self._arguments, strict=False)
        )
        return {name: _filled_in(hint, variables) for name, hint in hints.items()}

    def __call__(self, read: Callable[[Any, Any], Any], data: Any) -> Any:
        """Return the value.

        Raises:
            Mismatch: a field does not fit, or the class does not take them.
        """
        if type(data) is not dict or not data.keys() <= self._parameters.keys():
            raise Mismatch(f"{self._kind.__qualname__} is asked for, and not {shown(data)}")
        names = list(data)
        values = for_each(
            names,
            lambda name: read(data[name], self._kinds.get(name, Any)),
            lambda place: f".{names[place]}",
        )
        given = {
            parameter: value
            for name, value in zip(names, values, strict=True)
            if (parameter := self._parameters[name]) is not None
        }
        try:
            return self._make(**given)
        except Exception as error:  # what a class of somebody else's may raise
            raise Mismatch(
                f"{self._kind.__qualname__} cannot be made of its fields: {error}"
            ) from error


def _parameters_by_field(kind: Any) -> dict[str, str | None]:
    """Return which parameter of the class sets a field; None where it sets the field itself."""
    if hasattr(kind, "__attrs_attrs__"):
        return {each.name: each.alias if each.init else None for each in kind.__attrs_attrs__}
    if hasattr(kind, "__dataclass_fields__"):
        return {each.name: each.name if each.init else None for each in fields(kind)}
    return {name: name for name in field_names(kind) or ()}


def _filled_in(hint: Any, variables: Mapping[Any, Any]) -> Any:
    """Return the kind of a field of a generic class."""
    if isinstance(hint, TypeVar):
        return variables.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(variables.get(each, each) for each in parameters)]
