"""``cascade validate``: measure the published results again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cascade.observatory.validation import ROWS, Outcome, Row, markdown, validate

__all__ = ["validate_results"]


def validate_results(
    only: Annotated[
        list[str] | None, typer.Argument(help="Rows to measure, such as V5; all if left out.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the page about it here, as Markdown.")
    ] = None,
    processes: Annotated[int, typer.Option(min=0, help="Worker processes; 0 is none.")] = 2,
    keep: Annotated[
        Path | None, typer.Option(help="Keep results in this folder, and go on from there.")
    ] = None,
) -> None:
    """Measure the published results of fireflies and other oscillators again, with agents on the bus.

    Ends with status 0 if all are within tolerance, else with 1. All of it takes some twenty minutes.
    """
    known = {row.name: row for row in ROWS}
    unknown = [name for name in only or () if name not in known]
    if unknown:
        raise typer.BadParameter(f"no row {unknown[0]!r}; there are {', '.join(known)}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    results: dict[Row, list[Outcome]] = {}
    for row in [known[name] for name in only or known]:
        results[row] = validate(row, processes=processes, folder=keep)
        typer.echo(f"{row.name}: {row.title}")
        for outcome in results[row]:
            typer.echo(f"  {_line(outcome)}")
    if output is not None:
        output.write_text(markdown(results), encoding="utf-8")
        typer.echo(f"Page: {output}")
    if not all(outcome.holds for outcomes in results.values() for outcome in outcomes):
        raise typer.Exit(1)


def _line(outcome: Outcome) -> str:
    setting = ", ".join(f"{name} {value:g}" for name, value in outcome.claim.setting.items())
    verdict = "ok" if outcome.holds else "NOT WITHIN TOLERANCE"
    return (
        f"{setting}: published {outcome.claim.expected}, measured {outcome.measured:.4g}: {verdict}"
    )
