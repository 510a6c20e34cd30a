"""``cascade run``: run a target from the command line, and show how it goes."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import typer

from cascade.cli.caches import OptionalCache
from cascade.cli.commands import TAKES_ANYTHING, Command
from cascade.cli.connecting import INTERRUPTED, OptionalUrl, connector_from
from cascade.cli.executors import OptionalExecutor, executor_from
from cascade.cli.failures import ShowTraceback, fail, tell
from cascade.cli.inputs import parameters_from
from cascade.cli.json_text import json_text
from cascade.cli.live import shown_live
from cascade.cli.output import say
from cascade.cli.report_file import check_report, reported
from cascade.cli.run_log import LogForm
from cascade.cli.run_options import (
    AsJson,
    Attach,
    Capacity,
    DryRunAlone,
    Jobs,
    KeepGoing,
    Listen,
    Log,
    Name,
    Param,
    ParamsFile,
    Quiet,
    ReportFile,
    RunCommand,
    Seed,
    Telemetry,
)
from cascade.cli.stores import OptionalStore
from cascade.cli.targets import Target, capacities_from, load_target
from cascade.common.messaging.printable import printable
from cascade.common.messaging.secrets import masked
from cascade.interfaces.executor import Executor
from cascade.providers.slots import slots
from cascade.runtime.engine import Engine
from cascade.spec.combinators import settle
from cascade.spec.lazy_types import MappedLazyResult
from cascade.termination import run_to_end

__all__ = ["COMMAND", "run_target"]

T = TypeVar("T")


def run_target(  # noqa: PLR0917 - Typer gives them all by name
    context: typer.Context,
    target: Target,
    param: Param = None,
    params: ParamsFile = None,
    capacity: Capacity = None,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    dry_run: DryRunAlone = False,
    connector: OptionalUrl = None,
    listen: Listen = None,
    name: Name = None,
    store: OptionalStore = None,
    cache: OptionalCache = None,
    executor: OptionalExecutor = None,
    attach: Attach = False,
    seed: Seed = None,
    telemetry: Telemetry = False,
    as_json: AsJson = False,
    traceback: ShowTraceback = False,
    log: Log = None,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> None:
    """Run a task, a call or a list of these, and print its value.

    After the target come its inputs, as --key value; --help after it lists them.

    With --store it is the durable agent called --name: it starts, or goes on where it left, or its value
    is there already.

    Ends with status 0, or with 1 where the run fails; the error is one sentence on standard error.
    """
    loaded = load_target(target, traceback=traceback)
    given = parameters_from(loaded, param or (), context.args, params, _options_of(context))
    _check_together(connector, store, name, telemetry=telemetry, attach=attach)
    check_report(report, dry_run=dry_run)
    runs_on = executor_from(executor, jobs)
    capacities = capacities_from(capacity or ())
    more: Any = {"store": store, "cache": cache, "capacities": capacities, "seed": seed}
    engine = _engine(connector, runs_on, jobs, telemetry=telemetry, **more)
    if dry_run:
        _say_what_would_run(engine, loaded, given, as_json=as_json, traceback=traceback)
        return
    goes_on = keep_going and isinstance(loaded, (list, tuple, MappedLazyResult))
    of_agent: Any = {"name": name, "durable": store is not None, "attach": attach}
    work = engine.run(settle(loaded) if goes_on else loaded, given, listen=listen or (), **of_agent)
    try:
        form = LogForm.quiet if quiet else log
        with reported(engine, report, given), shown_live(engine, loaded, given, form):
            value = _value_of(run_to_end(_outcome(work, runs_on)))
        failures = _failures_in(value) if goes_on else []
        shown = json_text(value) if as_json and not failures else repr(value)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the edge: the user's own tasks raise what they like
        fail(error, traceback=traceback)
    _end(shown, failures, traceback=traceback)


def _say_what_would_run(
    engine: Engine, target: Any, params: dict[str, Any], *, as_json: bool, traceback: bool
) -> None:
    """Print a line for each call, or all of them as JSON."""
    try:
        found = run_to_end(engine.run(target, params, dry_run=True))
    except Exception as error:  # noqa: BLE001 - the edge: conditions are the user's own values
        fail(error, traceback=traceback)
    planned = [{"state": each.state, "task": each.task, "reason": each.reason} for each in found]
    say(json_text(planned) if as_json else printable(masked(str(found)), keep="\n"))


def _engine(
    connector: str | None, executor: Executor | None, jobs: int | None, **more: Any
) -> Engine:
    """Return the engine that the options describe."""
    found = None if connector is None else connector_from(connector)
    engine = Engine(connector=found, executor=executor, **more)
    if jobs is not None:
        engine.register(slots("shell", jobs))
    if more["store"] is not None:  # what else lies there may need modules that are not here
        engine.agents.settings.takes_up_all = False
    return engine


def _end(shown: str, failures: list[Exception], *, traceback: bool) -> None:
    """Print the value; where some of several failed, say of each what went wrong, and end with status 1."""
    for each in failures:
        tell(each, traceback=traceback)
    if failures:
        raise typer.Exit(1)
    say(shown)


COMMAND = Command("run", run_target, {"cls": RunCommand, "context_settings": TAKES_ANYTHING})


def _failures_in(values: Iterable[Any]) -> list[Exception]:
    """Return what went wrong, of several that did not end each other."""
    return [each for each in values if isinstance(each, Exception)]


def _options_of(context: typer.Context) -> list[str]:
    """Return what the command's own options are called."""
    names = (name for each in context.command.params for name in each.opts)
    return [name.removeprefix("--") for name in names if name.startswith("--")]


def _check_together(
    connector: str | None, store: str | None, name: str | None, *, telemetry: bool, attach: bool
) -> None:
    if telemetry and connector is None:
        raise typer.BadParameter("--telemetry needs a --connector to report over")
    if store is not None and name is None:
        raise typer.BadParameter("--store needs a --name, under which the agent is found again")
    if store is None and attach:
        raise typer.BadParameter("--attach needs the --store that the agent lies in")


async def _outcome(work: Coroutine[Any, Any, T], executor: Executor | None) -> T | _Failure:
    """Catch what a run raises where it does, so that no frame of an event loop is in its traceback."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - raised again, by `_value_of`
        return _Failure(error)
    finally:
        if executor is not None:
            await executor.aclose()


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a run raised."""

    error: Exception


def _value_of(outcome: T | _Failure) -> T:
    if isinstance(outcome, _Failure):
        raise outcome.error
    return outcome
