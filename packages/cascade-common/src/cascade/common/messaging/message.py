"""One message, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]
"""How much a message matters."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a person is told."""

    level: Level
    """How much it matters."""

    id: str
    """The address of its text in the catalogues, such as ``localbus.callback_error``."""

    facts: Mapping[str, object]
    """What the text speaks of, as it was given: exceptions are still exceptions here."""

    text: str
    """The sentence, with its facts filled in."""


def show(fact: object) -> str:
    """Return a fact as a person reads it; an exception becomes ``Type: text``.

    It never raises: a fact may be anybody's object, with a broken ``__str__``.

    Args:
        fact: Any value.

    Returns:
        Its text.
    """
    name = type(fact).__name__
    try:
        text = str(fact)
    except Exception:  # noqa: BLE001 - __str__ is somebody else's code, and the message must get out
        return f"<{name} that cannot be shown>"
    if isinstance(fact, BaseException):
        return f"{name}: {text}" if text else name
    return text
