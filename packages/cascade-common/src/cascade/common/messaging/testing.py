"""For tests: what would people have been told?"""

from collections.abc import Iterator
from contextlib import contextmanager

from cascade.common.messaging import bus
from cascade.common.messaging.bus import MessageBus
from cascade.common.messaging.message import Message
from cascade.common.messaging.settings import Language

__all__ = ["Message", "capture"]


@contextmanager
def capture(
    source: MessageBus | None = None, *, language: Language = "en"
) -> Iterator[list[Message]]:
    """Collect messages instead of writing them, as long as the context is open.

    Those of all threads and event loops are collected, in the order they were said.

    Args:
        source: The bus to listen to; by default the one that all of Cascade speaks through.
        language: The language of the texts, fixed so that a test does not depend on the machine.

    Yields:
        The list that fills up.

    Examples:
        >>> with capture() as messages:
        ...     bus.info("no.such_text", count=1)
        >>> messages[0].text
        'no.such_text count=1'
    """
    messages: list[Message] = []
    divert = bus.divert if source is None else source.divert
    # list.append is atomic, so that threads need no lock here.
    with divert(messages.append, language=language):
        yield messages
