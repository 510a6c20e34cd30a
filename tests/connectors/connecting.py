"""Connectors that are disconnected at the end of a test."""

from contextlib import asynccontextmanager

__all__ = ["connecting"]


@asynccontextmanager
async def connecting(make):
    """Give what makes and connects connectors; those are disconnected at the end, in that order."""
    made = []

    async def connect(*arguments, **options):
        connector = make(*arguments, **options)
        await connector.connect()
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        await connector.disconnect()
