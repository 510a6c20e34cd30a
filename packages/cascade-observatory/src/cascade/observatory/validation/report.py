"""Runs the rows, and writes down what was measured beside what was published."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cascade.observatory.sweep import sweep
from cascade.observatory.validation.rows import Claim, Row

__all__ = ["Outcome", "markdown", "validate"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One claim, and what was measured for it."""

    claim: Claim
    measured: float
    trials: int

    @property
    def holds(self) -> bool:
        """Whether it is within tolerance."""
        return self.claim.holds(self.measured)


def validate(
    row: Row,
    *,
    seeds: int | None = None,
    processes: int = 2,
    folder: Path | None = None,
    progress: bool = True,
) -> list[Outcome]:
    """Measure one row.

    Args:
        row: what to measure.
        seeds: how many seeds; as many as the row says if left out.
        processes: worker processes; 0 does everything in this one.
        folder: where results are kept, so that an interrupted row goes on.
        progress: show a bar where there is a terminal.
    """
    outcomes = []
    for place, claim in enumerate(row.claims):
        parameters = {**row.fixed, **claim.setting}
        path = None if folder is None else folder / f"{row.name}-{place}.jsonl"
        table = sweep(
            row.trial,
            {name: [value] for name, value in parameters.items()},
            range(row.seeds if seeds is None else seeds),
            processes=processes,
            path=path,
            progress=progress,
        )
        measured = row.measure(table.column(table.columns[-1]))
        outcomes.append(Outcome(claim, measured, len(table)))
    return outcomes


def markdown(results: Mapping[Row, list[Outcome]]) -> str:
    """Return the page about what was measured."""
    sections = "\n".join(
        line for row, outcomes in results.items() for line in _section(row, outcomes)
    )
    return (
        "# Validation\n\n"
        "Published results, measured again with agents on the bus: every firefly an endless workflow on "
        "one engine, on simulated time. The command that writes this page:\n\n"
        "```bash\nmake validate\n```\n"
        f"{sections}\n\n"
        f"Measured on CPython {platform.python_version()}. The same seeds give the same numbers on every "
        "machine. Beside all this, the test suite holds single swarms to a plain event heap, flash for "
        "flash.\n"
    )


def _section(row: Row, outcomes: list[Outcome]) -> Iterator[str]:
    yield f"\n## {row.name}\n"
    yield f"{row.title}. Source: {row.source}. Tolerance: {row.tolerance}.\n"
    yield "| setting | published | measured | within tolerance | runs |"
    yield "| --- | ---: | ---: | --- | ---: |"
    for outcome in outcomes:
        setting = ", ".join(f"{name} = {value:g}" for name, value in outcome.claim.setting.items())
        holds = "yes" if outcome.holds else "**no**"
        yield (
            f"| {setting} | {outcome.claim.expected} | {outcome.measured:.4g} | {holds} "
            f"| {outcome.trials} |"
        )
