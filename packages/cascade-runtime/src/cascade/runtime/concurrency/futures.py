"""Settling a future that somebody else may have settled or cancelled before."""

from __future__ import annotations

import asyncio

__all__ = ["release"]


def release(waiter: asyncio.Future[None]) -> None:
    """Let whoever awaits this future go on; done again, or after a cancellation, it changes nothing."""
    if not waiter.done():
        waiter.set_result(None)
