"""The distributions of this repository, read from their files: what they own, need and import."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Distribution:
    """One folder under packages/."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def settings(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))

    @property
    def project(self) -> dict[str, Any]:
        return self.settings["project"]

    @cached_property
    def needs(self) -> set[str]:
        """The names of its dependencies, with those of its extras."""
        extras = self.project.get("optional-dependencies", {}).values()
        lines = [*self.project["dependencies"], *(line for extra in extras for line in extra)]
        return {re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0].lower() for line in lines}

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Its modules by their dotted names."""
        source = self.folder / "src"
        return {dotted(path.relative_to(source)): path for path in sorted(source.rglob("*.py"))}

    def imports(self) -> Iterator[tuple[str, "Import"]]:
        for module, path in self.modules.items():
            for found in imports_of(path):
                yield module, found


@dataclass(frozen=True)
class Import:
    """One imported name; of ``from a import b`` that is ``a.b``."""

    name: str
    line: str
    inside_function: bool
    for_types_only: bool


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def distributions() -> list[Distribution]:
    return [Distribution(file.parent) for file in sorted(ROOT.glob("packages/*/pyproject.toml"))]


@cache
def owners() -> dict[str, str]:
    """Every module of the repository with the distribution that it belongs to."""
    return {module: each.name for each in distributions() for module in each.modules}


def module_of(name: str) -> str | None:
    """Return the module that an imported name is, or is part of; None for other people's."""
    while name and name not in owners():
        name = name.rpartition(".")[0]
    return name or None


@cache
def imports_of(path: Path) -> list[Import]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    return list(_walk(ast.parse(text), lines, inside_function=False, for_types_only=False))


def _walk(
    node: ast.AST, lines: list[str], *, inside_function: bool, for_types_only: bool
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = inside_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        types = for_types_only or _is_for_types(child)
        match child:
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                found = [f"{module}.{alias.name}" for alias in names]
            case _:
                found = []
                yield from _walk(child, lines, inside_function=inside, for_types_only=types)
        for name in found:
            yield Import(name, lines[child.lineno - 1], inside, types)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
