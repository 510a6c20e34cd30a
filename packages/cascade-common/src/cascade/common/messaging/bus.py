"""The message bus: ``bus.info``, ``bus.warning`` and ``bus.error`` tell people what happened.

Example:
    >>> from cascade.common.messaging import bus
    >>> from cascade.common.messaging.testing import capture
    >>> with capture() as messages:
    ...     bus.warning("queue.growing", topic="a/b", queued=12, limit=8)
    >>> messages[0].id
    'queue.growing'
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from cascade.common.messaging.message import Level, Message
from cascade.common.messaging.settings import Language, Output, Settings, Stream

__all__ = ["MessageBus", "configure", "divert", "error", "info", "warning"]

_log = logging.getLogger("cascade.messages")
_LOG_LEVELS: Mapping[Level, int] = {
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class MessageBus:
    """Tells people what happened, in their language and in the form they chose.

    It may be used from any thread. Speaking never raises: a text or fact that is missing is
    replaced by the id and the facts, and an output that fails by the logger ``cascade.messages``.

    Examples:
        >>> from cascade.common.messaging import bus
        >>> from cascade.common.messaging.testing import capture
        >>> with capture() as told:
        ...     bus.warning("queue.growing", topic="door", queued=9, limit=8)
        >>> told[0].id, told[0].level
        ('queue.growing', 'warning')
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._lock = threading.Lock()
        self._diversions: tuple[_Diversion, ...] = ()

    def configure(
        self,
        *,
        language: Language | None = None,
        output: Output | None = None,
        stream: Stream | None = None,
    ) -> None:
        """Say how to speak from now on; what is left out goes back to its default.

        Args:
            language: ``en`` or ``zh``; by default ``CASCADE_LANGUAGE``, else the locale's.
            output: ``console``, ``json`` (one object per line) or ``off``; by default
                ``CASCADE_OUTPUT``, else ``console``.
            stream: Where to write; by default whatever ``sys.stderr`` is at that time.

        Raises:
            ValueError: The language or the output is not one of the choices.
        """
        self._settings = Settings(language, output, stream)

    def info(self, message_id: str, /, **facts: object) -> None:
        """Report that something went as planned.

        Args:
            message_id: The address of the text in the catalogues.
            **facts: What the text speaks of.
        """
        self._say("info", message_id, facts)

    def warning(self, message_id: str, /, **facts: object) -> None:
        """Report that something works, but not for long or not as wished.

        Args:
            message_id: The address of the text in the catalogues.
            **facts: What the text speaks of.
        """
        self._say("warning", message_id, facts)

    def error(self, message_id: str, /, **facts: object) -> None:
        """Report that something failed; exceptions among the facts are shown with their tracebacks.

        Args:
            message_id: The address of the text in the catalogues.
            **facts: What the text speaks of.
        """
        self._say("error", message_id, facts)

    @contextmanager
    def divert(
        self, receive: Callable[[Message], object], *, language: Language | None = None
    ) -> Iterator[None]:
        """Hand messages to a function instead of writing them, as long as the context is open.

        Messages of all threads are diverted. Of several open diversions each gets every message.

        Args:
            receive: Called in the thread that speaks, with one message at a time of that thread.
            language: The language of the texts; by default that of the bus.
        """
        diversion = _Diversion(receive, language)
        with self._lock:
            self._diversions = (*self._diversions, diversion)
        try:
            yield
        finally:
            with self._lock:
                self._diversions = tuple(d for d in self._diversions if d is not diversion)

    def _say(self, level: Level, message_id: str, facts: Mapping[str, object]) -> None:
        try:
            self._deliver(level, message_id, facts)
        except Exception as failure:  # noqa: BLE001 - the speaker must not pay for a broken output
            _tell_developers(level, message_id, facts, failure)

    def _deliver(self, level: Level, message_id: str, facts: Mapping[str, object]) -> None:
        # The catalogues take long to read, and most programs never say a word.
        from cascade.common.messaging import render  # noqa: PLC0415 - at the first message only

        settings = self._settings
        diversions = self._diversions
        for diversion in diversions:
            language = diversion.language or settings.language
            diversion.receive(render.compose(level, message_id, facts, Settings(language)))
        if not diversions:
            render.write(render.compose(level, message_id, facts, settings), settings)


class _Diversion:
    """Where messages go instead; compared by identity, since one function may divert twice."""

    def __init__(self, receive: Callable[[Message], object], language: Language | None) -> None:
        self.receive = receive
        self.language = language


def _tell_developers(
    level: Level, message_id: str, facts: Mapping[str, object], failure: Exception
) -> None:
    # logging writes to stderr when nobody configured it, and that may be the closed stream:
    # then there is nobody left to tell.
    with suppress(Exception):
        _log.log(
            _LOG_LEVELS[level],
            "message %s could not be written (%r); its facts: %r",
            message_id,
            failure,
            facts,
        )


# The one bus of the process, which all of Cascade speaks through. A program of several parts,
# or a test, may have a MessageBus of its own.
_default = MessageBus()

configure = _default.configure
divert = _default.divert
info = _default.info
warning = _default.warning
error = _default.error
