"""``cascade status`` and ``forget``: what engines last said of themselves, and which constraints hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.cli.json_text import json_text_of_any
from cascade.cli.output import say
from cascade.cli.reports import EngineReport, read_report
from cascade.common.messaging.printable import printable
from cascade.interfaces.protocols import Connector
from cascade.runtime.observation.telemetry import TELEMETRY_TOPIC
from cascade.spec.constraint import CONSTRAINT_TOPIC

__all__ = ["forget", "status"]


@dataclass(slots=True)
class _Retained:
    """What is retained on a bus."""

    engines: dict[str, EngineReport] = field(default_factory=dict)
    """The last status of each engine, by its topic."""

    payloads: dict[str, Any] = field(default_factory=dict)
    """The same as it was sent, by the engine's name."""

    unreadable: list[str] = field(default_factory=list)
    """The topics of what is no status."""

    constraints: dict[str, Any] = field(default_factory=dict)
    """What is in force, by its target."""

    async def take_status(self, topic: str, payload: Any) -> None:
        report = read_report(payload)
        if isinstance(report, EngineReport):
            self.engines[topic] = report
            self.payloads[report.engine] = payload
        elif payload:  # what clears comes too, if it comes just now
            self.unreadable.append(topic)

    async def take_constraint(self, topic: str, payload: Any) -> None:
        self.constraints[topic.removeprefix(f"{CONSTRAINT_TOPIC}/")] = payload


async def _look(bus: Connector) -> _Retained:
    """Return what is retained; a subscription has all of it when it returns."""
    retained = _Retained()
    await bus.subscribe(f"{TELEMETRY_TOPIC}/+/status", retained.take_status)
    await bus.subscribe(f"{CONSTRAINT_TOPIC}/#", retained.take_constraint)
    return retained


def status(
    connector: Url,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which engines report, their runs, and which constraints are in force."""

    async def look() -> list[str]:
        async with connected(connector) as bus:
            retained = await _look(bus)
        if as_json:
            both = {"engines": retained.payloads, "constraints": retained.constraints}
            return [json_text_of_any(both)]
        return _lines(retained) or ["No engine reports, and no constraint is in force."]

    for line in run_to_end(look()):
        say(line)


def _lines(retained: _Retained) -> list[str]:
    lines = []
    for report in sorted(retained.engines.values(), key=lambda each: each.engine):
        runs = f"{report.run_count} run{'' if report.run_count == 1 else 's'}"
        lines.append(
            f"engine {printable(report.engine)}: {report.shown_state}, {runs}, {report.since}"
        )
        if report.state == "online":
            lines += [
                f"  run {printable(run)}: {printable(state)}" for run, state in report.runs.items()
            ]
            more = report.run_count - len(report.runs)
            lines += [f"  and {more} more"] if more > 0 else []
    lines += [f"{printable(topic)} is no status of an engine" for topic in retained.unreadable]
    for target, constraint in sorted(retained.constraints.items()):
        lines.append(f"constraint {printable(target)}: {json_text_of_any(constraint)}")
    return lines


def forget(
    connector: Url,
    engines: Annotated[
        list[str] | None, typer.Argument(help="Engines by name; all that are gone, if left out.")
    ] = None,
    older: Annotated[
        float, typer.Option(min=0, help="Seconds of silence after which an engine is gone.")
    ] = 60.0,
) -> None:
    """Remove what is retained of engines that are gone: offline, silent, or not readable."""

    async def clear() -> list[str]:
        async with connected(connector) as bus:
            retained = await _look(bus)
            gone = {
                topic: report.engine
                for topic, report in retained.engines.items()
                if (report.engine in engines if engines else _is_gone(report, older))
            }
            gone |= {} if engines else {topic: topic for topic in retained.unreadable}
            for topic in gone:
                await bus.publish(topic, {}, 1, retain=True)
            return sorted(gone.values())

    forgotten = run_to_end(clear())
    for name in forgotten:
        say(f"Forgotten: {printable(name)}")
    missing = sorted(set(engines or ()) - set(forgotten))
    if missing:
        typer.echo(f"cascade: no status of {', '.join(map(printable, missing))}", err=True)
        raise typer.Exit(1)


def _is_gone(report: EngineReport, older: float) -> bool:
    return report.state != "online" or report.age > max(older, report.heartbeat)
