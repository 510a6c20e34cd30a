"""``cascade worker``: a process that drives the durable agents of a store, until it is told to stop."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import typer

from cascade.cli.caches import OptionalCache
from cascade.cli.connecting import OptionalUrl, run_to_end
from cascade.cli.executors import OptionalExecutor
from cascade.cli.failures import ShowTraceback
from cascade.cli.output import say
from cascade.cli.run_options import Capacity, Telemetry
from cascade.cli.stores import StorePath
from cascade.cli.targets import capacities_from, load_module
from cascade.common.messaging.printable import printable
from cascade.runtime.engine import Engine
from cascade.runtime.observation.telemetry import TelemetrySettings
from cascade.termination import told_to_stop

__all__ = ["worker"]

Modules = Annotated[
    list[str], typer.Argument(help="The modules that the tasks of the agents are in.")
]
Label = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", help="Only agents that were started with one of these labels."),
]
Name = Annotated[
    str | None, typer.Option(help="What telemetry calls it; host and process, if left out.")
]


def worker(  # noqa: PLR0917 - Typer gives them all by name
    modules: Modules,
    store: StorePath,
    connector: OptionalUrl = None,
    executor: OptionalExecutor = None,
    cache: OptionalCache = None,
    label: Label = None,
    capacity: Capacity = None,
    name: Name = None,
    telemetry: Telemetry = False,
    traceback: ShowTraceback = False,
) -> None:
    """Drive the agents of a store that nobody else drives, until it is told to stop.

    Any number of workers may share a store. With a connector, its status is retained there for as long as
    it lives, and says so where it dies; with --telemetry, so is all that happens reported.

    SIGTERM, or Ctrl-C, has it take up no more agents, and leave each to others at the end of its step; then
    it ends with status 0. A second one cancels what is still under way.
    """
    if telemetry and connector is None:
        raise typer.BadParameter("--telemetry needs a --connector to report over")
    for each in modules:
        load_module(each, traceback=traceback)
    try:
        engine = Engine(
            connector=connector,
            store=store,
            executor=executor,
            cache=cache,
            capacities=capacities_from(capacity or ()),
            name=name or f"{socket.gethostname()}-{os.getpid()}",
            telemetry=TelemetrySettings(events=telemetry),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    engine.agents.settings.labels = label
    run_to_end(_serve(engine))


async def _serve(engine: Engine) -> None:
    """Drive agents until told to stop, and leave them to others then."""
    with told_to_stop() as told:
        async with engine:
            say(f"Ready: {printable(engine.name)}")
            await told.wait()
            late = await engine.agents.drain()
    more = f"; steps that were not at their end, and begin again elsewhere: {late}" if late else ""
    say(f"Left: {printable(engine.name)}{more}")
