"""``cascade graph``: draw the graph of a target, as Mermaid, DOT or SVG."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cascade.cli.failures import ShowTraceback, fail
from cascade.cli.output import say
from cascade.cli.targets import Target, load_target
from cascade.drawing import dot, mermaid, svg
from cascade.interfaces.errors import CascadeError

__all__ = ["graph"]


class Form(StrEnum):
    """How to write it."""

    mermaid = "mermaid"
    dot = "dot"
    svg = "svg"


_DRAW = {Form.mermaid: mermaid, Form.dot: dot, Form.svg: svg}
_ENDINGS = {".dot": Form.dot, ".gv": Form.dot, ".svg": Form.svg}


def graph(
    target: Target,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            help="What to write it as; if left out, what the file's ending says, or mermaid. "
            "SVG is drawn by Graphviz.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write it here, not to standard output.")
    ] = None,
    traceback: ShowTraceback = False,
) -> None:
    """Draw the calls that a target is made of, branches and conditions too; nothing is run.

    What a task returns later, a tail call, is not known before.
    """
    loaded = load_target(target, traceback=traceback)
    named = Form.mermaid if output is None else _ENDINGS.get(output.suffix, Form.mermaid)
    try:
        drawn = _DRAW[form or named](loaded).rstrip("\n")
        if output is None:
            say(drawn)
        else:
            output.write_text(f"{drawn}\n", encoding="utf-8")
    except (CascadeError, OSError) as error:
        fail(error, traceback=traceback)
