"""``cascade pause``, ``resume``, ``limit`` and ``status``: constraints, and what engines report."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.interfaces.errors import InvalidConstraintError
from cascade.runtime.observation.telemetry import TELEMETRY_TOPIC
from cascade.spec.constraint import CONSTRAINT_TOPIC, GlobalConstraint

__all__ = ["limit", "pause", "resume", "status"]

ConstraintTarget = Annotated[
    str, typer.Argument(help="What to steer: global, task/<name> or run/<id>.")
]
ConstraintId = Annotated[
    str, typer.Option("--id", help="Names the order; a later one replaces it.")
]
Kind = Literal["pause", "concurrency", "rate_limit"]
Expires = Annotated[
    float | None, typer.Option(min=0, help="Seconds after which the order no longer holds.")
]


def pause(
    connector: Url,
    target: ConstraintTarget = "global",
    constraint_id: ConstraintId = "cli",
    expires: Expires = None,
) -> None:
    """Hold tasks of every engine that listens, until they are resumed."""
    _send(connector, target, _constraint(constraint_id, "pause", expires=expires))
    typer.echo(f"Paused: {target}")


def resume(connector: Url, target: ConstraintTarget = "global") -> None:
    """Take back the constraints of a target: a pause, or limits."""
    _send(connector, target, None)
    typer.echo(f"Resumed: {target}")


def limit(  # noqa: PLR0917 - Typer gives them all by name
    connector: Url,
    target: ConstraintTarget = "global",
    n: Annotated[int | None, typer.Option("-n", min=1, help="Tasks that run at once.")] = None,
    rate: Annotated[
        str | None, typer.Option(help="Tasks that start, such as 20/s or 100/m.")
    ] = None,
    burst: Annotated[int, typer.Option(min=1, help="Starts at once after a quiet time.")] = 1,
    constraint_id: ConstraintId = "cli",
    expires: Expires = None,
) -> None:
    """Limit how many tasks run at once (-n), or how many start in a time (--rate)."""
    if (n is None) == (rate is None):
        raise typer.BadParameter("say what to limit: either -n or --rate")
    kind: Kind = "concurrency" if rate is None else "rate_limit"
    _send(connector, target, _constraint(constraint_id, kind, n, rate, burst, expires))
    typer.echo(f"Limited: {target} to {n if rate is None else rate}")


def _constraint(  # noqa: PLR0917 - in the order of the constraint's own fields
    constraint_id: str,
    kind: Kind,
    n: int | None = None,
    rate: str | None = None,
    burst: int = 1,
    expires: float | None = None,
) -> GlobalConstraint:
    expires_at = None if expires is None else time.time() + expires
    try:
        return GlobalConstraint(constraint_id, kind, n, rate, burst, expires_at)
    except InvalidConstraintError as error:
        raise typer.BadParameter(str(error)) from None


def _send(url: str, target: str, constraint: GlobalConstraint | None) -> None:
    if target != "global" and target.partition("/")[0] not in ("task", "run"):
        raise typer.BadParameter(
            f"a target of a constraint is global, task/<name> or run/<id>, not {target!r}"
        )
    fields = {} if constraint is None else asdict(constraint)
    payload = {name: value for name, value in fields.items() if value is not None}

    async def send() -> None:
        async with connected(url) as bus:
            await bus.publish(f"{CONSTRAINT_TOPIC}/{target}", payload, qos=1, retain=True)

    run_to_end(send())


# --- status ---------------------------------------------------------------------------------------


def status(
    connector: Url,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which engines report, and which constraints are in force."""
    engines, constraints = run_to_end(_look(connector))
    if as_json:
        typer.echo(json.dumps({"engines": engines, "constraints": constraints}, ensure_ascii=False))
        return
    if not (engines or constraints):
        typer.echo("No engine reports, and no constraint is in force.")
    for name, said in sorted(engines.items()):
        seconds = time.time() - said["time"]
        typer.echo(f"engine {name}: {said['state']}, {said['events']} events, {seconds:.0f} s ago")
    for target, constraint in sorted(constraints.items()):
        typer.echo(f"constraint {target}: {json.dumps(constraint, ensure_ascii=False)}")


async def _look(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is retained: the last status of each engine, and the constraint of each target."""
    engines: dict[str, Any] = {}
    constraints: dict[str, Any] = {}

    async def take_status(_topic: str, payload: Any) -> None:
        if isinstance(payload, dict) and "engine" in payload:
            engines[payload["engine"]] = payload

    async def take_constraint(topic: str, payload: Any) -> None:
        constraints[topic.removeprefix(f"{CONSTRAINT_TOPIC}/")] = payload

    async with connected(url) as bus:
        await bus.subscribe(f"{TELEMETRY_TOPIC}/+/status", take_status)
        await bus.subscribe(f"{CONSTRAINT_TOPIC}/#", take_constraint)
    return engines, constraints
