"""Imports point down only, and a distribution declares what it imports."""

import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

from repository.distributions import ROOT, Import, distributions, imports_of, module_of, owners
from rows import each_row

EACH = each_row("distribution", distributions())

BIN = Path(sys.executable).parent


@EACH
def test_what_is_imported_of_cascade_is_declared(distribution):
    allowed = {distribution.name} | distribution.needs
    wrong = [
        (module, found.name)
        for module, found in distribution.imports()
        if (target := module_of(found.name)) and owners()[target] not in allowed
    ]
    assert wrong == []


@EACH
def test_what_is_imported_of_others_is_declared(distribution):
    providers = packages_distributions()
    wrong = [
        (module, found.name)
        for module, found in distribution.imports()
        if (top := found.name.partition(".")[0]) != "cascade"
        and top not in sys.stdlib_module_names
        and not distribution.needs
        & {name.lower().replace("_", "-") for name in providers.get(top, [])}
    ]
    assert wrong == []


def test_the_interfaces_need_little():
    (interfaces,) = [each for each in distributions() if each.name == "cascade-interfaces"]
    assert interfaces.needs == {"msgspec"}


def test_imports_point_down_between_and_inside_the_distributions(tmp_path):
    # The linter does not follow a package that is spread over several source trees.
    for each in distributions():
        shutil.copytree(each.folder / "src", tmp_path, dirs_exist_ok=True)
    done = subprocess.run(
        [shutil.which("lint-imports", path=BIN), "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def cycle_in(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_a_cycle_is_found():
    assert set(cycle_in({"a": {"b"}, "b": {"a"}, "c": {"a"}})) == {"a", "b"}


def test_declared_dependencies_have_no_cycle():
    names = {each.name for each in distributions()}
    required = {
        each.name: {line.partition("==")[0] for line in each.project["dependencies"]} & names
        for each in distributions()
    }
    assert cycle_in(required) == []


@EACH
def test_modules_import_each_other_in_no_cycle(distribution):
    # Imports inside functions count: late is how a cycle hides.
    graph = {module: set() for module in distribution.modules}
    for module, found in distribution.imports():
        target = module_of(found.name)
        if target in graph and target != module and not found.for_types_only:
            graph[module].add(target)
    assert cycle_in(graph) == []


@EACH
def test_imports_stand_at_the_top(distribution):
    late = [
        (module, found.line.strip())
        for module, found in distribution.imports()
        if found.inside_function and "noqa: PLC0415 - " not in found.line
    ]
    assert late == []


def test_every_kind_of_import_is_seen(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "import a.b, c\n"
        "from d.e import f, g\n"
        "if TYPE_CHECKING:\n    from h import i\n"
        "class C:\n    async def m(self):\n        try:\n            import j\n"
        "        finally:\n            pass\n"
    )
    found = imports_of(file)
    assert [each.name for each in found] == ["a.b", "c", "d.e.f", "d.e.g", "h.i", "j"]
    assert [each.name for each in found if each.for_types_only] == ["h.i"]
    assert found[-1] == Import("j", "            import j", True, False)
