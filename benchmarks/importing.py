"""What ``import cascade`` costs above a bare ``import asyncio``, each in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from benchmarks.harness import Measured, Settings, report

_TIMED = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
_OPTIONAL = {
    "httpx",
    "jinja2",
    "typer",
    "rich",
    "matplotlib",
    "cascade.providers.shell",
}


def _milliseconds(module: str) -> float:
    # As users have it: with the byte code that the first import leaves behind.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    code = "import asyncio; " + _TIMED.format(module=module)
    if module == "asyncio":
        code = _TIMED.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return float(done.stdout) * 1000


def main(settings: Settings) -> None:
    """Import both, in turn."""
    times: dict[str, list[float]] = {"asyncio": [], "cascade": []}
    for _ in range(settings.repeats + 1):
        for module, values in times.items():
            values.append(_milliseconds(module))
    asyncio_ms, cascade_ms = (median(values[1:]) for values in times.values())
    check = f"import sys, cascade; print(*sorted({_OPTIONAL!r} & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    ).stdout.strip()
    rows = [
        Measured("import asyncio", asyncio_ms, 1, "ms"),
        Measured("import cascade, on top", cascade_ms, cascade_ms / asyncio_ms, "ms", "≤ 40 ms"),
        Measured("optional modules loaded", len(loaded.split()), 1, "", "none", loaded),
    ]
    report("Importing", rows)
