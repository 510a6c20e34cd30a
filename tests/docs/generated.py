"""Pages that are made of the packages: names, commands, messages, topics and settings, and llms.txt.

``make pages`` writes them; a test compares what stands in docs/ with what would be written now.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import typer
import yaml

import cascade
from cascade.cli.app import make_app
from cascade.common.messaging.catalogue import texts
from cascade.providers import load_provider, provider_names
from cascade.spec.resource import ResourceDefinition
from docs.facts import ENVIRONMENT, PUBLIC, TOPICS
from repository.distributions import ROOT, distributions

DOCS = ROOT / "docs"
SITE = "https://github.com/cascade-py/cascade/blob/main/docs"
NOTE = "This page is made from the code by `make pages`.\n"


def pages() -> dict[str, str]:
    """Return each page by its path in docs/."""
    return {
        "reference/names.md": names_page(),
        "reference/commands.md": commands_page(),
        "reference/messages.md": messages_page(),
        "reference/wire.md": wire_page(),
        "llms.txt": llms_text(),
    }


# --- names ---------------------------------------------------------------------------------------


def names_page() -> str:
    shown = "".join(_table(title, rows) for title, rows in _sections())
    return f"# Names\n\n{NOTE}\nWhat each is for; [the reference](../reference.md) has the options.\n{shown}"


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield (
        "`import cascade as cs`",
        [(f"cs.{each}", _told("cascade", each)) for each in users_names()],
    )
    for module in PUBLIC:
        names = sorted(import_module(module).__all__, key=_alphabetically)
        yield f"`{module}`", [(each, _told(module, each)) for each in names]


def users_names() -> list[str]:
    """Return what users write behind ``cs.``."""
    return sorted({*cascade.__all__, *provider_names()}, key=_alphabetically)


def _alphabetically(name: str) -> tuple[str, str]:
    return name.lower(), name


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| `{name}` | {_cell(told)} |" for name, told in rows]
    return f"\n## {title}\n\n| | |\n| --- | --- |\n" + "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


def thing(module: str, name: str) -> Any:
    """Return what a name stands for; those with a dot are of providers."""
    if name in getattr(import_module(module), "__all__", ()):
        return getattr(import_module(module), name)
    return load_provider(name)


def _told(module: str, name: str) -> str:
    return sentence_of(module, name) or "?"


def sentence_of(module: str, name: str) -> str:
    """Return the first sentence about a name: of its docstring, or of the text behind a constant."""
    it = thing(module, name)
    is_documented = inspect.isclass(it) or inspect.isroutine(it) or inspect.ismodule(it)
    if is_documented or hasattr(it, "__wrapped__"):
        text = inspect.getdoc(it) or ""
    elif isinstance(it, ResourceDefinition):
        text = inspect.getdoc(it.function) or text_behind(name, it)
    else:
        text = text_behind(name, it)
    return text.partition("\n\n")[0]


def text_behind(name: str, it: Any) -> str:
    """Return the text that stands behind a constant or a type, in the module that makes it."""
    for module, found in _texts_behind().items():
        if name in found and getattr(sys.modules.get(module), name, None) is it:
            return found[name]
    return ""


@cache
def _texts_behind() -> dict[str, dict[str, str]]:
    return {
        module: dict(_in(ast.parse(path.read_text(encoding="utf-8"))))
        for each in distributions()
        for module, path in each.modules.items()
    }


def _in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for made, behind in zip(tree.body, tree.body[1:], strict=False):
        match made, behind:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, text


# --- commands ------------------------------------------------------------------------------------


def commands_page() -> str:
    app = typer.main.get_command(make_app())
    shown = "\n".join(_commands("cascade", app))
    return (
        f"# Commands\n\n{NOTE}\n[Operations](../operations.md) shows how they are used.\n{shown}\n"
    )


def _commands(name: str, command: Any) -> Iterator[str]:
    yield f"\n## {name}\n\n{_cell(command.help or '').strip()}"
    rows = [row for each in command.params if not each.hidden and (row := _parameter(each))]
    if rows:
        yield "\n| | |\n| --- | --- |\n" + "\n".join(rows)
    for each, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(f"{name} {each}", inner)


def _parameter(each: Any) -> str:
    names = [*each.opts, *each.secondary_opts] if each.param_type_name == "option" else [each.name]
    shown = ", ".join(f"`{name}`" for name in names)
    return f"| {shown} | {_cell(getattr(each, 'help', None) or '')} |"


# --- messages, topics, settings ------------------------------------------------------------------


def messages_page() -> str:
    rows = [f"| `{name}` | {_cell(text)} |" for name, text in sorted(texts("en").items())]
    return (
        f"# Messages\n\n{NOTE}\nWhat people are told, by its id; `CASCADE_LANGUAGE=zh` says it in "
        "Chinese. Names in braces are its facts, which `CASCADE_OUTPUT=json` gives as fields.\n\n"
        "| id | text |\n| --- | --- |\n" + "\n".join(rows) + "\n"
    )


def wire_page() -> str:
    topics = _table("Topics", [(topic, told) for topic, told in TOPICS.items()])
    settings = _table("Variables of the environment", list(ENVIRONMENT.items()))
    return (
        f"# Topics, schemas, settings\n\n{NOTE}\n[Operations](../operations.md) has their fields; "
        "[constraint.schema.json](../constraint.schema.json) is the JSON Schema of a constraint, which "
        f"engines read it with.\n{topics}{settings}"
    )


# --- llms.txt ------------------------------------------------------------------------------------


def llms_text() -> str:
    """Return the index that coding assistants read: the pages of the site in their order."""
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    about = (
        "> Python workflows that can listen: lazy calls, durable agents, signals, simulated time."
    )
    return "# Cascade\n\n" + about + "\n\n" + "\n".join(_entries(nav)) + "\n"


def _entries(nav: list[dict[str, Any]]) -> Iterator[str]:
    yield from (_link(*each) for part in nav for each in part.items() if isinstance(each[1], str))
    for part in nav:
        for title, inner in part.items():
            if not isinstance(inner, str):
                yield f"\n## {title}\n"
                yield from (_link(*each) for page in _flat(inner) for each in page.items())


def _flat(nav: list[Any]) -> Iterator[dict[str, str]]:
    for each in nav:
        for title, inner in each.items():
            yield from [{title: inner}] if isinstance(inner, str) else _flat(inner)


def _link(title: str, path: str) -> str:
    return f"- [{title}]({path if '://' in path else f'{SITE}/{path}'})"


if __name__ == "__main__":
    for written, content in pages().items():
        (DOCS / written).write_text(content, encoding="utf-8")
