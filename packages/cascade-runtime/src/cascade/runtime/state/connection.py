"""A connector that engines share: who finds it unconnected connects it, and the last one out disconnects it.

One that was connected already, by whoever made it, is left connected.
"""

from __future__ import annotations

from dataclasses import dataclass

from cascade.interfaces.protocols import Connector
from cascade.runtime.plugins import made_from

__all__ = ["connector_at", "join", "leave"]


@dataclass(slots=True)
class _Use:
    """How a connector is used by engines."""

    connector: Connector
    engines: int = 0
    connected_here: bool = False


_uses: dict[int, _Use] = {}  # by the connector's id; each holds its connector


async def join(connector: Connector) -> None:
    """Use a connector, and connect it if nobody has; `leave` must follow, unless this raises."""
    use = _uses.setdefault(id(connector), _Use(connector))
    use.engines += 1
    try:
        if not connector.connected:
            await connector.connect()
            use.connected_here = True
    except BaseException:
        await leave(connector)
        raise


async def leave(connector: Connector) -> None:
    """Use it no more; the last one disconnects what was connected for it and the others."""
    use = _uses[id(connector)]
    use.engines -= 1
    if not use.engines:
        del _uses[id(connector)]
        if use.connected_here:
            await connector.disconnect()


def connector_at(url: str) -> Connector:
    """Return a connector to what a URL names; not connected yet.

    Raises:
        UnknownSchemeError: no installed distribution knows the URL's scheme.
        ValueError: the URL is not valid.
    """
    made: Connector = made_from("cascade.connectors", url)
    return made
