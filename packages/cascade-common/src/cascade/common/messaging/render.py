"""Writes messages: for a terminal, or as one JSON object per line.

structlog carries a message through its processors to the stream. Every part of its logger is
given here, so that the structlog configuration of the user's program is neither read nor changed.
"""

import json
import os
import re
import sys
import threading
import traceback
from collections.abc import Mapping

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from cascade.common.messaging.catalogue import sentence
from cascade.common.messaging.message import Level, Message, show
from cascade.common.messaging.settings import Settings, Stream, language_of, output_of

_PLAIN, _DIM, _YELLOW, _RED = "\x1b[0m", "\x1b[2m", "\x1b[33m", "\x1b[31m"
_COLOURS = {"info": "", "warning": _YELLOW, "error": _RED}

# All but tab and newline: a topic that came over the wire must not be able to steer a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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
    return Message(level, message_id, facts, sentence(message_id, facts, language_of(settings)))


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
    last = _to_json() if output == "json" else [_Console(colour=_has_colour(stream))]
    logger = structlog.wrap_logger(
        _Lines(stream),
        processors=[structlog.processors.add_log_level, *last],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    say = getattr(logger, message.level)
    say(message.text, id=message.id, facts=message.facts, traceback=_traceback(message))


class _Lines:
    """What structlog hands finished lines to; one line is written at a time, whole."""

    # One lock for all streams: two of them often end in the same terminal. It is re-entrant,
    # because a stream may be a program's own and speak to people itself.
    _lock = threading.RLock()

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def _write(self, line: str) -> None:
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()

    info = warning = error = _write


class _Console:
    """The last processor for a terminal: a marked line, and the traceback under it."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, _logger: WrappedLogger, level: str, event: EventDict) -> str:
        text = _CONTROL.sub(lambda found: repr(found[0])[1:-1], event["event"])
        if level == "info":
            return text
        mark = self._in(_COLOURS[level], f"{level}:")
        line = f"{mark} {text} {self._in(_DIM, '[' + event['id'] + ']')}"
        trace = event["traceback"]
        return f"{line}\n{self._in(_DIM, trace)}" if trace else line

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour and colour else text


def _to_json() -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.EventRenamer("text"),
        _as_json_data,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _as_json_data(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    event["facts"] = {name: _json_safe(fact) for name, fact in event["facts"].items()}
    if event["traceback"] is None:
        del event["traceback"]
    return event


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
