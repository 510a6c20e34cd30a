"""``cascade run --report``: what happened, as a page that is written when the run has ended, however it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from cascade.reports import Report
from cascade.runtime.engine import Engine

__all__ = ["check_report", "reported"]


def check_report(path: Path | None, *, dry_run: bool) -> None:
    """Refuse before the run what could not be written after it.

    Raises:
        BadParameter: there is no folder for the file, or nothing to tell.
    """
    if path is None:
        return
    if dry_run:
        raise typer.BadParameter("--report tells of a run, and --dry-run runs nothing")
    if not path.parent.is_dir() or path.is_dir():
        raise typer.BadParameter(f"--report cannot be written: {path} is no file in a folder")


@contextmanager
def reported(engine: Engine, path: Path | None, inputs: Mapping[str, Any]) -> Iterator[None]:
    """Listen to an engine for as long as the context is open, then write the page, if it is wanted."""
    if path is None:
        yield
        return
    report = Report(inputs)
    engine.events.listen(report)
    try:
        yield
    finally:
        path.write_text(report.html(), encoding="utf-8")
