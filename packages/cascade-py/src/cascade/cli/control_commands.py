"""``cascade pause``, ``resume``, ``limit`` and ``status``: orders to running engines, and what they say."""

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

Scope = Annotated[str, typer.Argument(help="What to steer: global, task/<name> or run/<id>.")]
OrderId = Annotated[str, typer.Option("--id", help="Names the order; a later one replaces it.")]
Kind = Literal["pause", "concurrency", "rate_limit"]
Expires = Annotated[
    float | None, typer.Option(min=0, help="Seconds after which the order no longer holds.")
]


def pause(
    connector: Url, scope: Scope = "global", order: OrderId = "cli", expires: Expires = None
) -> None:
    """Hold tasks of every engine that listens, until they are resumed."""
    _send(connector, scope, _order(order, "pause", expires=expires))
    typer.echo(f"Paused: {scope}")


def resume(connector: Url, scope: Scope = "global") -> None:
    """Take back what was ordered for a scope: a pause, or limits."""
    _send(connector, scope, None)
    typer.echo(f"Resumed: {scope}")


def limit(  # noqa: PLR0917 - Typer gives them all by name
    connector: Url,
    scope: Scope = "global",
    n: Annotated[int | None, typer.Option("-n", min=1, help="Tasks that run at once.")] = None,
    rate: Annotated[
        str | None, typer.Option(help="Tasks that start, such as 20/s or 100/m.")
    ] = None,
    burst: Annotated[int, typer.Option(min=1, help="Starts at once after a quiet time.")] = 1,
    order: OrderId = "cli",
    expires: Expires = None,
) -> None:
    """Have fewer tasks run at once (-n), or fewer start in a time (--rate)."""
    if (n is None) == (rate is None):
        raise typer.BadParameter("say what to limit: either -n or --rate")
    kind: Kind = "concurrency" if rate is None else "rate_limit"
    _send(connector, scope, _order(order, kind, n, rate, burst, expires))
    typer.echo(f"Limited: {scope} to {n if rate is None else rate}")


def _order(  # noqa: PLR0917 - in the order of the constraint's own fields
    order: str,
    kind: Kind,
    n: int | None = None,
    rate: str | None = None,
    burst: int = 1,
    expires: float | None = None,
) -> GlobalConstraint:
    expires_at = None if expires is None else time.time() + expires
    try:
        return GlobalConstraint(order, kind, n, rate, burst, expires_at)
    except InvalidConstraintError as error:
        raise typer.BadParameter(str(error)) from None


def _send(url: str, scope: str, constraint: GlobalConstraint | None) -> None:
    if scope != "global" and scope.partition("/")[0] not in ("task", "run"):
        raise typer.BadParameter(f"a scope is global, task/<name> or run/<id>, not {scope!r}")
    fields = {} if constraint is None else asdict(constraint)
    payload = {name: value for name, value in fields.items() if value is not None}

    async def send() -> None:
        async with connected(url) as bus:
            await bus.publish(f"{CONSTRAINT_TOPIC}/{scope}", payload, qos=1, retain=True)

    run_to_end(send())


# --- status ---------------------------------------------------------------------------------------


def status(
    connector: Url,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which engines report, and which orders hold."""
    engines, orders = run_to_end(_look(connector))
    if as_json:
        typer.echo(json.dumps({"engines": engines, "orders": orders}, ensure_ascii=False))
        return
    if not (engines or orders):
        typer.echo("No engine reports, and no order holds.")
    for name, said in sorted(engines.items()):
        seconds = time.time() - said["time"]
        typer.echo(f"engine {name}: {said['state']}, {said['events']} events, {seconds:.0f} s ago")
    for scope, order in sorted(orders.items()):
        typer.echo(f"order {scope}: {json.dumps(order, ensure_ascii=False)}")


async def _look(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is retained: the last status of each engine, and the order of each scope."""
    engines: dict[str, Any] = {}
    orders: dict[str, Any] = {}

    async def take_status(_topic: str, payload: Any) -> None:
        if isinstance(payload, dict) and "engine" in payload:
            engines[payload["engine"]] = payload

    async def take_order(topic: str, payload: Any) -> None:
        orders[topic.removeprefix(f"{CONSTRAINT_TOPIC}/")] = payload

    async with connected(url) as bus:
        await bus.subscribe(f"{TELEMETRY_TOPIC}/+/status", take_status)
        await bus.subscribe(f"{CONSTRAINT_TOPIC}/#", take_order)
    return engines, orders
