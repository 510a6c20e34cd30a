"""``cascade new``: a project to begin with, made from a template, that passes its own tests."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from cascade.cli.output import say

__all__ = ["new"]

_SUFFIX = ".template"
"""What the files of a template end with, so that no tool takes them for programs of Cascade."""


class Kind(StrEnum):
    """What to begin with."""

    pipeline = "pipeline"
    agent = "agent"
    simulation = "simulation"


def new(
    kind: Annotated[Kind, typer.Argument(help="What to begin with.")],
    name: Annotated[str, typer.Argument(help="The project, and the folder that is made for it.")],
) -> None:
    """Make a project: a module with a workflow, its tests, and how to run both.

    The folder is made here, and must not be there yet.
    """
    module = _module_of(name)
    folder = Path(name)
    if folder.exists():
        raise typer.BadParameter(f"{name} is there already; take another name, or remove it")
    words = {"project": name, "module": module}
    template = _files_of(files("cascade.cli") / "templates" / kind.value)
    made = {folder / Template(path).substitute(words): text for path, text in template}
    for target in sorted(made):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(made[target]).substitute(words), encoding="utf-8")
        say(str(target))


def _module_of(name: str) -> str:
    """Return what the project's module is called.

    Raises:
        BadParameter: a module could not be called so, or would take the place of another one.
    """
    module = name.lower().replace("-", "_")
    if not (module.isascii() and module.isidentifier()) or keyword.iskeyword(module):
        raise typer.BadParameter(
            f"{name!r} is no name for a project: take letters, digits, - and _, and begin with a letter"
        )
    if module in sys.stdlib_module_names or module in {"cascade", "pytest", "tests"}:
        raise typer.BadParameter(f"a module {module!r} would hide another one of that name")
    return module


def _files_of(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of each file of a template."""
    for each in folder.iterdir():
        path = f"{above}{each.name}"
        if each.is_dir():
            yield from _files_of(each, f"{path}/")
        else:
            yield path.removesuffix(_SUFFIX), each.read_text(encoding="utf-8")
