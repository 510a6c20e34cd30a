"""Texts that nobody may read in what is said: they are masked where it goes out.

A secret is known by its text from when it is first made in this process. Whatever is said to people or
to other machines passes `masked`: messages, errors on the command line, telemetry, traces, drawings.
"""

from __future__ import annotations

import re
from json import dumps
from typing import Any, Self

__all__ = ["MASK", "Secret", "holds_secret", "masked", "masked_data"]

MASK = "***"

_SHORTEST = 4  # shorter ones occur in other words, and masking those would tell what they are

# For the whole process, as its output is: each as it may stand in a text, the longest first.
_forms: tuple[str, ...] = ()


class Secret(str):
    """Text that shows itself as ``***``, and is masked wherever something is said from then on.

    It is the text itself to whoever uses it: in a header, in a formatted string, in a comparison.

    Raises:
        ValueError: it is shorter than four characters.

    Examples:
        >>> token = Secret("correct horse")
        >>> token, f"Bearer {token}"
        (***, 'Bearer correct horse')
        >>> masked(f"Bearer {token}")
        'Bearer ***'
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Make one, and know it."""
        if len(text.strip()) < _SHORTEST:
            raise ValueError(f"a secret has {_SHORTEST} characters or more")
        _know(text)
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        """Hide the text."""
        return MASK

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        """Be known in another process, too."""
        return Secret, (str(self),)


def _know(text: str) -> None:
    global _forms  # noqa: PLW0603 - the one registry of the process
    bare = text.strip()  # whoever uses it may do so, and drop the line end of a file
    forms = {bare, repr(bare)[1:-1], dumps(bare)[1:-1], dumps(bare, ensure_ascii=False)[1:-1]}
    if not forms <= {*_forms}:
        _forms = tuple(sorted({*_forms, *forms}, key=len, reverse=True))


def masked(text: str) -> str:
    """Return a text without the secrets in it."""
    for form in _forms:
        text = text.replace(form, MASK)
    return text


def holds_secret(data: bytes | memoryview) -> bool:
    """Return whether a secret stands in what is to be written, as UTF-8 or, as arrays have it, UTF-32."""
    codings = ("utf-8", "utf-32-le", "utf-32-be")
    written = {form.encode(each, "surrogatepass") for form in _forms for each in codings}
    return any(re.search(re.escape(each), data) for each in written)


def masked_data(value: Any) -> Any:
    """Return plain data without the secrets in its texts."""
    if not _forms:
        return value
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked_data(key): masked_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked_data(item) for item in value]
    return value
