"""What becomes of the work that a store does by the group, and who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Outcome", "settle_all"]

Outcome: TypeAlias = object | BaseException
"""What a piece of work gives, or what it raises."""


def settle_all(futures: Iterable[asyncio.Future[object]], outcomes: Iterable[Outcome]) -> None:
    """Give each future its outcome; one that was cancelled meanwhile has its work done all the same."""
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
