"""The plug-in for pytest; it loads by itself where cascade-py is installed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cascade.simulation import run_simulated

__all__ = ["simulated_time"]


@pytest.fixture
def simulated_time() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on simulated time: ``simulated_time(main())`` gives its value."""
    return run_simulated
