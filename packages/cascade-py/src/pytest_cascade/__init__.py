"""The plug-in for pytest; it loads by itself where cascade-py is installed.

It stands outside of ``cascade`` and imports nothing of it before a test asks: pytest loads plug-ins
before it begins to measure coverage, and before it knows whether any test needs this one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

__all__ = ["simulated_time"]

pytest.register_assert_rewrite("cascade.testing.connectors")


@pytest.fixture
def simulated_time() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on simulated time: ``simulated_time(main())`` gives its value."""
    from cascade.simulation import run_simulated  # noqa: PLC0415 - see above

    return run_simulated
