"""Cascade's own frames: kept out of the tracebacks that people read, and of where a call was written."""

from __future__ import annotations

import os
import sys
from types import FrameType, TracebackType

__all__ = ["hide_own_frames", "is_own", "line_of_caller"]


def is_own(frame: FrameType) -> bool:
    """Return whether a frame runs code of Cascade's packages."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "cascade"


def line_of_caller() -> str | None:
    """Return ``file:line`` of the code that called Cascade, or None where the engine runs on its own."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - as `inspect` does, for less
    while frame is not None and is_own(frame):
        if str(frame.f_globals["__name__"]).startswith("cascade.runtime."):
            return None
        frame = frame.f_back
    return None if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def hide_own_frames(error: BaseException) -> None:
    """Leave the frames of others in an exception's traceback, and in those of its causes and parts.

    Where there are none, the one that raised it stays. With ``CASCADE_TRACEBACK=full`` in the
    environment nothing is hidden.
    """
    if os.environ.get("CASCADE_TRACEBACK") == "full":
        return
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        # By the method: an assignment asks the exception's class, which may be a frozen dataclass.
        BaseException.with_traceback(each, _without_own_frames(each.__traceback__))
        left += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions


def _without_own_frames(trace: TracebackType | None) -> TracebackType | None:
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    shown = [entry for entry in entries if not is_own(entry.tb_frame)] or entries[-1:]
    following = None
    for entry in reversed(shown):
        following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return following
