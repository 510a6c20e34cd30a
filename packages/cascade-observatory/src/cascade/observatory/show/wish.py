"""What people at the page want changed, as it comes in: text that may be anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Wish", "wish_from"]

_SLOWEST, _FASTEST = 0.1, 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to change; None is for what stays as it is."""

    paused: bool | None = None
    """Whether simulated time shall stand still."""

    speed: float | None = None
    """Simulated seconds per second."""


def wish_from(text: bytes) -> Wish:
    """Read a JSON object with ``paused``, ``speed`` or both.

    Raises:
        ValueError: it is something else, or the speed is out of range.
    """
    try:
        wish = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("a change is a JSON object") from None
    if not isinstance(wish, dict) or not wish or wish.keys() - {"paused", "speed"}:
        raise ValueError('a change is a JSON object with "paused", "speed" or both')
    if "paused" in wish and not isinstance(wish["paused"], bool):
        raise ValueError('"paused" is true or false')
    if "speed" in wish and not _is_speed(wish["speed"]):
        raise ValueError(f'"speed" is a number from {_SLOWEST} to {_FASTEST}')
    return Wish(**wish)


def _is_speed(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and _SLOWEST <= value <= _FASTEST
