"""How many commands run at once, and how many requests to one host: the others wait in line.

A slot is held by what runs, and given on in the order asked for. Waiting costs no time-out, neither
the task's own nor the command's or the request's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal
from weakref import WeakValueDictionary

from cascade.runtime.evaluation.own_clock import clock_stopped
from cascade.spec.resource import ResourceDefinition, resource

__all__ = ["HTTP_SLOTS", "SHELL_SLOTS", "Slots", "slots"]


class Slots:
    """So many at once for each key; a key that nobody uses is forgotten.

    Examples:
        >>> import asyncio
        >>> async def main():
        ...     slots = Slots(1)
        ...     slot = await slots.acquire("example.org")
        ...     full = slot.locked()
        ...     slot.release()
        ...     return full
        >>> asyncio.run(main())
        True
    """

    def __init__(self, at_once: int) -> None:
        """Begin with all of them free."""
        self._at_once = at_once
        self._by_key: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def acquire(self, key: str) -> asyncio.Semaphore:
        """Wait for a slot; ``release()`` of what is returned gives it back."""
        slot = self._by_key.setdefault(key, asyncio.Semaphore(self._at_once))
        with clock_stopped():
            await slot.acquire()
        return slot


def slots(of: Literal["shell", "http"], at_once: int) -> ResourceDefinition[Slots]:
    """Return the resource that bounds how many commands, or requests to one host, an engine runs at once.

    Registered with an engine it takes the place of the default: 32 commands, 16 requests to a host.

    Args:
        of: ``"shell"`` for the commands of ``cs.shell``, ``"http"`` for the requests of ``cs.http``,
            which are counted for each host and port.
        at_once: how many.

    Raises:
        ValueError: it is neither of the two, or less than one at once.

    Examples:
        >>> import cascade as cs
        >>> target = [cs.shell("echo one"), cs.shell("echo two")]
        >>> [each.stdout.strip() for each in cs.run(target, resources=[slots("shell", at_once=1)])]
        ['one', 'two']
    """
    if of not in {"shell", "http"} or at_once < 1:
        raise ValueError(f"slots are of 'shell' or 'http', 1 or more, not {of!r}, {at_once!r}")

    # A cached command or request does not depend on how many run beside it: the key is the same for all.
    @resource(name=f"{of}_slots", scope="engine", mode="inline", cache_key=f"{of}_slots")
    def opened() -> Iterator[Slots]:
        yield Slots(at_once)

    return opened


SHELL_SLOTS = slots("shell", 32)
"""Bounds how many commands an engine runs at once, unless another resource of the name does."""

HTTP_SLOTS = slots("http", 16)
"""Bounds how many requests an engine has under way to each host and port, likewise."""
