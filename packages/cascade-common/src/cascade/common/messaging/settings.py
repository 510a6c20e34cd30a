"""Which language and which form messages take."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

Language = Literal["en", "zh"]
"""In which language messages are written."""

Output = Literal["console", "json", "off"]
"""How messages are written: lines for a terminal, an object a line, or not at all."""


class Stream(Protocol):
    """Where text can be written; every text file is one."""

    def write(self, text: str, /) -> object:
        """Take the text."""

    def flush(self) -> object:
        """Hand on what was taken."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a message bus speaks; ``None`` leaves the choice to the environment."""

    language: Language | None = None
    """Else ``CASCADE_LANGUAGE``, else the locale (``LC_ALL``, ``LC_MESSAGES``, ``LANG``)."""

    output: Output | None = None
    """Else ``CASCADE_OUTPUT``, else ``console``."""

    stream: Stream | None = None
    """Else whatever ``sys.stderr`` is when a message is written."""

    def __post_init__(self) -> None:
        """Refuse what is not on offer.

        Raises:
            ValueError: The language or the output is not one of the choices.
        """
        _check("language", self.language, get_args(Language))
        _check("output", self.output, get_args(Output))


def _check(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, or None; not {value!r}")


def language_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language to speak.

    Args:
        settings: Their language is taken where there is one.
        environment: Asked otherwise. A value that is not on offer is passed over, because a
            program must not fail for the locale of the machine it runs on.
    """
    if settings.language is not None:
        return settings.language
    names = ("CASCADE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    wish = next((value for name in names if (value := environment.get(name))), "")
    return "zh" if wish.lower().startswith("zh") else "en"


def output_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Output:
    """Return the form to write in.

    Args:
        settings: Their output is taken where there is one.
        environment: Asked otherwise; a value that is not on offer is passed over.
    """
    if settings.output is not None:
        return settings.output
    match environment.get("CASCADE_OUTPUT", "").lower():
        case "json":
            return "json"
        case "off":
            return "off"
        case _:
            return "console"
