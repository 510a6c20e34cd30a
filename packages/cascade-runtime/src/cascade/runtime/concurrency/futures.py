"""Futures: settled where somebody else may have been first, and awaited to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

__all__ = ["disregard", "release", "settle", "wait_to_the_end"]


def release(waiter: asyncio.Future[None]) -> None:
    """Let whoever awaits this future go on; done again, or after a cancellation, it changes nothing."""
    if not waiter.done():
        waiter.set_result(None)


def settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    """Give a future its value, or the error in its place; where nobody waits any more it is dropped."""
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def disregard(future: asyncio.Future[Any]) -> None:
    """Take note of what a future raised: nobody waits for it any more, so nobody else will."""
    if not future.cancelled():
        future.exception()


async def wait_to_the_end(futures: Collection[asyncio.Future[Any]]) -> None:
    """Wait until all of these are done, whoever cancels meanwhile."""
    while any(not future.done() for future in futures):
        try:
            await asyncio.wait(futures)
        except asyncio.CancelledError:
            continue
