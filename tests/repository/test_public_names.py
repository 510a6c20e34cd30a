"""Public means exported by a package's `__init__` and listed in its `__all__`."""

import ast
import re
from importlib import import_module

from repository.distributions import ROOT, distributions
from rows import each_row

PACKAGES = {
    module: path
    for each in distributions()
    for module, path in each.modules.items()
    if path.name == "__init__.py"
}


def bound(tree):
    """Return the public names that a package's `__init__` makes its own.

    What it takes from other people's modules for its own use is not among them.
    """
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("cascade"):
                yield from (alias.asname or alias.name for alias in names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


@each_row("package", PACKAGES)
def test_every_listed_name_exists(package):
    module = import_module(package)
    listed = getattr(module, "__all__", [])
    assert [name for name in listed if not hasattr(module, name)] == []
    assert len(listed) == len(set(listed))


@each_row("package", PACKAGES)
def test_every_public_name_is_listed(package):
    tree = ast.parse(PACKAGES[package].read_text(encoding="utf-8"))
    public = {name for name in bound(tree) if not name.startswith("_")}
    assert public - set(getattr(import_module(package), "__all__", [])) == set()


def test_imports_definitions_and_assignments_are_seen():
    text = "from cascade.x import a as b\nfrom os import c\ndef d(): ...\nclass E: ...\nF = 1"
    assert list(bound(ast.parse(text))) == ["b", "d", "E", "F"]


def test_the_reference_has_every_public_name():
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^::: [\w.]+\.(\w+)$", page, re.MULTILINE))
    errors = {"CascadeError"} if "::: cascade.interfaces.errors.base\n" in page else set()
    assert set(import_module("cascade").__all__) <= shown | errors
