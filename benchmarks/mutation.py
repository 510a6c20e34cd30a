"""``python -m benchmarks.mutation [--checkout DIR] [MODULE ...]``: do the tests notice a wrong program?

Each mutant is a module with one small change: another comparison, a number one off, a condition upside
down, a statement left out. The fast tests of the module run against it on a merged copy of all source
trees, so nothing in the checkout changes. What no test notices is printed, for a person to judge: some
changes make no difference that anybody could see.

The changes follow DeMillo, Lipton, Sayward 1978, "Hints on Test Data Selection".
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]
_TOPICS = ["tests/interfaces/test_topics.py", "tests/interfaces/test_tries.py"]
_BUS = ["tests/local"]
_ENGINE = [
    *("tests/runtime/test_graphs.py", "tests/runtime/test_scheduling.py"),
    *("tests/runtime/test_quoting.py", "tests/runtime/test_tail_calls.py"),
    *("tests/runtime/test_engine.py", "tests/runtime/test_policies.py"),
]
MODULES = {
    "cascade.interfaces.topics.syntax": _TOPICS,
    "cascade.interfaces.topics.trie": _TOPICS,
    "cascade.runtime.concurrency.bounded_queue": _BUS,
    "cascade.connectors.local.dispatcher": _BUS,
    "cascade.connectors.local.callback_task": _BUS,
    "cascade.runtime.admission.controller": [
        *("tests/runtime/test_constraints.py", "tests/runtime/test_policies.py"),
        "tests/runtime/test_scheduling.py",
    ],
    "cascade.runtime.evaluation.plan": _ENGINE,
    "cascade.runtime.evaluation.arguments": _ENGINE,
    "cascade.runtime.evaluation.scheduler": _ENGINE,
}
_PYTEST = ["-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
_COMPARED: dict[type[ast.AST], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_CALCULATED: dict[type[ast.AST], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_ANNOTATIONS = {"annotation", "returns", "type_params", "decorator_list"}


@dataclass(frozen=True)
class Mutant:
    """One change of a module."""

    line: int
    old: str
    new: str
    source: str
    """The whole module with the change in it."""


def mutants(source: str) -> Iterator[Mutant]:
    """Give a module with each single change that is known here."""
    data = source.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for place in _code(ast.parse(source)):
        for node, changed in [*_changed_conditions(place), *_changed(place)]:
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            new = ast.unparse(changed)
            text = f"({new})" if isinstance(node, ast.expr) else new
            whole = (data[:begin] + text.encode() + data[end:]).decode()
            yield Mutant(node.lineno, ast.unparse(node), new, whole)


def _code(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Give what runs: no annotations, no docstrings, nothing that is for type checkers."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.expr | ast.stmt) and not isinstance(node, ast.JoinedStr):
        yield node
    for name, value in ast.iter_fields(node):
        if name not in _ANNOTATIONS and not isinstance(node, ast.JoinedStr):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _code(child)


def _changed_conditions(node: ast.AST) -> Iterator[tuple[ast.expr, ast.AST]]:
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Constant):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, node.operand


def _changed(node: ast.expr | ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST]]:
    changes: list[ast.AST] = []
    match node:
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            changes = [ast.Compare(left, [other()], comparators) for other in _COMPARED[type(op)]]
        case ast.BoolOp(op=op, values=values):
            changes = [ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _CALCULATED:
            changes = [ast.BinOp(left, _CALCULATED[type(op)](), right)]
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _CALCULATED:
            changes = [ast.AugAssign(target, _CALCULATED[type(op)](), value), ast.Pass()]
        case ast.Constant(value=bool() as value):
            changes = [ast.Constant(not value)]
        case ast.Constant(value=int() | float() as value):
            changes = [ast.Constant(value + 1), ast.Constant(value - 1)]
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            changes = [ast.Return(ast.Constant(None))]
        case (
            ast.Expr(value=ast.Call() | ast.Await())
            | ast.Raise()
            | ast.Delete()
            | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
        ):
            changes = [ast.Pass()]
    for changed in changes:
        yield node, changed


class Overlay:
    """A merged copy of a checkout's source trees, which stands before the installed ones."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout = checkout
        self.folder = folder
        for tree in checkout.glob("packages/*/src"):
            shutil.copytree(
                tree, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )

    def path(self, module: str) -> Path:
        """Return where a module lies in the copy."""
        return self.folder.joinpath(*module.split(".")).with_suffix(".py")

    def passes(self, tests: list[str], seconds: float) -> bool:
        """Run fast tests on the copy; tests that take too long have not passed."""
        process = subprocess.Popen(
            [self.checkout / ".venv/bin/python", *_PYTEST, "-m", "not slow", *tests],
            cwd=self.checkout,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False

    def survives(self, module: str, mutant: Mutant, tests: list[str], seconds: float) -> bool:
        """Whether the tests pass in spite of a change."""
        path = self.path(module)
        original = path.read_text(encoding="utf-8")
        compiled = [*path.parent.glob(f"__pycache__/{path.stem}.*.pyc")]
        try:
            path.write_text(mutant.source, encoding="utf-8")
            for file in compiled:
                file.unlink()
            return self.passes(tests, seconds)
        finally:
            path.write_text(original, encoding="utf-8")
            for file in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                file.unlink()


def main() -> None:
    """Make mutants of the modules that were named, or of all, and print which survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=[*MODULES])
    parser.add_argument("--checkout", type=Path, default=HERE, help="whose code and tests to take")
    parser.add_argument("--tests", nargs="+", help="instead of those that go with each module")
    parser.add_argument("--number", type=int, default=25, help="of mutants for each module")
    parser.add_argument("--seed", type=int, default=0, help="which of the mutants")
    parser.add_argument("--seconds", type=float, default=60, help="until a mutant counts as killed")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        overlays: queue.SimpleQueue[Overlay] = queue.SimpleQueue()
        for number in range(options.jobs):
            overlays.put(Overlay(options.checkout.resolve(), Path(folder, str(number))))

        def tried(module: str, mutant: Mutant | None) -> bool:
            overlay = overlays.get()
            tests = options.tests or MODULES[module]
            try:
                if mutant is None:
                    return overlay.passes(tests, 10 * options.seconds)
                return overlay.survives(module, mutant, tests, options.seconds)
            finally:
                overlays.put(overlay)

        for module in options.modules:
            overlay = overlays.get()
            every = list(mutants(overlay.path(module).read_text(encoding="utf-8")))
            overlays.put(overlay)
            chance = random.Random(f"{options.seed} {module}")
            chosen = chance.sample(every, min(options.number, len(every)))
            chosen.sort(key=lambda mutant: mutant.line)
            if not tried(module, None):
                parser.exit(1, f"{module}: the tests fail on the module as it is\n")
            survived = list(pool.map(lambda each, name=module: tried(name, each), chosen))
            print(f"{module}: {survived.count(False)} of {len(chosen)} killed", flush=True)
            for mutant in (each for each, lives in zip(chosen, survived, strict=True) if lives):
                old, new = (" ".join(text.split())[:100] for text in (mutant.old, mutant.new))
                print(f"  {module.replace('.', '/')}.py:{mutant.line}  {old}  →  {new}", flush=True)


if __name__ == "__main__":
    main()
