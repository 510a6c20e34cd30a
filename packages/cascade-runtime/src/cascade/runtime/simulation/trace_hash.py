"""A hash of everything that was said and came out: two runs with the same hash went the same way."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, TypeAlias

from cascade.runtime.simulation.canonical import canonical, without_addresses

__all__ = ["TraceHash", "TraceRecord"]

_Kind: TypeAlias = Literal["message", "retained", "value", "error"]

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


class TraceRecord(NamedTuple):
    """One thing that happened: a message, or the end of a run."""

    time: float
    """In simulated seconds."""

    kind: _Kind
    """``message`` and ``retained`` for what was said, ``value`` and ``error`` for what a run came to."""

    name: str
    """The topic, or the name of the run."""

    content: str
    """The payload, value or error, as text that is the same wherever they are equal."""

    def as_json(self) -> str:
        r"""Return it as one line of JSON.

        Examples:
            >>> TraceRecord(1.5, "message", "door", "'open'").as_json()
            '{"time": 1.5, "kind": "message", "name": "door", "content": "\'open\'"}'
        """
        return json.dumps(self._asdict())


class TraceHash:
    """A rolling BLAKE2b (RFC 7693) over all messages, with their times, and over what runs came to.

    Examples:
        >>> trace = TraceHash(lambda: 0.0)
        >>> trace.add("door", "open", retain=False)
        >>> len(trace.hexdigest())
        32
    """

    def __init__(
        self, clock: Callable[[], float], keep: Callable[[TraceRecord], None] | None = None
    ) -> None:
        """Begin with nothing said.

        Args:
            clock: gives the time in seconds.
            keep: is given a record of each thing, for who wants to read them.
        """
        self._clock = clock
        self._keep = keep
        self._hash = blake2b(digest_size=16)

    def add(self, topic: str, payload: Any, *, retain: bool) -> None:
        """Take in a message; to be given to `LocalBroker.tap`."""
        self._take("retained" if retain else "message", topic, payload)

    def add_value(self, run: str, value: Any) -> None:
        """Take in what a run came to."""
        self._take("value", run, value)

    def add_error(self, run: str, error: BaseException) -> None:
        """Take in what a run failed with."""
        self._note("error", run, without_addresses(canonical(error)))

    def _take(self, kind: _Kind, name: str, content: Any) -> None:
        said = repr(content) if type(content) in _PLAIN else canonical(content)
        self._note(kind, name, said)

    def _note(self, kind: _Kind, name: str, said: str) -> None:
        now = self._clock()
        what = "" if kind == "message" else f"{kind} "
        line = f"{now!r} {what}{name!r} {said}\n"
        self._hash.update(line.encode("utf-8", "surrogatepass"))
        if self._keep is not None:
            self._keep(TraceRecord(now, kind, name, said))

    def add_duration(self) -> None:
        """Take in how long it all took."""
        self._hash.update(f"{self._clock()!r}\n".encode())

    def hexdigest(self) -> str:
        """Return the hash of all that was taken in so far, 32 hexadecimal digits."""
        return self._hash.hexdigest()
