"""``cascade graph``: draw the graph of a target, as Mermaid or DOT."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cascade.cli.failures import ShowTraceback
from cascade.cli.output import say
from cascade.cli.targets import Target, load_target
from cascade.runtime.evaluation.evaluator import as_call
from cascade.runtime.evaluation.graph_export import dot, mermaid

__all__ = ["graph"]


class Form(StrEnum):
    """How to write it."""

    mermaid = "mermaid"
    dot = "dot"


def graph(
    target: Target,
    form: Annotated[Form, typer.Option("--format", help="What to write it as.")] = Form.mermaid,
    output: Annotated[Path | None, typer.Option(help="Write it here.")] = None,
    traceback: ShowTraceback = False,
) -> None:
    """Draw which calls a target needs before it can run; nothing is run.

    What a task returns later, a tail call, is not known before.
    """
    call = as_call(load_target(target, traceback=traceback), {})
    drawn = mermaid(call) if form is Form.mermaid else dot(call)
    if output is None:
        say(drawn)
    else:
        output.write_text(f"{drawn}\n", encoding="utf-8")
