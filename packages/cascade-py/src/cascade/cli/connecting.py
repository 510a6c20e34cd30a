"""From a URL to a connector: the entry-point group ``cascade.connectors``, by the URL's scheme."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, TypeVar

import typer

from cascade import termination
from cascade.common.messaging.printable import printable
from cascade.interfaces.errors import CascadeError
from cascade.interfaces.protocols import Connector
from cascade.runtime.state.connection import connector_at

__all__ = [
    "INTERRUPTED",
    "OptionalUrl",
    "Url",
    "connected",
    "connector_from",
    "in_one_sentence",
    "run_to_end",
]

INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 and the number of SIGINT, as shells count."""

T = TypeVar("T")

_CONNECTOR = typer.Option(
    "--connector",
    envvar="CASCADE_CONNECTOR",
    help="Where to connect, such as mqtt://localhost:1883.",
)
Url = Annotated[str, _CONNECTOR]
OptionalUrl = Annotated[str | None, _CONNECTOR]


def connector_from(url: str) -> Connector:
    """Return a connector to what a URL names; not yet connected.

    Raises:
        BadParameter: no installed distribution knows the URL's scheme, or the URL is not valid.
    """
    try:
        return connector_at(url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connector]:
    """Connect for as long as the context is open."""
    connector = connector_from(url)
    await connector.connect()
    try:
        yield connector
    finally:
        await connector.disconnect()


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; an interrupt becomes its status, and a refusal one sentence."""
    with in_one_sentence():
        try:
            return termination.run_to_end(work)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Turn what Cascade or the network refuses into one sentence, and status 1."""
    try:
        yield
    except (CascadeError, OSError) as error:
        typer.echo(f"cascade: {printable(str(error)) or type(error).__name__}", err=True)
        raise typer.Exit(1) from None
