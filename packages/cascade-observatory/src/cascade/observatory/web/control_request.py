"""What somebody at the page wants changed, as it comes in: bytes that may be anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["ControlRequest", "parse_control_request"]

_SLOWEST, _FASTEST = 0.1, 20


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """What to change; None leaves a value as it is."""

    paused: bool | None = None
    """Whether simulated time is to stand still."""

    speed: float | None = None
    """Simulated seconds per second."""


def parse_control_request(text: bytes) -> ControlRequest:
    """Read a JSON object with ``paused``, ``speed`` or both.

    Raises:
        ValueError: it is something else, or the speed is out of range.
    """
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("a change is a JSON object") from None
    if not isinstance(request, dict) or not request or request.keys() - {"paused", "speed"}:
        raise ValueError('a change is a JSON object with "paused", "speed" or both')
    if "paused" in request and not isinstance(request["paused"], bool):
        raise ValueError('"paused" is true or false')
    if "speed" in request and not _is_speed(request["speed"]):
        raise ValueError(f'"speed" is a number from {_SLOWEST} to {_FASTEST}')
    return ControlRequest(**request)


def _is_speed(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and _SLOWEST <= value <= _FASTEST
