"""Constraints as they arrive: read from a payload by the one class that says what a constraint is.

`cascade.spec.constraint.GlobalConstraint` is the only place that lists the fields. Its annotations
check a constraint that arrives, and make the JSON Schema for whoever writes one.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from cascade.interfaces.errors import InvalidConstraintError, near_name
from cascade.spec.constraint import NEEDED_FIELD, GlobalConstraint

__all__ = ["constraint_schema", "read_constraint"]

_FIELDS = {each.name: each for each in fields(GlobalConstraint)}


def read_constraint(payload: Any) -> GlobalConstraint:
    """Return the constraint that a payload holds.

    Raises:
        InvalidConstraintError: it holds none; the text says why.
    """
    import msgspec  # noqa: PLC0415 - most engines never get a constraint

    if not isinstance(payload, Mapping):
        raise InvalidConstraintError(f"a constraint is a mapping, not {type(payload).__name__}")
    for name in payload:
        if name not in _FIELDS:  # a misspelt `expires_at` would hold for ever
            raise InvalidConstraintError(f"unknown field {name!r}.{near_name(str(name), _FIELDS)}")
    try:
        return msgspec.convert(payload, GlobalConstraint)
    except msgspec.ValidationError as error:
        raise InvalidConstraintError(str(error)) from None


def constraint_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a constraint, as ``docs/constraint.schema.json`` has it."""
    import msgspec  # noqa: PLC0415 - as above

    _, parts = msgspec.json.schema_components([GlobalConstraint])
    schema = parts[GlobalConstraint.__name__]
    properties = schema["properties"]
    for name, each in _FIELDS.items():
        properties[name].update(each.metadata)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "description": inspect.cleandoc(schema["description"]).partition("\n\nExamples:")[0],
        "additionalProperties": False,
        "allOf": [_needs(kind, needed) for kind, needed in NEEDED_FIELD.items()],
    }


def _needs(kind: str, needed: str) -> dict[str, Any]:
    """Return the rule that a constraint of a type needs a field."""
    return {
        "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
        "then": {"properties": {needed: {"not": {"type": "null"}}}, "required": [needed]},
    }
