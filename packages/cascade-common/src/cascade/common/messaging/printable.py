"""Text of others on a terminal: what could steer it, or turn letters around, is shown and not sent."""

from __future__ import annotations

import re

__all__ = ["printable", "printable_json"]

# Controls of both sets (C0 with escape and line end, DEL, C1), line and paragraph separators, marks of
# direction, and halves of surrogate pairs, which no terminal can be sent.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text in which everything that is no letter is shown by its number.

    Args:
        text: what came from elsewhere.
        keep: characters to leave as they are all the same, such as line ends.

    Examples:
        >>> printable("red \x1b[31m\n")
        'red \\x1b[31m\\n'
    """

    def shown(found: re.Match[str]) -> str:
        return found[0] if found[0] in keep else repr(found[0])[1:-1]

    return _UNPRINTABLE.sub(shown, text)


def printable_json(text: str) -> str:
    r"""Return JSON that means the same, without such characters in its strings.

    Examples:
        >>> printable_json('"\x9b31m"')
        '"\\u009b31m"'
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
