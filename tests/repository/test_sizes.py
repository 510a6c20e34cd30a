"""A file holds one idea, and a function fits on a screen."""

import ast

from repository.distributions import distributions
from rows import each_row

MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 50

# Longer ones, each with the measured reason; at most five.
LONGER: dict[str, str] = {}


def functions():
    for each in distributions():
        for module, path in each.modules.items():
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{module}.{node.name}", node


def lines_without_docstring(node):
    has_docstring = ast.get_docstring(node) is not None
    first = node.body[0]
    docstring = first.end_lineno - first.lineno + 1 if has_docstring else 0
    return node.end_lineno - node.lineno + 1 - docstring


@each_row("distribution", distributions())
def test_no_file_is_too_long(distribution):
    long = {
        path.name: count
        for path in distribution.modules.values()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES_OF_A_FILE
    }
    assert long == {}


def test_no_function_is_too_long_but_those_listed():
    lengths = {name: lines_without_docstring(node) for name, node in functions()}
    long = {name for name, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION}
    assert long == LONGER.keys()
    assert len(LONGER) <= 5


def test_a_docstring_does_not_count():
    text = 'def f():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    assert lines_without_docstring(ast.parse(text).body[0]) == 2
