"""What ``cascade run`` takes beside the inputs of its target, and its help, which lists these too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cascade.cli.inputs import lines_about_inputs
from cascade.cli.run_log import LogForm
from cascade.cli.settings import settings_from
from cascade.cli.targets import load_target
from cascade.common.messaging.printable import printable

__all__ = [
    "AsJson",
    "Attach",
    "Capacity",
    "DryRunAlone",
    "Jobs",
    "KeepGoing",
    "Listen",
    "Log",
    "Name",
    "Param",
    "ParamsFile",
    "Quiet",
    "ReportFile",
    "RunCommand",
    "Seed",
    "Telemetry",
]

Param = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", help="key=value; the same as --key value after the target."),
]
ParamsFile = Annotated[
    Path | None,
    typer.Option("--params", help="A file of parameters: YAML, JSON or TOML."),
]
Capacity = Annotated[
    list[str] | None,
    typer.Option("--capacity", "-c", help="name=units of what tasks demand, such as gpu=2."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, help="How many threads, processes and commands work at once."
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option(
        "--keep-going", "-k", help="Of a list or a mapping: one failure does not end the others."
    ),
]
DryRunAlone = Annotated[
    bool,
    typer.Option("--dry-run", "-n", help="Run nothing; say what would run, and what is cached."),
]
Listen = Annotated[
    list[str] | None,
    typer.Option("--listen", help="A filter on which signals are kept from the start."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", help="What the run's random numbers follow from.")
]
Name = Annotated[
    str | None, typer.Option(help="The run's id, for constraints, telemetry and the store.")
]
Attach = Annotated[
    bool, typer.Option("--attach", help="Take up what has the name, however it began.")
]
Telemetry = Annotated[
    bool, typer.Option("--telemetry", help="Report over the connector what happens.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="The value as JSON; what JSON cannot say fails.")
]
Log = Annotated[
    LogForm | None,
    typer.Option(
        "--log", help="What happens, on standard error; as text, where that is a terminal."
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        help="Write a page of HTML here, which shows where the time went, and what failed.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="The same as --log quiet.")]

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_NO_SETTINGS = frozenset({"target", "param", "params", "attach", "help"})


class RunCommand(TyperCommand):
    """A command whose help lists the inputs of its target, and whose options pyproject.toml may set."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep what was given, and let the settings stand for what was not."""
        ctx.meta[__name__] = next(filter(_TARGET.fullmatch, args), None)
        if not {"--help"}.intersection(args):
            known = {str(each.name) for each in self.params} - _NO_SETTINGS
            ctx.default_map = settings_from(Path.cwd(), known)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write what the command takes, and below it what the target does."""
        super().format_help(ctx, formatter)
        target = ctx.meta[__name__]
        if target is not None:
            for line in lines_about_inputs(load_target(target)):
                formatter.write(f"{printable(line)}\n")
