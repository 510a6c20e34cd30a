"""What a payload means by itself."""

from __future__ import annotations

from typing import Any

__all__ = ["clears"]


def clears(payload: Any) -> bool:
    """Return whether a retained payload means "forget the last one": None, ``b""``, ``""`` and ``{}`` do."""
    return payload is None or (isinstance(payload, (bytes, str, dict)) and not payload)
