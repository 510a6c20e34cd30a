"""Values as JSON on standard output: what JSON cannot say is an error, and nothing steers a terminal."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from cascade.common.messaging.printable import printable_json

__all__ = ["json_text", "json_text_of_any"]


def json_text(value: Any) -> str:
    """Return a value as JSON; a tuple is a list.

    Raises:
        TypeError: JSON has no such value; the text names its place.

    Examples:
        >>> json_text({"a": (1, 2)})
        '{"a": [1, 2]}'
        >>> json_text({"a": [1, {2}]})
        Traceback (most recent call last):
        TypeError: value['a'][1] is set, which JSON has no form for: return a list, dict, text or number
    """
    try:
        _check(value, "value", set())
        return printable_json(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        raise TypeError("the value is nested too deeply for JSON") from None


def json_text_of_any(value: Any) -> str:
    """Return a payload as JSON; what JSON cannot say is shown as Python does."""
    return printable_json(json.dumps(value, ensure_ascii=False, default=repr))


def _check(value: Any, path: str, around: set[int]) -> None:
    """Refuse what JSON cannot say; ``around`` are the containers that the value stands in."""
    if value is None or isinstance(value, (str, int)):
        return
    if isinstance(value, float):
        if not isfinite(value):
            raise TypeError(f"{path} is {value}, which JSON has no form for")
        return
    if not isinstance(value, (dict, list, tuple)):
        raise TypeError(
            f"{path} is {type(value).__name__}, which JSON has no form for: "
            "return a list, dict, text or number"
        )
    if id(value) in around:
        raise TypeError(f"{path} contains itself, which JSON has no form for")
    around.add(id(value))
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, dict) and not isinstance(key, str):
            raise TypeError(f"{path} has the key {key!r}, and keys in JSON are text")
        _check(item, f"{path}[{key!r}]", around)
    around.discard(id(value))
