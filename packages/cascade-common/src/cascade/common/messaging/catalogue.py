"""The texts of all messages, by language and id."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from cascade.common.messaging.message import show
from cascade.common.messaging.settings import Language


@cache
def texts(language: Language) -> Mapping[str, str]:
    """Return the texts of one language by id; the file is read once.

    Args:
        language: The language, which is also the name of the file.
    """
    file = files("cascade.common.messaging") / "texts" / f"{language}.toml"
    return dict(_flat(tomllib.loads(file.read_text(encoding="utf-8"))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def sentence(message_id: str, facts: Mapping[str, object], language: Language) -> str:
    """Return what to say; it never raises.

    Args:
        message_id: The address of the text.
        facts: The values of the text's placeholders.
        language: The language wanted; English stands in where that one has no such text.

    Returns:
        The text with its facts. Where there is no such text, or a fact that it needs is missing
        or has the wrong type, the id followed by all the facts: less pretty, but all is there.
    """
    template = texts(language).get(message_id) or texts("en").get(message_id)
    if template is None:
        return _plain(message_id, facts)
    try:
        return template.format_map({name: _fit(fact) for name, fact in facts.items()})
    except Exception:  # noqa: BLE001 - a fact's __format__ is somebody else's code
        return _plain(message_id, facts)


def _fit(fact: object) -> object:
    # Numbers stay numbers, so that a text may round them: {seconds:.1f}.
    return fact if isinstance(fact, int | float) else show(fact)


def _plain(message_id: str, facts: Mapping[str, object]) -> str:
    return " ".join([message_id, *(f"{name}={show(fact)}" for name, fact in facts.items())])
