"""Writes messages: for a terminal, or as one JSON object per line."""

import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime

from cascade.common.messaging.catalogue import sentence
from cascade.common.messaging.message import Level, Message, show
from cascade.common.messaging.printable import printable
from cascade.common.messaging.secrets import masked
from cascade.common.messaging.settings import Settings, Stream, language_of, output_of

_PLAIN, _DIM, _YELLOW, _RED = "\x1b[0m", "\x1b[2m", "\x1b[33m", "\x1b[31m"
_COLOURS = {"info": "", "warning": _YELLOW, "error": _RED}
_BARE = ("", "", "")

# One lock for all streams: two of them often end in the same terminal. It is re-entrant, because a
# stream may be a program's own and speak to people itself.
_lock = threading.RLock()


def compose(
    level: Level, message_id: str, facts: Mapping[str, object], settings: Settings
) -> Message:
    """Return the message with its text in the language of the settings.

    Args:
        level: How much it matters.
        message_id: The address of its text.
        facts: What it speaks of.
        settings: Where the language comes from.
    """
    text = masked(sentence(message_id, facts, language_of(settings)))
    return Message(level, message_id, facts, text)


def write(message: Message, settings: Settings) -> None:
    """Write a message in the form and to the stream of the settings.

    Args:
        message: What to write.
        settings: The form and the stream.

    Raises:
        Exception: Whatever the stream raises, a closed one ``ValueError``.
    """
    output = output_of(settings)
    if output == "off":
        return
    stream = settings.stream or sys.stderr
    lines = _json_line(message) if output == "json" else _console_lines(message, stream)
    with _lock:
        stream.write(f"{masked(lines)}\n")
        stream.flush()


def _console_lines(message: Message, stream: Stream) -> str:
    """Return a marked line, and the traceback under it."""
    text = printable(message.text, keep="\t\n")  # a topic that came over the wire must not steer it
    if message.level == "info":
        return text
    dim, colour, plain = (_DIM, _COLOURS[message.level], _PLAIN) if _has_colour(stream) else _BARE
    line = f"{colour}{message.level}:{plain} {text} {dim}[{message.id}]{plain}"
    trace = printable(_traceback(message) or "", keep="\t\n")
    return f"{line}\n{dim}{trace}{plain}" if trace else line


def _json_line(message: Message) -> str:
    """Return one JSON object: time, level, id, text, facts, and the traceback of an error."""
    said = {
        "timestamp": datetime.now(UTC).isoformat(),
        "level": message.level,
        "id": message.id,
        "text": message.text,
        "facts": {name: _json_safe(fact) for name, fact in message.facts.items()},
    }
    trace = _traceback(message)
    if trace is not None:
        said["traceback"] = trace
    return json.dumps(said, ensure_ascii=False)


def _json_safe(fact: object) -> object:
    try:
        return json.loads(json.dumps(fact, default=show, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        # Keys that JSON lacks, a structure that contains itself, an infinite number.
        return show(fact)


def _traceback(message: Message) -> str | None:
    """Return the tracebacks of an error's exceptions; a warning needs none."""
    if message.level != "error":
        return None
    errors = [fact for fact in message.facts.values() if isinstance(fact, BaseException)]
    return "".join("".join(traceback.format_exception(error)) for error in errors).rstrip() or None


def _has_colour(stream: Stream) -> bool:
    is_terminal = getattr(stream, "isatty", None)
    if is_terminal is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(is_terminal())
