"""What users call has a docstring with an example, which `tests/spec/test_doctests.py` runs."""

import dataclasses
import inspect
from importlib import import_module
from typing import Any

import pytest

import cascade as cs
from cascade.spec.resource import ResourceDefinition
from docs.facts import PUBLIC


def is_record(kind):
    """Return whether a class is named fields: what Cascade gives, or what is given to it."""
    return (
        dataclasses.is_dataclass(kind)
        or hasattr(kind, "_fields")
        or hasattr(kind, "__required_keys__")
    )


def is_called(value):
    """Return whether users call it, and what it does has to be shown."""
    if inspect.isclass(value):
        is_protocol = getattr(value, "_is_protocol", False)
        return not (issubclass(value, BaseException) or is_protocol or is_record(value))
    return inspect.isroutine(value) or isinstance(value, (cs.Task, ResourceDefinition))


def public():
    for module in ("cascade", *PUBLIC):
        found = import_module(module)
        for name in found.__all__:
            value = getattr(found, name)
            if value is not Any and is_called(value):
                yield pytest.param(value, id=f"{module}.{name}")


@pytest.mark.parametrize("value", list(public()))
def test_it_has_an_example(value):
    assert ">>>" in (value.__doc__ or "") or "::\n\n" in value.__doc__


def test_there_are_many_to_look_at():
    assert len(list(public())) > 100
