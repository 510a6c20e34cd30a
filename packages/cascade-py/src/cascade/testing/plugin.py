"""The plug-in for pytest; it loads by itself where cascade-py is installed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cascade.testing.virtual import run_virtually

__all__ = ["virtual_time"]


@pytest.fixture
def virtual_time() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on simulated time: ``virtual_time(main())`` gives its value."""
    return run_virtually
