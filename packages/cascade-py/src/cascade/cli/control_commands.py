"""``cascade pause``, ``resume`` and ``limit``: constraints, sent to engines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.cli.output import say
from cascade.interfaces.errors import InvalidConstraintError
from cascade.spec.constraint import CONSTRAINT_TOPIC, GlobalConstraint

__all__ = ["limit", "pause", "resume"]

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
    say(f"Paused: {target}")


def resume(connector: Url, target: ConstraintTarget = "global") -> None:
    """Take back the constraints of a target: a pause, or limits."""
    _send(connector, target)
    say(f"Resumed: {target}")


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
    """Limit how many tasks run at once (-n), how many start in a time (--rate), or both."""
    constraints = []
    if n is not None:
        constraints.append(_constraint(constraint_id, "concurrency", n, expires=expires))
    if rate is not None:
        rate_id = constraint_id if n is None else f"{constraint_id}-rate"
        constraints.append(_constraint(rate_id, "rate_limit", None, rate, burst, expires))
    if not constraints:
        raise typer.BadParameter("say what to limit: -n, --rate, or both")
    _send(connector, target, *constraints)
    limits = " and ".join(str(each) for each in (n, rate) if each is not None)
    say(f"Limited: {target} to {limits}")


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


def _send(url: str, target: str, *constraints: GlobalConstraint) -> None:
    """Send what holds for a target from now on; nothing takes back what did."""
    if target != "global" and target.partition("/")[0] not in ("task", "run"):
        raise typer.BadParameter(
            f"a target of a constraint is global, task/<name> or run/<id>, not {target!r}"
        )

    async def send() -> None:
        async with connected(url) as bus:
            topic = f"{CONSTRAINT_TOPIC}/{target}"
            await bus.publish(topic, _payload(constraints), 1, retain=True)

    run_to_end(send())


def _payload(constraints: Sequence[GlobalConstraint]) -> Any:
    """Return one constraint as a mapping, several as a list, and none as what clears."""
    plain = [_plain(each) for each in constraints]
    return plain if len(plain) > 1 else plain[0] if plain else {}


def _plain(constraint: GlobalConstraint) -> dict[str, Any]:
    return {name: value for name, value in asdict(constraint).items() if value is not None}
